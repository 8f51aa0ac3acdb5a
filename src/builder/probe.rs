//! What a plan has to ask: the tools themselves, and the file system as they would see it.
//!
//! [`Probe`] is the question; [`System`] asks for real: never with our own stdin, within
//! [`TIME_LIMIT`], reading no more than [`OUTPUT_LIMIT`], and without the variables that hold keys.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a tool may take to answer. Compose fetches remote includes within it.
pub const TIME_LIMIT: Duration = Duration::from_secs(60);
/// The most bytes that a tool may answer on stdout, and on stderr.
pub const OUTPUT_LIMIT: u64 = 16 << 20;
/// The most bytes of a settings file (`.env`).
pub const FILE_LIMIT: u64 = 1 << 20;
/// The most bytes of a build file on stdin.
pub const STDIN_LIMIT: u64 = 4 << 20;
/// How often a tool that has closed its output is looked at until it ends.
const EXIT_POLL: Duration = Duration::from_millis(5);

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

/// What a tool answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Whether it ended with status 0.
    pub success: bool,
    /// All of its stdout.
    pub stdout: Vec<u8>,
    /// All of its stderr.
    pub stderr: Vec<u8>,
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
    /// A variable of the environment.
    fn var(&self, name: &str) -> Option<OsString>;
}

/// Asks the real tools and files.
#[derive(Clone, Debug)]
pub struct System {
    cwd: PathBuf,
    hidden: Vec<OsString>,
    time_limit: Duration,
    output_limit: u64,
}

impl System {
    /// A probe in the working directory. `hidden` names variables that hold keys: no asked tool
    /// sees them.
    ///
    /// # Errors
    /// When there is no working directory.
    pub fn new(hidden: Vec<OsString>) -> io::Result<Self> {
        Ok(Self { cwd: logical_cwd()?, hidden, time_limit: TIME_LIMIT, output_limit: OUTPUT_LIMIT })
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(self, time_limit: Duration, output_limit: u64) -> Self {
        Self { time_limit, output_limit, ..self }
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

fn too_long(what: &str, limit: u64) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("{what} is longer than {limit} bytes"))
}

fn bounded(source: impl io::Read, what: &str, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(too_long(what, limit));
    }
    Ok(bytes)
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "no UTF-8 text"))
}

impl Probe for System {
    fn output(&mut self, question: &Question<'_>) -> io::Result<Output> {
        let stdin = if question.stdin.is_empty() { Stdio::null() } else { Stdio::piped() };
        let mut command = Command::new(question.program);
        command.args(&question.args).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        for name in &self.hidden {
            command.env_remove(name);
        }
        command.envs(question.env.iter().map(|(name, value)| (name, value)));
        let mut child = command.spawn()?;
        if let Some(mut pipe) = child.stdin.take() {
            let text = question.stdin.clone();
            // A tool that does not read all of it is free not to.
            std::thread::spawn(move || drop(pipe.write_all(text.as_bytes())));
        }
        let answer = self.answer(&mut child);
        if answer.is_err() {
            // Already gone, or ours to end; either way it is reaped.
            let _ = child.kill();
            let _ = child.wait();
        }
        answer
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

    fn var(&self, name: &str) -> Option<OsString> {
        let hidden = self.hidden.iter().any(|hidden| hidden == name);
        std::env::var_os(name).filter(|_| !hidden)
    }
}

impl System {
    fn answer(&self, child: &mut Child) -> io::Result<Output> {
        let until = Instant::now() + self.time_limit;
        let stdout = self.reader(child.stdout.take());
        let stderr = self.reader(child.stderr.take());
        // Threads are not joined: where a grandchild keeps a pipe open, they end with it.
        let stdout = received(&stdout, until)?;
        let stderr = received(&stderr, until)?;
        let status = exit(child, until)?;
        Ok(Output { success: status.success(), stdout, stderr })
    }

    fn reader(&self, source: Option<impl io::Read + Send + 'static>) -> mpsc::Receiver<io::Result<Vec<u8>>> {
        let (sender, receiver) = mpsc::channel();
        let limit = self.output_limit;
        std::thread::spawn(move || {
            let bytes = source.map_or_else(|| Ok(Vec::new()), |source| bounded(source, "the answer", limit));
            // Nobody listens any more where the time limit was reached.
            let _ = sender.send(bytes);
        });
        receiver
    }
}

fn timed_out() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "no answer within the time limit")
}

fn received(from: &mpsc::Receiver<io::Result<Vec<u8>>>, until: Instant) -> io::Result<Vec<u8>> {
    from.recv_timeout(until.saturating_duration_since(Instant::now())).map_err(|_| timed_out())?
}

fn exit(child: &mut Child, until: Instant) -> io::Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() >= until {
            return Err(timed_out());
        }
        std::thread::sleep(EXIT_POLL);
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
