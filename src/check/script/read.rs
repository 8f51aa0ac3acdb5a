//! The reading itself: one pass over the bytes, with a list of commands that grows.

use super::{Command, Joint, MAX_COMMANDS, MAX_DEPTH, Mapped, Redirect, Word, base};

/// Words of the shell behind which a command begins.
const RESERVED: [&[u8]; 12] =
    [b"if", b"then", b"else", b"elif", b"while", b"until", b"do", b"!", b"{", b"case", b"for", b"function"];
/// Words of the shell that end a compound command.
const CLOSING: [&[u8]; 4] = [b"fi", b"done", b"esac", b"}"];
/// Shells whose `-c` holds a script, and whose input may be one.
const SHELLS: [&[u8]; 6] = [b"sh", b"bash", b"ash", b"dash", b"zsh", b"ksh"];

/// Bytes of an expression of a workflow that is taken for one.
const MAX_EXPRESSION: usize = 1_024;

/// The commands of a script. `bodies` are heredocs whose texts stand elsewhere, in the order in which
/// they begin: those of a Dockerfile's RUN.
#[must_use]
pub fn read(script: &Mapped, bodies: &[Mapped]) -> Vec<Command> {
    let mut out = Vec::new();
    inner(script, bodies, 0, &mut out);
    out
}

/// The commands of the scripts that a command's own words are, as `["sh", "-c", "…"]`.
#[must_use]
pub fn inner_scripts(command: &Command) -> Vec<Command> {
    let mut out = Vec::new();
    for script in own_scripts(command) {
        inner(&script, &[], command.depth + 1, &mut out);
    }
    out
}

fn inner(script: &Mapped, bodies: &[Mapped], depth: usize, out: &mut Vec<Command>) {
    if depth > MAX_DEPTH {
        return;
    }
    let mut reader = Reader {
        script,
        bodies: bodies.iter(),
        at: 0,
        depth,
        command: Command { depth, ..Command::default() },
        pending: Vec::new(),
        inner: Vec::new(),
        out,
    };
    reader.all();
}

struct Reader<'a> {
    script: &'a Mapped,
    bodies: std::slice::Iter<'a, Mapped>,
    at: usize,
    depth: usize,
    command: Command,
    /// Heredocs whose text begins behind the line.
    pending: Vec<Pending>,
    /// Scripts inside of the words of the command.
    inner: Vec<Mapped>,
    out: &'a mut Vec<Command>,
}

