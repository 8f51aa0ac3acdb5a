//! Reading known_hosts text (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT") into lines.
//!
//! Owns the syntax. A line that ssh would skip is skipped here too and named in a warning, by
//! origin and number and never by its text. A file past a limit is refused as a whole, because
//! reading half of it could lose a `@revoked` line.

use base64ct::{Base64, Encoding as _};

use super::certificate::{certified_key, is_certificate};
use super::pattern::Names;
use crate::exit::Code;
use crate::ui::Explain;
use crate::wire::{self, Fields};

/// Longest text that is taken, in bytes.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Most lines that are taken, comments included.
pub const MAX_LINES: usize = 20_000;
/// Longest line that is read, in bytes (an RSA-16384 key takes 2.8 kB).
pub const MAX_LINE: usize = 16 * 1024;
/// Most unreadable lines that are named one by one.
pub const MAX_WARNINGS: usize = 20;

/// What stands before the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// Nothing: the key is pinned.
    None,
    /// `@cert-authority`: the key signs host certificates.
    CertAuthority,
    /// `@revoked`: the key is never to be trusted.
    Revoked,
}

/// One line with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Line number, from 1.
    pub number: usize,
    /// What stands before the names.
    pub marker: Marker,
    /// The name field, for matching.
    pub names: Names,
    /// The name field as it was written.
    pub field: String,
    /// Key type as it was written; equal to the blob's own.
    pub key_type: String,
    /// The raw key blob.
    pub blob: Vec<u8>,
    /// What follows the key.
    pub comment: String,
}

/// Why a line was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Longer than [`MAX_LINE`].
    #[error("it is longer than {MAX_LINE} bytes")]
    TooLong,
    /// A marker that is not known, or two of them.
    #[error("its marker is not @revoked or @cert-authority")]
    Marker,
    /// The name field can match nothing.
    #[error("its name field is damaged")]
    Names,
    /// Nothing follows the names, or the key type.
    #[error("it has no key")]
    NoKey,
    /// Not base64.
    #[error("its key is not base64")]
    Base64,
    /// The key's own type is another one, or it has none.
    #[error("its key is not of the type that is written before it")]
    KeyType,
    /// Cut short, or of a type that host keys do not have.
    #[error("its key is damaged, or of a type that is not supported")]
    Damaged,
    /// A control character before the comment.
    #[error("it has a control character")]
    Control,
}

/// A known_hosts text that is past a limit. Nothing of it was used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// More than [`MAX_BYTES`].
    #[error("{0} is larger than {MAX_BYTES} bytes")]
    Bytes(String),
    /// More than [`MAX_LINES`].
    #[error("{0} has more than {MAX_LINES} lines")]
    Lines(String),
}

impl Explain for TooLarge {
    fn hint(&self) -> Option<String> {
        Some("give a file with the hosts that the build needs; `ssh-keygen -F HOST -f FILE` prints the lines of one host".into())
    }

    fn code(&self) -> Code {
        Code::Host
    }
}

/// What a text held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Lines with a key.
    pub lines: Vec<Line>,
    /// Lines that were skipped: number from 1, and why.
    pub skipped: Vec<(usize, LineError)>,
}

impl Parsed {
    /// The skipped lines as warnings, at most [`MAX_WARNINGS`] and one that counts the rest.
    #[must_use]
    pub fn warnings(&self, origin: &str) -> Vec<String> {
        let mut out: Vec<String> = self
            .skipped
            .iter()
            .take(MAX_WARNINGS)
            .map(|(number, why)| format!("{origin}:{number}: this line is skipped: {why}"))
            .collect();
        if self.skipped.len() > MAX_WARNINGS {
            out.push(format!("{origin}: {} more lines are skipped", self.skipped.len() - MAX_WARNINGS));
        }
        out
    }
}

