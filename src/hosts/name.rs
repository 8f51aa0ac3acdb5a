//! Host names as a person types them and as known_hosts writes them.
//!
//! Owns: case folding, the port, brackets. Refuses whatever could mean more than one host, or
//! be read as something else by ssh: patterns, lists, users, URLs, control characters.

use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::exit::Code;
use crate::ui::Explain;

/// Longest host name that is taken, in bytes (a DNS name has at most 253; an IPv6 address with
/// a zone fits too).
pub const MAX_NAME: usize = 255;
/// Longest part between two dots, in bytes (RFC 1035 section 2.3.4). A line of a key that was
/// typed here by mistake is longer, and must not become a name that messages repeat.
pub const MAX_LABEL: usize = 63;
/// The port of SSH where nothing else is said.
pub const SSH_PORT: u16 = 22;

/// A host as known_hosts names it. Lower case; `port` is 22 where nothing was said.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostName {
    /// DNS name or address, lower case, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// Why a text is not a host name. Carries no input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was there.
    #[error("the host name is empty")]
    Empty,
    /// Longer than [`MAX_NAME`].
    #[error("the host name is longer than {MAX_NAME} bytes")]
    TooLong,
    /// A part longer than [`MAX_LABEL`].
    #[error("the host name has a part that is longer than {MAX_LABEL} bytes")]
    LongLabel,
    /// `ssh://…` or another URL.
    #[error("the host was given as a URL")]
    Url,
    /// `user@host`, or `host:path` as Git writes it.
    #[error("the host was given with a user or a path")]
    UserOrPath,
    /// `*`, `?`, `!` or `,`.
    #[error("the host was given as a pattern or a list")]
    Pattern,
    /// A character that no host name has.
    #[error("the host name has a character that no host name has")]
    Character,
    /// Not a number from 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
}

impl Explain for NameError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Pattern => "name each host on its own: --host a.example --host b.example".into(),
            Self::Character => {
                "write the name in ASCII (punycode for others), for example git.example.org or [git.example.org]:2222"
                    .into()
            }
            _ => {
                "write the host alone, with its port where it is not 22: github.com, git.example.org:2222 or [::1]:2222"
                    .into()
            }
        })
    }

    fn code(&self) -> Code {
        Code::Usage
    }
}

impl HostName {
    /// A host name from its parts: `host` without brackets, `port` not 0.
    ///
    /// # Errors
    /// When `host` could not be one host's name, or `port` is 0.
    pub fn new(host: &str, port: u16) -> Result<Self, NameError> {
        if host.is_empty() {
            return Err(NameError::Empty);
        }
        if host.len() > MAX_NAME {
            return Err(NameError::TooLong);
        }
        if host.contains("://") {
            return Err(NameError::Url);
        }
        if host.contains(['@', '/']) {
            return Err(NameError::UserOrPath);
        }
        if host.contains(['*', '?', '!', ',']) {
            return Err(NameError::Pattern);
        }
        let address = host.split('%').next().unwrap_or(host);
        let is_v6 = address.parse::<Ipv6Addr>().is_ok();
        let allowed =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') || (is_v6 && matches!(c, ':' | '%'));
        // A leading dash would be an option to every program that is handed the name.
        if host.starts_with('-') || !host.chars().all(allowed) {
            return Err(NameError::Character);
        }
        if host.split('.').any(|label| label.len() > MAX_LABEL) {
            return Err(NameError::LongLabel);
        }
        if port == 0 {
            return Err(NameError::Port);
        }
        Ok(Self { host: host.to_ascii_lowercase(), port })
    }
}

impl FromStr for HostName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.contains("://") {
            return Err(NameError::Url);
        }
        if text.contains(['@', '/']) {
            return Err(NameError::UserOrPath);
        }
        if let Some(rest) = text.strip_prefix('[') {
            let (host, port) = rest.split_once(']').ok_or(NameError::Character)?;
            let port = match port.strip_prefix(':') {
                Some(port) => parse_port(port)?,
                None if port.is_empty() => SSH_PORT,
                None => return Err(NameError::Character),
            };
            return Self::new(host, port);
        }
        match text.split_once(':') {
            // More than one colon: an IPv6 address without brackets, and so without a port.
            Some((_, rest)) if rest.contains(':') => Self::new(text, SSH_PORT),
            Some((host, port)) => Self::new(host, parse_port(port)?),
            None => Self::new(text, SSH_PORT),
        }
    }
}

