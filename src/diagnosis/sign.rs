//! Signs: what a build's output says that a diagnosis can go by. A sign is a word for what was
//! printed, never the print itself.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use serde::{Deserialize, Serialize};

use super::progress::StepName;

/// Signs of one output that are kept.
pub const MAX_SIGNS: usize = 64;
/// Characters of a host or id in a sign.
const MAX_ABOUT: usize = 64;

/// What was printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The builder says that a step failed.
    StepFailed,
    /// The builder took a step with an ssh mount from its cache.
    StepCached,
    /// A server refused every key.
    LoginRefused,
    /// A server cut the login off after too many keys.
    TooManyKeys,
    /// A host key is another one than the known one.
    HostKeyChanged,
    /// A host key is not known.
    HostUnknown,
    /// A server let somebody in, and not to that repository.
    RepositoryRefused,
    /// Git read nothing by ssh, for a reason that stands elsewhere.
    NotRead,
    /// Git wanted a user name or password for an HTTPS address.
    NoUserName,
    /// cargo's own Git does not know a host key.
    CargoHost,
    /// cargo's own Git got no login.
    CargoGit,
    /// Poetry's own Git (dulwich) could not read an HTTPS address.
    PoetryGit,
    /// There is no `ssh` to run.
    NoSsh,
    /// The builder was lent nothing under an ssh id.
    NotForwarded,
    /// A program found no agent that answers.
    NoAgent,
    /// The guest found no agent that answers.
    GuestAlone,
    /// The guest was run in a step without an ssh mount.
    GuestWithoutMount,
    /// A server could not be reached.
    Unreachable,
}

impl Kind {
    /// Whether it is about access to a server.
    #[must_use]
    pub fn is_access(self) -> bool {
        !matches!(self, Self::StepFailed | Self::StepCached)
    }

    /// What was seen, for a person.
    #[must_use]
    pub fn seen(self) -> &'static str {
        match self {
            Self::StepFailed => "the builder says that this step failed",
            Self::StepCached => "the builder took this step from its cache",
            Self::LoginRefused => "a server said \"Permission denied (publickey)\"",
            Self::TooManyKeys => "a server said \"Too many authentication failures\"",
            Self::HostKeyChanged => "ssh said \"REMOTE HOST IDENTIFICATION HAS CHANGED\"",
            Self::HostUnknown => "ssh said \"Host key verification failed\"",
            Self::RepositoryRefused => "the server said that there is no such repository, or not for this key",
            Self::NotRead => {
                "Git said \"Could not read from remote repository\", and no server said anything that is known"
            }
            Self::NoUserName => "Git asked for a user name or password of an HTTPS address",
            Self::CargoHost => "cargo said \"unknown SSH host key\"",
            Self::CargoGit => "cargo said that its own ssh login did not succeed",
            Self::PoetryGit => "Poetry's own Git (dulwich) could not clone from an HTTPS address",
            Self::NoSsh => "there was no `ssh` to run",
            Self::NotForwarded => "the builder said that nothing is forwarded under that id",
            Self::NoAgent => "a program found no agent that answers",
            Self::GuestAlone => "valetkey's guest found nobody at the step's socket",
            Self::GuestWithoutMount => "valetkey's guest found no SSH_AUTH_SOCK",
            Self::Unreachable => "a server could not be reached",
        }
    }
}

/// One sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sign {
    /// What was printed.
    pub kind: Kind,
    /// The step that printed it, as the builder numbers it.
    pub step: Option<StepName>,
    /// The name of the Dockerfile and its line, where the builder says them.
    pub line: Option<(String, usize)>,
    /// The host or ssh id that it is about.
    pub about: Option<String>,
}

