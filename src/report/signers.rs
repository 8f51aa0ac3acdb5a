//! Whose signature of an attestation counts: an allowed signers file (ssh-keygen(1), "ALLOWED
//! SIGNERS") or lines of `.pub` files.
//!
//! Stricter than ssh-keygen, never looser: an option that is not known, a certificate authority
//! and a time in the local zone make an error, because leaving the line out could hide a limit
//! that was meant.

use base64ct::{Base64, Encoding as _};

use super::attestation::NAMESPACE;
use crate::wire;

/// Longest file that is taken, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Longest line that is taken, in bytes.
pub const MAX_LINE: usize = 16 * 1024;

/// A key that may sign, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// Principals as they are written; none where the line is that of a `.pub` file.
    pub principals: Option<String>,
    /// Key blob.
    pub blob: Vec<u8>,
    /// Seconds since 1970 from which it counts.
    pub valid_after: Option<u64>,
    /// Seconds since 1970 until which it counts.
    pub valid_before: Option<u64>,
}

/// Why a file of signers is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignersError {
    /// Past [`MAX_BYTES`] or [`MAX_LINE`].
    #[error("the list of allowed signers is too long")]
    TooLong,
    /// No line allows anyone to sign audits.
    #[error("nobody in the list of allowed signers may sign for the namespace \"{NAMESPACE}\"")]
    Nobody,
    /// A line that cannot be understood. Not repeated.
    #[error("line {line} of the allowed signers: {why}")]
    Line {
        /// From 1.
        line: usize,
        /// Why.
        why: &'static str,
    },
}

/// Reads the signers that may sign audits. Those whose `namespaces` do not have ours are left out.
///
/// # Errors
/// [`SignersError`].
pub fn parse(text: &str) -> Result<Vec<Signer>, SignersError> {
    if text.len() > MAX_BYTES {
        return Err(SignersError::TooLong);
    }
    let mut signers = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.len() > MAX_LINE {
            return Err(SignersError::TooLong);
        }
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let signer = read_line(line).map_err(|why| SignersError::Line { line: at + 1, why })?;
        signers.extend(signer);
    }
    if signers.is_empty() { Err(SignersError::Nobody) } else { Ok(signers) }
}

fn read_line(line: &str) -> Result<Option<Signer>, &'static str> {
    let (first, rest) = word(line);
    if is_key_type(first) {
        let blob = key(first, word(rest).0)?;
        return Ok(Some(Signer { principals: None, blob, valid_after: None, valid_before: None }));
    }
    let mut signer =
        Signer { principals: Some(first.to_owned()), blob: Vec::new(), valid_after: None, valid_before: None };
    let (mut second, mut rest) = word(rest);
    let mut for_us = true;
    if !is_key_type(second) {
        for option in options(second)? {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
            match name.to_ascii_lowercase().as_str() {
                "namespaces" => for_us = list_has(value, NAMESPACE),
                "valid-after" => signer.valid_after = Some(time(value)?),
                "valid-before" => signer.valid_before = Some(time(value)?),
                "cert-authority" => return Err("certificate authorities are not supported"),
                _ => return Err("an option is not known"),
            }
        }
        (second, rest) = word(rest);
    }
    signer.blob = key(second, word(rest).0)?;
    Ok(for_us.then_some(signer))
}

fn is_key_type(word: &str) -> bool {
    ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"].iter().any(|start| word.starts_with(start)) && !word.contains('@')
        || word.ends_with("@openssh.com") && word.starts_with("sk-")
}

fn key(kind: &str, base64: &str) -> Result<Vec<u8>, &'static str> {
    let blob = Base64::decode_vec(base64).map_err(|_| "its key is not base64")?;
    if wire::key_type(&blob) == Some(kind) { Ok(blob) } else { Err("its key is not of the type that is written") }
}

/// The next word and what is behind it; spaces in quotes do not end it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches([' ', '\t']);
    let mut quoted = false;
    let end = text.find(|c: char| {
        quoted ^= c == '"';
        !quoted && (c == ' ' || c == '\t')
    });
    text.split_at(end.unwrap_or(text.len()))
}

/// Options at their commas, but for those in quotes.
fn options(text: &str) -> Result<Vec<&str>, &'static str> {
    if text.matches('"').count() % 2 == 1 || text.contains('\\') {
        return Err("its quotes are not closed");
    }
    let mut quoted = false;
    let split = text.split(|c: char| {
        quoted ^= c == '"';
        !quoted && c == ','
    });
    Ok(split.collect())
}

/// A pattern list (ssh_config(5), "PATTERNS") of plain names and `*` alone: other patterns are
/// taken to match nothing, or everything where they are negated.
fn list_has(list: &str, name: &str) -> bool {
    let mut has = false;
    for pattern in list.split(',') {
        let pattern = pattern.trim();
        match pattern.strip_prefix('!') {
            Some(denied) => {
                if denied == name || denied.contains(['*', '?']) {
                    return false;
                }
            }
            None => has |= pattern == name || pattern == "*",
        }
    }
    has
}

