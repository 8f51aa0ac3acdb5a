//! PURE: another ssh than the guest in a step's own command, or in a variable's value.
//!
//! Says nothing where it cannot know: a false alarm before every build is soon read by nobody.

use super::dockerfile::Note;
use super::shell_words::{self, Token};
use crate::guest::args::{self, Unserved};
use crate::wire::text::shown;

/// Where the guest is mounted, as a folder and as a program.
pub(super) const FOLDER: &[u8] = b"/usr/local/bin";
const GUEST: &[u8] = b"/usr/local/bin/ssh";
/// The image's own ssh, past the guest.
const OTHERS: [&[u8]; 3] = [b"/usr/bin/ssh", b"/bin/ssh", b"/usr/local/sbin/ssh"];
/// Shells whose `-c` holds a script.
const SHELLS: [&[u8]; 4] = [b"sh", b"bash", b"ash", b"dash"];
/// Words behind which a command begins.
const PREFIXES: [&[u8]; 12] =
    [b"then", b"do", b"else", b"elif", b"if", b"while", b"until", b"!", b"{", b"exec", b"env", b"command"];
/// Commands whose arguments set variables.
const SETTERS: [&[u8]; 4] = [b"export", b"declare", b"typeset", b"sudo"];
/// How deep scripts in `sh -c` are followed.
const MAX_DEPTH: usize = 3;

/// The words of the exec form, `["git", "clone"]`: JSON, else BuildKit takes it for a shell's.
pub(super) fn exec_form(command: &[u8]) -> Option<Vec<Token>> {
    let words: Vec<String> = serde_json::from_slice(command).ok()?;
    Some(words.into_iter().map(|word| Token::Word(word.into_bytes())).collect())
}

/// Looks through the words of a command or script.
pub(super) fn found(tokens: &[Token], line: usize, depth: usize, notes: &mut Vec<Note>) {
    let mut at_command = true;
    let mut program: &[u8] = b"";
    let mut before: &[u8] = b"";
    for (at, token) in tokens.iter().enumerate() {
        let Token::Word(word) = token else {
            (at_command, program, before) = (true, b"", b"");
            continue;
        };
        let next = || match tokens.get(at + 1) {
            Some(Token::Word(next)) => Some(next.as_slice()),
            _ => None,
        };
        let bare = word.strip_prefix(b"--config=").unwrap_or(word);
        let sets = at_command || SETTERS.contains(&program);
        match assignment(bare) {
            Some((b"GIT_SSH", value)) if sets => notes.extend(program_note("GIT_SSH", value, line)),
            Some((b"GIT_SSH_COMMAND", value)) if sets => notes.extend(command_note("GIT_SSH_COMMAND", value, line)),
            Some((b"PATH", value)) if before == b"export" && !holds(value, b"$") && !holds(value, FOLDER) => {
                notes.push(Note::Path(line));
            }
            Some((name, value)) if is_ssh_command(name) && program == b"git" => {
                notes.extend(command_note("core.sshCommand", value, line))
            }
            None if is_ssh_command(word) && program == b"git" => {
                notes.extend(next().and_then(|value| command_note("core.sshCommand", value, line)));
            }
            _ => {}
        }
        let is_script = before.starts_with(b"-") && !before.starts_with(b"--") && before.ends_with(b"c");
        if is_script && depth < MAX_DEPTH && SHELLS.iter().any(|shell| base(program) == *shell) {
            found(&shell_words::of_script(word), line, depth + 1, notes);
        }
        if at_command && OTHERS.contains(&word.as_slice()) {
            notes.push(Note::OtherSsh(line, shown(word)));
        }
        // An option in front of a program is one of `env` and the like.
        let goes_on = PREFIXES.contains(&word.as_slice()) || word.starts_with(b"-") || assignment(word).is_some();
        if at_command && !goes_on {
            (at_command, program) = (false, word);
        }
        before = word;
    }
}

/// `NAME=value`, for a name of a variable or of a setting of Git's.
pub(super) fn assignment(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = word.iter().position(|&b| b == b'=')?;
    let (name, value) = word.split_at(equals);
    let plain = !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || b"_.".contains(b));
    plain.then(|| (name, value.get(1..).unwrap_or_default()))
}

