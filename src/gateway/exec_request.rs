//! PURE: the command that a build step asks for, as one Git service on one repository.
//!
//! Refuses everything that is not exactly one of the known commands with exactly one plain
//! path: no shell, no options, no quoting, no `..`. What is passed on to the server is put
//! together again from what was understood, never the text that came in.

/// The longest path of a repository, in bytes.
pub const MAX_PATH: usize = 1024;
/// The most bytes of a refused command that a message repeats.
const MAX_SHOWN: usize = 60;

/// What is asked of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// `git-upload-pack`: clone and fetch (gitprotocol-pack(5)).
    UploadPack,
    /// `git-upload-archive`: `git archive --remote`.
    UploadArchive,
    /// `git-receive-pack`: push.
    ReceivePack,
    /// `git-lfs-authenticate … download`.
    LfsDownload,
    /// `git-lfs-authenticate … upload`.
    LfsUpload,
}

impl Service {
    /// Whether the repository could be changed.
    #[must_use]
    pub fn writes(self) -> bool {
        matches!(self, Self::ReceivePack | Self::LfsUpload)
    }

    /// What a person calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "fetch",
            Self::UploadArchive => "archive",
            Self::ReceivePack => "push",
            Self::LfsDownload => "LFS download",
            Self::LfsUpload => "LFS upload",
        }
    }
}

/// A command that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecRequest {
    /// What is asked.
    pub service: Service,
    /// The path as it was typed, without quotes: what the server gets.
    typed: String,
    /// The repository's name, for grants: without `/` or `~/` in front and `.git` behind.
    pub repository: String,
}

/// Why a command is not carried.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum BadExec {
    /// No command: a shell.
    #[error("a shell was asked for; only Git fetches are carried")]
    Shell,
    /// Another command.
    #[error("the command \"{0}\" is not one of Git's; only Git fetches are carried")]
    Command(String),
    /// A path with something that no repository needs.
    #[error("the repository's path {0}")]
    Path(&'static str),
}

impl ExecRequest {
    /// Parses the one string that `ssh` sends as a command.
    ///
    /// # Errors
    /// [`BadExec`] for everything but one known command with one plain path.
    pub fn parse(command: &[u8]) -> Result<Self, BadExec> {
        if command.is_empty() {
            return Err(BadExec::Shell);
        }
        let unknown = || BadExec::Command(shown(command));
        let (name, rest) = split_word(command).ok_or_else(unknown)?;
        let (name, rest) = match name {
            // `git upload-pack`, as very old clients write it.
            b"git" => {
                let (name, rest) = split_word(rest).ok_or_else(unknown)?;
                (name, rest)
            }
            name => (name.strip_prefix(b"git-").ok_or_else(unknown)?, rest),
        };
        let service = match name {
            b"upload-pack" => Service::UploadPack,
            b"upload-archive" => Service::UploadArchive,
            b"receive-pack" => Service::ReceivePack,
            b"lfs-authenticate" => return Self::lfs(rest).ok_or_else(unknown)?,
            _ => return Err(unknown()),
        };
        Self::new(service, unquoted(rest)?)
    }

    /// `PATH download|upload`, with an object's name behind it in old clients.
    fn lfs(rest: &[u8]) -> Option<Result<Self, BadExec>> {
        let mut words = rest.split(|&b| b == b' ');
        let (path, operation) = (words.next()?, words.next()?);
        let object = words.next();
        let plain = object.is_none_or(|oid| oid.len() == 64 && oid.iter().all(u8::is_ascii_hexdigit));
        if !plain || words.next().is_some() {
            return None;
        }
        let service = match operation {
            b"download" => Service::LfsDownload,
            b"upload" => Service::LfsUpload,
            _ => return None,
        };
        Some(unquoted(path).and_then(|path| Self::new(service, path)))
    }

    fn new(service: Service, path: &[u8]) -> Result<Self, BadExec> {
        let repository = normalised(path)?;
        // Checked to be ASCII.
        Ok(Self { service, typed: String::from_utf8_lossy(path).into_owned(), repository })
    }

    /// The command for the server.
    #[must_use]
    pub fn command(&self) -> String {
        match self.service {
            Service::UploadPack => format!("git-upload-pack '{}'", self.typed),
            Service::UploadArchive => format!("git-upload-archive '{}'", self.typed),
            Service::ReceivePack => format!("git-receive-pack '{}'", self.typed),
            Service::LfsDownload => format!("git-lfs-authenticate {} download", self.typed),
            Service::LfsUpload => format!("git-lfs-authenticate {} upload", self.typed),
        }
    }
}

fn split_word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = text.iter().position(|&b| b == b' ')?;
    Some((text.get(..space)?, text.get(space + 1..)?))
}

/// Takes one pair of quotes off. Quotes inside are refused with the path.
fn unquoted(text: &[u8]) -> Result<&[u8], BadExec> {
    for quote in [b"'", b"\""] {
        if let Some(rest) = text.strip_prefix(quote.as_slice()) {
            return rest.strip_suffix(quote.as_slice()).ok_or(BadExec::Path("has a quote in it"));
        }
    }
    Ok(text)
}