/// `YYYYMMDDZ`, `YYYYMMDDHHMMZ` or `YYYYMMDDHHMMSSZ` as seconds since 1970.
fn time(text: &str) -> Result<u64, &'static str> {
    let digits = text.strip_suffix(['Z', 'z']).ok_or("its times are to end with Z, in UTC")?;
    if !matches!(digits.len(), 8 | 12 | 14) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("its times are to be YYYYMMDDZ, YYYYMMDDHHMMZ or YYYYMMDDHHMMSSZ");
    }
    let part = |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse::<u64>().ok()).unwrap_or(0);
    let (year, month, day) = (part(0, 4), part(4, 6), part(6, 8));
    let (hour, minute, second) = (part(8, 10), part(10, 12), part(12, 14));
    let fits = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !fits || hour > 23 || minute > 59 || second > 59 {
        return Err("a time does not exist");
    }
    Ok(days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Days since 1970 of a date in the Gregorian calendar, from 1970 on.
fn days(year: u64, month: u64, day: u64) -> u64 {
    // Years that begin in March have the odd day at their end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468
}

/// Seconds since 1970 as RFC 3339 writes them, in UTC.
#[must_use]
pub fn rfc3339(seconds: u64) -> String {
    let (day, rest) = (seconds / 86_400, seconds % 86_400);
    // The inverse of `days`, in eras of 400 years.
    let shifted = day + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + carry;
    format!("{year:04}-{month:02}-{date:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An Ed25519 blob of zeros: nothing decodes it here.
    fn base64() -> String {
        let mut blob = Vec::new();
        wire::put_string(&mut blob, b"ssh-ed25519");
        wire::put_string(&mut blob, &[0; 32]);
        Base64::encode_string(&blob)
    }

    #[test]
    fn times_are_those_of_the_calendar_both_ways() {
        for (text, seconds, written) in [
            ("19700101Z", 0, "1970-01-01T00:00:00Z"),
            ("20000229Z", 951_782_400, "2000-02-29T00:00:00Z"),
            ("20240301Z", 1_709_251_200, "2024-03-01T00:00:00Z"),
            ("20261126124500Z", 1_795_697_100, "2026-11-26T12:45:00Z"),
            ("99991231235959Z", 253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(time(text), Ok(seconds));
            assert_eq!(rfc3339(seconds), written);
        }
        for text in ["20260101", "2026Z", "20261301Z", "20260100Z", "202601012400Z", "2026010a Z", "19691231Z"] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_line_of_either_file_is_read_with_its_limits() {
        let key = base64();
        let text = format!(
            "# who\n\nci@example.com,\"x y\" namespaces=\"file,valetkey-audit\",valid-after=20200101Z ssh-ed25519 {key} a comment\n\
             ssh-ed25519 {key}\n"
        );
        let signers = parse(&text).unwrap();
        assert_eq!(signers[0].principals.as_deref(), Some("ci@example.com,\"x y\""));
        assert_eq!((signers[0].valid_after, signers[0].valid_before), (Some(1_577_836_800), None));
        assert_eq!(signers[1].principals, None);
    }

    #[test]
    fn a_signer_for_other_namespaces_alone_may_not_sign_audits() {
        let key = base64();
        for (list, may) in [
            ("file", false),
            ("git,valetkey-audit", true),
            ("*", true),
            ("*,!valetkey-audit", false),
            ("valetkey-audit,!valetkey-*", false),
            ("valetkey-*", false),
            ("", false),
        ] {
            let signers = parse(&format!("a namespaces=\"{list}\" ssh-ed25519 {key}\n"));
            assert_eq!(signers.is_ok(), may, "{list}");
        }
    }

    #[test]
    fn what_is_not_understood_is_an_error_and_never_a_wider_permission() {
        let key = base64();
        for line in [
            format!("a cert-authority ssh-ed25519 {key}"),
            format!("a verify-required ssh-ed25519 {key}"),
            format!("a valid-before=20200101 ssh-ed25519 {key}"),
            format!("a namespaces=\"x ssh-ed25519 {key}"),
            format!("a ssh-rsa {key}"),
            "a ssh-ed25519 !!!!".into(),
            "a".into(),
            format!("a ssh-ed25519 {}", &key[..20]),
        ] {
            assert!(matches!(parse(&line), Err(SignersError::Line { line: 1, .. })), "{line}");
        }
        assert_eq!(parse("# nobody\n"), Err(SignersError::Nobody));
    }

    #[test]
    fn a_list_at_its_limits_is_read_and_a_longer_one_is_not() {
        let line = |length: usize| {
            let start = format!("ssh-ed25519 {} ", base64());
            format!("{start}{}", "c".repeat(length - start.len()))
        };
        assert!(parse(&line(MAX_LINE)).is_ok());
        assert_eq!(parse(&line(MAX_LINE + 1)), Err(SignersError::TooLong));
        let filled = |length: usize| {
            let start = format!("{}\n", line(100));
            format!("{start}{}", "\n".repeat(length - start.len()))
        };
        assert!(parse(&filled(MAX_BYTES)).is_ok());
        assert_eq!(parse(&filled(MAX_BYTES + 1)), Err(SignersError::TooLong));
    }
}