/// What the tools say. OpenSSH 9.2, Git 2.39, cargo 1.95, Poetry 2, BuildKit (Docker 28.5), podman 5.8, git-shell
/// and valetkey's guest were run; what GitHub, GitLab, Bitbucket and Gitea say is from their
/// documentation.
#[rustfmt::skip]
const PHRASES: [(&str, Kind); 32] = [
    ("Permission denied (publickey", Kind::LoginRefused),
    ("Too many authentication failures", Kind::TooManyKeys),
    ("REMOTE HOST IDENTIFICATION HAS CHANGED", Kind::HostKeyChanged),
    ("error: SSH host key has changed for", Kind::HostKeyChanged),
    ("Host key verification failed", Kind::HostUnknown),
    ("error: unknown SSH host key", Kind::CargoHost),
    ("ERROR: Repository not found", Kind::RepositoryRefused),
    ("remote: Repository not found", Kind::RepositoryRefused),
    ("does not appear to be a git repository", Kind::RepositoryRefused),
    ("The project you were looking for could not be found", Kind::RepositoryRefused),
    ("ERROR: Permission to ", Kind::RepositoryRefused),
    ("repository access denied", Kind::RepositoryRefused),
    ("Gitea: Unauthorized", Kind::RepositoryRefused),
    ("fatal: Could not read from remote repository", Kind::NotRead),
    ("could not read Username for 'http", Kind::NoUserName),
    ("could not read Password for 'http", Kind::NoUserName),
    ("Authentication failed for 'http", Kind::NoUserName),
    ("attempted ssh-agent authentication, but no usernames succeeded", Kind::CargoGit),
    ("Failed to clone http", Kind::PoetryGit),
    ("cannot run ssh: ", Kind::NoSsh),
    ("ssh: not found", Kind::NoSsh),
    ("ssh: command not found", Kind::NoSsh),
    ("No such file or directory: 'ssh'", Kind::NoSsh),
    ("unset ssh forward key ", Kind::NotForwarded),
    ("ssh required but no ssh with id ", Kind::NotForwarded),
    ("Could not open a connection to your authentication agent", Kind::NoAgent),
    ("Error connecting to agent: ", Kind::NoAgent),
    ("valetkey: nobody answers at ", Kind::GuestAlone),
    ("valetkey: no gateway is behind this step's agent socket", Kind::GuestAlone),
    ("valetkey: SSH_AUTH_SOCK is not set in this step", Kind::GuestWithoutMount),
    ("ssh: connect to host ", Kind::Unreachable),
    ("ssh: Could not resolve hostname ", Kind::Unreachable),
];

static FINDER: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(PHRASES.iter().map(|(phrase, _)| phrase)).ok());

/// What a line says, and what about; the first of several.
pub(super) fn of_line(line: &[u8]) -> Option<(Kind, Option<String>)> {
    let found = FINDER.as_ref()?.find(line)?;
    let (_, kind) = PHRASES.get(found.pattern().as_usize())?;
    let (before, after) = (line.get(..found.start())?, line.get(found.end()..)?);
    let about = match kind {
        // `git@host: Permission denied`.
        Kind::LoginRefused => {
            let before = before.strip_suffix(b": ").unwrap_or_default();
            plain(before.rsplit(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default())
        }
        // `https://user:token@host/path`: nothing of it but the host.
        Kind::NoUserName | Kind::PoetryGit => {
            let address = after.split(|byte| matches!(byte, b'\'' | b',')).next().unwrap_or_default();
            let authority = address.split(|byte| *byte == b'/').nth(2).unwrap_or_default();
            plain(authority.rsplit(|byte| *byte == b'@').next().unwrap_or_default())
        }
        Kind::NotForwarded | Kind::Unreachable => {
            let word = after.split(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default();
            plain(word.strip_suffix(b":").unwrap_or(word))
        }
        _ => None,
    };
    Some((*kind, about))
}

/// A host, account or id, of the characters that one has; none where there are others.
fn plain(word: &[u8]) -> Option<String> {
    let may = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-@:[]".contains(byte);
    let fits = !word.is_empty() && word.len() <= MAX_ABOUT && word.iter().all(may);
    fits.then(|| String::from_utf8_lossy(word).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_say_is_recognised_with_what_it_is_about() {
        for (line, kind, about) in [
            ("#7 0.224 git@127.0.0.1: Permission denied (publickey).", Kind::LoginRefused, Some("git@127.0.0.1")),
            ("Permission denied (publickey).", Kind::LoginRefused, None),
            (
                "fatal: could not read Username for 'https://git.example.com': terminal prompts disabled",
                Kind::NoUserName,
                Some("git.example.com"),
            ),
            (
                "fatal: Authentication failed for 'https://x:s3cret@git.example.com:8443/a/b/'",
                Kind::NoUserName,
                Some("git.example.com:8443"),
            ),
            ("ERROR: failed to build: failed to solve: unset ssh forward key other", Kind::NotForwarded, Some("other")),
            (
                "ssh: Could not resolve hostname git.example.com: Name or service not known",
                Kind::Unreachable,
                Some("git.example.com"),
            ),
            ("ssh: connect to host 127.0.0.1 port 1: Connection refused", Kind::Unreachable, Some("127.0.0.1")),
            ("0.299 fatal: '/srv/a/b.git' does not appear to be a git repository", Kind::RepositoryRefused, None),
        ] {
            assert_eq!(of_line(line.as_bytes()), Some((kind, about.map(str::to_owned))), "{line}");
        }
        assert_eq!(of_line(b"#7 0.1 Cloning into '/c'..."), None);
    }

    #[test]
    fn what_a_sign_is_about_is_a_plain_word_within_its_limit_or_nothing() {
        let at = "h".repeat(MAX_ABOUT);
        assert_eq!(plain(at.as_bytes()), Some(at.clone()));
        assert_eq!(plain((at + "h").as_bytes()), None);
        for word in ["", "a b", "\x1b[2J", "a$(b)", "h\u{202e}"] {
            assert_eq!(plain(word.as_bytes()), None, "{word:?}");
        }
    }
}