struct Pending {
    /// Which redirection it is, of the command that is read.
    redirect: usize,
    /// The command, once it is at its end.
    command: Option<usize>,
    name: Vec<u8>,
    /// Whether tabs in front of lines do not count.
    chomps: bool,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.script.text.get(self.at + ahead).copied()
    }

    fn rest(&self) -> &[u8] {
        self.script.text.get(self.at..).unwrap_or_default()
    }

    fn all(&mut self) {
        while let Some(byte) = self.peek(0) {
            if self.out.len() >= MAX_COMMANDS {
                return;
            }
            match byte {
                b'\n' => {
                    self.end(Joint::Next, 1);
                    self.heredocs();
                }
                b' ' | b'\t' | b'\r' | 0x0b | 0x0c => self.at += 1,
                b'\\' if self.peek(1) == Some(b'\n') => self.at += 2,
                b'\\' if self.peek(1) == Some(b'\r') && self.peek(2) == Some(b'\n') => self.at += 3,
                b'#' => self.at += self.rest().iter().position(|byte| *byte == b'\n').unwrap_or(self.rest().len()),
                b'&' if self.peek(1) == Some(b'&') => self.end(Joint::And, 2),
                b'|' if self.peek(1) == Some(b'|') => self.end(Joint::Or, 2),
                b'|' => self.end(Joint::Pipe, if self.peek(1) == Some(b'&') { 2 } else { 1 }),
                b';' => self.end(Joint::Next, self.rest().iter().take_while(|byte| **byte == b';').count()),
                b'&' if self.peek(1) == Some(b'>') => self.redirect(self.at),
                b'&' => self.end(Joint::Background, 1),
                b'(' | b')' => {
                    self.end(Joint::End, 1);
                    self.command.is_in_compound = true;
                }
                b'<' | b'>' if self.peek(1) != Some(b'(') => self.redirect(self.at),
                _ => self.word_or_redirect(),
            }
        }
        self.end(Joint::End, 0);
    }

    /// The command is at its end; so is what ended it.
    fn end(&mut self, joint: Joint, length: usize) {
        self.at += length;
        let next = Command { depth: self.depth, ..Command::default() };
        let mut command = std::mem::replace(&mut self.command, next);
        command.joint = joint;
        let inner = std::mem::take(&mut self.inner);
        let is_empty = command.words.is_empty() && command.assignments.is_empty() && command.redirects.is_empty();
        if is_empty && inner.is_empty() {
            self.command.is_in_compound = command.is_in_compound && joint != Joint::Next;
            return;
        }
        let index = self.out.len();
        self.pending.iter_mut().for_each(|pending| pending.command = pending.command.or(Some(index)));
        let scripts = own_scripts(&command);
        self.out.push(command);
        for script in inner.iter().chain(&scripts) {
            self::inner(script, &[], self.depth + 1, self.out);
        }
    }

    /// The texts of heredocs that began on the line before.
    fn heredocs(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            let from = self.at;
            let mut to = self.at;
            while !self.rest().is_empty() {
                let rest = self.rest();
                let length = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
                let line = rest.get(..length).unwrap_or_default();
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                let tabs = if pending.chomps { line.iter().take_while(|byte| **byte == b'\t').count() } else { 0 };
                let is_last = line.get(tabs..) == Some(pending.name.as_slice());
                self.at += (length + 1).min(rest.len());
                if is_last {
                    break;
                }
                to = self.at;
            }
            let body = self.script.part(from..to);
            let Some(command) = pending.command.and_then(|index| self.out.get_mut(index)) else { continue };
            let reads = is_shell_reading_its_input(command);
            if let Some(redirect) = command.redirects.get_mut(pending.redirect) {
                redirect.body = Some(body.clone());
            }
            if reads {
                inner(&body, &[], self.depth + 1, self.out);
            }
        }
    }

    fn word_or_redirect(&mut self) {
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 0 && matches!(self.peek(digits), Some(b'<' | b'>')) {
            let start = self.at;
            self.at += digits;
            self.redirect(start);
            return;
        }
        let before = self.at;
        let word = self.word();
        if self.at == before {
            // Nothing begins a word here: what it is does not matter, but the reading goes on.
            self.at += 1;
            return;
        }
        let is_first = self.command.words.is_empty();
        if is_first && !word.is_quoted && self.command.assignments.is_empty() {
            let text = word.text.as_slice();
            if RESERVED.contains(&text) || CLOSING.contains(&text) {
                self.command.is_in_compound = true;
                return;
            }
        }
        self.extend(&word.span);
        if is_first && word.assignment().is_some() {
            self.command.assignments.push(word);
        } else {
            self.command.words.push(word);
        }
    }

    fn extend(&mut self, span: &std::ops::Range<usize>) {
        let own = &mut self.command.span;
        if own.start >= own.end {
            *own = span.clone();
        } else {
            own.end = own.end.max(span.end);
        }
    }

    fn redirect(&mut self, start: usize) {
        while matches!(self.peek(0), Some(b'<' | b'>' | b'&' | b'|')) {
            self.at += 1;
            let so_far = self.script.text.get(start..self.at).unwrap_or_default();
            if so_far.ends_with(b"<<") && self.peek(0) == Some(b'-') {
                self.at += 1;
                break;
            }
            if so_far.ends_with(b"<<<") || so_far.ends_with(b">>") || so_far.ends_with(b">&") {
                break;
            }
        }
        let operator = self.script.text.get(start..self.at).unwrap_or_default().to_vec();
        while matches!(self.peek(0), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        let target = self.word();
        let first = self.script.place(start);
        let span = first..target.span.end.max(first + operator.len());
        self.extend(&span);
        let mut body = None;
        if operator.ends_with(b"<<") || operator.ends_with(b"<<-") {
            match self.bodies.next() {
                Some(elsewhere) => body = Some(elsewhere.clone()),
                None => self.pending.push(Pending {
                    redirect: self.command.redirects.len(),
                    command: None,
                    name: target.text.clone(),
                    chomps: operator.ends_with(b"-"),
                }),
            }
        }
        self.command.redirects.push(Redirect { operator, span, target, body });
    }

    /// The word that begins here. Takes nothing where none does.
    fn word(&mut self) -> Word {
        let start = self.at;
        let mut word = Word::default();
        let mut quote = None;
        while let Some(byte) = self.peek(0) {
            match (quote, byte) {
                (None, b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c | b';' | b'&' | b'|' | b'(' | b')') => break,
                (None, b'<' | b'>') | (None | Some(b'"'), b'$') if self.peek(1) == Some(b'(') => {
                    self.substitution(&mut word, 2, b')');
                    continue;
                }
                (None, b'<' | b'>') => break,
                (None | Some(b'"'), b'`') => {
                    self.substitution(&mut word, 1, b'`');
                    continue;
                }
                (None, b'\'' | b'"') => {
                    quote = Some(byte);
                    word.is_quoted = true;
                }
                (Some(open), byte) if byte == open => quote = None,
                (None | Some(b'"'), b'\\') => {
                    self.at += 1;
                    match self.peek(0) {
                        Some(b'\n') => {}
                        Some(next) => {
                            if quote.is_some() && !b"\"\\$`".contains(&next) {
                                word.text.push(b'\\');
                            }
                            word.text.push(next);
                        }
                        None => break,
                    }
                }
                // A workflow puts its expressions in before the shell reads the script.
                (None | Some(b'"'), b'$') if self.rest().starts_with(b"${{") => {
                    let rest = self.rest();
                    let near = rest.get(..MAX_EXPRESSION).unwrap_or(rest);
                    let length = memchr::memmem::find(near, b"}}").map_or(1, |end| end + 2);
                    word.text.extend_from_slice(rest.get(..length).unwrap_or_default());
                    self.at += length;
                    continue;
                }
                (None | Some(b'"'), b'$') => {
                    word.variables.extend(variable(self.rest().get(1..).unwrap_or_default()));
                    word.text.push(byte);
                }
                _ => word.text.push(byte),
            }
            self.at += 1;
        }
        self.at = self.at.min(self.script.text.len());
        word.span = self.script.span(start..self.at);
        word
    }

    /// `$(…)`, `<(…)`, `` `…` ``: kept in the word as it is, and read as a script of its own.
    fn substitution(&mut self, word: &mut Word, opening: usize, closing: u8) {
        let start = self.at;
        self.at += opening;
        let from = self.at;
        let mut depth = 1_usize;
        let mut quote = None;
        while let Some(byte) = self.peek(0) {
            match (quote, byte) {
                (quote, b'\\') if quote != Some(b'\'') => self.at += 1,
                (None, b'\'' | b'"') if closing == b')' => quote = Some(byte),
                (Some(open), byte) if byte == open => quote = None,
                (None, b'(') if closing == b')' => depth += 1,
                (None, byte) if byte == closing => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
        let to = self.at.min(self.script.text.len());
        let inside = self.script.part(from.min(to)..to);
        word.variables.extend(inside.text.split(|byte| *byte == b'$').skip(1).filter_map(variable));
        // Each would be a command at least.
        if self.inner.len() < MAX_COMMANDS {
            self.inner.push(inside);
        }
        self.at = (to + 1).min(self.script.text.len());
        word.text.extend_from_slice(self.script.text.get(start..self.at).unwrap_or_default());
    }
}

/// The name of the variable that `$` begins.
fn variable(rest: &[u8]) -> Option<Vec<u8>> {
    let rest = rest.strip_prefix(b"{").unwrap_or(rest);
    let rest = rest.strip_prefix(b"#").or(rest.strip_prefix(b"!")).unwrap_or(rest);
    let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let name = rest.get(..length)?;
    name.first().is_some_and(|byte| !byte.is_ascii_digit()).then(|| name.to_vec())
}

/// The scripts that a command's own words are: `sh -c '…'`, and a heredoc that a shell reads.
fn own_scripts(command: &Command) -> Vec<Mapped> {
    let words = command.own();
    let is_shell = words.first().is_some_and(|word| SHELLS.contains(&base(&word.text)));
    let option =
        |word: &Word| word.text.starts_with(b"-") && !word.text.starts_with(b"--") && word.text.ends_with(b"c");
    let of_shell = words.iter().position(option).filter(|_| is_shell).and_then(|at| words.get(at + 1));
    let bodies = command.redirects.iter().filter(|_| is_shell_reading_its_input(command));
    of_shell.map(script_of).into_iter().chain(bodies.filter_map(|redirect| redirect.body.clone())).collect()
}

/// Whether what a heredoc says is a script: of a shell without another one, or of nothing at all (a
/// Dockerfile's `RUN <<EOF`).
fn is_shell_reading_its_input(command: &Command) -> bool {
    let Some((first, rest)) = command.own().split_first() else { return command.assignments.is_empty() };
    SHELLS.contains(&base(&first.text)) && rest.iter().all(|word| word.text.starts_with(b"-") && word.text != b"-c")
}

/// A word as a script. In one pair of quotes, without anything that these hide, every byte knows its
/// place; else the word's place is all that is known.
fn script_of(word: &Word) -> Mapped {
    if word.is_quoted && word.span.len() == word.text.len() + 2 {
        return Mapped::whole(&word.text, word.span.start + 1);
    }
    Mapped::near(&word.text, word.span.start)
}
