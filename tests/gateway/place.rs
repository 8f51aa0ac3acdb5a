//! A Git server of a test's own, the guest as `ssh` in a folder of its own, and a lease that
//! reaches the one through the other.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::agent::lending::{Ended, Lending};
use crate::agent::server::{Server, me};
use crate::hosts::keys::{Keys, run};

/// What a server of [`Place`] takes.
pub(crate) const SETTINGS: &str = "AcceptEnv GIT_PROTOCOL\nMaxStartups 100\nMaxSessions 100\n";

/// Server, keys and repositories.
pub(crate) struct Place {
    pub(crate) keys: Keys,
    pub(crate) server: Server,
    known_hosts: PathBuf,
}

impl Place {
    /// A server that lets the key `key` in and runs what Git asks for, without any limit: what
    /// is refused is refused by valetkey. It has the repositories `org/repo` and `org/other`.
    pub(crate) fn new() -> Self {
        let server = Server::with(SETTINGS);
        let pins = server.known_hosts("", &["ed25519", "ecdsa"]);
        Self::at(server, &pins)
    }

    /// The same, with a server whose only host key is RSA.
    pub(crate) fn with_rsa_alone() -> Self {
        let server = Server::with_rsa_alone(SETTINGS);
        let pins = server.known_hosts("", &["rsa"]);
        Self::at(server, &pins)
    }

    /// The same, with this server and these pins.
    pub(crate) fn at(server: Server, pins: &str) -> Self {
        let keys = Keys::new();
        keys.ed25519("key");
        server.let_in(&keys.path("key"));
        let known_hosts = keys.write("pins", pins);
        let place = Self { keys, server, known_hosts };
        place.repository("org/repo", "a file\n");
        place.repository("org/other", "another file\n");
        place
    }

    /// The folder that stands for the server's root: what a path in a URL begins with.
    fn root(&self) -> PathBuf {
        self.keys.path("srv")
    }

    pub(crate) fn bare(&self, name: &str) -> PathBuf {
        self.root().join(format!("{name}.git"))
    }

    /// A bare repository with one commit of one file.
    pub(crate) fn repository(&self, name: &str, content: &str) {
        self.repository_of(name, &[("file", content)]);
    }

    /// A bare repository with one commit of these files.
    pub(crate) fn repository_of(&self, name: &str, files: &[(&str, &str)]) {
        let work = self.keys.path(&format!("work-{}", name.replace('/', "-")));
        for (path, content) in files {
            let path = work.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let bare = self.bare(name);
        for args in [
            &["init", "--quiet", "--bare", "--initial-branch=main"][..],
            &["config", "uploadpack.allowFilter", "true"],
            &["config", "uploadarchive.allowUnreachable", "true"],
        ] {
            fs::create_dir_all(&bare).unwrap();
            run(git(&bare).args(args));
        }
        run(git(&bare).arg("--work-tree").arg(&work).args(["add", "--all"]));
        run(git(&bare).arg("--work-tree").arg(&work).args(["commit", "--quiet", "--message", "one"]));
    }

    /// Adds a commit that links the tip of another repository as a submodule at `path`.
    pub(crate) fn link(&self, name: &str, path: &str, other: &str) {
        let tip = run(git(&self.bare(other)).args(["rev-parse", "main"])).stdout;
        let tip = String::from_utf8(tip).unwrap();
        let (work, bare) = (self.keys.path("link"), self.bare(name));
        fs::create_dir_all(&work).unwrap();
        let entry = format!("160000,{},{path}", tip.trim());
        run(git(&bare).args(["read-tree", "main"]));
        run(git(&bare).args(["update-index", "--add", "--cacheinfo", &entry]));
        run(git(&bare).arg("--work-tree").arg(&work).args(["commit", "--quiet", "--message", "two"]));
    }

    /// The grant's name of a repository: its whole path, because this server has no other root.
    pub(crate) fn granted(&self, name: &str) -> String {
        self.root().join(name).display().to_string()
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("ssh://{}@{}{}", me(), self.server.host(), self.bare(name).display())
    }

    /// The tips of all branches, to see that nothing was pushed.
    pub(crate) fn refs(&self, name: &str) -> String {
        String::from_utf8(run(git(&self.bare(name)).args(["for-each-ref"])).stdout).unwrap()
    }

    /// A `valetkey.toml` with a grant for these repositories, and more lines in it.
    pub(crate) fn config(&self, repos: &[&str], more: &str) -> String {
        let repos: Vec<String> = repos.iter().map(|name| format!("{:?}", self.granted(name))).collect();
        format!(
            "known_hosts = {:?}\n[[grant]]\nkey = \"file:{}\"\nhost = \"{}\"\nuser = \"{}\"\nrepos = [{}]\n{more}\n",
            self.known_hosts,
            self.keys.path("key").display(),
            self.server.host(),
            me(),
            repos.join(", ")
        )
    }

    /// [`Self::config`] with other pins; `more` goes in front of the grant.
    pub(crate) fn pinning(&self, pins: &str, more: &str) -> Lending {
        let file = self.keys.write("other-pins", pins);
        let config = self.config(&["org/repo"], "");
        let rest = config.split_once('\n').unwrap().1;
        Lending::new().config(&format!("known_hosts = {file:?}\n{more}{rest}"))
    }

    /// A lease by the gateway for these repositories.
    pub(crate) fn lending(&self, repos: &[&str], more: &str) -> Lending {
        Lending::new().config(&self.config(repos, more))
    }

    /// Runs a script in which `ssh` is the guest and no other.
    pub(crate) fn sh(&self, lending: &Lending, script: &str) -> Ended {
        let guest = guest(lending.folder());
        let script = format!("export GIT_CONFIG_NOSYSTEM=1; PATH={}:$PATH; cd \"$HOME\"; {script}", guest.display());
        lending.sh(&script)
    }
}

/// The guest as a build step has it: a folder with `ssh` in it.
pub(crate) fn guest(folder: &Path) -> PathBuf {
    let guest = folder.join("guest");
    fs::create_dir_all(&guest).unwrap();
    let program = guest.join(valetkey::guest::NAME);
    fs::write(&program, valetkey::guest::PROGRAM).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    guest
}

fn git(bare: &Path) -> Command {
    let mut git = Command::new("git");
    git.env("GIT_DIR", bare).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for who in ["AUTHOR", "COMMITTER"] {
        git.env(format!("GIT_{who}_NAME"), "t").env(format!("GIT_{who}_EMAIL"), "t@t.invalid");
    }
    git
}
