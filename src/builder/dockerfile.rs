//! PURE rewriting of a Dockerfile: every RUN with an ssh mount gets one mount more, the guest.
//!
//! Changes nothing but what it inserts: everything else stays byte for byte, line numbers included.

use super::add_git::{self, AddGit, AddGitError};
use super::instruction::{escape_of, first_word, flags, is_blank, logical_lines};
use super::stages::{Stages, Step};

/// What is inserted behind the word RUN.
pub const MOUNT: &[u8] = b" --mount=type=bind,from=valetkey,source=ssh,target=/usr/local/bin/ssh";
/// Where the guest is mounted.
pub(super) const TARGET: &[u8] = b"/usr/local/bin/ssh";
/// The name of the context that holds it.
pub(super) const CONTEXT: &str = "valetkey";

/// Something in the Dockerfile that a person should know about, with its line, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// `ONBUILD RUN` with an ssh mount: it would be recorded in the image, so it stays.
    Onbuild(usize),
    /// Git is told by this variable to use this program for its ssh.
    GitSsh(usize, &'static str, String),
    /// Git is told by this variable to use an option that the guest refuses.
    SshOption(usize, &'static str, String),
    /// A step runs another ssh than the one in PATH.
    OtherSsh(usize, String),
    /// A step needs a shell, and its image has none.
    NoShell(usize, String),
    /// A PATH in which the guest is not found.
    Path(usize),
    /// `ADD` of a Git repository over SSH that cannot be served by a clone.
    AddGit(usize, AddGitError),
    /// `ADD` of a Git repository over SSH, left to the builder.
    AddLeft(usize),
    /// A step with an ssh mount whose RUN is written so that nothing can be inserted.
    Odd(usize),
    /// A stage or step that uses the name of our context for something else.
    Taken(usize),
}

/// A rewritten Dockerfile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rewritten {
    /// Its text.
    pub text: Vec<u8>,
    /// How many steps got the mount.
    pub steps: usize,
    /// How many steps had it already, by the person's own hand.
    pub own: usize,
    /// The ids of their ssh mounts, each once.
    pub ids: Vec<String>,
    /// Repositories that an `ADD` asked for, each now copied from the context [`add_context`].
    pub adds: Vec<AddGit>,
    /// What a person should know.
    pub notes: Vec<Note>,
}

/// The name of the context with the clone for an `ADD`: the number of its Dockerfile in the
/// build, and its index in [`Rewritten::adds`].
#[must_use]
pub fn add_context(file: usize, index: usize) -> String {
    format!("{CONTEXT}-add-{file}-{index}")
}

