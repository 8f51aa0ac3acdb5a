//! Where the configuration of the repository is that a folder lies in (gitrepository-layout(5)).
//!
//! Refuses a repository that another user could have put above the folder, as Git itself does
//! (`safe.directory`): its `insteadOf` would choose the hosts that grants name.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Bytes of a file that names a folder (`.git` of a worktree, `commondir`).
const MAX_POINTER: u64 = 4096;

/// The configuration of the repository around this folder, where that is not `.git/config` in it.
pub(super) fn config(root: &Path) -> Option<PathBuf> {
    let root = root.canonicalize().ok()?;
    let (folder, git) = root.ancestors().find_map(|folder| {
        let git = folder.join(".git");
        git.symlink_metadata().is_ok().then_some((folder, git))
    })?;
    if !is_ours(folder) || !is_ours(&git) {
        return None;
    }
    if git.is_dir() {
        // A project that has one of its own is walked over.
        return (folder != root).then(|| git.join("config"));
    }
    // A worktree or a submodule: `gitdir: PATH`, and the configuration of a worktree is shared.
    let own = git.parent()?.join(pointer(&git)?.strip_prefix("gitdir:")?.trim());
    let shared = pointer(&own.join("commondir")).map(|common| own.join(common.trim()));
    let config = shared.unwrap_or(own).join("config");
    is_ours(&config).then_some(config)
}

fn pointer(path: &Path) -> Option<String> {
    let mut text = String::new();
    // A FIFO would be waited for.
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    File::open(path).ok()?.take(MAX_POINTER).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Whether this user or root is who owns it.
fn is_ours(path: &Path) -> bool {
    let user = rustix::process::geteuid().as_raw();
    fs::metadata(path).is_ok_and(|meta| meta.uid() == user || meta.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn git(folder: &Path, args: &[&str]) {
        let mut git = Command::new("git");
        git.current_dir(folder).env("HOME", folder).env("GIT_CONFIG_NOSYSTEM", "1");
        git.args(["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "protocol.file.allow=always"]);
        let done = git.args(args).output().expect("git is needed for this test");
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// What the real Git takes for the repository's own configuration.
    fn of_git(folder: &Path) -> PathBuf {
        let asked = Command::new("git").current_dir(folder).args(["rev-parse", "--git-path", "config"]).output();
        folder.join(String::from_utf8(asked.unwrap().stdout).unwrap().trim()).canonicalize().unwrap()
    }

    #[test]
    fn the_configuration_of_a_folder_a_worktree_and_a_submodule_is_gits_own() {
        let place = tempfile::tempdir().unwrap();
        let main = place.path().join("main");
        fs::create_dir_all(main.join("service/deep")).unwrap();
        git(&main, &["init", "-q"]);
        git(&main, &["commit", "-q", "--allow-empty", "-m", "x"]);
        git(&main, &["worktree", "add", "-q", "../tree"]);
        git(&main, &["submodule", "add", "-q", main.to_str().unwrap(), "module"]);
        assert_eq!(config(&main), None, "it is walked over");
        let tree = place.path().join("tree");
        for folder in [main.join("service"), main.join("service/deep"), tree, main.join("module")] {
            let found = config(&folder).unwrap_or_else(|| panic!("{}", folder.display()));
            assert_eq!(found.canonicalize().unwrap(), of_git(&folder), "{}", folder.display());
        }
    }

    #[test]
    fn what_is_no_repository_or_leads_nowhere_has_none() {
        let place = tempfile::tempdir().unwrap();
        for text in ["", "gitdir:", "gitdir: /nowhere/at/all\n", "x\0", &"x".repeat(10_000)] {
            fs::write(place.path().join(".git"), text).unwrap();
            assert_eq!(config(place.path()).filter(|path| path.is_file()), None, "{text:?}");
        }
    }
}
