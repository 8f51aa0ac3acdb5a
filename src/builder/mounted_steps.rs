//! PURE: the steps of a Dockerfile that ask for an agent, with what decides whether they find it:
//! the id, `required`, and who may read the socket.
//!
//! For people (`valetkey doctor`), not for rewriting: what stands in a variable stays unknown.

use super::instruction::{escape_of, first_word, flags, logical_lines};

/// Steps of one Dockerfile that are looked at.
pub const MAX_STEPS: usize = 200;

/// A RUN with an ssh mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountedStep {
    /// Tool and, where there are several, service or target.
    pub place: String,
    /// The Dockerfile, as it was named.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// The mount's id.
    pub id: String,
    /// Whether the step fails at once where nothing is lent.
    pub required: bool,
    /// The USER that it runs as, where the Dockerfile says one by name or number.
    pub user: Option<String>,
    /// Whether that user may use the socket: it is root's alone, unless `uid` or `mode` says otherwise.
    pub readable: bool,
}

#[derive(Clone, Default)]
struct Stage {
    name: Vec<u8>,
    user: Option<String>,
}

/// All of them in the order of the file, [`MAX_STEPS`] at most.
pub(super) fn of(text: &[u8], place: &str, file: &str) -> Vec<MountedStep> {
    let mut found = Vec::new();
    let mut stages: Vec<Stage> = Vec::new();
    for logical in logical_lines(text, escape_of(text)) {
        let (word, rest) = first_word(&logical.text);
        match word.to_ascii_uppercase().as_slice() {
            b"FROM" => {
                let stage = stage(rest, &stages);
                stages.push(stage);
            }
            b"USER" => {
                let (user, _) = first_word(rest);
                let name = user.split(|&b| b == b':').next().unwrap_or_default();
                let known = !name.is_empty() && !name.contains(&b'$');
                if let Some(stage) = stages.last_mut() {
                    stage.user = known.then(|| String::from_utf8_lossy(name).into_owned());
                }
            }
            b"RUN" => {
                let user = stages.last().and_then(|stage| stage.user.clone());
                for mount in flags(rest).0.iter().filter_map(|flag| flag.strip_prefix(b"--mount=")) {
                    let Some(mount) = ssh_mount(mount) else { continue };
                    if found.len() == MAX_STEPS {
                        return found;
                    }
                    let readable = is_readable(user.as_deref(), &mount);
                    let Mount { id, required, .. } = mount;
                    let (place, file, user) = (place.to_owned(), file.to_owned(), user.clone());
                    found.push(MountedStep { place, file, line: logical.line, id, required, user, readable });
                }
            }
            _ => {}
        }
    }
    found
}

/// `FROM IMAGE [AS NAME]`: a stage that is built from another has its user.
fn stage(rest: &[u8], before: &[Stage]) -> Stage {
    let words = rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty() && !word.starts_with(b"--"));
    let words: Vec<&[u8]> = words.collect();
    let image = words.first().copied().unwrap_or_default();
    let from = before.iter().rev().find(|stage| !image.is_empty() && stage.name.eq_ignore_ascii_case(image));
    let name = match words.as_slice() {
        [_, word, name, ..] if word.eq_ignore_ascii_case(b"as") => name.to_vec(),
        _ => Vec::new(),
    };
    Stage { name, user: from.and_then(|stage| stage.user.clone()) }
}

struct Mount {
    id: String,
    required: bool,
    uid: Option<String>,
    mode: Option<String>,
}