/// Reads known_hosts text. `origin` names it in errors.
///
/// # Errors
/// When the text is past [`MAX_BYTES`] or [`MAX_LINES`].
pub fn parse(text: &str, origin: &str) -> Result<Parsed, TooLarge> {
    if text.len() > MAX_BYTES {
        return Err(TooLarge::Bytes(origin.into()));
    }
    let mut parsed = Parsed::default();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if number > MAX_LINES {
            return Err(TooLarge::Lines(origin.into()));
        }
        match read_line(number, line) {
            Ok(Some(line)) => parsed.lines.push(line),
            Ok(None) => {}
            Err(why) => parsed.skipped.push((number, why)),
        }
    }
    Ok(parsed)
}

/// `None` for a blank line and a comment.
fn read_line(number: usize, line: &str) -> Result<Option<Line>, LineError> {
    if line.len() > MAX_LINE {
        return Err(LineError::TooLong);
    }
    let line = line.trim_end_matches('\r').trim_start_matches([' ', '\t']);
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (marker, line) = read_marker(line)?;
    let (field, rest) = word(line);
    let (key_type, rest) = word(rest);
    let (key, comment) = word(rest);
    if [field, key_type, key].iter().any(|part| part.contains(char::is_control)) {
        return Err(LineError::Control);
    }
    if key_type.is_empty() || key_type.starts_with('#') || key.is_empty() || key.starts_with('#') {
        return Err(LineError::NoKey);
    }
    let names = Names::parse(field).ok_or(LineError::Names)?;
    let blob = decode_key(key_type, key)?;
    Ok(Some(Line {
        number,
        marker,
        names,
        field: field.into(),
        key_type: key_type.into(),
        blob,
        comment: comment.trim_end().into(),
    }))
}

/// ssh looks for a space behind the marker before it looks for a tab, and so skips most lines
/// with a tab there. Here a tab is a blank as everywhere: a `@revoked` must not be lost.
fn read_marker(line: &str) -> Result<(Marker, &str), LineError> {
    if !line.starts_with('@') {
        return Ok((Marker::None, line));
    }
    let (marker, rest) = word(line);
    let marker = match marker {
        "@revoked" => Marker::Revoked,
        "@cert-authority" => Marker::CertAuthority,
        _ => return Err(LineError::Marker),
    };
    if rest.starts_with('@') {
        return Err(LineError::Marker);
    }
    Ok((marker, rest))
}

/// The first word, and what follows it without leading blanks.
fn word(text: &str) -> (&str, &str) {
    let end = text.find([' ', '\t']).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word, rest.trim_start_matches([' ', '\t']))
}

/// Decodes a key's base64 and checks that the blob's own type is `key_type`, and that it is one
/// of ed25519, ECDSA, RSA, or a certificate over one.
///
/// # Errors
/// When it is not base64, of another type, damaged, or not of a type that host keys have.
pub fn decode_key(key_type: &str, base64: &str) -> Result<Vec<u8>, LineError> {
    let blob = Base64::decode_vec(base64).map_err(|_| LineError::Base64)?;
    if wire::key_type(&blob) != Some(key_type) {
        return Err(LineError::KeyType);
    }
    has_parts(key_type, &blob).ok_or(LineError::Damaged)?;
    Ok(blob)
}

