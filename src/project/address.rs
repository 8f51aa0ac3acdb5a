//! PURE: the address of a repository, in every form that lock files, manifests and Git itself use.
//!
//! Owns what is one address: host, port, account, repository and protocol. Refuses what could
//! mean another repository, or an option, to the program that is handed it; and passwords, which
//! are dropped here and go no further.

use crate::hosts::{HostName, NameError};
use crate::policy::grant::DEFAULT_USER;

/// The longest address that is read, in bytes.
pub const MAX_ADDRESS: usize = 4096;
/// The longest account's name, in bytes.
const MAX_USER: usize = 64;
/// How tokens of the large forges begin, which some people write in the place of the account.
const TOKENS: [&str; 10] = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "gldt-", "glcbt-", "ATBB"];
/// From this length on, in bytes, what stands alone before the `@` of an HTTPS address is no name.
const LONG: usize = 20;

/// What a repository is read over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Over {
    /// SSH: what valetkey lends keys for.
    Ssh,
    /// HTTPS or HTTP.
    Https,
    /// Git's own protocol, which knows no login.
    Git,
    /// A folder of this machine.
    File,
}

/// The address of one repository. Holds no password.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// Name or IP address, lower case, without brackets; empty for [`Over::File`].
    pub host: String,
    /// Where it is not the protocol's own.
    pub port: Option<u16>,
    /// The account, where one is named and it is over SSH.
    pub user: Option<String>,
    /// As grants name it: without `/` in front and `.git` behind.
    pub repository: String,
    /// The protocol.
    pub over: Over,
}

/// Why a text is no repository's address. Repeats nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No protocol and no `host:path`.
    #[error("this is not the address of a repository")]
    NoAddress,
    /// Longer than [`MAX_ADDRESS`].
    #[error("the address is longer than {MAX_ADDRESS} bytes")]
    TooLong,
    /// `$TOKEN`, `${HOST}`, `{{ host }}`.
    #[error("the address has a variable in it, whose value only the build knows")]
    Variable,
    /// A protocol that Git does not speak.
    #[error("the address names a protocol that Git does not speak")]
    Protocol,
    /// No host's name.
    #[error("the address names no host: {0}")]
    Host(NameError),
    /// The account could be an option, or is none that a server has.
    #[error("the address names an account that no server has")]
    User,
    /// No path of a repository.
    #[error("the address names no repository that a grant could name")]
    Repository,
}

/// Two addresses are of one repository when a server would be asked the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Same(String, u16, String, String);

impl Address {
    /// Reads an address: `ssh://[user@]host[:port]/path`, `[user@]host:path`, `https://…`,
    /// `git://…`, `file://…`, each with `git+` or `git::` before it and a reference (`#…`,
    /// `?…`, `.git@…`) behind it.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = plain(text)?;
        match text.split_once("://") {
            Some((scheme, rest)) => Self::url(scheme, rest),
            None => Self::short(text),
        }
    }

    fn url(scheme: &str, rest: &str) -> Result<Self, AddressError> {
        let over = match scheme.to_ascii_lowercase().as_str() {
            "ssh" | "ssh+git" => Over::Ssh,
            "https" | "http" => Over::Https,
            "git" => Over::Git,
            "file" => Over::File,
            _ => return Err(AddressError::Protocol),
        };
        if over == Over::File {
            // Whose folder it is does not matter: there is nothing to lend.
            return Ok(Self { host: String::new(), port: None, user: None, repository: rest.to_owned(), over });
        }
        let (authority, path) = rest.split_once('/').ok_or(AddressError::Repository)?;
        let (user, host) = account(authority, over)?;
        // npm and people write ssh://git@host:org/repo: no port, the first part of the path.
        if over == Over::Ssh
            && let Some((host, first)) = host.rsplit_once(':')
            && !host.ends_with(':')
            && !host.is_empty()
            && !first.ends_with(']')
            && first.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        {
            let path = format!("{first}/{path}");
            return Self::new(&bare(host), None, user, &path, over);
        }
        let (host, port) = match host.rsplit_once(':') {
            Some((_, port)) if port.ends_with(']') => (host, None),
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, Some(port)),
            None => (host, None),
        };
        let port = port.map(|port| port.parse::<u16>().map_err(|_| AddressError::Host(NameError::Port))).transpose()?;
        let usual = match over {
            Over::Ssh => 22,
            Over::Git => 9418,
            _ if scheme.eq_ignore_ascii_case("http") => 80,
            _ => 443,
        };
        Self::new(&bare(host), port.filter(|port| *port != usual), user, path, over)
    }

    /// `[user@]host:path`, as scp and Git have it.
    fn short(text: &str) -> Result<Self, AddressError> {
        let behind = text.find('@').map_or(0, |at| at + 1);
        let rest = text.get(behind..).unwrap_or_default();
        let (host, path) = match rest.strip_prefix('[') {
            Some(inside) => inside.split_once("]:").ok_or(AddressError::NoAddress)?,
            None => rest.split_once(':').ok_or(AddressError::NoAddress)?,
        };
        let authority = text.get(..behind).unwrap_or_default();
        // `./a:b` is a folder, and so is `C:\a`, `C:/a`; `@scope/name@npm:1` is no address at all.
        if host.contains('/') || authority.contains(['/', ':']) || (behind == 0 && host.len() < 2) {
            return Err(AddressError::NoAddress);
        }
        let (user, _) = account(authority, Over::Ssh)?;
        let (host, port) = match host.split_once(':') {
            // `[host:port]:path` is Git's own, `[::1]:path` an address.
            Some((name, port)) if !port.contains(':') => {
                (name, Some(port.parse::<u16>().map_err(|_| AddressError::Host(NameError::Port))?))
            }
            _ => (host, None),
        };
        Self::new(host, port.filter(|port| *port != 22), user, path, Over::Ssh)
    }

    fn new(host: &str, port: Option<u16>, user: Option<&str>, path: &str, over: Over) -> Result<Self, AddressError> {
        let name = HostName::new(host, port.unwrap_or(22)).map_err(AddressError::Host)?;
        // `.git@v1` (pip) is a reference: no repository has an `@` in its path.
        let path = path.split_once('@').map_or(path, |(path, _)| path);
        let path = path.trim_start_matches('/');
        let repository = crate::gateway::exec_request::normalised(path.as_bytes());
        let repository = repository.map_err(|_| AddressError::Repository)?;
        // What a grant would refuse must not get into one, nor what it would read as another one:
        // `r.git.git` names `r.git`, and as that again `r`.
        let pattern = repository.parse::<crate::policy::RepoPattern>();
        if pattern.map_err(|_| AddressError::Repository)?.to_string() != repository {
            return Err(AddressError::Repository);
        }
        Ok(Self { host: name.host, port, user: user.map(str::to_owned), repository, over })
    }

    /// What this address has in common with every other one of the same repository.
    #[must_use]
    pub fn same(&self) -> Same {
        let user = self.user.clone().unwrap_or_else(|| DEFAULT_USER.to_owned());
        let repository = if crate::policy::repository::ignores_case(&self.host) {
            self.repository.to_ascii_lowercase()
        } else {
            self.repository.clone()
        };
        Same(self.host.clone(), self.port.unwrap_or(22), user, repository)
    }

    /// The host as a grant names it.
    ///
    /// # Errors
    /// For [`Over::File`], which has none.
    pub fn host_name(&self) -> Result<HostName, NameError> {
        HostName::new(&self.host, self.port.unwrap_or(22))
    }
}

