//! What a person types to name a key: `keychain:NAME`, `env:NAME`, `file:PATH`, `stdin`,
//! `command:WORDS`, `credential:NAME`, `vault:MOUNT/PATH#FIELD`, `agent`, `agent:SHA256:…` or
//! `agent:COMMENT`.
//!
//! Owns the reading and writing of those words. Refuses everything else, without repeating it:
//! what was typed may be the key itself (`env:$KEY` instead of `env:KEY`).

mod nearest;
mod vault_path;
mod words;

use std::path::PathBuf;
use std::str::FromStr;

use crate::exit::Code;
use crate::ui::Explain;

use nearest::nearest;
pub use vault_path::{MAX_VAULT_PATH, VaultPath};
pub(crate) use vault_path::{escaped, is_path};
pub use words::{CommandLine, MAX_COMMAND};

/// The most bytes of a keychain entry's, a variable's, a credential's or a field's name.
pub const MAX_NAME: usize = 255;

/// Which identity of the user's own agent is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentSelector {
    /// Every identity that the upstream agent lists.
    All,
    /// The one with this fingerprint (`SHA256:` and unpadded base64, as `ssh-add -l` prints it).
    Fingerprint(String),
    /// Those with exactly this comment.
    Comment(String),
}

/// Where a private key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// An entry of the OS keychain.
    Keychain(String),
    /// An environment variable; it is removed from the child's environment.
    Env(String),
    /// A file; a leading `~/` is the home folder.
    File(PathBuf),
    /// Standard input, read to its end before the child starts.
    Stdin,
    /// What a program prints.
    Command(CommandLine),
    /// A file that a service manager or an engine provides under this name.
    Credential(String),
    /// A field of a secret in a Vault or OpenBao server.
    Vault(VaultPath),
    /// The user's own agent behind our policy.
    Agent(AgentSelector),
}

impl KeySource {
    /// The environment variables to take from the child: one that holds the key, and those that
    /// open the place where it is.
    #[must_use]
    pub fn variables(&self) -> Vec<&str> {
        match self {
            Self::Env(name) => vec![name],
            Self::Vault(_) => super::vault::SECRET_VARIABLES.to_vec(),
            _ => Vec::new(),
        }
    }
}

impl std::fmt::Display for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Keychain(name) => write!(f, "keychain:{name}"),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Stdin => f.write_str("stdin"),
            Self::Command(line) => write!(f, "command:{line}"),
            Self::Credential(name) => write!(f, "credential:{name}"),
            Self::Vault(path) => write!(f, "vault:{path}"),
            Self::Agent(AgentSelector::All) => f.write_str("agent"),
            Self::Agent(AgentSelector::Fingerprint(print)) => write!(f, "agent:{print}"),
            Self::Agent(AgentSelector::Comment(comment)) => write!(f, "agent:{comment}"),
        }
    }
}

