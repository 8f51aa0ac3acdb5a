//! A home, a runtime folder and a project of the test's own, and the built valetkey in them.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::keys::made::{self, Kind};

/// The built program.
pub(crate) const VALETKEY: &str = env!("CARGO_BIN_EXE_valetkey");
/// How long anything may take here before the test gives up.
const DEADLINE: Duration = Duration::from_secs(30);
/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Where a person works.
pub(crate) struct Place(tempfile::TempDir);

/// What a run left behind on the terminal.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self(made::folder());
        for name in ["run", "tmp", "project"] {
            std::fs::create_dir(place.at(name)).unwrap();
        }
        open_to_owner(&place.at("run"));
        place
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn project(&self) -> PathBuf {
        self.at("project")
    }

    /// Writes a file of the project, open to its owner alone.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        made::write(&self.project(), name, text)
    }

    /// Any command in this place, with nothing of the real environment but PATH, and with a key
    /// in the variable KEY.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.0.path())
            .env("XDG_CONFIG_HOME", self.at("config"))
            .env("XDG_RUNTIME_DIR", self.at("run"))
            .env("TMPDIR", self.at("tmp"))
            .env("KEY", &made::key(Kind::Ed25519).text)
            .current_dir(self.project())
            .stdin(Stdio::null());
        command
    }

    /// `valetkey` with these arguments.
    pub(crate) fn valetkey(&self, args: &[&str]) -> Command {
        let mut command = self.command(VALETKEY);
        command.args(args);
        command
    }

    /// `valetkey run --key env:KEY … -- …`, to its end.
    pub(crate) fn lend(&self, args: &[&str]) -> Ran {
        ran(&mut self.valetkey(&[&["run", "--key", "env:KEY"], args].concat()))
    }

    /// The same with a shell script as the command.
    pub(crate) fn lend_to(&self, script: &str) -> Ran {
        self.lend(&["--", "sh", "-c", script])
    }

    /// Folders of leases that are there, below the runtime and the temp folder.
    pub(crate) fn leases(&self) -> Vec<PathBuf> {
        let bases = std::fs::read_dir(self.at("tmp")).unwrap().map(|entry| entry.unwrap().path());
        let bases = bases.chain([self.at("run/valetkey")]);
        let inside = bases.filter_map(|base| std::fs::read_dir(base).ok()).flatten();
        inside.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
    }
}

impl Ran {
    #[track_caller]
    pub(crate) fn is(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn says(&self, words: &[&str]) -> &Self {
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in {self:#?}");
        }
        self
    }

    #[track_caller]
    pub(crate) fn shows(&self, words: &[&str]) -> &Self {
        for word in words {
            assert!(self.out.contains(word), "{word:?} is not in {self:#?}");
        }
        self
    }

    #[track_caller]
    pub(crate) fn never_says(&self, words: &[&str]) -> &Self {
        for word in words {
            assert!(!self.err.contains(word) && !self.out.contains(word), "{word:?} is in {self:#?}");
        }
        self
    }
}

/// Runs to the end; a run without one fails the test.
#[track_caller]
pub(crate) fn ran(command: &mut Command) -> Ran {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    ended(child)
}

/// Waits for the end of a started command with piped output.
#[track_caller]
pub(crate) fn ended(child: Child) -> Ran {
    let id = child.id().to_string();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = receiver.recv_timeout(DEADLINE) else {
        made::run("kill", &["-KILL", &id]);
        panic!("it did not end within {DEADLINE:?}");
    };
    Ran::from(output.unwrap())
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < end, "{what}: not within {DEADLINE:?}");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Waits for a file with a whole line in it, and gives that line.
#[track_caller]
pub(crate) fn line_of(path: &Path) -> String {
    until(&format!("a line in {}", path.display()), || {
        let text = std::fs::read_to_string(path).ok()?;
        Some(text.split_once('\n')?.0.to_owned())
    })
}

pub(crate) fn open_to_owner(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).unwrap();
}
