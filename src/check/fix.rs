//! PURE: fixes. They change what they say and leave every other byte alone.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::dockerfile::Instruction;
use super::finding::{Edit, Fix};
use super::script::{Command, Joint};

/// How often a file is fixed and looked at again: a fix may make room for another.
pub const MAX_ROUNDS: usize = 10;

/// The text with these fixes made, and how many were. One that touches what another one changed waits
/// for the next round.
#[must_use]
pub fn apply(text: &[u8], fixes: &[&Fix]) -> (Vec<u8>, usize) {
    // None touches another, so their ends are in the order of their starts.
    let mut taken: BTreeMap<usize, &Edit> = BTreeMap::new();
    let mut made = 0;
    for fix in fixes {
        let is_free = |edit: &&Edit| {
            let mut before = taken.range(..=edit.end).rev().map(|(_, other)| other);
            let mut near = before.by_ref().take_while(|other| other.end >= edit.start);
            edit.start <= edit.end && edit.end <= text.len() && !near.any(|other| touches(edit, other))
        };
        // The same edit twice is one: two findings may need the same.
        let new: Vec<&Edit> = fix.edits.iter().filter(|edit| taken.get(&edit.start) != Some(edit)).collect();
        if new.iter().all(is_free) {
            taken.extend(new.into_iter().map(|edit| (edit.start, edit)));
            made += 1;
        }
    }
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    for edit in taken.into_values() {
        out.extend_from_slice(text.get(at..edit.start).unwrap_or_default());
        out.extend_from_slice(&edit.text);
        at = edit.end;
    }
    out.extend_from_slice(text.get(at..).unwrap_or_default());
    (out, made)
}

fn touches(a: &Edit, b: &Edit) -> bool {
    a.start < b.end && b.start < a.end
        || a.start == b.start
        || (a.start == a.end || b.start == b.end) && (a.start == b.end || b.start == a.end)
}

/// What takes the commands of these indexes out of a step; `None` where they do not stand alone. A step
/// of nothing else goes as a whole, with its line.
#[must_use]
pub fn without(instruction: &Instruction, gone: &[usize], text: &[u8]) -> Option<Vec<Edit>> {
    let top: Vec<(usize, &Command)> =
        instruction.commands.iter().enumerate().filter(|(_, command)| command.depth == 0).collect();
    let goes: Vec<bool> = {
        let gone: BTreeSet<usize> = gone.iter().copied().collect();
        top.iter().map(|(at, _)| gone.contains(at)).collect()
    };
    let is_gone = |index: usize| goes.get(index).copied().unwrap_or(false);
    let count = goes.iter().filter(|goes| **goes).count();
    let stands_alone = |index: usize| {
        let Some((_, command)) = top.get(index) else { return false };
        let before =
            index.checked_sub(1).and_then(|before| top.get(before)).map_or(Joint::End, |(_, before)| before.joint);
        // A pipeline goes as a whole; what is done only if it fails, or beside it, would be done differently.
        let joined = |joint: Joint, other: bool| match joint {
            Joint::And | Joint::Next | Joint::End => true,
            Joint::Pipe => other,
            Joint::Or | Joint::Background => false,
        };
        let has_heredoc = command.redirects.iter().any(|redirect| redirect.body.is_some());
        !command.is_in_compound
            && !has_heredoc
            && joined(before, index > 0 && is_gone(index - 1))
            && joined(command.joint, is_gone(index + 1))
    };
    if count != gone.len() || count == 0 || !(0..top.len()).filter(|index| is_gone(*index)).all(stands_alone) {
        return None;
    }
    if count == top.len() {
        return Some(vec![Edit::replace(&lines(&instruction.span, text), "")]);
    }
    let mut edits = Vec::new();
    let mut index = 0;
    while index < top.len() {
        if !is_gone(index) {
            index += 1;
            continue;
        }
        let first = index;
        while is_gone(index) {
            index += 1;
        }
        let span = match (top.get(index), first.checked_sub(1).and_then(|before| top.get(before)), top.get(index - 1)) {
            (Some((_, next)), ..) => top.get(first)?.1.span.start..next.span.start,
            (None, Some((_, before)), Some((_, last))) => before.span.end..last.span.end,
            _ => return None,
        };
        edits.push(Edit::replace(&span, ""));
    }
    Some(edits)
}