/// The name that grants know a repository by.
///
/// # Errors
/// [`BadExec::Path`] for what could mean another repository to the server than to us.
pub fn normalised(path: &[u8]) -> Result<String, BadExec> {
    if path.len() > MAX_PATH {
        return Err(BadExec::Path("is too long"));
    }
    let mut rest = path;
    while let Some((&byte, behind)) = rest.split_first() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'/' | b'+' | b'~' => rest = behind,
            // The one escape that a forge needs (Azure DevOps), and that is no part of a path's structure.
            b'%' if behind.starts_with(b"20") => rest = behind.get(2..).unwrap_or_default(),
            b' ' => return Err(BadExec::Path("has a space in it, or an option before it")),
            b'\'' | b'"' | b'\\' | b'`' => return Err(BadExec::Path("has a quote in it")),
            b'%' => return Err(BadExec::Path("has a percent sign in it")),
            byte if byte.is_ascii_control() => return Err(BadExec::Path("has a control character in it")),
            byte if !byte.is_ascii() => return Err(BadExec::Path("has a character in it that is not ASCII")),
            _ => return Err(BadExec::Path("has a character in it that no repository needs")),
        }
    }
    let rest = path.strip_prefix(b"/").unwrap_or(path);
    let rest = rest.strip_prefix(b"~/").unwrap_or(rest);
    let rest = rest.strip_suffix(b"/").unwrap_or(rest);
    let rest = rest.strip_suffix(b".git").unwrap_or(rest);
    if rest.is_empty() {
        return Err(BadExec::Path("is empty"));
    }
    if path.starts_with(b"-") || rest.starts_with(b"-") {
        return Err(BadExec::Path("begins with a dash"));
    }
    for (place, part) in rest.split(|&b| b == b'/').enumerate() {
        match part {
            b"" => return Err(BadExec::Path("has an empty part")),
            b"." | b".." => return Err(BadExec::Path("goes through \".\" or \"..\"")),
            part if part.contains(&b'~') && !(place == 0 && part.starts_with(b"~")) => {
                return Err(BadExec::Path("has a \"~\" inside"));
            }
            _ => {}
        }
    }
    // Checked to be ASCII.
    Ok(String::from_utf8_lossy(rest).into_owned())
}

/// A refused command as a person may see it.
fn shown(command: &[u8]) -> String {
    let short = command.get(..MAX_SHOWN).unwrap_or(command);
    crate::wire::text::shown(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(command: &str) -> Result<(Service, String), BadExec> {
        ExecRequest::parse(command.as_bytes()).map(|request| (request.service, request.repository))
    }

    #[test]
    fn the_commands_of_git_and_git_lfs_are_understood() {
        use Service::{LfsDownload, LfsUpload, ReceivePack, UploadArchive, UploadPack};
        for (command, service, name) in [
            ("git-upload-pack 'org/repo.git'", UploadPack, "org/repo"),
            ("git-upload-pack '/org/repo.git'", UploadPack, "org/repo"),
            ("git-upload-pack org/repo", UploadPack, "org/repo"),
            ("git-upload-pack \"org/repo\"", UploadPack, "org/repo"),
            ("git upload-pack '/~/org/repo.git/'", UploadPack, "org/repo"),
            ("git-upload-pack '~org/repo'", UploadPack, "~org/repo"),
            ("git-upload-pack '/v3/org/My%20Project/repo'", UploadPack, "v3/org/My%20Project/repo"),
            ("git-upload-archive 'a/b/c.git'", UploadArchive, "a/b/c"),
            ("git-receive-pack 'org/repo.git'", ReceivePack, "org/repo"),
            ("git-lfs-authenticate org/repo.git download", LfsDownload, "org/repo"),
            ("git-lfs-authenticate 'org/repo.git' upload", LfsUpload, "org/repo"),
        ] {
            assert_eq!(repository(command), Ok((service, name.to_owned())), "{command}");
        }
    }

    #[test]
    fn what_the_server_gets_is_put_together_again() {
        let parsed = ExecRequest::parse(b"git upload-pack \"/org/repo.git\"").unwrap();
        assert_eq!(parsed.command(), "git-upload-pack '/org/repo.git'");
    }

    #[test]
    fn shells_other_commands_and_options_are_refused() {
        assert_eq!(repository(""), Err(BadExec::Shell));
        for command in [
            "id",
            "sh",
            "git",
            "git-shell 'x'",
            "git-upload-pack",
            "git-upload-packx 'a/b'",
            "GIT-UPLOAD-PACK 'a/b'",
            " git-upload-pack 'a/b'",
            "git-lfs-authenticate a/b",
            "git-lfs-authenticate a/b delete",
            "git-lfs-authenticate a/b download x",
            "git-lfs-authenticate a/b download  ",
            "env git-upload-pack 'a/b'",
        ] {
            assert!(matches!(repository(command), Err(BadExec::Command(_))), "{command}: {:?}", repository(command));
        }
    }

    #[test]
    fn a_path_that_could_mean_another_repository_is_refused() {
        for path in [
            "org/repo/../other",
            "../org/repo",
            "org/./repo",
            "org//repo",
            "org/repo' 'other",
            "org/repo';id;'",
            "org/repo;id",
            "org/repo other",
            "--strict org/repo",
            "-x",
            "org/$(id)",
            "org/`id`",
            "org/re%2e%2e/po",
            "org/repo%00",
            "org/r\u{e9}po",
            "org\\repo",
            "org/repo\n",
            "org/repo\0",
            "org/~root/repo",
            "",
            "/",
            ".git",
            "~/",
        ] {
            let command = format!("git-upload-pack '{path}'");
            assert!(matches!(repository(&command), Err(BadExec::Path(_))), "{path:?}: {:?}", repository(&command));
        }
    }

    #[test]
    fn a_path_at_the_limit_is_taken_and_a_longer_one_is_refused() {
        assert!(normalised(&vec![b'a'; MAX_PATH]).is_ok());
        assert_eq!(normalised(&vec![b'a'; MAX_PATH + 1]), Err(BadExec::Path("is too long")));
    }
}