/// Why what was typed names no key source. Repeats a scheme or a path, and nothing longer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Nothing was typed.
    #[error("the key source is empty")]
    Empty,
    /// The text of a key was typed instead of where it is.
    #[error("the key itself was typed instead of where it is")]
    KeyText,
    /// A path without `file:`.
    #[error("a key source starts with its kind, and this is a bare path")]
    BarePath(String),
    /// A word before the colon that is no kind of source, and the nearest that is.
    #[error("{0:?} is no kind of key source")]
    UnknownScheme(String, Option<&'static str>),
    /// Something without a colon that is no kind of source.
    #[error("this is no key source")]
    Unknown(Option<&'static str>),
    /// A kind that needs something behind its colon.
    #[error("{0}: needs a {1} behind the colon")]
    Missing(&'static str, &'static str),
    /// Something that cannot be the name of a variable.
    #[error("what stands behind env: is not the name of an environment variable")]
    VariableName,
    /// A name that no keychain takes.
    #[error("what stands behind keychain: is too long or holds control characters")]
    KeychainName,
    /// Longer than [`MAX_COMMAND`], or a NUL in it.
    #[error("what stands behind command: is too long or holds a NUL")]
    CommandText,
    /// A quote without its end.
    #[error("what stands behind command: ends inside a quote or behind a backslash")]
    CommandQuote,
    /// What only a shell understands.
    #[error("what stands behind command: needs a shell, and is run without one")]
    CommandShell,
    /// Something that cannot be the name of one file.
    #[error("what stands behind credential: is not the name of a file")]
    CredentialName,
    /// Something that names no field of a secret.
    #[error("what stands behind vault: is not of the form MOUNT/PATH#FIELD")]
    VaultPath,
    /// `stdin:` with something behind it.
    #[error("stdin takes nothing behind it")]
    StdinWithMore,
    /// A fingerprint that is not SHA-256, or not well formed.
    #[error("what stands behind agent: is not a SHA256 fingerprint as ssh-add -l prints it")]
    Fingerprint,
}

const FORMS: &str = "a key source is one of keychain:NAME, env:NAME, file:PATH, stdin, \
                     command:PROGRAM AND ARGUMENTS, credential:NAME, vault:MOUNT/PATH#FIELD, agent, \
                     agent:SHA256:FINGERPRINT, agent:COMMENT";

impl Explain for SourceError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::KeyText => "treat that key as known to others (it is in the process list and \
                              perhaps in the shell's history), and name the variable without \
                              the dollar sign: env:NAME"
                .to_owned(),
            Self::BarePath(path) => format!("write file:{path}"),
            Self::UnknownScheme(_, Some(near)) => format!("did you mean {near}? {FORMS}"),
            Self::Unknown(Some(near)) => format!("did you mean {near}? {FORMS}"),
            Self::VariableName => "name the variable without the dollar sign: env:SSH_PRIVATE_KEY".to_owned(),
            Self::KeychainName => format!("use a name of at most {MAX_NAME} bytes"),
            Self::CommandText => format!("a command has at most {MAX_COMMAND} bytes; put a longer one into a script"),
            Self::CommandQuote => "close the quote: command:pass show 'a name'".to_owned(),
            Self::CommandShell => "quote it with single quotes to pass it on as it is, or name a shell: \
                                   command:sh -c '…'"
                .to_owned(),
            Self::CredentialName => {
                format!("name one file, without a folder and in at most {MAX_NAME} bytes: credential:deploy-key")
            }
            Self::VaultPath => "write it as in vault kv get: vault:secret/ci/deploy#key".to_owned(),
            Self::StdinWithMore => "write stdin alone".to_owned(),
            Self::Fingerprint => "copy one from ssh-add -l: agent:SHA256:…".to_owned(),
            _ => FORMS.to_owned(),
        })
    }

    fn code(&self) -> Code {
        Code::Usage
    }
}

impl FromStr for KeySource {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        if text.is_empty() {
            return Err(SourceError::Empty);
        }
        if is_key_text(text) {
            return Err(SourceError::KeyText);
        }
        match text {
            "stdin" => return Ok(Self::Stdin),
            "agent" => return Ok(Self::Agent(AgentSelector::All)),
            _ => {}
        }
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err(without_colon(text));
        };
        match scheme {
            "keychain" if rest.is_empty() => Err(SourceError::Missing("keychain", "name")),
            "keychain" if rest.len() > MAX_NAME || rest.chars().any(char::is_control) => Err(SourceError::KeychainName),
            "keychain" => Ok(Self::Keychain(rest.to_owned())),
            "env" if rest.is_empty() => Err(SourceError::Missing("env", "variable's name")),
            "env" if is_variable(rest) => Ok(Self::Env(rest.to_owned())),
            "env" => Err(SourceError::VariableName),
            "file" if rest.is_empty() => Err(SourceError::Missing("file", "path")),
            "file" => Ok(Self::File(PathBuf::from(rest))),
            "stdin" if rest.is_empty() => Ok(Self::Stdin),
            "stdin" => Err(SourceError::StdinWithMore),
            "command" => CommandLine::parse(rest).map(Self::Command),
            "credential" if rest.is_empty() => Err(SourceError::Missing("credential", "name")),
            "credential" if is_file_name(rest) => Ok(Self::Credential(rest.to_owned())),
            "credential" => Err(SourceError::CredentialName),
            "vault" => VaultPath::parse(rest).map(Self::Vault),
            "agent" if rest.is_empty() => Err(SourceError::Missing("agent", "fingerprint or comment")),
            "agent" => selector(rest).map(Self::Agent),
            _ if looks_like_path(text) => Err(bare_path(text)),
            // Longer than any slip of the keyboard: do not repeat it.
            _ if scheme.len() > 16 || !scheme.chars().all(|c| c.is_ascii_alphanumeric()) => {
                Err(SourceError::Unknown(None))
            }
            _ => Err(SourceError::UnknownScheme(scheme.to_owned(), nearest(scheme))),
        }
    }
}