/// As a person would write it, without what is usual.
impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        match self.over {
            Over::Ssh => {
                let user = self.user.as_deref().unwrap_or(DEFAULT_USER);
                write!(f, "ssh://{user}@{host}{port}/{}", self.repository)
            }
            Over::Https => write!(f, "https://{host}{port}/{}", self.repository),
            Over::Git => write!(f, "git://{host}{port}/{}", self.repository),
            Over::File => f.write_str("a folder of this machine"),
        }
    }
}

/// The address as Git gets it: without the marks of tools around it, and without its reference.
///
/// # Errors
/// Where nothing of it can be believed.
pub(super) fn plain(text: &str) -> Result<&str, AddressError> {
    if text.len() > MAX_ADDRESS {
        return Err(AddressError::TooLong);
    }
    let text = text.trim();
    let text = text.strip_prefix("git::").unwrap_or(text);
    let text = text.strip_prefix("git+").unwrap_or(text);
    let end = text.find(['#', '?']).unwrap_or(text.len());
    let text = text.get(..end).unwrap_or(text);
    if text.contains('$') || text.contains("{{") || text.contains("%(") {
        return Err(AddressError::Variable);
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(AddressError::NoAddress);
    }
    Ok(text)
}

/// Account and host of `[account[:password]@]host`. The password goes no further, and an account
/// only where it is one: over HTTPS it is often a token.
fn account(authority: &str, over: Over) -> Result<(Option<&str>, &str), AddressError> {
    let Some((account, host)) = authority.rsplit_once('@') else { return Ok((None, authority)) };
    let user = account.split_once(':').map_or(account, |(user, _)| user);
    if over != Over::Ssh || user.is_empty() || is_token(user) {
        return Ok((None, host));
    }
    let fine = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if user.len() > MAX_USER || user.starts_with('-') || !user.chars().all(fine) {
        return Err(AddressError::User);
    }
    Ok((Some(user), host))
}

fn bare(host: &str) -> String {
    let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    inside.unwrap_or(host).to_owned()
}

fn is_token(user: &str) -> bool {
    TOKENS.iter().any(|token| user.starts_with(token))
}

/// Whether an address holds a password or a token, and not only the name of a variable.
#[must_use]
pub fn holds_secret(text: &str) -> bool {
    const FIELDS: [&str; 4] = ["access_token=", "private_token=", "token=", "password="];
    let query = text.split_once('?').map_or("", |(_, query)| query);
    let in_query = query.split(['&', '#', ';']).any(|pair| {
        FIELDS.iter().any(|field| pair.strip_prefix(field).is_some_and(|value| !value.is_empty() && is_literal(value)))
    });
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((account, _)) = authority.rsplit_once('@') else { return in_query };
    let (user, password) = account.split_once(':').unwrap_or((account, ""));
    let over_ssh = text.contains("ssh://");
    let alone = is_token(user) || (!over_ssh && user.len() >= LONG);
    in_query
        || (!password.is_empty() && is_literal(password) && password != "x-oauth-basic")
        || (alone && is_literal(user))
}

/// Not the name of a variable, nor a word that stands for what is to be filled in.
fn is_literal(text: &str) -> bool {
    !text.contains(['$', '{', '<', '*']) && !text.contains("%(")
}

#[cfg(test)]
mod tests;
