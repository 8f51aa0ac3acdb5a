//! PURE: what a scalar of YAML, JSON or HCL says, with the places of its bytes as far as they are known.

use super::mapped::Mapped;
use crate::document::{Node, Style, Value};

/// The text of a scalar; none where it is no scalar.
#[must_use]
pub fn mapped(node: &Node, file: &str) -> Option<Mapped> {
    let Value::Scalar(text, style) = &node.value else { return None };
    let raw = file.get(node.span.clone()).unwrap_or_default();
    if raw == text {
        return Some(Mapped::whole(text.as_bytes(), node.span.start));
    }
    let inside = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
    if matches!(style, Style::Quoted | Style::Expression) && inside == text {
        return Some(Mapped::whole(text.as_bytes(), node.span.start + 1));
    }
    if *style == Style::Literal
        && let Some(mapped) = block(text, node.span.start, file)
    {
        return Some(mapped);
    }
    Some(Mapped::near(text.as_bytes(), node.span.start))
}

/// A block that keeps its lines: each stands in the file behind the block's indentation.
fn block(text: &str, start: usize, file: &str) -> Option<Mapped> {
    let before = file.get(..start)?;
    let indentation = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
    let mut mapped = Mapped::pieces(Vec::new(), Vec::new());
    let mut at = start;
    let blank = text.bytes().take_while(|byte| *byte == b'\n').count();
    mapped.push("\n".repeat(blank).as_bytes(), start);
    for (number, line) in text.get(blank..)?.split_inclusive('\n').enumerate() {
        let rest = file.get(at..)?;
        if number > 0 {
            let spaces = rest.bytes().take(indentation).take_while(|byte| *byte == b' ').count();
            at += spaces;
        }
        let content = line.strip_suffix('\n').unwrap_or(line);
        if !file.get(at..)?.starts_with(content) {
            return None;
        }
        mapped.push(line.as_bytes(), at);
        at += content.len();
        at += file.get(at..)?.find('\n').map_or(file.len() - at, |end| end + 1);
    }
    Some(mapped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{hcl, json, yaml};

    /// The bytes of the file where the words of the text stand.
    fn words(node: &Node, file: &str) -> Vec<String> {
        let mapped = mapped(node, file).unwrap();
        let text = String::from_utf8(mapped.text.clone()).unwrap();
        let place = |word: &str| {
            let at = text.find(word).unwrap();
            file[mapped.span(at..at + word.len())].to_owned()
        };
        text.split_ascii_whitespace().map(place).collect()
    }

    #[test]
    fn words_of_a_scalar_stand_in_the_file_where_they_are_said_to() {
        for file in [
            "k: one two",
            "k: 'one two'",
            "k: \"one two\" # c",
            "k: |\n  one\n  two\n",
            "a:\n  k: |-\n\n      one\n\n        two\n    # c\n",
            "k: |\r\n  one\r\n  two\r\n",
            "k: |2\n  one\n   two\n",
        ] {
            let node = yaml(file).unwrap().swap_remove(0);
            let node = node.at(&["k"]).or_else(|| node.at(&["a", "k"])).unwrap();
            assert_eq!(words(node, file), ["one", "two"], "{file:?}");
        }
        let file = "{\"k\": \"one two\"}";
        assert_eq!(words(json(file).unwrap().get("k").unwrap(), file), ["one", "two"]);
        let file = "k = \"one ${two}\"\n";
        assert_eq!(words(hcl(file).unwrap().get("k").unwrap(), file), ["one", "${two}"]);
    }

    #[test]
    fn of_what_was_folded_or_escaped_the_beginning_is_known() {
        for file in ["k: >\n  one\n  two\n", "k: \"one\\ttwo\"\n", "k: one\n  two\n"] {
            let node = yaml(file).unwrap().swap_remove(0);
            let mapped = mapped(node.get("k").unwrap(), file).unwrap();
            assert!(!mapped.is_exact, "{file:?}");
            assert_eq!(mapped.place(5), node.get("k").unwrap().span.start);
        }
    }
}
