//! What an instruction of a Dockerfile, or a line of a shell's history, did with keys.

use super::{Notes, Rule, lines, names, variables};
use crate::audit::finding::Severity;
use crate::audit::secrets::url;
use crate::wire::text::shown;

const KEYSCAN: Rule = Rule {
    id: "ssh-keyscan",
    about: "host keys that ssh-keyscan took from whoever answered",
    severity: Severity::Note,
    remedy: "pin the host's key with valetkey host: whoever answers ssh-keyscan is believed",
};

const KEY_FILE: Rule = Rule {
    id: "key-file-named",
    about: "an instruction that writes or copies a key file",
    severity: Severity::Note,
    remedy: "look for the key in this layer: lend it with valetkey instead of copying it",
};

const REWRITE: Rule = Rule {
    id: "git-url-rewrite",
    about: "a Git configuration that rewrites addresses, as recipes with a token do",
    severity: Severity::Note,
    remedy: "lend a key for the private repositories: git keeps the credential in its configuration",
};

pub(super) const RULES: [&Rule; 3] = [&KEYSCAN, &KEY_FILE, &REWRITE];

pub(super) fn look(text: &[u8], notes: &mut Notes<'_>) {
    for (start, line) in lines(text) {
        variables::look(start, line, notes);
        if let Some(at) = keyscan(line) {
            notes.add(&KEYSCAN, "ssh-keyscan took host keys from the network".to_owned(), start + at..start + at + 11);
        }
        // What is mounted for one step is in no layer.
        let mounted = super::contains(line, b"--mount=type=");
        if let Some((at, name)) = key_file(line).filter(|_| !mounted) {
            notes.add(
                &KEY_FILE,
                format!("an instruction names the key file {}", shown(name)),
                start + at..start + at + name.len(),
            );
        }
        if super::contains(line, b"insteadOf") || super::contains(line, b"insteadof") {
            rewrite(start, line, notes);
        }
    }
    if let Some(at) = names::agent_path(text) {
        names::note_agent(at, notes);
    }
}

/// `ssh-keyscan` with arguments, as a command: not a path in a list of files.
fn keyscan(line: &[u8]) -> Option<usize> {
    const COMMAND: &[u8] = b"ssh-keyscan";
    memchr::memmem::find_iter(line, COMMAND).find(|at| {
        let arguments = line.get(at + COMMAND.len()) == Some(&b' ');
        let command = at.checked_sub(1).is_none_or(|before| b" /;&|(`\"'".contains(&line[before]));
        arguments && command
    })
}

/// The first word that is a private key's usual name.
fn key_file(line: &[u8]) -> Option<(usize, &[u8])> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    let mut at = 0;
    while at < line.len() {
        let length = line[at..].iter().take_while(|byte| is_name(byte)).count();
        let name = &line[at..at + length];
        // A variable's or an argument's name is none: `id_rsa=…`, `$deploy_key`.
        let variable = line.get(at + length) == Some(&b'=') || line[..at].ends_with(b"$") || line[..at].ends_with(b"{");
        if length > 0 && !variable && names::is_key_name(name) {
            return Some((at, name));
        }
        at += length + 1;
    }
    None
}

/// `git config --global url."https://token@host/".insteadOf …`
fn rewrite(start: usize, line: &[u8], notes: &mut Notes<'_>) {
    for at in memchr::memmem::find_iter(line, url::LITERAL) {
        let Some(address) = url::parse(line, at) else { continue };
        let alone = address.user == address.secret;
        let variable = line[address.secret.clone()].contains(&b'$');
        if variable || !alone {
            let message = format!("git was given a credential for {} in its configuration", shown(&line[address.host]));
            return notes.add(&REWRITE, message, start + address.whole.start..start + address.whole.end);
        }
    }
}