/// The whole lines of a span, the last one's end included.
#[must_use]
pub fn lines(span: &Range<usize>, text: &[u8]) -> Range<usize> {
    let start =
        text.get(..span.start).and_then(|before| before.iter().rposition(|byte| *byte == b'\n')).map_or(0, |at| at + 1);
    let rest = text.get(span.end..).unwrap_or_default();
    let end = rest.iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| span.end + at + 1);
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::dockerfile::read;

    fn removed(text: &str, gone: &[usize]) -> Option<String> {
        let file = read(text.as_bytes());
        let edits = without(&file.stages[0].instructions[1], gone, text.as_bytes())?;
        let fix = Fix { title: String::new(), edits, is_safe: true };
        Some(String::from_utf8(apply(text.as_bytes(), &[&fix]).0).unwrap())
    }

    #[test]
    fn commands_go_with_what_joins_them_and_the_rest_stays_as_it_is() {
        for (text, gone, left) in [
            ("FROM a\nRUN x && y && z\n", &[0][..], "FROM a\nRUN y && z\n"),
            ("FROM a\nRUN x && y && z\n", &[1], "FROM a\nRUN x && z\n"),
            ("FROM a\nRUN x && y && z\n", &[2], "FROM a\nRUN x && y\n"),
            ("FROM a\nRUN x && y && z\n", &[0, 1], "FROM a\nRUN z\n"),
            ("FROM a\nRUN x && y && z\n", &[1, 2], "FROM a\nRUN x\n"),
            ("FROM a\nRUN x && y && z\n", &[0, 2], "FROM a\nRUN y\n"),
            ("FROM a\nRUN x | y && z # c\n", &[0, 1], "FROM a\nRUN z # c\n"),
            (
                "FROM a\nRUN --mount=type=ssh x \\\n    && y \\\n    && z\nRUN b\n",
                &[1],
                "FROM a\nRUN --mount=type=ssh x \\\n    && z\nRUN b\n",
            ),
            ("FROM a\n  RUN x && \\\n y\nRUN b\n", &[0, 1], "FROM a\nRUN b\n"),
            ("FROM a\nRUN x", &[0], "FROM a\n"),
            ("FROM a\nRUN x; y\n", &[0], "FROM a\nRUN y\n"),
        ] {
            assert_eq!(removed(text, gone).as_deref(), Some(left), "{text}");
        }
    }

    #[test]
    fn what_does_not_stand_alone_stays() {
        for (text, gone) in [
            ("FROM a\nRUN x || y\n", &[0][..]),
            ("FROM a\nRUN x || y\n", &[1]),
            ("FROM a\nRUN x | y\n", &[0]),
            ("FROM a\nRUN if x; then y; fi\n", &[1]),
            ("FROM a\nRUN x $(y)\n", &[1]),
            ("FROM a\nRUN (x && y)\n", &[0]),
            ("FROM a\nRUN [\"x\"]\n", &[0]),
            ("FROM a\nRUN x &\n", &[0]),
            ("FROM a\nRUN x\n", &[]),
        ] {
            assert_eq!(removed(text, gone), None, "{text}");
        }
    }

    #[test]
    fn of_fixes_that_touch_one_is_made_and_equal_ones_are_made_once() {
        let fix = |edits: &[Edit]| Fix { title: String::new(), edits: edits.to_vec(), is_safe: true };
        let (a, b) = (fix(&[Edit::replace(&(0..2), "X")]), fix(&[Edit::replace(&(1..3), "Y")]));
        let (c, d) = (fix(&[Edit::insert(4, "Z")]), fix(&[Edit::insert(4, "Z"), Edit::insert(5, "!")]));
        assert_eq!(apply(b"abcdef", &[&a, &b, &c, &d]), (b"XcdZe!f".to_vec(), 3));
        assert_eq!(apply(b"ab", &[&fix(&[Edit::replace(&(1..9), "")])]), (b"ab".to_vec(), 0));
    }
}
