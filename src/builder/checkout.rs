//! Clones of repositories that a builder would fetch itself, where the guest cannot be: made on
//! this machine with the person's own `git`, whose `ssh` is the guest. So the gateway judges
//! them as it judges a step, with the same pins, and Git holds no key.
//!
//! Nothing of the person's Git configuration takes part: no hook, filter, credential helper or
//! `insteadOf`, as with BuildKit, which fetches with an empty home folder. What a repository
//! holds is files to Git here, and nothing in it is run. Submodules are fetched as BuildKit
//! does, over SSH through the gateway, or over HTTPS.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::git_source::GitSource;
use crate::child::ask::{Limits, Output, ask};
use crate::wire::text;

/// How long one command of Git may take. The gateway has limits of its own below this.
pub const TIME_LIMIT: Duration = Duration::from_secs(30 * 60);
/// The most bytes that Git may say.
const OUTPUT_LIMIT: u64 = 1 << 20;
/// Repositories that one build is given at most.
pub const MAX_CHECKOUTS: usize = 32;
/// How deep folders are followed; Git's own trees are cut by the length of a path before.
const MAX_DEPTH: usize = 2048;
/// The folder of a checkout that holds the repository's files.
pub(super) const FILES: &str = "repo";

/// Variables that Git keeps: where programs are, and how the network is reached.
const KEPT: [&str; 8] =
    ["PATH", "TMPDIR", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Why a repository could not be cloned.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// A dry run clones nothing.
    #[error("a dry run does not clone it, and its Dockerfile is in there")]
    DryRun,
    /// Too many.
    #[error("this build asks for more than {MAX_CHECKOUTS} repositories")]
    TooMany,
    /// Git itself.
    #[error("failed to run git: {0}")]
    Git(io::Error),
    /// A folder or file.
    #[error("failed to write its files: {0}")]
    Files(io::Error),
    /// What Git says, or the gateway.
    #[error("{0}")]
    Refused(String),
}

/// A clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// The folder that holds nothing but [`FILES`].
    pub folder: PathBuf,
    /// The commit, in full; none in a dry run.
    pub commit: Option<String>,
}

impl Checkout {
    /// The repository's own folder.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.folder.join(FILES)
    }

    /// The folder that was asked for: the repository's own, or its subfolder.
    #[must_use]
    pub fn files(&self, source: &GitSource) -> PathBuf {
        let files = self.root();
        source.subfolder.as_ref().map_or_else(|| files.clone(), |folder| files.join(folder))
    }
}

/// The clones of one lease.
#[derive(Clone, Debug)]
pub struct Checkouts {
    folder: PathBuf,
    guest: PathBuf,
    socket: PathBuf,
    is_dry: bool,
    made: Vec<(GitSource, bool, Checkout)>,
}

impl Checkouts {
    /// Clones go into `folder`, which need not be there, through the gateway at `socket`.
    /// `guest` is the program that Git runs as `ssh`. Absolute paths.
    #[must_use]
    pub fn new(folder: PathBuf, guest: PathBuf, socket: PathBuf) -> Self {
        Self { folder, guest, socket, is_dry: false, made: Vec::new() }
    }

    /// The same, but nothing is cloned: the folders of its answers are not there.
    #[must_use]
    pub fn dry(self) -> Self {
        Self { is_dry: true, ..self }
    }

    /// A clone of what was asked for; the same one for the same question.
    pub(super) fn make(
        &mut self,
        source: &GitSource,
        keep_git: bool,
        hidden: &[OsString],
    ) -> Result<Checkout, CheckoutError> {
        // A subfolder is a part of the same clone.
        let asked = GitSource { subfolder: None, ..source.clone() };
        let made = self.made.iter().find(|(source, kept, _)| *source == asked && *kept == keep_git);
        if let Some((_, _, checkout)) = made {
            return Ok(checkout.clone());
        }
        if self.made.len() == MAX_CHECKOUTS {
            return Err(CheckoutError::TooMany);
        }
        let folder = self.folder.join(self.made.len().to_string());
        let commit = if self.is_dry { None } else { Some(self.clone_into(&folder, &asked, keep_git, hidden)?) };
        let checkout = Checkout { folder, commit };
        self.made.push((asked, keep_git, checkout.clone()));
        Ok(checkout)
    }

