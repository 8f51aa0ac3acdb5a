//! `vault:MOUNT/PATH#FIELD`: a field of a secret in a KV engine, version 2, of a HashiCorp Vault
//! or OpenBao server.
//!
//! Owns what the server's answers mean. The environment says where it is and who asks, with the
//! names that `vault` and `bao` use. Refuses plain HTTP but to this machine, and follows no
//! redirect: the token would go along. Nothing of a token or an answer is in an error.

mod answer;
mod http;
mod login;

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::exit::Code;
use crate::ui::Explain;

use super::Secret;
use super::source::VaultPath;

/// The variables that open a server, taken from the child.
pub const SECRET_VARIABLES: &[&str] = &["VAULT_TOKEN", "VAULT_SECRET_ID", "VAULT_JWT"];
/// How long all requests for one secret may take together.
pub const TIME_LIMIT: Duration = Duration::from_secs(30);
/// The most bytes of an answer. A server itself takes no secret over 1 MiB.
pub const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// Why a server gave no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// `VAULT_ADDR` is not set.
    #[error("no server is known: VAULT_ADDR is not set")]
    NotSet,
    /// `VAULT_ADDR` is no URL of a server.
    #[error("VAULT_ADDR is not of the form https://HOST[:PORT]")]
    Address,
    /// `http://`, and the server is another machine.
    #[error("VAULT_ADDR is plain HTTP to another machine, and would show the token to the network")]
    PlainHttp,
    /// `VAULT_CACERT` cannot be used.
    #[error("VAULT_CACERT names no file with PEM certificates")]
    CaCertificate,
    /// Nothing to log in with.
    #[error("there is nothing to log in with: no VAULT_TOKEN, no login of vault or bao, no AppRole, no JWT")]
    NoToken,
    /// Half of a login.
    #[error("{0} is set, and {1} is not")]
    HalfALogin(&'static str, &'static str),
    /// A value that cannot be sent.
    #[error("{0} holds characters that cannot be sent")]
    Unsendable(&'static str),
    /// The file with a token cannot be used.
    #[error("the token in ~/.vault-token cannot be used: {0}")]
    TokenFile(super::file::FileError),
    /// More than any token.
    #[error("the token in ~/.vault-token is longer than {} KiB", login::MAX_TOKEN / 1024)]
    TokenTooLong,
    /// Nobody answers.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// No whole answer in time (seconds).
    #[error("the server gave no whole answer in {0} seconds")]
    Silent(u64),
    /// An answer of more than [`MAX_ANSWER`] bytes.
    #[error("the server's answer is longer than {} MiB", MAX_ANSWER >> 20)]
    TooLong,
    /// A redirect.
    #[error("the server sends us to another place, where the token does not go")]
    Redirect,
    /// 503.
    #[error("the server is sealed, or in maintenance")]
    Sealed,
    /// 403.
    #[error("the server denies it (403): the token is not valid, or its policies do not allow the path")]
    Denied,
    /// The login was refused.
    #[error("the server refuses the login (status {0})")]
    Login(u16),
    /// 404.
    #[error("the server has no secret at this path")]
    NoPath,
    /// 404, and something was there.
    #[error("the newest version of this secret is deleted")]
    Deleted,
    /// The secret has no such field.
    #[error("the secret has no such field")]
    NoField,
    /// A number, a list, another object.
    #[error("the field is no text")]
    NoText,
    /// Another status.
    #[error("the server answers with status {0}")]
    Status(u16),
    /// What cannot be understood.
    #[error("the server's answer is not that of a KV engine of version 2")]
    Garbled,
}

impl Explain for VaultError {
    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::NotSet | Self::Address => "set it to the server's URL: VAULT_ADDR=https://vault.example.com:8200",
                Self::PlainHttp => "use https://, with VAULT_CACERT=FILE for an authority of your own",
                Self::CaCertificate => "set it to the file of the authority's certificate, or unset it",
                Self::NoToken => {
                    "set VAULT_TOKEN, run vault login, or set VAULT_ROLE_ID and VAULT_SECRET_ID (AppRole) or \
                     VAULT_JWT_ROLE and VAULT_JWT (a CI system's own token)"
                }
                Self::HalfALogin(..) => "set both",
                Self::Unsendable(_) => "check what the variable holds: one value, and no line's end inside it",
                Self::TokenFile(_) | Self::TokenTooLong => "run vault login again, or set VAULT_TOKEN",
                Self::Unreachable(_) | Self::Silent(_) => "check VAULT_ADDR, VAULT_CACERT and the network",
                Self::TooLong | Self::Garbled => "check what listens at VAULT_ADDR",
                Self::Redirect => "set VAULT_ADDR to the place itself: vault status shows the active node",
                Self::Sealed => "unseal it: vault status shows its state",
                Self::Denied => {
                    "vault token lookup shows whether the token is valid and which policies it has; the path needs \
                     read on MOUNT/data/PATH"
                }
                Self::Login(_) => {
                    "check the role and its secret; VAULT_AUTH_PATH names another place than auth/approle or auth/jwt"
                }
                Self::NoPath => "vault kv get -mount=MOUNT PATH shows it; the engine must be KV of version 2",
                Self::Deleted => "vault kv undelete brings a version back",
                Self::NoField => "vault kv get shows the names of its fields",
                Self::NoText => "store the key as one text, with its line ends",
                Self::Status(_) => "the server's log says more",
            }
            .to_owned(),
        )
    }

    fn code(&self) -> Code {
        Code::Key
    }
}

/// A text that is wiped when it goes.
type Text = Zeroizing<String>;

/// What the environment says of a server.
struct Server<'a> {
    variable: &'a dyn Fn(&str) -> Option<OsString>,
    home: Option<&'a Path>,
    http: http::Client,
}

/// The text of a field.
pub(super) fn read(
    path: &VaultPath,
    variable: &dyn Fn(&str) -> Option<OsString>,
    home: Option<&Path>,
    time: Duration,
) -> Result<Secret, VaultError> {
    let http = http::Client::from_env(variable, time)?;
    let server = Server { variable, home, http };
    let token = server.token()?;
    let (status, answer) = server.http.get(&path.url(), &token)?;
    match status {
        200 => answer::field(&answer, path.field()),
        403 => Err(VaultError::Denied),
        404 => Err(answer::missing(&answer)),
        503 => Err(VaultError::Sealed),
        status => Err(VaultError::Status(status)),
    }
}

impl Server<'_> {
    /// The text of a variable that is set and not empty, without blanks around it.
    fn text(&self, name: &'static str) -> Result<Option<Text>, VaultError> {
        text(self.variable, name)
    }
}

fn text(variable: &dyn Fn(&str) -> Option<OsString>, name: &'static str) -> Result<Option<Text>, VaultError> {
    let Some(value) = variable(name) else { return Ok(None) };
    let value = Zeroizing::new(value.into_encoded_bytes());
    let value = std::str::from_utf8(&value).map_err(|_| VaultError::Unsendable(name))?.trim();
    if value.chars().any(char::is_control) {
        return Err(VaultError::Unsendable(name));
    }
    Ok((!value.is_empty()).then(|| Zeroizing::new(value.to_owned())))
}