fn without_colon(text: &str) -> SourceError {
    if looks_like_path(text) {
        return bare_path(text);
    }
    let near = match nearest(text) {
        // A kind that was forgotten its colon and rest says so itself.
        Some(near) if near.trim_end_matches(':') == text => {
            return SourceError::Missing(
                near.trim_end_matches(':'),
                match near {
                    "file:" => "path",
                    "env:" => "variable's name",
                    "command:" => "program and its arguments",
                    "vault:" => "MOUNT/PATH#FIELD",
                    _ => "name",
                },
            );
        }
        near => near,
    };
    SourceError::Unknown(near)
}

fn selector(rest: &str) -> Result<AgentSelector, SourceError> {
    if rest.starts_with("MD5:") {
        return Err(SourceError::Fingerprint);
    }
    match rest.strip_prefix("SHA256:") {
        // 32 bytes are 43 characters of unpadded base64.
        Some(print) => {
            let print = print.trim_end_matches('=');
            let base64 = |c: u8| c.is_ascii_alphanumeric() || c == b'+' || c == b'/';
            if print.len() == 43 && print.bytes().all(base64) {
                Ok(AgentSelector::Fingerprint(format!("SHA256:{print}")))
            } else {
                Err(SourceError::Fingerprint)
            }
        }
        None => Ok(AgentSelector::Comment(rest.to_owned())),
    }
}

/// POSIX names (XBD 8.1), which is also what keeps key text out of this place.
fn is_variable(name: &str) -> bool {
    name.len() <= MAX_NAME
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// One component of a path that leads nowhere else.
fn is_file_name(name: &str) -> bool {
    name.len() <= MAX_NAME && is_path(name) && !name.contains('/')
}

fn looks_like_path(text: &str) -> bool {
    let drive = text.as_bytes().get(1..3).is_some_and(|rest| rest == b":\\" || rest == b":/");
    drive || text.starts_with(['/', '~', '.', '\\']) || (text.contains('/') && !text.contains("://"))
}

fn bare_path(text: &str) -> SourceError {
    // A base64 key may hold slashes: repeat only what can well be a path.
    if text.len() <= 200 && !text.contains(char::is_whitespace) && !long_run(text) {
        SourceError::BarePath(text.to_owned())
    } else {
        SourceError::BarePath("PATH".to_owned())
    }
}

fn is_key_text(text: &str) -> bool {
    text.contains("-----") || text.contains("PRIVATE KEY")
}

/// Whether what was typed may be the text of a key, or a part of it: then no message repeats it.
#[must_use]
pub fn may_be_key(text: &str) -> bool {
    is_key_text(text) || long_run(text)
}

/// The same for a text of several words.
pub(super) fn may_hold_key(text: &str) -> bool {
    is_key_text(text) || text.split_whitespace().any(long_run)
}

/// Sixty-four characters without anything that separates: no file name, perhaps a key.
fn long_run(text: &str) -> bool {
    text.split(['/', '\\', '.', '-', '_']).any(|part| part.len() >= 64)
}

#[cfg(test)]
mod tests;
