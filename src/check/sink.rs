//! PURE: where what a command gives out ends: in a file, in the log, or in a program that keeps it.

use super::script::{Command, Joint, Redirect, base};

/// Commands of a pipeline, or behind one in braces, that are followed.
const MAX_FOLLOWED: usize = 100;

/// Where an output ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// In a file of that path, as it is written.
    File(Vec<u8>),
    /// In the log of the build or the job.
    Printed,
}

/// Programs that give on what they read, whatever they do to it.
const FILTERS: [&[u8]; 16] = [
    b"tr",
    b"base64",
    b"sed",
    b"cut",
    b"awk",
    b"grep",
    b"head",
    b"tail",
    b"cat",
    b"fold",
    b"envsubst",
    b"openssl",
    b"gunzip",
    b"dos2unix",
    b"xxd",
    b"jq",
];

/// Where the output of the command of that index ends, and the last command that it goes through.
/// `None` where another program takes it, or a substitution does.
#[must_use]
pub fn of_output(commands: &[Command], index: usize) -> Option<(Sink, &Command)> {
    let first = commands.get(index)?;
    let mut behind = commands.iter().skip(index + 1).take(MAX_FOLLOWED).filter(|next| next.depth <= first.depth);
    let mut command = first;
    loop {
        let has_own = command.program() == b"tee" || command.program() == b"openssl" || command.program() == b"dd";
        if let Some(path) = file_of(command).or_else(|| has_own.then(|| own_file(command)).flatten()) {
            return Some((Sink::File(path), command));
        }
        if command.redirects.iter().any(|redirect| writes(redirect) && !is_stderr(redirect)) {
            // Into a descriptor, or into nothing.
            return None;
        }
        if command.joint != Joint::Pipe {
            break;
        }
        command = behind.next()?;
        let program = command.program();
        if program != b"tee" && program != b"dd" && !FILTERS.contains(&program) {
            return None;
        }
    }
    // `{ …; } > file`: what stands behind the brace has no words.
    let is_bare = |next: &&Command| next.words.is_empty() && next.assignments.is_empty();
    if let Some((path, bare)) = behind.find(is_bare).and_then(|bare| Some((file_of(bare)?, bare))) {
        return Some((Sink::File(path), bare));
    }
    let is_plain = !first.is_in_compound && first.depth == outermost(commands);
    is_plain.then_some((Sink::Printed, command))
}

/// The file that a redirection writes.
fn file_of(command: &Command) -> Option<Vec<u8>> {
    let target = &command.redirects.iter().find(|redirect| writes(redirect) && !is_stderr(redirect))?.target.text;
    let is_descriptor = target.iter().all(u8::is_ascii_digit) || target == b"-";
    (!is_descriptor && !target.starts_with(b"/dev/") && !target.starts_with(b">(")).then(|| target.clone())
}

fn writes(redirect: &Redirect) -> bool {
    redirect.operator.contains(&b'>') && !redirect.operator.contains(&b'<')
}

fn is_stderr(redirect: &Redirect) -> bool {
    redirect.operator.starts_with(b"2")
}

/// The file that an argument names: `tee FILE`, `openssl … -out FILE`, `dd of=FILE`.
fn own_file(command: &Command) -> Option<Vec<u8>> {
    let args = command.args();
    let path = match base(command.program()) {
        b"tee" => args.iter().find(|word| !word.text.starts_with(b"-"))?.text.as_slice(),
        b"dd" => args.iter().find_map(|word| word.text.strip_prefix(b"of="))?,
        _ => args.iter().skip_while(|word| word.text != b"-out").nth(1)?.text.as_slice(),
    };
    (!path.starts_with(b"/dev/")).then(|| path.to_vec())
}

/// How deep the commands lie that print to the log: those of `RUN <<EOF` are a script in one.
fn outermost(commands: &[Command]) -> usize {
    let is_script = |first: &Command| first.words.is_empty() && first.redirects.iter().any(|r| r.body.is_some());
    commands.first().map_or(0, |first| first.depth + usize::from(is_script(first)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::mapped::Mapped;
    use crate::check::script::read;

    fn sink(text: &str) -> Option<String> {
        let commands = read(&Mapped::whole(text.as_bytes(), 0), &[]);
        let at = commands.iter().position(|command| command.program() == b"echo").unwrap();
        of_output(&commands, at).map(|(sink, _)| match sink {
            Sink::File(path) => String::from_utf8(path).unwrap(),
            Sink::Printed => "(log)".to_owned(),
        })
    }

    #[test]
    fn outputs_are_followed_to_files_and_to_the_log() {
        for (text, path) in [
            ("echo a > f", "f"),
            ("echo a 2>/dev/null >> f", "f"),
            ("echo a &> f", "f"),
            ("> f echo a", "f"),
            ("echo a | base64 -d > f", "f"),
            ("echo a | tr -d x | tee -a f", "f"),
            ("echo a | sudo tee f > /dev/null", "f"),
            ("echo a | openssl enc -d -out f", "f"),
            ("echo a | dd of=f", "f"),
            ("{ echo a; b; } > f", "f"),
            ("x && echo a", "(log)"),
            ("echo a | base64", "(log)"),
            ("sh <<E\nx\nE\necho a", "(log)"),
            ("<<E\necho a\nE", "(log)"),
        ] {
            assert_eq!(sink(text).as_deref(), Some(path), "{text}");
        }
    }

    #[test]
    fn what_another_program_takes_ends_nowhere() {
        for text in [
            "echo a | ssh-add -",
            "echo a | tr x y | docker login --password-stdin",
            "x $(echo a)",
            "x <(echo a | base64)",
            "echo a > /dev/null",
            "echo a >&2",
            "if echo a; then b; fi",
            "echo a |",
        ] {
            assert_eq!(sink(text), None, "{text}");
        }
    }

    #[test]
    fn pipelines_are_followed_to_the_limit_and_no_further() {
        let long = |filters: usize| sink(&format!("echo a {}> f", "| cat ".repeat(filters)));
        assert_eq!((long(MAX_FOLLOWED), long(MAX_FOLLOWED + 1)), (Some("f".to_owned()), None));
    }
}
