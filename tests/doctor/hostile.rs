//! Servers that mean harm: lists without end, banners that write to terminals, silence.

use std::fs;

use super::examined::examined;
use crate::agent::server::Server;
use crate::gateway::place::{Place as Forge, SETTINGS};
use crate::run::place::{Place, ran};
use crate::run::terminal::{Terminal, code};

const ID: &str = "0123456789012345678901234567890123456789";

/// A server that answers every command with this script.
fn answering(script: &str) -> Forge {
    let server = Server(crate::sshd::Sshd::with(&["ed25519"], |folder| {
        let path = folder.join("answer");
        fs::write(&path, script).unwrap();
        format!("{SETTINGS}ForceCommand sh {}\n", path.display())
    }));
    let pins = server.known_hosts("", &["ed25519"]);
    Forge::at(server, &pins)
}

#[test]
fn a_list_without_end_is_read_up_to_a_limit() {
    let forge = answering(&format!("exec yes '003d{ID} refs/heads/main'"));
    let examined = examined(&Place::new(), &forge.config(&["org/repo"], ""), &[]);
    examined.is(0).says("repository", &["more than 17189 references"]);
}

#[test]
fn a_flood_that_is_no_list_is_left_at_once() {
    for script in ["exec cat /dev/zero", "exec yes", "printf fff0; exec cat /dev/zero", "exec cat /dev/zero >&2"] {
        let forge = answering(script);
        let examined = examined(&Place::new(), &forge.config(&["org/repo"], ""), &["--timeout", "2s"]);
        examined.ran.never_says(&["\0"]);
        assert_ne!(examined.report["exit_code"], 0, "{script}: {:#?}", examined.report);
        examined.stands(&[("reach", "ok"), ("host-key", "ok"), ("repository", "failure")]);
    }
}

#[test]
fn a_list_that_stops_in_the_middle_is_left_at_the_time_limit() {
    let forge = answering(&format!("printf '003d{ID} refs'; exec sleep 600"));
    let examined = examined(&Place::new(), &forge.config(&["org/repo"], ""), &["--timeout", "1s"]);
    examined.is(112).says("repository", &["was silent for"]);
}

#[test]
fn what_a_server_says_cannot_write_to_the_terminal() {
    let evil = "\\033[2J\\033]0;taken\\007\\r\\342\\200\\256 ok all is well";
    let banner = tempfile::tempdir().unwrap();
    let path = banner.path().join("banner");
    fs::write(&path, "\x1b[2Jbanner\x07\n").unwrap();
    let of_banner = format!("{SETTINGS}Banner {}\n", path.display());
    for (rsa, script) in [
        (false, format!("printf '{evil}' >&2; exit 1")),
        (true, format!("printf '{evil}' >&2; exit 1")),
        (false, format!("printf '0024ERR {evil}'; exit 1")),
    ] {
        let kinds: &[&str] = if rsa { &["rsa"] } else { &["ed25519"] };
        let server = Server(crate::sshd::Sshd::with(kinds, |folder| {
            let path = folder.join("answer");
            fs::write(&path, &script).unwrap();
            format!("{of_banner}ForceCommand sh {}\n", path.display())
        }));
        let pins = server.known_hosts("", kinds);
        let forge = Forge::at(server, &pins);
        let place = Place::new();
        place.write("valetkey.toml", forge.config(&["org/repo"], ""));
        for args in [&["doctor"][..], &["doctor", "--json"]] {
            let ran = ran(&mut place.valetkey(args));
            ran.is(111).shows(&["cannot be read"]).never_says(&["\x1b", "\x07", "\r", "\u{202e}"]);
        }
        let terminal = Terminal::new();
        let child = terminal.start(&place, &["env", "NO_COLOR=1", crate::run::place::VALETKEY, "doctor"]);
        assert_eq!(code(child), Some(111));
        terminal.until_shown("1 failure");
        let shown = terminal.shown();
        // The terminal itself ends lines with \r\n.
        assert!(
            !shown.contains(['\x1b', '\x07', '\u{202e}']) && !shown.replace("\r\n", "\n").contains('\r'),
            "{shown:?}"
        );
    }
}
