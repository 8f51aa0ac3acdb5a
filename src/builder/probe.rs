//! What a plan has to ask: the tools themselves, and the file system as they would see it.
//!
//! [`Probe`] is the question; [`System`] asks for real: never with our own stdin, within
//! [`TIME_LIMIT`], reading no more than [`OUTPUT_LIMIT`], and without the variables that hold keys.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::checkout::{Checkout, CheckoutError, Checkouts};
use super::git_source::GitSource;
pub use crate::child::ask::Output;
use crate::child::ask::{Limits, ask, bounded};

/// How long a tool may take to answer. Compose fetches remote includes within it.
pub const TIME_LIMIT: Duration = Duration::from_secs(60);
/// The most bytes that a tool may answer on stdout, and on stderr.
pub const OUTPUT_LIMIT: u64 = 16 << 20;
/// The most bytes of a settings file (`.env`).
pub const FILE_LIMIT: u64 = 1 << 20;
/// The most bytes of a build file on stdin.
pub const STDIN_LIMIT: u64 = 4 << 20;

/// What a tool is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// The program, as typed.
    pub program: &'a OsStr,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables over those of the environment.
    pub env: Vec<(OsString, OsString)>,
    /// What it reads on stdin: a build file that was typed as `-`, or nothing.
    pub stdin: String,
}

/// Everything that a plan depends on besides what was typed and lent.
pub trait Probe {
    /// Runs what `question` says.
    ///
    /// # Errors
    /// When it cannot be started, takes too long or answers too much.
    fn output(&mut self, question: &Question<'_>) -> io::Result<Output>;
    /// Whether something is at `path`, links followed.
    fn exists(&mut self, path: &Path) -> bool;
    /// The text of a settings file; None where there is no such file, or a folder of that name.
    ///
    /// # Errors
    /// When it is there and cannot be read, is too long or is no UTF-8.
    fn read(&mut self, path: &Path) -> io::Result<Option<String>>;
    /// All of stdin, for a build file that was typed as `-`. Asked once at most.
    ///
    /// # Errors
    /// When it cannot be read, is too long or is no UTF-8.
    fn stdin(&mut self) -> io::Result<String>;
    /// The working directory as a shell shows it: through symbolic links, like Go's `os.Getwd`,
    /// because Compose names a project after it.
    fn cwd(&self) -> &Path;
    /// Clones a repository that the builder would fetch itself; the same one only once.
    ///
    /// # Errors
    /// When it cannot be cloned, or is not granted.
    fn checkout(&mut self, source: &GitSource, keep_git: bool) -> Result<Checkout, CheckoutError>;
    /// Whether `path`, links followed, is `folder` or lies below it.
    fn is_within(&mut self, path: &Path, folder: &Path) -> bool;
    /// A variable of the environment.
    fn var(&self, name: &str) -> Option<OsString>;
    /// How many processors there are.
    fn processors(&self) -> usize;
}

/// Asks the real tools and files.
#[derive(Clone, Debug)]
pub struct System {
    cwd: PathBuf,
    hidden: Vec<OsString>,
    limits: Limits,
    checkouts: Option<Checkouts>,
}

impl System {
    /// A probe in the working directory. `hidden` names variables that hold keys: no asked tool
    /// sees them.
    ///
    /// # Errors
    /// When there is no working directory.
    pub fn new(hidden: Vec<OsString>) -> io::Result<Self> {
        let limits = Limits { time: TIME_LIMIT, output: OUTPUT_LIMIT };
        Ok(Self { cwd: logical_cwd()?, hidden, limits, checkouts: None })
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(self, time: Duration, output: u64) -> Self {
        Self { limits: Limits { time, output }, ..self }
    }

    /// The same with a way to clone repositories.
    #[must_use]
    pub fn with_checkouts(self, checkouts: Checkouts) -> Self {
        Self { checkouts: Some(checkouts), ..self }
    }
}

/// `$PWD` where it names the working directory, else the resolved path.
fn logical_cwd() -> io::Result<PathBuf> {
    let real = std::env::current_dir()?;
    let Some(pwd) = std::env::var_os("PWD").map(PathBuf::from).filter(|pwd| pwd.is_absolute()) else {
        return Ok(real);
    };
    let same = match (pwd.metadata(), real.metadata()) {
        (Ok(a), Ok(b)) => a.dev() == b.dev() && a.ino() == b.ino(),
        _ => false,
    };
    Ok(if same { pwd } else { real })
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "no UTF-8 text"))
}

impl Probe for System {
    fn output(&mut self, question: &Question<'_>) -> io::Result<Output> {
        let mut command = Command::new(question.program);
        command.args(&question.args);
        for name in &self.hidden {
            command.env_remove(name);
        }
        command.envs(question.env.iter().map(|(name, value)| (name, value)));
        ask(&mut command, &question.stdin, self.limits)
    }