    fn clone_into(
        &self,
        folder: &Path,
        source: &GitSource,
        keep_git: bool,
        hidden: &[OsString],
    ) -> Result<String, CheckoutError> {
        let files = folder.join(FILES);
        fs::create_dir_all(folder).map_err(CheckoutError::Files)?;
        let git = |args: &[&str]| self.git(folder, args, hidden);
        let inside = |args: &[&str]| git(&[&["-C", FILES][..], args].concat());
        said(&git(&["init", "--quiet", "--template=", FILES])?)?;
        said(&inside(&["remote", "add", "--", "origin", &source.url])?)?;
        let reference = source.reference.as_deref().unwrap_or("HEAD");
        let fetched = inside(&["fetch", "--quiet", "--depth=1", "--no-tags", "origin", reference])?;
        let at = if fetched.success {
            "FETCH_HEAD"
        } else if may_be_commit(reference) {
            // A server gives single commits only where it is set to, and short ones never.
            let all = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"];
            said(&inside(&["fetch", "--quiet", "origin", all[0], all[1]])?)?;
            reference
        } else {
            return said(&fetched);
        };
        said(&inside(&["checkout", "--quiet", "--detach", at])?)?;
        if fs::symlink_metadata(files.join(".gitmodules")).is_ok_and(|meta| meta.is_file()) {
            said(&inside(&["submodule", "--quiet", "update", "--init", "--recursive", "--depth=1"])?)?;
        }
        let commit = said(&inside(&["rev-parse", "HEAD"])?)?.trim().to_owned();
        if keep_git {
            // Without what differs from one clone to the next: times of files, and of the clone.
            said(&inside(&["read-tree", "HEAD"])?)?;
            let _ = fs::remove_dir_all(files.join(".git/logs"));
            let _ = fs::remove_file(files.join(".git/FETCH_HEAD"));
        } else {
            remove_git(&files, 0).map_err(CheckoutError::Files)?;
        }
        Ok(commit)
    }

