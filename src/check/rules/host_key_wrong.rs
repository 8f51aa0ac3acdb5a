//! Host keys in a file that are revoked, or not those that are pinned.

use std::ops::Range;

use crate::check::file::File;
use crate::check::finding::{Found, Severity};
use crate::check::rule::{Example, Rule};
use crate::check::script::base;
use crate::hosts::known_hosts::decode_key;
use crate::hosts::{HostKeyStatus, HostName, Hosts};
use crate::wire::text::shown;

/// How every key of SSH's begins in base64: the length of its type, which is less than 64 KiB.
const START: &[u8] = b"AAAA";

pub(super) const RULE: Rule = Rule {
    id: "host-key-wrong",
    about: "a host key that is revoked, or not the one that is pinned",
    why: "With a revoked key in known_hosts, whoever holds that key is taken for the host: GitHub's old RSA key was published by mistake in 2023. A key that is not pinned is old, or was never the host's.",
    remedy: "take the published keys (`valetkey host list`), or leave known_hosts to valetkey",
    severity: Severity::Error,
    check,
    examples: &[
        Example::new(
            "Dockerfile",
            "FROM a\nRUN echo \"github.com «ssh-rsa AAAAB3NzaC1yc2EAAAABIwAAAQEAq2A7hRGmdnm9tUDbO9IDSwBK6TbQa+PXYPCPy6rbTrTtw7PHkccKrpp0yVhp5HdEIcKr6pLlVDBfOLX9QUsyCOV0wzfjIJNlGEYsdlLJizHhbn2mUjvSAHQqZETYP81eFzLQNnPHt4EVVUh7VfDESU84KezmD5QlWpXLmvU31/yMf+Se8xhHTvKSCZIFImWwoG6mbUoWf9nzpIoaSjB+weqqUUmpaaasXVal72J+UX2B+2RPW3RcT0eOzQgqlJL3RKrTJvdsjE3JEAvGq3lGHSZXy28G3skua2SmVi/w4yCE6gbODqnTWlg7+wC604ydGXA8VJiS5ap43JXiUFFAaQ==»\" > /etc/ssh/ssh_known_hosts\n",
        ),
        Example::new(
            ".github/workflows/ci.yml",
            "env:\n  KNOWN_HOSTS: gitlab.com «ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl»\njobs: {}\n",
        ),
        Example::new("Dockerfile", "FROM a\nCOPY «docker/known_hosts» /etc/ssh/ssh_known_hosts\n").beside(&[(
            "docker/known_hosts",
            "gitlab.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\n",
        )]),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN echo \"github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\" > /etc/ssh/ssh_known_hosts\nRUN echo \"git.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ssh-rsa AAAA\" > x\n",
        ),
        Example::new("Dockerfile", "FROM a\nCOPY known_hosts /etc/ssh/ssh_known_hosts\n").beside(&[(
            "known_hosts",
            "# gitlab.com is elsewhere\ngithub.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\n",
        )]),
    ],
};

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    for (span, message) in wrong(file.text, file.around.hosts) {
        found.push(Found::new(span, message));
    }
    let copies = file
        .dockerfile
        .instructions()
        .filter(|(_, instruction)| matches!(instruction.keyword.as_str(), "COPY" | "ADD"));
    for (_, copy) in copies.filter(|(_, copy)| copy.flag("from").is_none()) {
        let sources = copy.words.split_last().map_or(&[][..], |(_, sources)| sources);
        for source in sources.iter().filter(|source| base(&source.text).ends_with(b"known_hosts")) {
            let path = String::from_utf8_lossy(&source.text);
            let path = path.trim_start_matches("./").trim_start_matches('/');
            let text = file.around.files.read(path).unwrap_or_default();
            if let Some((_, message)) = wrong(&text, file.around.hosts).into_iter().next() {
                found.push(Found::new(source.span.clone(), format!("in this file, {message}")));
            }
        }
    }
}

/// The keys in a text that are wrong: from their type to their end, and what is wrong.
fn wrong(text: &[u8], hosts: &Hosts) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    for at in memchr::memmem::find_iter(text, START) {
        let before = text.get(..at).unwrap_or_default();
        if !before.ends_with(b" ") && !before.ends_with(b"\t") {
            continue;
        }
        let (kind_at, kind) = last_word(before);
        let rest = text.get(at..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte)).count();
        let base64 = rest.get(..length).unwrap_or_default();
        let (Ok(kind), Ok(base64)) = (std::str::from_utf8(kind), std::str::from_utf8(base64)) else { continue };
        let Ok(key) = decode_key(kind, base64) else { continue };
        let (_, names) = last_word(before.get(..kind_at).unwrap_or_default());
        let names = String::from_utf8_lossy(names);
        // Plain keys have no time in which they hold.
        let of = |name: HostName| (hosts.status(&name, &key, 0), name);
        let statuses: Vec<_> = names.split(',').filter_map(|name| name.parse().ok()).map(of).collect();
        let message = if let Some(host) = hosts.revoked(&key) {
            format!("this key of {} is revoked", shown(host.as_bytes()))
        } else if let Some((_, name)) = statuses.iter().find(|(status, _)| *status == HostKeyStatus::Changed) {
            format!("this is none of the keys that are pinned for {}", shown(name.to_string().as_bytes()))
        } else {
            continue;
        };
        found.push((kind_at..at + length, message));
    }
    found
}

/// The last word in front of the blanks at the end, and where it begins. Quotes end a word.
fn last_word(text: &[u8]) -> (usize, &[u8]) {
    let text = text.trim_ascii_end();
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`=".contains(byte);
    let start = text.iter().rposition(ends).map_or(0, |at| at + 1);
    (start, text.get(start..).unwrap_or_default())
}