    fn exists(&mut self, path: &Path) -> bool {
        path.metadata().is_ok()
    }

    fn read(&mut self, path: &Path) -> io::Result<Option<String>> {
        let file = match std::fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if file.metadata()?.is_dir() {
            return Ok(None);
        }
        bounded(file, "the file", FILE_LIMIT).and_then(text).map(Some)
    }

    fn stdin(&mut self) -> io::Result<String> {
        bounded(io::stdin().lock(), "stdin", STDIN_LIMIT).and_then(text)
    }

    fn cwd(&self) -> &Path {
        &self.cwd
    }

    fn checkout(&mut self, source: &GitSource, keep_git: bool) -> Result<Checkout, CheckoutError> {
        self.checkouts.as_mut().ok_or(CheckoutError::DryRun)?.make(source, keep_git, &self.hidden)
    }

    fn is_within(&mut self, path: &Path, folder: &Path) -> bool {
        match (path.canonicalize(), folder.canonicalize()) {
            (Ok(path), Ok(folder)) => path.starts_with(folder),
            _ => false,
        }
    }

    fn var(&self, name: &str) -> Option<OsString> {
        let hidden = self.hidden.iter().any(|hidden| hidden == name);
        std::env::var_os(name).filter(|_| !hidden)
    }

    fn processors(&self) -> usize {
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(system: &mut System, script: &str, stdin: &str) -> io::Result<Output> {
        let args = vec!["-c".into(), script.into()];
        system.output(&Question { program: OsStr::new("sh"), args, env: vec![], stdin: stdin.into() })
    }

    fn sh(system: &mut System, script: &str) -> io::Result<Output> {
        asked(system, script, "")
    }

    #[test]
    fn a_tool_reads_the_text_that_it_is_given_and_may_leave_it() {
        let mut system = System::new(vec![]).expect("a folder");
        let text = "x".repeat(1 << 20);
        assert_eq!(asked(&mut system, "wc -c", &text).expect("an answer").stdout.trim_ascii(), b"1048576");
        assert!(asked(&mut system, "exec true", &text).expect("an answer").success);
    }

    #[test]
    fn an_answer_at_the_limit_is_read_whole_and_one_past_it_is_refused() {
        let mut system = System::new(vec![]).expect("a folder").with_limits(TIME_LIMIT, 8);
        assert_eq!(sh(&mut system, "printf 12345678").expect("an answer").stdout, b"12345678");
        let error = sh(&mut system, "printf 123456789").expect_err("too long");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_tool_that_does_not_answer_is_ended_at_the_time_limit() {
        let mut system = System::new(vec![]).expect("a folder").with_limits(Duration::from_millis(100), OUTPUT_LIMIT);
        for script in ["exec sleep 600", "exec sleep 600 >&- 2>&-"] {
            assert_eq!(sh(&mut system, script).expect_err("no answer").kind(), io::ErrorKind::TimedOut);
        }
    }

    #[test]
    fn a_tool_gets_nothing_on_stdin_and_does_not_see_the_hidden_variables() {
        let mut system = System::new(vec!["PATH_OF_NOBODY".into(), "HOME".into()]).expect("a folder");
        let output = sh(&mut system, "cat; echo ${HOME-unset}; exit 3").expect("an answer");
        assert_eq!((output.stdout.as_slice(), output.success), (&b"unset\n"[..], false));
        assert_eq!(system.var("HOME"), None);
        assert!(system.var("PATH").is_some());
    }

    #[test]
    fn a_file_at_the_limit_is_read_and_one_past_it_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut system = System::new(vec![]).expect("a folder");
        let path = folder.path().join(".env");
        assert_eq!(system.read(&path).expect("no file"), None);
        assert_eq!(system.read(folder.path()).expect("a folder"), None);
        let limit = usize::try_from(FILE_LIMIT).expect("small");
        std::fs::write(&path, "x".repeat(limit)).expect("written");
        assert_eq!(system.read(&path).expect("read").map(|text| text.len()), Some(limit));
        std::fs::write(&path, "x".repeat(limit + 1)).expect("written");
        assert_eq!(system.read(&path).expect_err("too long").kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn stdin_is_held_to_its_limit_as_well() {
        let at = "x".repeat(usize::try_from(STDIN_LIMIT).expect("small"));
        assert!(bounded(at.as_bytes(), "stdin", STDIN_LIMIT).is_ok());
        assert!(bounded((at + "x").as_bytes(), "stdin", STDIN_LIMIT).is_err());
    }
}