/// Git's names of settings know no case in these parts.
fn is_ssh_command(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"core.sshcommand")
}

/// GIT_SSH: a program alone.
pub(super) fn program_note(variable: &'static str, value: &[u8], line: usize) -> Option<Note> {
    let known = !value.is_empty() && !value.contains(&b'$') && !value.contains(&b'`');
    (known && value != b"ssh" && value != GUEST).then(|| Note::GitSsh(line, variable, shown(value)))
}

/// GIT_SSH_COMMAND and core.sshCommand: a command of a shell, which may hand on to plain `ssh`.
pub(super) fn command_note(variable: &'static str, value: &[u8], line: usize) -> Option<Note> {
    let tokens = shell_words::of_script(value);
    let words = tokens.iter().filter_map(|token| match token {
        Token::Word(word) => Some(word.as_slice()),
        Token::End => None,
    });
    let words: Vec<&[u8]> = words.skip_while(|word| PREFIXES.contains(word) || assignment(word).is_some()).collect();
    match words.iter().position(|word| *word == b"ssh" || *word == GUEST) {
        None => program_note(variable, words.first()?, line),
        Some(at) => refused_option(words.get(at + 1..).unwrap_or_default())
            .map(|option| Note::SshOption(line, variable, option)),
    }
}

/// An option among these that the guest would refuse.
fn refused_option(options: &[&[u8]]) -> Option<String> {
    let rest: [&[u8]; 2] = [b"host", b"command"];
    let at = |n: usize| {
        let word = options.get(n).copied();
        word.or_else(|| rest.get(n.checked_sub(options.len())?).copied()).unwrap_or_default()
    };
    match args::parse(options.len() + rest.len(), at) {
        Err(Unserved::Option(letter) | Unserved::Unknown(letter)) => Some(format!("-{}", shown(&[letter]))),
        Err(Unserved::Setting(name)) => Some(format!("-o {}", shown(name))),
        _ => None,
    }
}

fn base(program: &[u8]) -> &[u8] {
    program.rsplit(|&b| b == b'/').next().unwrap_or(program)
}