/// Whether the blob has as many parts as its type says and nothing behind them. Numbers and
/// points are not looked into.
fn has_parts(key_type: &str, blob: &[u8]) -> Option<()> {
    if is_certificate(blob) {
        return certified_key(blob).map(|_| ());
    }
    let parts = match key_type {
        "ssh-ed25519" => 1,
        "ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" | "ecdsa-sha2-nistp521" | "ssh-rsa" => 2,
        _ => return None,
    };
    let mut reader = Fields::new(blob);
    for _ in 0..=parts {
        reader.string().ok()?;
    }
    reader.end().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    fn one(text: &str) -> Line {
        let parsed = parse(text, "t").unwrap();
        assert_eq!((parsed.lines.len(), parsed.skipped.len()), (1, 0), "{text:?}");
        parsed.lines.into_iter().next().unwrap()
    }

    #[test]
    fn a_line_is_read_with_any_blanks_endings_and_comment() {
        for text in [
            format!("a {KEY}"),
            format!("a {KEY}\n"),
            format!("a {KEY}\r\n"),
            format!("  \ta\t {} \t\n", KEY.replace(' ', "\t  ")),
        ] {
            let line = one(&text);
            assert_eq!((line.field.as_str(), line.marker, line.comment.as_str()), ("a", Marker::None, ""));
        }
        assert_eq!(one(&format!("a {KEY} who@where binds=no\r\n")).comment, "who@where binds=no");
        assert_eq!(one(&format!("@revoked a {KEY}")).marker, Marker::Revoked);
        assert_eq!(one(&format!("@revoked\ta {KEY}")).marker, Marker::Revoked);
        assert_eq!(one(&format!("@cert-authority *.a {KEY}")).marker, Marker::CertAuthority);
    }

    #[test]
    fn blank_lines_and_comments_are_no_lines_and_keep_the_count() {
        let parsed = parse(&format!("\n# c\r\n\r\n   \n\t# d\na {KEY}\n"), "t").unwrap();
        assert_eq!(parsed.lines[0].number, 6);
        assert!(parsed.skipped.is_empty());
    }

    #[test]
    fn an_unreadable_line_is_named_with_its_reason_and_the_rest_is_read() {
        let (kind, base64) = KEY.split_once(' ').unwrap();
        for (line, why) in [
            ("a".to_owned(), LineError::NoKey),
            ("a ssh-ed25519".into(), LineError::NoKey),
            ("a ssh-ed25519 # AAAA".into(), LineError::NoKey),
            ("a 1024 35 1234567".into(), LineError::Base64),
            (format!("@bad a {KEY}"), LineError::Marker),
            (format!("@revoked @revoked a {KEY}"), LineError::Marker),
            (format!("|1|x|y {KEY}"), LineError::Names),
            (format!("a ssh-rsa {base64}"), LineError::KeyType),
            (format!("a {kind} {}", &base64[..base64.len() - 1]), LineError::Base64),
            (format!("a {kind} AAAA"), LineError::KeyType),
            (format!("a {kind} {}", &base64[..20]), LineError::Damaged),
            ("a ssh-dss AAAAB3NzaC1kc3MAAAAA".into(), LineError::Damaged),
            (format!("a\u{1b} {KEY}"), LineError::Control),
            (format!("a {KEY} {}", "x".repeat(MAX_LINE)), LineError::TooLong),
        ] {
            let parsed = parse(&format!("{line}\nb {KEY}\n"), "file").unwrap();
            assert_eq!(parsed.skipped, [(1, why)], "{line:.60}");
            assert_eq!(parsed.lines.len(), 1);
            let warnings = parsed.warnings("file");
            assert!(warnings[0].starts_with("file:1: "), "{warnings:?}");
            assert!(!warnings[0].contains("AAAA"), "a warning shows the line");
        }
    }

    #[test]
    fn every_limit_is_taken_and_one_past_it_is_not() {
        let head = format!("a {KEY} ");
        let full = format!("{head}{}", "x".repeat(MAX_LINE - head.len()));
        one(&full);
        assert_eq!(parse(&format!("{full}x"), "t").unwrap().skipped, [(1, LineError::TooLong)]);
        assert!(parse(&"\n".repeat(MAX_LINES), "t").is_ok());
        assert_eq!(parse(&"\n".repeat(MAX_LINES + 1), "t"), Err(TooLarge::Lines("t".into())));
        assert!(parse(&" ".repeat(MAX_BYTES), "t").is_ok());
        assert_eq!(parse(&" ".repeat(MAX_BYTES + 1), "t"), Err(TooLarge::Bytes("t".into())));
        let warned = |n: usize| parse(&"a\n".repeat(n), "t").unwrap().warnings("t");
        assert_eq!(warned(MAX_WARNINGS).len(), MAX_WARNINGS);
        assert_eq!(warned(MAX_WARNINGS + 5).last().unwrap(), "t: 5 more lines are skipped");
    }
}
