//! Names of files that recipes with keys leave behind, and of those that they delete.

use super::{Notes, Rule, base, contains, in_folder};
use crate::audit::finding::Severity;
use crate::image::stream::{Entry, Kind};
use crate::wire::text::shown;

const KNOWN_HOSTS: Rule = Rule {
    id: "known-hosts",
    about: "a known_hosts file",
    severity: Severity::Note,
    remedy: "leave known_hosts out of the image: valetkey gives a build the pinned keys",
};

const FOLDER: Rule = Rule {
    id: "ssh-folder",
    about: "a .ssh folder or a file in it",
    severity: Severity::Note,
    remedy: "leave ~/.ssh out of the image: a lent key needs no file",
};

const EMPTIED: Rule = Rule {
    id: "key-file-removed",
    about: "a layer that deletes a file with the name of a key",
    severity: Severity::Note,
    remedy: "look for the key in the layers before: what a later layer deletes is still in the image",
};

const SOCKET: Rule = Rule {
    id: "agent-socket",
    about: "the socket of an SSH agent",
    severity: Severity::Note,
    remedy: "give the step an agent by --mount=type=ssh, which leaves nothing in the layer",
};

pub(super) const RULES: [&Rule; 4] = [&KNOWN_HOSTS, &FOLDER, &EMPTIED, &SOCKET];

/// What a layer calls a file that it deletes (OCI image specification, "Whiteouts").
const WHITEOUT: &[u8] = b".wh.";

pub(super) fn look(path: &[u8], entry: &Entry<'_>, notes: &mut Notes<'_>) {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    let name = base(path);
    let mut note = |rule: &Rule, message: String| notes.add(rule, message, 0..0);
    if let Some(deleted) = name.strip_prefix(WHITEOUT) {
        if is_key_name(deleted) {
            note(&EMPTIED, format!("a later step deletes {}, which is named like a private key", shown(deleted)));
        } else if deleted == b".ssh" || (deleted == b".wh..opq" && in_folder(path, b".ssh")) {
            note(&EMPTIED, "a later step deletes a .ssh folder".to_owned());
        }
        return;
    }
    match entry.kind {
        Kind::File if entry.length == 0 && is_key_name(name) => {
            note(&EMPTIED, format!("{} is empty, and named like a private key", shown(name)));
        }
        Kind::File if name.starts_with(b"known_hosts") && in_folder(path, b".ssh") && entry.length > 0 => {
            note(&KNOWN_HOSTS, "host keys that a user's ssh trusts".to_owned());
        }
        Kind::File if path.ends_with(b"etc/ssh/ssh_known_hosts") && entry.length > 0 => {
            note(&KNOWN_HOSTS, "host keys that every user's ssh trusts".to_owned());
        }
        Kind::Folder if name == b".ssh" => note(&FOLDER, "a user's folder for ssh".to_owned()),
        _ => {}
    }
    if is_agent_path(path) {
        note(&SOCKET, "the place of an agent's socket".to_owned());
    }
}

/// Whether people call a private key that.
pub(crate) fn is_key_name(name: &[u8]) -> bool {
    const KINDS: [&[u8]; 6] = [b"id_rsa", b"id_dsa", b"id_ecdsa", b"id_ed25519", b"id_ecdsa_sk", b"id_ed25519_sk"];
    let stem = [&b".pem"[..], b".key"].iter().find_map(|end| name.strip_suffix(*end)).unwrap_or(name);
    let deploy = stem.ends_with(b"deploy_key") || stem.ends_with(b"deploy-key");
    // A certificate authority's `.pem` is deleted whenever its package is.
    let private = stem.len() < name.len() && (contains(stem, b"private") || stem == b"privkey");
    KINDS.contains(&stem) || deploy || private
}

/// `tmp/ssh-*/agent.N`, as ssh-agent(1) makes it, its folder, and where `BuildKit` mounts
/// the one of a step.
fn is_agent_path(path: &[u8]) -> bool {
    let mut parts = path.rsplit(|byte| *byte == b'/');
    let (name, folder, above) = (parts.next().unwrap_or(path), parts.next().unwrap_or(b""), parts.next());
    let is_folder = |name: &[u8]| {
        let random = name.strip_prefix(b"ssh-").filter(|random| (10..=12).contains(&random.len()));
        random.is_some_and(|random| random.iter().all(u8::is_ascii_alphanumeric))
    };
    (is_folder(name) && folder == b"tmp")
        || (name.starts_with(b"agent.") && is_folder(folder) && above == Some(b"tmp"))
        || (name.starts_with(b"ssh_agent.") && folder == b"buildkit")
}

/// Where an agent's socket is named in a text.
pub(super) fn agent_path(text: &[u8]) -> Option<std::ops::Range<usize>> {
    memchr::memmem::find_iter(text, b"/tmp/ssh-").find_map(|at| {
        let length =
            text[at..].iter().take(60).take_while(|byte| byte.is_ascii_alphanumeric() || b"/.-".contains(byte)).count();
        let path = &text[at + 1..at + length];
        (contains(path, b"/agent.") && is_agent_path(path)).then_some(at..at + length)
    })
}

/// The finding for [`agent_path`].
pub(super) fn note_agent(at: std::ops::Range<usize>, notes: &mut Notes<'_>) {
    notes.add(&SOCKET, "an agent's socket is named, of a machine that built it".to_owned(), at);
}