    /// Runs Git with nothing of the person's settings, and the guest as its ssh.
    fn git(&self, folder: &Path, args: &[&str], hidden: &[OsString]) -> Result<Output, CheckoutError> {
        // The modes of files are part of a step's cache key: whatever the umask is here.
        let mut command = Command::new("sh");
        command.args(["-c", "umask 022 && exec git \"$@\"", "git"]).current_dir(folder).env_clear();
        // Hooks and filters come from a configuration, and there is none; this is for those that
        // a packager has built in.
        command.args(["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "maintenance.auto=false"]);
        command.args(["-c", "gc.auto=0"]).args(args);
        let kept = KEPT.iter().filter(|name| !hidden.iter().any(|hidden| hidden == **name));
        command.envs(kept.filter_map(|name| Some((*name, std::env::var_os(name)?))));
        for (name, value) in [
            ("HOME", "/dev/null"),
            ("LC_ALL", "C"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_ATTR_NOSYSTEM", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_ALLOW_PROTOCOL", "ssh:https"),
            ("GIT_SSH_VARIANT", "ssh"),
        ] {
            command.env(name, value);
        }
        command.env("GIT_SSH", &self.guest).env("SSH_AUTH_SOCK", &self.socket);
        ask(&mut command, "", Limits { time: TIME_LIMIT, output: OUTPUT_LIMIT }).map_err(CheckoutError::Git)
    }
}

/// Whether a reference may be a commit, in full or shortened.
fn may_be_commit(reference: &str) -> bool {
    (7..=64).contains(&reference.len()) && reference.bytes().all(|b| b.is_ascii_hexdigit())
}

/// What Git wrote, or why it failed: the gateway's words where there are any, else Git's last.
fn said(output: &Output) -> Result<String, CheckoutError> {
    if output.success {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let lines = || stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let ours = lines().find_map(|line| line.strip_prefix("valetkey: "));
    let gits = || lines().find(|line| line.starts_with("fatal:") || line.starts_with("ERROR:"));
    let line = ours.or_else(gits).or_else(|| lines().next_back()).unwrap_or("git failed and does not say why");
    let line = line.chars().map(|c| if text::is_harmless(c) { c } else { '\u{fffd}' });
    Err(CheckoutError::Refused(line.take(super::error::SHOWN_MESSAGE).collect()))
}

/// Removes Git's own folders: the repository's and those of its submodules. Follows no link.
///
/// Times of files stay what they are. To give all of them the commit's would make two commits look
/// the same to BuildKit, which sends a file again only where its size or time has changed.
fn remove_git(folder: &Path, depth: usize) -> io::Result<()> {
    if depth == MAX_DEPTH {
        return Err(io::Error::other("its folders are nested too deep"));
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, is_folder) = (entry.path(), entry.file_type()?.is_dir());
        match (entry.file_name() == ".git", is_folder) {
            (true, true) => fs::remove_dir_all(&path)?,
            (true, false) => fs::remove_file(&path)?,
            (false, true) => remove_git(&path, depth + 1)?,
            (false, false) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_at_the_limit_are_looked_through_and_one_deeper_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let deep = folder.path().join("a/b");
        fs::create_dir_all(deep.join(".git/objects")).expect("folders");
        fs::create_dir_all(folder.path().join("a/c")).expect("folders");
        fs::write(folder.path().join("a/c/.git"), "gitdir: elsewhere").expect("a file");
        fs::write(deep.join(".gitignore"), "").expect("a file");
        std::os::unix::fs::symlink(folder.path(), deep.join("up")).expect("a link");
        assert!(remove_git(folder.path(), MAX_DEPTH - 2).is_err());
        remove_git(folder.path(), MAX_DEPTH - 3).expect("removed");
        assert!(!deep.join(".git").exists() && !folder.path().join("a/c/.git").exists());
        assert!(deep.join(".gitignore").exists() && deep.join("up").is_symlink());
    }

    #[test]
    fn what_the_gateway_says_comes_before_what_git_makes_of_it() {
        let failed = |stderr: &str| {
            said(&Output { success: false, stdout: vec![], stderr: stderr.into() }).expect_err("a failure").to_string()
        };
        assert_eq!(
            failed("valetkey: x is not granted\nfatal: Could not read\n\nand the repository exists.\n"),
            "x is not granted"
        );
        assert_eq!(failed("warning: a\nfatal: no such ref\x1b[2J\nhint: b\n"), "fatal: no such ref\u{fffd}[2J");
        assert_eq!(failed("\n"), "git failed and does not say why");
    }

    #[test]
    fn one_repository_more_than_the_limit_is_refused() {
        let mut checkouts = Checkouts::new("/c".into(), "/guest".into(), "/socket".into()).dry();
        let source = |number: usize| GitSource { url: format!("git@h:{number}"), reference: None, subfolder: None };
        for number in 0..MAX_CHECKOUTS {
            let made = checkouts.make(&source(number), false, &[]).expect("a folder");
            assert_eq!(made, Checkout { folder: format!("/c/{number}").into(), commit: None });
        }
        assert!(matches!(checkouts.make(&source(MAX_CHECKOUTS), false, &[]), Err(CheckoutError::TooMany)));
        let part = GitSource { subfolder: Some("lib".into()), ..source(3) };
        let made = checkouts.make(&part, false, &[]).expect("the same clone");
        assert_eq!(made.files(&part), Path::new("/c/3/repo/lib"));
        assert!(
            matches!(checkouts.make(&source(3), true, &[]), Err(CheckoutError::TooMany)),
            "with its .git it is another"
        );
    }
}
