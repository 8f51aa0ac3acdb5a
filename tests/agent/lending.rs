//! `valetkey run` around a command, as a user starts it: in a home and a run-time folder of its
//! own, with no agent and no variable of the machine's.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A `valetkey run` that is put together and then started.
pub(crate) struct Lending {
    folder: tempfile::TempDir,
    flags: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    config: bool,
    first: &'static str,
}

/// What it printed, wrote and ended with.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) receipt: Value,
}

impl Lending {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("run")).unwrap();
        fs::set_permissions(folder.path().join("run"), fs::Permissions::from_mode(0o700)).unwrap();
        Self { folder, flags: Vec::new(), variables: Vec::new(), config: false, first: ":" }
    }

    /// One that lends a key file.
    pub(crate) fn of(key: &Path) -> Self {
        Self::new().key(key)
    }

    pub(crate) fn key(self, key: &Path) -> Self {
        let source = format!("file:{}", key.display());
        self.flags(["--key", &source])
    }

    pub(crate) fn flags<S: AsRef<OsStr>>(mut self, flags: impl IntoIterator<Item = S>) -> Self {
        self.flags.extend(flags.into_iter().map(|flag| flag.as_ref().to_owned()));
        self
    }

    /// Lends what a `valetkey.toml` with this text says.
    pub(crate) fn config(mut self, text: &str) -> Self {
        let path = self.folder.path().join("valetkey.toml");
        fs::write(&path, text).unwrap();
        self.config = true;
        self.flags([OsStr::new("--config"), path.as_os_str()])
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Has the shell that starts valetkey do something first.
    pub(crate) fn first(self, first: &'static str) -> Self {
        Self { first, ..self }
    }

    /// Its home, which is the working directory of the wrapped command; `run` in it is its
    /// XDG_RUNTIME_DIR.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn receipt(&self) -> PathBuf {
        self.folder.path().join("receipt.json")
    }

    /// Starts it, for a test that acts while it runs.
    pub(crate) fn start<S: AsRef<OsStr>>(&self, command: impl IntoIterator<Item = S>) -> Child {
        let mut valetkey = Command::new("sh");
        valetkey.args(["-c", &format!("{}; exec \"$@\"", self.first), "sh", env!("CARGO_BIN_EXE_valetkey")]);
        valetkey.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        valetkey.env("HOME", self.folder.path()).env("XDG_RUNTIME_DIR", self.folder.path().join("run"));
        valetkey.envs(self.variables.iter().map(|(name, value)| (name, value)));
        valetkey.arg("run").args(&self.flags).arg("--receipt").arg(self.receipt());
        if !self.config {
            valetkey.arg("--no-config");
        }
        valetkey.arg("--").args(command).current_dir(self.folder.path());
        valetkey.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        valetkey.spawn().unwrap()
    }

    /// What a started one ended with.
    pub(crate) fn end(&self, child: Child) -> Ended {
        let output = child.wait_with_output().unwrap();
        let receipt = fs::read_to_string(self.receipt()).unwrap_or_default();
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            receipt: serde_json::from_str(&receipt).unwrap_or_default(),
        }
    }

    /// Runs a command to its end.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, command: impl IntoIterator<Item = S>) -> Ended {
        self.end(self.start(command))
    }

    /// Runs the calling test, of this name, once more as the wrapped command: only that and its
    /// descendants are answered. There [`super::client::inside`] is true, and it must pass.
    #[track_caller]
    pub(crate) fn again(self, test: &str) -> Ended {
        let own = std::env::current_exe().unwrap();
        let lending = self.env(super::client::INSIDE, "1");
        let command = [own.as_os_str(), OsStr::new("--exact"), OsStr::new(test), OsStr::new("--nocapture")];
        let ended = lending.run(command);
        assert!(ended.code == Some(0) && ended.stdout.contains("1 passed"), "{test}: {}", ended.report());
        ended
    }

    /// Runs a shell script to its end.
    pub(crate) fn sh(&self, script: &str) -> Ended {
        self.run(["sh", "-c", script])
    }
}

impl Ended {
    /// Everything, for a failed expectation.
    pub(crate) fn report(&self) -> String {
        format!("{:?}\n{}\n{}\n{:#}", self.code, self.stdout, self.stderr, self.receipt)
    }

    #[track_caller]
    pub(crate) fn expect_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}", self.report());
        self
    }

    /// Summary and receipt name a refusal with this reason and this hint.
    #[track_caller]
    pub(crate) fn expect_refused(&self, reason: &str, hint: Option<&str>) -> &Self {
        let refusals = self.receipt["refusals"].as_array().cloned().unwrap_or_default();
        let refusal = refusals.iter().find(|refusal| refusal["reason"].as_str().is_some_and(|it| it.contains(reason)));
        let refusal = refusal.unwrap_or_else(|| panic!("{reason:?} is not in the receipt\n{}", self.report()));
        let shown =
            self.stderr.lines().skip_while(|line| !(line.starts_with("valetkey: refused") && line.contains(reason)));
        let shown: Vec<&str> = shown.take(2).collect();
        assert!(!shown.is_empty(), "{reason:?} is not in the summary\n{}", self.report());
        match hint {
            None => assert!(refusal["hint"].is_null(), "{}", self.report()),
            Some(hint) => {
                assert!(refusal["hint"].as_str().is_some_and(|it| it.contains(hint)), "{}", self.report());
                assert!(shown[1].contains("hint: ") && shown[1].contains(hint), "{}", self.report());
            }
        }
        self
    }

    /// How many refusals of whatever kind the receipt has.
    pub(crate) fn refusals(&self) -> usize {
        self.receipt["refusals"].as_array().map_or(0, Vec::len)
    }

    /// The receipt's logins as (host, count); a host that was not visible is `None`.
    pub(crate) fn logins(&self) -> Vec<(Option<String>, u64)> {
        let logins = self.receipt["logins"].as_array().cloned().unwrap_or_default();
        let one = |login: &Value| (login["host"].as_str().map(str::to_owned), login["count"].as_u64().unwrap());
        logins.iter().map(one).collect()
    }

    /// Summary and receipt say that so many logins were signed, all bound to this host.
    #[track_caller]
    pub(crate) fn expect_bound(&self, host: &str, count: u64) -> &Self {
        assert_eq!(self.logins(), [(Some(host.to_owned()), count)], "{}", self.report());
        let logins = if count == 1 { "1 login".into() } else { format!("{count} logins") };
        let (signed, bound) = (format!("valetkey: signed {logins}"), format!(", bound to {host}"));
        let said = self.stderr.lines().any(|line| line.starts_with(&signed) && line.ends_with(&bound));
        assert!(said, "{signed}{bound}\n{}", self.report());
        self
    }

    #[track_caller]
    pub(crate) fn expect_nothing_signed(&self) -> &Self {
        assert_eq!(self.logins(), [], "{}", self.report());
        assert!(self.stderr.contains("signed no login"), "{}", self.report());
        self
    }
}