/// Rewrites a Dockerfile. `file` is its number, where the repositories of an `ADD` are cloned on
/// this machine; without one they are left to the builder.
#[must_use]
pub fn rewrite(text: &[u8], file: Option<usize>) -> Rewritten {
    let mut out = Rewritten::default();
    let mut copied = 0;
    let mut stages = Stages::default();
    let escape = escape_of(text);
    for logical in logical_lines(text, escape) {
        let (word, rest) = first_word(&logical.text);
        match word.to_ascii_uppercase().as_slice() {
            b"RUN" => {
                let Mounts { ssh, ids, own, binds } = mounts(rest, &mut out.notes, logical.line);
                let (command, bodies) = (flags(rest).1, &logical.bodies);
                for note in stages.run(&Step { command, bodies, ssh, binds, line: logical.line }) {
                    if !out.notes.contains(&note) {
                        out.notes.push(note);
                    }
                }
                if !ssh {
                    continue;
                }
                for id in ids {
                    if !out.ids.contains(&id) {
                        out.ids.push(id);
                    }
                }
                if own {
                    out.own += 1;
                    continue;
                }
                let physical = text.get(logical.offset..).unwrap_or_default();
                let blanks = physical.iter().take_while(|b| is_blank(**b)).count();
                let at = logical.offset + blanks + word.len();
                if !text.get(logical.offset + blanks..at).is_some_and(|run| run.eq_ignore_ascii_case(b"RUN")) {
                    out.notes.push(Note::Odd(logical.line));
                    continue;
                }
                out.text.extend_from_slice(text.get(copied..at).unwrap_or_default());
                out.text.extend_from_slice(MOUNT);
                copied = at;
                out.steps += 1;
            }
            b"ONBUILD" => {
                let (word, rest) = first_word(rest);
                let mut notes = Vec::new();
                if word.eq_ignore_ascii_case(b"RUN") && mounts(rest, &mut notes, logical.line).ssh {
                    out.notes.push(Note::Onbuild(logical.line));
                }
            }
            b"ENV" | b"ARG" => stages.set(rest, escape, logical.line),
            b"COPY" | b"SHELL" => stages.fill(),
            b"ADD" => {
                stages.fill();
                let Some(add) = add_git::parse(rest) else { continue };
                let Some(file) = file else {
                    out.notes.push(Note::AddLeft(logical.line));
                    continue;
                };
                let physical = text.get(logical.offset..logical.end).unwrap_or_default();
                let blanks = physical.iter().take_while(|b| is_blank(**b)).count();
                let context = add_context(file, out.adds.len());
                let copy =
                    add.and_then(|add| Ok((add.copy(physical.get(blanks..).unwrap_or_default(), &context)?, add)));
                match copy {
                    Ok((copy, add)) => {
                        out.text.extend_from_slice(text.get(copied..logical.offset + blanks).unwrap_or_default());
                        out.text.extend(copy);
                        copied = logical.end;
                        out.adds.push(add);
                    }
                    Err(error) => out.notes.push(Note::AddGit(logical.line, error)),
                }
            }
            b"FROM" => {
                stages.from(rest);
                if names_stage(rest) {
                    out.notes.push(Note::Taken(logical.line));
                }
            }
            _ => {}
        }
    }
    out.text.extend_from_slice(text.get(copied..).unwrap_or_default());
    out
}

/// What a RUN mounts.
#[derive(Default)]
struct Mounts {
    /// An agent.
    ssh: bool,
    /// By what ids.
    ids: Vec<String>,
    /// Something of the person's own in the guest's place.
    own: bool,
    /// Files from elsewhere.
    binds: bool,
}

fn mounts(rest: &[u8], notes: &mut Vec<Note>, line: usize) -> Mounts {
    let mut found = Mounts::default();
    for flag in flags(rest).0 {
        let Some(mount) = flag.strip_prefix(b"--mount=") else { continue };
        let (mut kind, mut target, mut from) = (b"bind".to_vec(), Vec::new(), Vec::new());
        let mut id = "default".to_owned();
        for field in mount.split(|&b| b == b',') {
            let equals = field.iter().position(|&b| b == b'=').unwrap_or(field.len());
            let (key, value) = field.split_at(equals);
            let value = value.strip_prefix(b"=").unwrap_or(value);
            match key.to_ascii_lowercase().as_slice() {
                b"type" => kind = value.to_ascii_lowercase(),
                b"target" | b"dst" | b"destination" => target = value.to_vec(),
                b"from" => from = value.to_vec(),
                b"id" => id = String::from_utf8_lossy(value).into_owned(),
                _ => {}
            }
        }
        if kind == b"ssh" {
            found.ssh = true;
            found.ids.push(id);
        }
        found.own |= kind != b"ssh" && target == TARGET;
        found.binds |= kind == b"bind" && target != TARGET;
        if from == CONTEXT.as_bytes() && target != TARGET {
            notes.push(Note::Taken(line));
        }
    }
    found
}

