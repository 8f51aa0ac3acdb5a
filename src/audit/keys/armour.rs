//! Armour (RFC 7468, RFC 1421, RFC 9580 §6) as it is found in the wild.
//!
//! Owns tolerance: line ends of any kind or written as escapes, indentation, comment and diff
//! prefixes, quotes and concatenation of source code, HTML and URL escapes, a missing END. Does
//! not judge: what comes out is a key only if its parser says so.

use memchr::memmem;
use zeroize::Zeroizing;

/// The literal that every armour begins with.
pub(super) const BEGIN: &[u8] = b"-----BEGIN";
const DASHES: &[u8] = b"-----";
const END: &[u8] = b"END";
/// The most bytes between `BEGIN` and the dashes behind it.
const MAX_LABEL: usize = 64;
/// The most bytes between the two lines of dashes, escapes and prefixes included.
pub(super) const MAX_INSIDE: usize = 60 * 1024;
/// The most bytes of a prefix that all lines share.
const MAX_PREFIX: usize = 128;
/// The most bytes between two quoted pieces of one text.
const MAX_BETWEEN: usize = 200;
/// The most bytes of an HTML tag or character reference.
const MAX_TAG: usize = 12;

/// A block of armour.
pub(super) struct Armour {
    /// Letters and digits of the label: `RSAPRIVATEKEY`.
    pub(super) label: String,
    /// What stands inside, without the wrapping of the text around it.
    pub(super) inside: Zeroizing<Vec<u8>>,
    /// Whether an END follows.
    pub(super) ended: bool,
    /// Bytes of the block in the buffer, as far as its END.
    pub(super) length: usize,
}

/// The block whose [`BEGIN`] is at `at`, if it is one of a private key.
pub(super) fn at(bytes: &[u8], at: usize) -> Option<Armour> {
    let after = bytes.get(at + BEGIN.len()..)?;
    let length = memmem::find(&after[..after.len().min(MAX_LABEL)], DASHES)?;
    let label = label(&after[..length]);
    if !label.contains("PRIVATEKEY") {
        return None;
    }
    let form = after[..length].contains(&b'+');
    let start = at + BEGIN.len() + length + DASHES.len();
    let rest = &bytes[start..bytes.len().min(start + MAX_INSIDE)];
    let end = memmem::find(rest, DASHES);
    let inside = &rest[..end.unwrap_or(rest.len())];
    // In a diff there is one dash more.
    let dashes = rest[inside.len()..].iter().take_while(|byte| **byte == b'-').count();
    let tail = &rest[inside.len() + dashes..];
    let ended = tail.starts_with(END);
    let mut length = start + inside.len() - at;
    if ended {
        let close = memmem::find(&tail[..tail.len().min(MAX_LABEL)], DASHES);
        length += dashes + close.map_or(END.len(), |close| close + DASHES.len());
    }
    let mut wrapping = Wrapping::before(bytes, at);
    wrapping.form = form;
    Some(Armour { label, inside: wrapping.remove(inside), ended, length })
}

/// What `text` says under quotes, escapes and prefixes that nothing is known of.
pub(super) fn unwrapped(bytes: &[u8], at: usize, end: usize) -> Zeroizing<Vec<u8>> {
    Wrapping::before(bytes, at).remove(&bytes[at..end.min(bytes.len())])
}

fn label(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text).replace("%25", "%").replace("%20", "").replace("\\u0020", "");
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// What a text is wrapped in.
struct Wrapping<'a> {
    /// What every line begins with.
    prefix: &'a [u8],
    /// The quote around it, and the backslashes in front of that.
    quote: Option<(u8, usize)>,
    /// Whether `+` means a blank, as in a form.
    form: bool,
}

impl<'a> Wrapping<'a> {
    /// Judged by what stands before the block on its line.
    fn before(bytes: &'a [u8], at: usize) -> Self {
        let line = &bytes[at.saturating_sub(MAX_PREFIX)..at];
        let line = &line[memchr::memrchr2(b'\n', b'\r', line).map_or(0, |end| end + 1)..];
        let quote = line.split_last().filter(|(last, _)| is_quote(**last)).map(|(quote, before)| {
            let slashes = before.iter().rev().take_while(|byte| **byte == b'\\').count();
            (*quote, slashes)
        });
        let prefix = line.trim_ascii();
        // Nothing that could be base64, apart from what comments and diffs are marked with.
        let marks = prefix.iter().any(|byte| !super::base64::is_digit(*byte)) || matches!(prefix, b"+" | b"-" | b"//");
        Self { prefix: if marks && quote.is_none() { prefix } else { b"" }, quote, form: false }
    }

