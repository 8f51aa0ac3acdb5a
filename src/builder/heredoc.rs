//! PURE finding of heredocs in a Dockerfile's instruction, as BuildKit does
//! (frontend/dockerfile/parser, `heredocsFromLine`).

/// A heredoc that begins in an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heredoc {
    name: Vec<u8>,
    /// `<<-`: tabs in front of lines do not count.
    chomps: bool,
}

impl Heredoc {
    /// Whether this line (without its end) is the last of the heredoc.
    pub(super) fn ends_at(&self, line: &[u8]) -> bool {
        let mut line = line;
        while self.chomps && line.first() == Some(&b'\t') {
            line = line.get(1..).unwrap_or_default();
        }
        line == self.name
    }
}

/// The heredocs of an instruction that may have them: ADD, COPY and RUN, also behind ONBUILD.
pub(super) fn of_instruction(text: &[u8], escape: u8) -> Vec<Heredoc> {
    let words = words(text, escape);
    let mut words = words.iter();
    let is = |word: Option<&Vec<u8>>, name: &[u8]| word.is_some_and(|word| word.eq_ignore_ascii_case(name));
    let mut first = words.next();
    if is(first, b"ONBUILD") {
        first = words.next();
    }
    if [&b"ADD"[..], b"COPY", b"RUN"].iter().any(|name| is(first, name)) {
        words.filter_map(|word| parse(word, escape)).collect()
    } else {
        Vec::new()
    }
}

/// `<<NAME`, `<<-NAME`, `3<<"NAME"`.
fn parse(word: &[u8], escape: u8) -> Option<Heredoc> {
    let digits = word.iter().take_while(|b| b.is_ascii_digit()).count();
    let rest = word.get(digits..)?.strip_prefix(b"<<")?;
    let chomps = rest.starts_with(b"-");
    let quoted = rest.strip_prefix(b"-").unwrap_or(rest);
    if quoted.is_empty() || quoted.contains(&b'<') {
        return None;
    }
    let mut name = Vec::new();
    let mut quote = None;
    let mut bytes = quoted.iter();
    while let Some(&byte) = bytes.next() {
        match (quote, byte) {
            (None, b'\'' | b'"') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            (quote, byte) if byte == escape && quote != Some(b'\'') => name.extend(bytes.next()),
            (_, byte) => name.push(byte),
        }
    }
    (quote.is_none() && !name.is_empty()).then_some(Heredoc { name, chomps })
}

/// The words of a line, quotes kept, as a shell would split them.
fn words(text: &[u8], escape: u8) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut word = Vec::new();
    let mut quote = None;
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        match (quote, byte) {
            (None, byte) if byte.is_ascii_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            (None, b'\'' | b'"') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            (quote, byte) if byte == escape && quote != Some(b'\'') => {
                word.push(byte);
                word.extend(bytes.next());
                continue;
            }
            _ => {}
        }
        word.push(byte);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}
