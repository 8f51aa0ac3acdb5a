//! PURE splitting of a shell's script into words, quotes taken off, as far as the notes of
//! [`super::step_notes`] need it: what a substitution would give is not known here.

/// A piece of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A word.
    Word(Vec<u8>),
    /// What ends a command: `;`, `&&`, `|`, a parenthesis, the end of a line.
    End,
}

/// The words of a script, with the ends of its commands.
pub(crate) fn of_script(script: &[u8]) -> Vec<Token> {
    split(script, b'\\', true)
}

/// The words of an ENV or ARG, which knows quotes but no commands.
pub(crate) fn of_instruction(text: &[u8], escape: u8) -> Vec<Vec<u8>> {
    let words = split(text, escape, false).into_iter().filter_map(|token| match token {
        Token::Word(word) => Some(word),
        Token::End => None,
    });
    words.collect()
}

fn split(text: &[u8], escape: u8, script: bool) -> Vec<Token> {
    let mut found = Vec::new();
    // None between words: `''` is a word too.
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match (quote, byte) {
            (Some(open), byte) if byte == open => quote = None,
            (quote, byte) if byte == escape && quote != Some(b'\'') => match bytes.next() {
                Some(b'\n') if script => {}
                Some(next) => {
                    let stays = quote.is_some() && !b"\"\\$`".contains(&next);
                    word.get_or_insert_default().extend([byte, next].get(usize::from(!stays)..).unwrap_or_default());
                }
                None => {}
            },
            (Some(_), byte) => word.get_or_insert_default().push(byte),
            (None, b'\'' | b'"') => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (None, b'#') if script && word.is_none() => {
                // A comment, to the end of its line.
                if bytes.by_ref().any(|byte| byte == b'\n') {
                    found.push(Token::End);
                }
            }
            (None, b';' | b'&' | b'|' | b'(' | b')' | b'\n') if script => {
                found.extend(word.take().map(Token::Word));
                found.push(Token::End);
            }
            (None, byte) if byte.is_ascii_whitespace() => found.extend(word.take().map(Token::Word)),
            (None, byte) => word.get_or_insert_default().push(byte),
        }
    }
    found.extend(word.map(Token::Word));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(text: &str) -> String {
        let show = |token: Token| match token {
            Token::Word(word) => format!("<{}>", String::from_utf8_lossy(&word)),
            Token::End => "|".into(),
        };
        of_script(text.as_bytes()).into_iter().map(show).collect()
    }

    #[test]
    fn a_script_is_split_as_a_shell_splits_it() {
        for (text, words) in [
            ("a b", "<a><b>"),
            ("a 'b c'\"d e\" ''", "<a><b cd e><>"),
            ("a\\ b \"c\\\"d\\e\" 'f\\'", "<a b><c\"d\\e><f\\>"),
            ("a;b&&c|d\n(e)", "<a>|<b>||<c>|<d>||<e>|"),
            ("a # b 'c\nd#e", "<a>|<d#e>"),
            ("a \\\nb", "<a><b>"),
            ("a 'never ends", "<a><never ends>"),
            ("a\\", "<a>"),
            ("", ""),
        ] {
            assert_eq!(joined(text), words, "{text:?}");
        }
    }

    #[test]
    fn an_instruction_has_its_own_escape_character_and_no_commands() {
        let words = |text: &str, escape| of_instruction(text.as_bytes(), escape);
        assert_eq!(words("A=b\\ c D=\"e;f\" # x", b'\\'), [&b"A=b c"[..], b"D=e;f", b"#", b"x"]);
        assert_eq!(words("A=b` c\\d", b'`'), [&b"A=b c\\d"[..]]);
    }
}