fn parse_port(text: &str) -> Result<u16, NameError> {
    // `u16::from_str` takes a leading plus; a port has digits only.
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NameError::Port);
    }
    text.parse().ok().filter(|&port| port != 0).ok_or(NameError::Port)
}

/// As known_hosts writes it: the bare name for port 22, else `[name]:port`.
impl std::fmt::Display for HostName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.port == SSH_PORT { f.write_str(&self.host) } else { write!(f, "[{}]:{}", self.host, self.port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_people_write_them_and_shown_as_known_hosts_does() {
        for (typed, shown) in [
            ("github.com", "github.com"),
            ("GitHub.COM", "github.com"),
            ("github.com:22", "github.com"),
            ("[github.com]:22", "github.com"),
            ("[github.com]", "github.com"),
            ("git.example.org:2222", "[git.example.org]:2222"),
            ("[git.example.org]:2222", "[git.example.org]:2222"),
            ("127.0.0.1:2222", "[127.0.0.1]:2222"),
            ("::1", "::1"),
            ("[::1]", "::1"),
            ("[::1]:2222", "[::1]:2222"),
            ("[FE80::1%eth0]:2222", "[fe80::1%eth0]:2222"),
            ("a_b.internal", "a_b.internal"),
            ("host:65535", "[host]:65535"),
        ] {
            let name: HostName = typed.parse().unwrap();
            assert_eq!(name.to_string(), shown, "{typed}");
            assert_eq!(shown.parse::<HostName>().unwrap(), name, "{shown} does not read back");
        }
    }

    #[test]
    fn what_is_not_one_host_is_refused_with_its_reason() {
        for (typed, reason) in [
            ("", NameError::Empty),
            ("[]:22", NameError::Empty),
            ("ssh://git@host:2222/repo", NameError::Url),
            ("https://github.com", NameError::Url),
            ("git@github.com", NameError::UserOrPath),
            ("git@github.com:org/repo.git", NameError::UserOrPath),
            ("github.com/org", NameError::UserOrPath),
            ("*.example.org", NameError::Pattern),
            ("host?", NameError::Pattern),
            ("!host", NameError::Pattern),
            ("a,b", NameError::Pattern),
            ("a b", NameError::Character),
            ("a\tb", NameError::Character),
            ("a\nb", NameError::Character),
            ("a\0b", NameError::Character),
            ("a\u{1b}[31m", NameError::Character),
            ("-oProxyCommand=x", NameError::Character),
            ("|1|a|b", NameError::Character),
            ("#host", NameError::Character),
            ("höst", NameError::Character),
            ("[host", NameError::Character),
            ("[host]2222", NameError::Character),
            ("a:b:c", NameError::Character),
            ("host:", NameError::Port),
            ("host:0", NameError::Port),
            ("host:+22", NameError::Port),
            ("host:65536", NameError::Port),
            ("host:ssh", NameError::Port),
        ] {
            assert_eq!(typed.parse::<HostName>(), Err(reason), "{typed:?}");
            assert!(reason.hint().is_some());
        }
    }

    #[test]
    fn the_longest_name_is_taken_and_one_byte_more_is_not() {
        let label = format!("{}.", "a".repeat(MAX_LABEL));
        let longest = &label.repeat(4)[..MAX_NAME];
        assert!(longest.parse::<HostName>().is_ok());
        assert_eq!(format!("{longest}a").parse::<HostName>(), Err(NameError::TooLong));
    }

    #[test]
    fn the_longest_part_of_a_name_is_taken_and_one_byte_more_is_not() {
        assert!(format!("{}.example", "a".repeat(MAX_LABEL)).parse::<HostName>().is_ok());
        assert_eq!("a".repeat(MAX_LABEL + 1).parse::<HostName>(), Err(NameError::LongLabel));
    }
}
