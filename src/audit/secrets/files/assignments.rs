//! Lines that give a name a value: INI, TOML, properties, simple YAML.

use std::ops::Range;

use super::Hit;

/// One line of the kind `name = value`.
pub(super) struct Assignment<'a> {
    /// The `[section]` it is in, without brackets.
    pub(super) section: &'a [u8],
    pub(super) name: &'a [u8],
    /// The value, without quotes and without a comment behind them.
    pub(super) value: Range<usize>,
}

/// Each line of a text with its place, without its end.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    text.split(|byte| *byte == b'\n').map(move |line| {
        let start = at;
        at += line.len() + 1;
        trimmed(text, start..start + line.len())
    })
}

/// The range without white space at its ends.
pub(super) fn trimmed(text: &[u8], range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let start = range.start + (part.len() - part.trim_ascii_start().len());
    start..start + part.trim_ascii().len()
}

/// The range without the quotes around it; without what follows a quoted part.
pub(super) fn unquoted(text: &[u8], range: Range<usize>) -> Range<usize> {
    match text[range.clone()] {
        [quote @ (b'"' | b'\''), ref rest @ ..] => match rest.iter().position(|byte| *byte == quote) {
            Some(length) => range.start + 1..range.start + 1 + length,
            None => range.start + 1..range.end,
        },
        _ => range,
    }
}

/// Every assignment; `separators` are what may stand between name and value, the first of them
/// in the line does.
pub(super) fn each<'a>(text: &'a [u8], separators: &[u8], mut found: impl FnMut(Assignment<'a>)) {
    let mut section: &[u8] = b"";
    for line in lines(text) {
        match text[line.clone()] {
            [] | [b'#' | b';' | b'!', ..] => continue,
            [b'[', .., b']'] => {
                section = &text[line.start + 1..line.end - 1];
                continue;
            }
            _ => {}
        }
        // A list's item in YAML, an exported variable in a shell.
        let words = [&b"- "[..], b"export "];
        let start =
            line.start + words.iter().find(|word| text[line.clone()].starts_with(word)).map_or(0, |word| word.len());
        let quoted = unquoted(text, start..line.end);
        let skip = if quoted.start > start { quoted.end } else { start };
        let Some(at) = text[skip..line.end].iter().position(|byte| separators.contains(byte)) else { continue };
        let name = unquoted(text, trimmed(text, start..skip + at));
        let value = unquoted(text, trimmed(text, skip + at + 1..line.end));
        found(Assignment { section, name: &text[name], value });
    }
}

/// The values of all assignments whose name is one of `names`, in any case.
pub(super) fn named(text: &[u8], separators: &[u8], names: &[&str], hit: &mut dyn FnMut(Hit)) {
    each(text, separators, |line| {
        if names.iter().any(|name| line.name.eq_ignore_ascii_case(name.as_bytes())) {
            hit(Hit::of(line.value, line.section));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_read_with_their_quotes_comments_and_sections() {
        let text = b"a = 1\n# b = 2\n[s]\r\n c=\"x y\" # z\r\n\"d\": 'e'\n- f: g:h\nexport I=j\nalone\n=\nk=";
        let mut all = Vec::new();
        each(text, b"=:", |line| {
            all.push(
                [line.section, line.name, &text[line.value]].map(|part| String::from_utf8_lossy(part).into_owned()),
            );
        });
        let all: Vec<String> = all.iter().map(|line| line.join("|")).collect();
        assert_eq!(all, ["|a|1", "s|c|x y", "s|d|e", "s|f|g:h", "s|I|j", "s||", "s|k|"]);
    }
}