fn ssh_mount(mount: &[u8]) -> Option<Mount> {
    let mut found = Mount { id: crate::config::DEFAULT_ID.to_owned(), required: false, uid: None, mode: None };
    let mut is_ssh = false;
    for field in mount.split(|&b| b == b',') {
        let equals = field.iter().position(|&b| b == b'=').unwrap_or(field.len());
        let (key, value) = field.split_at(equals);
        let text = String::from_utf8_lossy(value.strip_prefix(b"=").unwrap_or(value)).into_owned();
        match key.to_ascii_lowercase().as_slice() {
            b"type" => is_ssh = text.eq_ignore_ascii_case("ssh"),
            b"id" => found.id = text,
            // Alone it means true.
            b"required" => found.required = value.is_empty() || text.eq_ignore_ascii_case("true") || text == "1",
            b"uid" => found.uid = Some(text),
            b"mode" => found.mode = Some(text),
            _ => {}
        }
    }
    is_ssh.then_some(found)
}

/// As root everything is; else the socket has to be that user's or everybody's. Who owns it where a
/// name and a number stand against each other is not known, and so not complained about.
fn is_readable(user: Option<&str>, mount: &Mount) -> bool {
    let open = mount
        .mode
        .as_deref()
        .is_some_and(|mode| mode.contains('$') || u32::from_str_radix(mode, 8).is_ok_and(|mode| mode & 0o006 == 0o006));
    match user {
        None | Some("root" | "0") => true,
        Some(_) if open => true,
        Some(user) => match &mount.uid {
            None => false,
            Some(uid) => !user.bytes().all(|b| b.is_ascii_digit()) || uid == user || uid.contains('$'),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> Vec<(usize, String, bool, Option<String>, bool)> {
        let found = of(text.as_bytes(), "docker build", "Dockerfile");
        found.into_iter().map(|step| (step.line, step.id, step.required, step.user, step.readable)).collect()
    }

    #[test]
    fn a_step_is_named_with_its_id_and_whether_it_is_required() {
        let text = "FROM a\nRUN --mount=type=ssh x\nRUN make\nRUN --mount=type=cache,target=/c \\\n --mount=id=lib,type=ssh,required=true x\n\
            run --mount=type=ssh,required x\nRUN --mount=type=ssh,required=false x\n";
        let one = |line, id: &str, required| (line, id.to_owned(), required, None, true);
        assert_eq!(
            steps(text),
            [one(2, "default", false), one(4, "lib", true), one(6, "default", true), one(7, "default", false)]
        );
        assert_eq!(steps("FROM a\nRUN echo --mount=type=ssh\nRUN <<EOF\nRUN --mount=type=ssh x\nEOF\n"), []);
    }

    #[test]
    fn a_user_who_is_not_root_needs_a_socket_of_his_own_or_of_everybodys() {
        let under = |user: &str, mount: &str| {
            let found = steps(&format!("FROM a\nUSER {user}\nRUN --mount=type=ssh{mount} x\n"));
            found[0].4
        };
        for (user, mount, readable) in [
            ("app", "", false),
            ("1000:1000", "", false),
            ("app", ",mode=0600", false),
            ("app", ",mode=0666", true),
            ("app", ",uid=1000", true),
            ("1000", ",uid=1000", true),
            ("1000", ",uid=1001", false),
            ("root", "", true),
            ("0", "", true),
            ("$APP", "", true),
        ] {
            assert_eq!(under(user, mount), readable, "{user} {mount}");
        }
    }

    #[test]
    fn a_stage_has_the_user_of_the_stage_that_it_is_built_from_and_of_no_other() {
        let text = "FROM a AS base\nUSER app\nFROM b\nRUN --mount=type=ssh x\nFROM base\nRUN --mount=type=ssh y\n";
        let users: Vec<_> = steps(text).into_iter().map(|step| step.3).collect();
        assert_eq!(users, [None, Some("app".to_owned())]);
    }

    #[test]
    fn steps_are_named_up_to_the_limit() {
        let text = |count| format!("FROM a\n{}", "RUN --mount=type=ssh x\n".repeat(count));
        assert_eq!((steps(&text(MAX_STEPS)).len(), steps(&text(MAX_STEPS + 1)).len()), (MAX_STEPS, MAX_STEPS));
    }
}