/// `FROM … AS valetkey`.
fn names_stage(rest: &[u8]) -> bool {
    let words: Vec<&[u8]> = rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
    words.windows(2).any(|pair| {
        matches!(pair, [word, name] if word.eq_ignore_ascii_case(b"as") && name.eq_ignore_ascii_case(CONTEXT.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const M: &str = " --mount=type=bind,from=valetkey,source=ssh,target=/usr/local/bin/ssh";

    /// `<M>` in the text stands for what must be inserted there, and for nothing before.
    fn check(expected: &str) -> Rewritten {
        let before = expected.replace("<M>", "");
        let rewritten = rewrite(before.as_bytes(), Some(0));
        assert_eq!(String::from_utf8_lossy(&rewritten.text), expected.replace("<M>", M));
        assert_eq!(rewritten.steps, expected.matches("<M>").count());
        rewritten
    }

    #[test]
    fn a_step_with_an_ssh_mount_gets_the_guest_and_no_other_step_does() {
        check("FROM a\nRUN<M> --mount=type=ssh git clone x\nRUN make\nRUN --mount=type=cache,target=/c make\n");
        check("FROM a\nrun<M> --mount=type=ssh x\n  RUN<M>\t--network=host --mount=type=ssh,id=lib x");
        check("FROM a\nRUN<M> --mount=type=cache,target=/c --mount=type=ssh,required=true x\n");
        check("FROM a\nRUN<M> --mount=\"type=ssh\" x\nRUN<M> --mount=id=a,TYPE=SSH x\n");
        check("FROM a\nRUN echo --mount=type=ssh\nRUN -- --mount=type=ssh\nENV RUN --mount=type=ssh\n");
        check("");
    }

    #[test]
    fn continuations_comments_and_empty_lines_inside_an_instruction_are_followed() {
        check("FROM a\nRUN<M> \\\n  # why\n\n  --mount=type=ssh \\\n  git clone x \\\n  && make\nRUN x\n");
        check("FROM a\nRUN<M>\\\n --mount=type=ssh x\n");
        check("FROM a\nRUN echo a \\\nRUN --mount=type=ssh x\n");
        check("FROM a\nRUN echo a\\\\\nRUN<M> --mount=type=ssh x\n");
        check("FROM a\r\nRUN<M> --mount=type=ssh \\\r\n  x\r\nRUN<M> --mount=type=ssh y\r\n");
        check("FROM a\nRUN<M> \\  \n --mount=type=ssh x\n");
    }

    #[test]
    fn the_escape_directive_is_followed_where_it_is_one() {
        check("# escape=`\nFROM a\nRUN<M> `\n --mount=type=ssh x\nRUN echo \\\nRUN<M> --mount=type=ssh y\n");
        check("# syntax=docker/dockerfile:1\n#escape = ` \nFROM a\nRUN<M> `\n --mount=type=ssh x\n");
        check("\n# escape=`\nFROM a\nRUN<M> \\\n --mount=type=ssh x\n");
        check("# a comment\n# escape=`\nFROM a\nRUN<M> \\\n --mount=type=ssh x\n");
    }

    #[test]
    fn heredocs_are_passed_over_and_their_own_instruction_is_not() {
        check("FROM a\nRUN<M> --mount=type=ssh <<EOF\nRUN --mount=type=ssh no\nEOF\nRUN<M> --mount=type=ssh x\n");
        check("FROM a\nCOPY <<-\"END\" /x\n\tRUN --mount=type=ssh no\n\tEND\nRUN<M> --mount=type=ssh x\n");
        check(
            "FROM a\nRUN cat <<A <<B > x\nRUN --mount=type=ssh no\nA\nRUN --mount=type=ssh no\nB\nRUN<M> --mount=type=ssh x\n",
        );
        check("FROM a\nRUN echo \"a <<EOF b\"\nRUN<M> --mount=type=ssh x\nEOF\n");
        check("FROM a\nRUN cat <<<EOF\nRUN<M> --mount=type=ssh x\n");
        check("FROM a\nENV x=<<EOF\nRUN<M> --mount=type=ssh x\n");
        check("FROM a\nONBUILD RUN <<EOF\nRUN --mount=type=ssh no\nEOF\nRUN<M> --mount=type=ssh x\n");
        check("FROM a\nRUN<M> --mount=type=ssh cat <<EOF\nnever ends\nRUN --mount=type=ssh no\n");
    }

    #[test]
    fn what_a_person_wrote_for_the_guest_stays() {
        let text = format!(
            "FROM a\nRUN{M} --mount=type=ssh x\nRUN --mount=type=ssh --mount=from=b,dst=/usr/local/bin/ssh x\n"
        );
        let rewritten = rewrite(text.as_bytes(), Some(0));
        assert_eq!((rewritten.steps, rewritten.own), (0, 2));
        assert_eq!(rewritten.text, text.as_bytes());
    }

    #[test]
    fn what_keeps_a_step_from_the_guest_is_noted() {
        let noted = |text: &str| rewrite(text.as_bytes(), Some(0)).notes;
        assert_eq!(noted("FROM a\nONBUILD RUN --mount=type=ssh x\n"), [Note::Onbuild(2)]);
        let set = |text: &str| noted(&format!("FROM a\n{text}\nRUN --mount=type=ssh x\n"));
        let git_ssh = |variable, program: &str| [Note::GitSsh(2, variable, program.into())];
        assert_eq!(set("ENV GIT_SSH_COMMAND=/bin/ssh\\ -v A=b"), git_ssh("GIT_SSH_COMMAND", "/bin/ssh"));
        assert_eq!(set("ENV GIT_SSH /usr/bin/ssh"), git_ssh("GIT_SSH", "/usr/bin/ssh"));
        assert_eq!(set("ENV PATH=/opt/bin"), [Note::Path(2)]);
        assert_eq!(set("ENV PATH=/opt/bin:$PATH\nENV PATH /usr/local/bin:/bin\nENV XPATH=/opt"), []);
        assert_eq!(noted("FROM a\nADD --link git@h:r a /src/\n"), [Note::AddGit(2, AddGitError::Mixed)]);
        let left = rewrite(b"FROM a\nADD git@h:r /src\n", None);
        assert_eq!((left.notes, left.text), (vec![Note::AddLeft(2)], b"FROM a\nADD git@h:r /src\n".to_vec()));
        assert_eq!(noted("ADD https://example.com/x /src\n"), []);
        assert_eq!(noted("FROM a AS valetkey\n"), [Note::Taken(1)]);
        assert_eq!(noted("RU\\\nN --mount=type=ssh x\n"), [Note::Odd(1)]);
    }

    #[test]
    fn an_add_of_a_repository_is_a_copy_of_its_clone_and_all_else_stays() {
        let text = b"FROM a\n  ADD git@h:o/r.git#v1:lib /src # x\nADD a.txt /\nADD git@h:r \\\n /b\r\nRUN x";
        let rewritten = rewrite(text, Some(0));
        let expected = "FROM a\n  ADD git@h:o/r.git#v1:lib /src # x\nADD a.txt /\nCOPY --from=valetkey-add-0-0 repo/ \\\n /b\r\nRUN x";
        assert_eq!(String::from_utf8_lossy(&rewritten.text), expected);
        assert_eq!(rewritten.adds.len(), 1);
        assert_eq!(rewritten.notes, [Note::AddGit(2, AddGitError::Mixed)]);
    }

    #[test]
    fn every_id_of_an_ssh_mount_is_found_once() {
        let text = "FROM a\nRUN --mount=type=ssh x\nRUN --mount=type=ssh,id=a --mount=id=b,type=ssh x\n\
            RUN --mount=type=cache,id=c,target=/c x\nRUN --mount=type=ssh,id=default x\n";
        assert_eq!(rewrite(text.as_bytes(), None).ids, ["default", "a", "b"]);
    }

    #[test]
    fn bytes_that_are_no_utf_8_and_a_byte_order_mark_stay() {
        let text = b"\xef\xbb\xbfFROM a\nRUN --mount=type=ssh \xff\xfe\n";
        let rewritten = rewrite(text, Some(0));
        assert_eq!(rewritten.steps, 1);
        assert!(rewritten.text.starts_with(b"\xef\xbb\xbfFROM a\nRUN --mount=type=bind"));
        assert!(rewritten.text.ends_with(b"--mount=type=ssh \xff\xfe\n"));
    }
}
