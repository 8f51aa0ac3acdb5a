use super::*;

const TEXT: &str = "\
# syntax=docker/dockerfile:1
ARG BASE=debian
FROM ${BASE} AS Build
USER app
RUN --mount=type=ssh,ID=lib,required --mount=\"type=secret\",id=t \\
    # why
    poetry install && echo $A

FROM scratch
COPY --from=build --chown=1:1 /a b /c/
ENV A=1 B=\"x y\" C
LABEL old form here
ONBUILD RUN x
FROM build AS last
RUN <<EOF
  ssh-keyscan h
EOF
RUN [\"git\", \"clone\", \"x\"]
USER 0:0
RUN last";

fn text(span: &Range<usize>) -> &'static str {
    &TEXT[span.clone()]
}

#[test]
fn stages_instructions_and_their_parts_are_read_with_their_bytes() {
    let file = read(TEXT.as_bytes());
    assert_eq!(text(&file.globals[0].settings[0].span), "BASE=debian");
    let names: Vec<_> = file.stages.iter().map(|stage| (stage.name.as_deref(), stage.parent, stage.is_kept)).collect();
    assert_eq!(names, [(Some("build"), None, true), (None, None, false), (Some("last"), Some(0), true)]);
    let run = &file.stages[0].instructions[2];
    assert_eq!(text(&run.keyword_span), "RUN");
    assert!(text(&run.span).starts_with("RUN --mount") && text(&run.span).ends_with("echo $A"));
    assert_eq!(text(&run.mounts[0].span), "--mount=type=ssh,ID=lib,required");
    assert!(run.mounts[0].is_required() && run.mounts[0].value(&["id"]) == Some("lib"));
    assert_eq!((run.mounts[1].kind().as_str(), run.mounts[1].is_required()), ("secret", false));
    let fields = run.mounts.iter().flat_map(|mount| &mount.fields).map(|field| text(&field.span)).collect::<Vec<_>>();
    let whole = "--mount=\"type=secret\",id=t";
    assert_eq!(fields, ["type=ssh", "ID=lib", "required", whole, whole]);
    let commands: Vec<_> = run.commands.iter().map(|command| text(&command.span)).collect();
    assert_eq!(commands, ["poetry install", "echo $A"]);
    assert!(run.is_by_other_user());
    let copy = &file.stages[1].instructions[1];
    assert_eq!(copy.flag("from"), Some(&b"build"[..]));
    assert_eq!(copy.words.iter().map(|word| text(&word.span)).collect::<Vec<_>>(), ["/a", "b", "/c/"]);
}

#[test]
fn names_and_values_are_those_of_the_builder() {
    let file = read(TEXT.as_bytes());
    let pairs = |at: usize| {
        let settings = file.stages[1].instructions[at].settings.iter();
        let pair = |setting: &Setting| {
            let value = setting.value.as_deref().map(|value| String::from_utf8_lossy(value).into_owned());
            (String::from_utf8_lossy(&setting.name).into_owned(), value)
        };
        settings.map(pair).collect::<Vec<_>>()
    };
    let value = |text: &str| Some(text.to_owned());
    assert_eq!(pairs(2), [("A".into(), value("1")), ("B".into(), value("x y")), ("C".into(), None)]);
    assert_eq!(pairs(3), [("old".into(), value("form here"))]);
    assert!(file.stages[1].instructions[4].is_onbuild);
}

#[test]
fn heredocs_and_the_json_form_have_commands_too_and_users_go_on_in_later_stages() {
    let file = read(TEXT.as_bytes());
    let last = &file.stages[2].instructions;
    let programs = |at: usize| last[at].commands.iter().map(|c| String::from_utf8_lossy(c.program()).into_owned());
    assert_eq!(programs(1).collect::<Vec<_>>(), ["", "ssh-keyscan"]);
    assert_eq!(text(&last[1].commands[1].span), "ssh-keyscan h");
    assert!(text(&last[1].span).ends_with("\nEOF"));
    assert_eq!(programs(2).collect::<Vec<_>>(), ["git"]);
    assert!(last[1].is_by_other_user() && !last[4].is_by_other_user());
    assert_eq!(file.stage("BUILD", 2), Some(0));
    assert_eq!((file.stage("1", 2), file.stage("2", 2), file.stage("x", 2)), (Some(1), None, None));
}

#[test]
fn bytes_that_are_no_utf_8_carriage_returns_and_a_byte_order_mark_are_read() {
    let file = read(b"\xef\xbb\xbfFROM a\r\nRUN x \xff \\\r\n  y\r\n");
    let run = &file.stages[0].instructions[1];
    assert_eq!((run.span.clone(), run.commands[0].words.len()), (11..25, 3));
    assert_eq!(read(b"").stages.len(), 0);
    assert_eq!(read(b"not a dockerfile\n\x00\x01").globals.len(), 2);
}