pub(super) fn holds(value: &[u8], part: &[u8]) -> bool {
    value.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::super::dockerfile::rewrite;
    use super::*;

    fn noted(text: &str) -> Vec<Note> {
        rewrite(text.as_bytes(), None).notes
    }

    /// What is said of a step with this command in an image that has a shell.
    fn of(command: &str) -> Vec<Note> {
        noted(&format!("FROM a\nRUN --mount=type=ssh {command}\n"))
    }

    fn git_ssh(variable: &'static str, program: &str) -> [Note; 1] {
        [Note::GitSsh(2, variable, program.into())]
    }

    #[test]
    fn another_ssh_in_a_step_itself_is_noted_however_it_is_set() {
        let command = "GIT_SSH_COMMAND";
        for text in [
            "GIT_SSH_COMMAND='/usr/bin/ssh -i /x' git clone x",
            "export GIT_SSH_COMMAND=\"/usr/bin/ssh -i /x\" && git clone x",
            "make; env -i GIT_SSH_COMMAND=/usr/bin/ssh\\ -i git clone x",
            "sh -ec 'GIT_SSH_COMMAND=/usr/bin/ssh git clone x'",
            "<<EOF\n# GIT_SSH=/no\nGIT_SSH_COMMAND='/usr/bin/ssh' git clone x\nEOF",
            "<<-EOF bash\n\texport GIT_SSH_COMMAND=/usr/bin/ssh\n\tEOF",
            "make \\\n  && GIT_SSH_COMMAND=/usr/bin/ssh \\\n  git clone x",
            "[\"env\", \"GIT_SSH_COMMAND=/usr/bin/ssh -i /x\", \"git\", \"clone\", \"x\"]",
        ] {
            assert_eq!(of(text), git_ssh(command, "/usr/bin/ssh"), "{text}");
        }
        assert_eq!(of("GIT_SSH=/opt/wrapper git clone x"), git_ssh("GIT_SSH", "/opt/wrapper"));
        for text in [
            "git -c core.sshCommand=/usr/bin/ssh clone x",
            "git -c CORE.sshcommand='/usr/bin/ssh -v' clone x",
            "git clone --config=core.sshCommand=/usr/bin/ssh x",
            "git config --global core.sshCommand '/usr/bin/ssh -i /x' && git clone x",
        ] {
            assert_eq!(of(text), git_ssh("core.sshCommand", "/usr/bin/ssh"), "{text}");
        }
        for text in ["/usr/bin/ssh git@h x", "if /usr/bin/ssh h; then x; fi", "true | A=b exec /usr/bin/ssh h"] {
            assert_eq!(of(text), [Note::OtherSsh(2, "/usr/bin/ssh".into())], "{text}");
        }
    }

    #[test]
    fn a_command_that_keeps_plain_ssh_and_words_that_set_nothing_are_not_noted() {
        for text in [
            "GIT_SSH_COMMAND='ssh -o StrictHostKeyChecking=no -i /x' git clone x",
            "GIT_SSH_COMMAND='A=b exec ssh -v' GIT_SSH=ssh git clone x",
            "GIT_SSH_COMMAND='sshpass -e ssh' git clone x",
            "GIT_SSH_COMMAND=/usr/local/bin/ssh git clone x",
            "GIT_SSH_COMMAND=\"$SSH -v\" GIT_SSH=$SSH git clone x",
            "git config --get core.sshCommand || git config --unset core.sshCommand",
            "echo 'GIT_SSH_COMMAND=/usr/bin/ssh is not needed' core.sshCommand /usr/bin/ssh",
            "git clone x # GIT_SSH=/opt/ssh",
            "rm /usr/bin/ssh; test -x /usr/bin/ssh; ln -s /usr/bin/ssh /x",
            "export PATH=/opt/bin:$PATH && PATH=/bin git clone x && export PATH=/usr/local/bin",
            "MY_GIT_SSH=/x git clone x",
        ] {
            assert_eq!(of(text), [], "{text}");
        }
        // Only a step with an ssh mount matters.
        assert_eq!(noted("FROM a\nRUN GIT_SSH=/x git clone https://x\nRUN --mount=type=ssh y\n"), []);
    }

    #[test]
    fn an_option_that_the_guest_refuses_is_noted() {
        for (text, option) in [
            ("GIT_SSH_COMMAND='ssh -J jump' git clone x", "-J"),
            ("GIT_SSH_COMMAND='ssh -o ProxyCommand=x' git clone x", "-o ProxyCommand"),
        ] {
            assert_eq!(of(text), [Note::SshOption(2, "GIT_SSH_COMMAND", option.into())], "{text}");
        }
    }

    #[test]
    fn a_path_that_is_replaced_inside_a_step_is_noted() {
        assert_eq!(of("export PATH=/opt/bin && git clone x"), [Note::Path(2)]);
    }

    #[test]
    fn scripts_inside_scripts_are_followed_to_the_limit_and_no_deeper() {
        let nested = |depth: usize| {
            let words = (0..depth).fold(vec![Token::Word(b"GIT_SSH=/x".to_vec())], |inner, _| {
                let inner: Vec<u8> = inner
                    .iter()
                    .flat_map(|token| match token {
                        Token::Word(word) => [b"'", word.replace_quotes().as_slice(), b"' "].concat(),
                        Token::End => b";".to_vec(),
                    })
                    .collect();
                [&b"sh"[..], b"-c", &inner].map(|word| Token::Word(word.to_vec())).to_vec()
            });
            let mut notes = Vec::new();
            found(&words, 1, 0, &mut notes);
            notes.len()
        };
        assert_eq!((nested(MAX_DEPTH), nested(MAX_DEPTH + 1)), (1, 0));
    }

    trait Quotes {
        fn replace_quotes(&self) -> Vec<u8>;
    }

    impl Quotes for Vec<u8> {
        /// As it has to be written between single quotes.
        fn replace_quotes(&self) -> Vec<u8> {
            self.iter().flat_map(|b| if *b == b'\'' { b"'\\''".to_vec() } else { vec![*b] }).collect()
        }
    }
}