    fn remove(mut self, text: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(text.len() + 1));
        let mut rest = text;
        while let Some((&first, after)) = rest.split_first() {
            rest = after;
            match first {
                b'\\' => rest = self.escape(rest, &mut out),
                quote if is_quote(quote) => rest = self.close(quote, 0, rest, &mut out),
                b'%' => {
                    // `%250A` is a percent sign that was escaped itself.
                    while let Some(again) = rest.strip_prefix(b"25") {
                        rest = again;
                    }
                    rest = number(rest, 16, 2, &mut out).unwrap_or(rest);
                }
                b'&' => rest = reference(rest, &mut out),
                b'<' => {
                    let close = memchr::memchr(b'>', &rest[..rest.len().min(MAX_TAG)]);
                    rest = close.map_or(rest, |close| &rest[close + 1..]);
                    out.push(b'\n');
                }
                b'\n' | b'\r' => {
                    out.push(b'\n');
                    rest = self.line(rest);
                }
                b'+' if self.form => out.push(b' '),
                byte => out.push(byte),
            }
        }
        out
    }

    /// Behind the prefix of a line.
    fn line<'t>(&self, rest: &'t [u8]) -> &'t [u8] {
        let mut rest = rest.trim_ascii_start();
        if !self.prefix.is_empty() {
            rest = rest.strip_prefix(self.prefix).unwrap_or(rest);
        }
        let marks = rest.iter().take_while(|byte| matches!(byte, b'#' | b'>' | b'*' | b'|' | b';' | b' ' | b'\t'));
        &rest[marks.count()..]
    }

    /// Behind what follows a backslash.
    fn escape<'t>(&mut self, rest: &'t [u8], out: &mut Vec<u8>) -> &'t [u8] {
        let more = rest.iter().take_while(|byte| **byte == b'\\').count();
        let rest = &rest[more..];
        let Some((&first, after)) = rest.split_first() else { return rest };
        match first {
            b'n' | b'r' => {
                out.push(b'\n');
                self.line(after)
            }
            b't' => after,
            b'u' => number(after, 16, 4, out).unwrap_or(after),
            b'x' => number(after, 16, 2, out).unwrap_or(after),
            b'0' | b'1' => number(rest, 8, 3, out).unwrap_or(after),
            quote if is_quote(quote) => self.close(quote, more + 1, after, out),
            _ => rest,
        }
    }

    /// Behind a quote: if it closes the piece of text, behind the one that opens the next.
    fn close<'t>(&mut self, quote: u8, slashes: usize, rest: &'t [u8], out: &mut Vec<u8>) -> &'t [u8] {
        match self.quote {
            Some(own) if own != (quote, slashes) => return rest,
            _ => self.quote = Some((quote, slashes)),
        }
        // Pieces of an array are lines; to base64 one more line end is nothing.
        out.push(b'\n');
        let near = &rest[..rest.len().min(MAX_BETWEEN)];
        match memchr::memchr(quote, near) {
            Some(open) => &rest[open + 1..],
            None => &rest[rest.len()..],
        }
    }
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// Puts the character with that number out, and gives what is behind its digits.
fn number<'t>(rest: &'t [u8], radix: u32, digits: usize, out: &mut Vec<u8>) -> Option<&'t [u8]> {
    let (number, rest) = rest.split_at_checked(digits)?;
    let number = u32::from_str_radix(std::str::from_utf8(number).ok()?, radix).ok()?;
    out.push(u8::try_from(number).ok()?);
    Some(rest)
}

/// Behind an HTML character reference: its number counts, its name does not.
fn reference<'t>(rest: &'t [u8], out: &mut Vec<u8>) -> &'t [u8] {
    let Some(end) = memchr::memchr(b';', &rest[..rest.len().min(MAX_TAG)]) else { return rest };
    match &rest[..end] {
        [b'#', b'x' | b'X', digits @ ..] => {
            number(digits, 16, digits.len(), out);
        }
        [b'#', digits @ ..] => {
            number(digits, 10, digits.len(), out);
        }
        _ => {}
    }
    &rest[end + 1..]
}
