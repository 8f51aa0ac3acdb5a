//! The passphrase prompt on a real pseudo-terminal, and a real SSH_ASKPASS program.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStringExt as _;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use valetkey::keys::passphrase::{Ask as _, AskError, Person};
use valetkey::keys::prompt::read;

use super::made;

/// A terminal: the end a person types at, and the end of the program.
fn terminal() -> (File, File) {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
    grantpt(&person).expect("granted");
    unlockpt(&person).expect("unlocked");
    let name = ptsname(&person, Vec::new()).expect("a name");
    let path = OsString::from_vec(name.into_bytes());
    let program = File::options().read(true).write(true).open(path).expect("the other end");
    (File::from(person), program)
}

/// Types `keys` once the prompt shows: the answer, and all that the terminal showed.
fn typed(keys: &[u8]) -> (Result<Vec<u8>, AskError>, String) {
    let (mut person, program) = terminal();
    let before = tcgetattr(&program).expect("a mode");
    assert!(before.local_modes.contains(LocalModes::ECHO), "the control: it echoes");
    let asked = std::thread::spawn(move || {
        let answer = read(&program, "Passphrase: ").map(|secret| secret.expose().to_vec());
        (answer, program)
    });
    let mut shown = Vec::new();
    let mut part = [0; 64];
    while !shown.ends_with(b"Passphrase: ") {
        let count = person.read(&mut part).expect("the prompt");
        shown.extend_from_slice(&part[..count]);
    }
    person.write_all(keys).expect("typed");
    let (answer, program) = asked.join().expect("no panic");
    let after = tcgetattr(&program).expect("a mode");
    assert_eq!(after.local_modes, before.local_modes, "the terminal is as it was");
    assert_eq!(after.input_modes, before.input_modes);
    // The end of the prompt's line is the last thing that is shown.
    while !shown.ends_with(b"\n") {
        let count = person.read(&mut part).expect("the line's end");
        shown.extend_from_slice(&part[..count]);
    }
    (answer, String::from_utf8_lossy(&shown).into_owned())
}

#[test]
fn what_is_typed_is_read_and_not_shown() {
    let (answer, shown) = typed(b"secret words\r");
    assert_eq!(answer, Ok(b"secret words".to_vec()));
    assert_eq!(shown, "Passphrase: \r\n");
}

#[test]
fn ctrl_c_cancels_and_gives_the_terminal_back() {
    let (answer, shown) = typed(b"secret\x03");
    assert_eq!(answer, Err(AskError::Cancelled));
    assert_eq!(shown, "Passphrase: \r\n");
}

#[test]
fn too_long_a_line_ends_and_gives_the_terminal_back() {
    let (answer, _) = typed(&[b'x'; valetkey::keys::prompt::MAX_PASSPHRASE + 1]);
    assert_eq!(answer, Err(AskError::TooLong));
}

#[test]
fn something_that_is_no_terminal_is_an_error() {
    let folder = made::folder();
    let path = made::write(folder.path(), "file", "secret\n");
    let file = File::open(path).expect("a file");
    assert!(matches!(read(&file, ""), Err(AskError::Terminal(_))));
}

#[test]
fn ssh_askpass_is_asked_where_it_is_required() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = made::folder();
    let path = folder.path().join("ask");
    // Written by another process: a program that we hold open for writing does not start.
    let script = "printf '#!/bin/sh\\necho \"$1\"\\n' > \"$0\"";
    made::run("sh", &["-c", script, made::path_str(&path)]);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).expect("a mode");
    let variable = |name: &str| match name {
        "SSH_ASKPASS" => Some(path.clone().into()),
        "SSH_ASKPASS_REQUIRE" => Some("force".into()),
        _ => None,
    };
    let answer = Person::new(&variable).ask("Enter passphrase for key: ").expect("an answer");
    assert_eq!(answer.expose(), b"Enter passphrase for key: ");
}
