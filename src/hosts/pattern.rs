//! The name field of a known_hosts line: a list of patterns, or one hashed name.
//!
//! Matching follows OpenSSH's `match_hostname` and `host_hash`, checked against
//! `ssh-keygen -F` in `tests/hosts`. The field's text is never written to a terminal from here.

use aws_lc_rs::hmac;
use base64ct::{Base64, Encoding as _};

use super::name::{HostName, SSH_PORT};

/// Longest single pattern, in bytes: OpenSSH gives up on a list when it meets a longer one.
pub const MAX_PATTERN: usize = 1022;
/// Bytes of salt and of hash in a hashed name (SHA-1).
const HASH_LEN: usize = 20;

/// One pattern of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// `!`: a match means that the line is not for this host.
    pub negated: bool,
    /// The rest, in lower case. `*` is any run of characters, `?` any one.
    pub text: String,
}

impl Pattern {
    fn is_plain(&self) -> bool {
        !self.negated && !self.text.contains(['*', '?'])
    }
}

/// The name field of a known_hosts line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Names {
    /// `a,b,[c]:2222,*.d,!e.d`
    Patterns(Vec<Pattern>),
    /// `|1|salt|hash`: HMAC-SHA1 over the name, keyed with the salt.
    Hashed {
        /// The key of the HMAC.
        salt: [u8; HASH_LEN],
        /// The HMAC.
        hash: [u8; HASH_LEN],
    },
}

impl Names {
    /// Reads the field. `None` where it can never match: a damaged hash, a pattern longer than
    /// [`MAX_PATTERN`].
    #[must_use]
    pub fn parse(field: &str) -> Option<Self> {
        if let Some(hashed) = field.strip_prefix('|') {
            let (salt, hash) = hashed.strip_prefix("1|")?.split_once('|')?;
            return Some(Self::Hashed { salt: decode20(salt)?, hash: decode20(hash)? });
        }
        let mut patterns = Vec::new();
        for part in field.split(',') {
            let (negated, text) = match part.strip_prefix('!') {
                Some(text) => (true, text),
                None => (false, part),
            };
            if text.len() > MAX_PATTERN {
                return None;
            }
            patterns.push(Pattern { negated, text: text.to_ascii_lowercase() });
        }
        Some(Self::Patterns(patterns))
    }

    /// Whether the line is for this host. `shown` is the host's `Display` form, which is what
    /// known_hosts names are matched against.
    #[must_use]
    pub fn matches(&self, shown: &str) -> bool {
        match self {
            Self::Patterns(patterns) => {
                let mut found = false;
                for pattern in patterns {
                    if wildcard(pattern.text.as_bytes(), shown.as_bytes()) {
                        if pattern.negated {
                            return false;
                        }
                        found = true;
                    }
                }
                found
            }
            Self::Hashed { salt, hash } => {
                let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
                hmac::sign(&key, shown.as_bytes()).as_ref() == hash
            }
        }
    }

    /// The names that are written out: no wildcards, no negation, no hash.
    #[must_use]
    pub fn plain(&self) -> Vec<HostName> {
        match self {
            Self::Patterns(patterns) => {
                patterns.iter().filter(|p| p.is_plain()).filter_map(|p| p.text.parse().ok()).collect()
            }
            Self::Hashed { .. } => Vec::new(),
        }
    }

    /// What a person calls this line: its first name that is not negated; `None` when hashed.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        match self {
            Self::Patterns(patterns) => {
                let plain = patterns.iter().find(|p| p.is_plain());
                plain.or_else(|| patterns.iter().find(|p| !p.negated)).map(|p| p.text.as_str())
            }
            Self::Hashed { .. } => None,
        }
    }

    /// The ports that the patterns name (`[*.example]:2222`), 22 first.
    #[must_use]
    pub fn ports(&self) -> Vec<u16> {
        let mut ports = vec![SSH_PORT];
        if let Self::Patterns(patterns) = self {
            for pattern in patterns {
                let port = pattern.text.rsplit_once("]:").and_then(|(_, port)| port.parse().ok());
                if let Some(port) = port.filter(|port| !ports.contains(port)) {
                    ports.push(port);
                }
            }
        }
        ports
    }
}

fn decode20(text: &str) -> Option<[u8; HASH_LEN]> {
    // Base64 of 20 bytes is 28 characters; a longer text does not fit the buffer and fails.
    let mut bytes = [0; HASH_LEN];
    let decoded = Base64::decode(text, &mut bytes).ok()?;
    (decoded.len() == HASH_LEN).then_some(bytes)
}

/// `*` and `?` matching without recursion: after a mismatch only the last `*` can give, so the
/// work is at most pattern × name.
pub(crate) fn wildcard(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, n));
                p += 1;
            }
            Some(&c) if c == b'?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((after, from)) => {
                    star = Some((after, from + 1));
                    p = after;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(field: &str, host: &str) -> bool {
        Names::parse(field).unwrap().matches(host)
    }

    #[test]
    fn lists_wildcards_and_negation_match_as_in_ssh() {
        for (field, host, expected) in [
            ("github.com", "github.com", true),
            ("GitHub.com", "github.com", true),
            ("github.com", "xgithub.com", false),
            ("a,b,c", "b", true),
            ("a,,c", "", true),
            ("*.example", "git.example", true),
            ("*.example", "example", false),
            ("*.example,!bad.example", "bad.example", false),
            ("!bad.example,*.example", "bad.example", false),
            ("!bad.example", "good.example", false),
            ("h?st", "host", true),
            ("h?st", "hst", false),
            ("*", "anything", true),
            ("[*.example]:2222", "[git.example]:2222", true),
            ("[*.example]:2222", "git.example", false),
            ("a*b*c", "aXbXbc", true),
            ("a*b*c", "aXbXb", false),
            ("*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ] {
            assert_eq!(matches(field, host), expected, "{field} against {host}");
        }
    }

    #[test]
    fn a_hashed_name_that_is_damaged_matches_nothing() {
        let good = "|1|JfKTdBh7rNbXkVAQCRp4OQoPfmI=|USECr3SWf1JUPsms5AqfD5QfxkM=";
        assert!(Names::parse(good).is_some());
        for field in
            ["|", "|1|", "|1||", "|2|a|b", &good[..good.len() - 1], &good.replace("|US", "|AAUS"), "|1|YQ==|YQ=="]
        {
            assert!(Names::parse(field).is_none(), "{field}");
        }
    }

    #[test]
    fn the_longest_pattern_is_taken_and_one_byte_more_is_not() {
        assert!(Names::parse(&"a".repeat(MAX_PATTERN)).is_some());
        assert!(Names::parse(&"a".repeat(MAX_PATTERN + 1)).is_none());
    }

    #[test]
    fn a_label_is_a_name_before_it_is_a_pattern() {
        assert_eq!(Names::parse("*.b,a.b").unwrap().label(), Some("a.b"));
        assert_eq!(Names::parse("!x,*.b").unwrap().label(), Some("*.b"));
        assert_eq!(Names::parse("[*.b]:2222,c").unwrap().ports(), [22, 2222]);
    }
}
