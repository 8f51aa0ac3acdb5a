//! From bytes to stages.

use super::words::{flags, words};
use super::{Dockerfile, Instruction, Mount, Stage, pairs};
use crate::builder::instruction::{Logical, escape_of, first_word, is_blank, logical_lines};
use crate::check::mapped::Mapped;
use crate::check::script;
use crate::check::setting::Kind;

/// Reads a Dockerfile. Text that is no instruction is one with a keyword that nothing looks for.
#[must_use]
pub fn read(text: &[u8]) -> Dockerfile {
    let escape = escape_of(text);
    let mut file = Dockerfile::default();
    // The user that holds at the end of each stage.
    let mut users: Vec<Option<String>> = Vec::new();
    for logical in logical_lines(text, escape) {
        let mut instruction = instruction(text, &logical, escape);
        if instruction.keyword == "FROM" && !instruction.is_onbuild {
            let stage = stage(&file, &instruction);
            users.push(stage.parent.and_then(|parent| users.get(parent).cloned().flatten()));
            file.stages.push(stage);
        }
        if let (Some(user), "USER", false) = (users.last_mut(), instruction.keyword.as_str(), instruction.is_onbuild) {
            *user = instruction.words.first().map(|word| String::from_utf8_lossy(&word.text).into_owned());
        }
        instruction.user = users.last().cloned().flatten();
        match file.stages.last_mut() {
            Some(stage) => stage.instructions.push(instruction),
            None => file.globals.push(instruction),
        }
    }
    let mut kept = file.stages.len().checked_sub(1);
    while let Some(stage) = kept.and_then(|index| file.stages.get_mut(index)) {
        stage.is_kept = true;
        kept = stage.parent;
    }
    file
}

fn stage(file: &Dockerfile, from: &Instruction) -> Stage {
    let word = |at: usize| from.words.get(at).map(|word| String::from_utf8_lossy(&word.text).into_owned());
    let image = word(0).unwrap_or_default();
    let name = word(2).filter(|_| word(1).is_some_and(|word| word.eq_ignore_ascii_case("as")));
    let parent = file.stages.iter().rposition(|stage| stage.name.as_deref() == Some(&image.to_ascii_lowercase()));
    Stage { name: name.map(|name| name.to_ascii_lowercase()), image, parent, ..Stage::default() }
}

fn instruction(text: &[u8], logical: &Logical<'_>, escape: u8) -> Instruction {
    let whole = Mapped::pieces(logical.text.clone(), logical.pieces.clone());
    let (mut word, mut rest) = first_word(&whole.text);
    let is_onbuild = word.eq_ignore_ascii_case(b"ONBUILD");
    if is_onbuild {
        (word, rest) = first_word(rest);
    }
    let at = whole.text.len() - rest.len();
    let keyword = String::from_utf8_lossy(word).to_ascii_uppercase();
    let keyword_span = whole.span(at - word.len()..at);
    let blanks = text.get(logical.offset..).map_or(0, |text| text.iter().take_while(|byte| is_blank(**byte)).count());
    let end = logical.end_with_heredocs;
    let end = if text.get(..end).is_some_and(|text| text.ends_with(b"\r")) { end - 1 } else { end };
    let rest = whole.from(at);
    let has_flags = matches!(keyword.as_str(), "RUN" | "COPY" | "ADD" | "FROM" | "HEALTHCHECK");
    let (flags, rest) =
        if has_flags { flags(&rest) } else { (Vec::new(), rest.from(super::words::skip_blanks(&rest.text, 0))) };
    let heredocs: Vec<Mapped> =
        logical.bodies.iter().zip(&logical.bodies_at).map(|(body, at)| Mapped::whole(body, *at)).collect();
    let kind = match keyword.as_str() {
        "ENV" => Some(Kind::Env),
        "ARG" => Some(Kind::Arg),
        "LABEL" => Some(Kind::Label),
        _ => None,
    };
    Instruction {
        words: words(&rest),
        settings: kind.map(|kind| pairs::pairs(&rest, kind, escape)).unwrap_or_default(),
        mounts: if keyword == "RUN" { flags.iter().filter_map(Mount::of).collect() } else { Vec::new() },
        commands: if keyword == "RUN" { commands(&rest, &heredocs) } else { Vec::new() },
        keyword,
        is_onbuild,
        span: logical.offset + blanks..end.max(logical.offset + blanks),
        keyword_span,
        flags,
        rest,
        heredocs,
        user: None,
    }
}

/// The commands of a RUN: of a shell's script, or the one of the JSON form.
fn commands(rest: &Mapped, heredocs: &[Mapped]) -> Vec<script::Command> {
    let Ok(words) = serde_json::from_slice::<Vec<String>>(&rest.text) else { return script::read(rest, heredocs) };
    let span = rest.span(0..rest.text.len());
    let word = |text: String| script::Word { text: text.into_bytes(), span: span.clone(), ..script::Word::default() };
    let command = script::Command {
        words: words.into_iter().map(word).collect(),
        span: span.clone(),
        // It is no command of a shell, so it cannot be taken out of one.
        is_in_compound: true,
        ..script::Command::default()
    };
    let inner = script::inner_scripts(&command);
    std::iter::once(command).chain(inner).collect()
}
