//! PURE reading of a Dockerfile's instructions, as BuildKit's parser reads them
//! (frontend/dockerfile/parser): directives, comments, continuations, heredocs, flags.

use super::heredoc;

/// A logical line: an instruction, its continuations joined.
pub(crate) struct Logical<'a> {
    pub(crate) text: Vec<u8>,
    /// Where pieces of the text begin in it, and where they begin in the file.
    pub(crate) pieces: Vec<(usize, usize)>,
    /// The texts of its heredocs.
    pub(crate) bodies: Vec<&'a [u8]>,
    /// Where each of those begins in the file.
    pub(crate) bodies_at: Vec<usize>,
    /// Where its first physical line begins in the file, and that line's number.
    pub(crate) offset: usize,
    pub(crate) line: usize,
    /// Where its last physical line ends, before the line feed; heredocs come after it.
    pub(crate) end: usize,
    /// The same, behind its heredocs.
    pub(crate) end_with_heredocs: usize,
}

pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c)
}

/// The first word of an instruction and what is behind it.
pub(crate) fn first_word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii_start();
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    text.split_at(end)
}

/// `# escape=` among the directives, which end at the first line that is none.
pub(crate) fn escape_of(text: &[u8]) -> u8 {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    for line in text.split(|&b| b == b'\n') {
        let Some(comment) = line.trim_ascii().strip_prefix(b"#") else { break };
        let Some(equals) = comment.iter().position(|&b| b == b'=') else { break };
        let (name, value) = comment.split_at(equals);
        let (name, value) = (name.trim_ascii(), value.get(1..).unwrap_or_default().trim_ascii());
        let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_alphanumeric);
        if !is_name || value.is_empty() {
            break;
        }
        if name.eq_ignore_ascii_case(b"escape") {
            return if value == b"`" { b'`' } else { b'\\' };
        }
    }
    b'\\'
}

/// The line without its continuation character, and whether it had one: the escape character,
/// not escaped itself, with nothing but blanks behind it.
fn continued(line: &[u8], escape: u8) -> (&[u8], bool) {
    let end = line.iter().rposition(|b| !is_blank(*b)).map_or(0, |at| at + 1);
    match line.get(..end).and_then(<[u8]>::split_last) {
        Some((&last, before)) if last == escape && before.last() != Some(&escape) => (before, true),
        _ => (line, false),
    }
}

fn is_skipped(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    line.is_empty() || line.starts_with(b"#")
}

/// The instructions, with heredocs passed over.
pub(crate) fn logical_lines(text: &[u8], escape: u8) -> Vec<Logical<'_>> {
    let mut physical = Vec::new();
    let mut offset = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    for line in text.get(offset..).unwrap_or_default().split(|&b| b == b'\n') {
        physical.push((offset, line));
        offset += line.len() + 1;
    }
    let mut lines = physical.into_iter().enumerate();
    let mut found = Vec::new();
    while let Some((number, (offset, line))) = lines.next() {
        if is_skipped(line) {
            continue;
        }
        let (part, mut goes_on) = continued(line, escape);
        let mut logical = Logical {
            text: part.to_vec(),
            pieces: vec![(0, offset)],
            bodies: Vec::new(),
            bodies_at: Vec::new(),
            offset,
            line: number + 1,
            end: offset + line.len(),
            end_with_heredocs: 0,
        };
        while goes_on {
            let Some((_, (offset, line))) = lines.next() else { break };
            logical.end = offset + line.len();
            if is_skipped(line) {
                continue;
            }
            let (part, more) = continued(line, escape);
            logical.pieces.push((logical.text.len(), offset));
            logical.text.extend_from_slice(part);
            goes_on = more;
        }
        logical.end_with_heredocs = logical.end;
        for heredoc in heredoc::of_instruction(&logical.text, escape) {
            let mut body = None;
            for (_, (offset, line)) in lines.by_ref() {
                logical.end_with_heredocs = offset + line.len();
                if heredoc.ends_at(line.strip_suffix(b"\r").unwrap_or(line)) {
                    break;
                }
                let (from, _) = body.unwrap_or((offset, 0));
                body = Some((from, offset + line.len()));
            }
            // One that is empty has no text, and stands where its end does.
            let (from, to) = body.unwrap_or((logical.end_with_heredocs, logical.end_with_heredocs));
            logical.bodies.push(text.get(from..to).unwrap_or_default());
            logical.bodies_at.push(from);
        }
        found.push(logical);
    }
    found
}

/// The flags in front of a RUN's command, quotes taken off (BuildKit's `extractBuilderFlags`),
/// and the command.
pub(crate) fn flags(rest: &[u8]) -> (Vec<Vec<u8>>, &[u8]) {
    let mut found = Vec::new();
    let mut rest = rest.trim_ascii_start();
    while rest.starts_with(b"--") {
        let mut word = Vec::new();
        let mut quote = None;
        let mut at = 0;
        while let Some(&byte) = rest.get(at) {
            at += 1;
            match (quote, byte) {
                (None, byte) if byte.is_ascii_whitespace() => break,
                (None, b'\'' | b'"') => quote = Some(byte),
                (Some(open), byte) if open == byte => quote = None,
                (_, b'\\') => {
                    word.extend(rest.get(at));
                    at += 1;
                }
                _ => word.push(byte),
            }
        }
        rest = rest.get(at..).unwrap_or_default().trim_ascii_start();
        if word == b"--" {
            break;
        }
        found.push(word);
    }
    (found, rest)
}
