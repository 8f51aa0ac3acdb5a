//! Who is not a descendant of the wrapped command gets no answer from its socket, and is named.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use valetkey_integration::process::Finished;
use valetkey_integration::user::run_as;
use valetkey_integration::{Held, Key};

/// Lists the identities into the file `listed`: the control, which every lease here begins with.
const LIST: &str = "ssh-add -l >listed 2>&1";

/// A lease around the control, which worked.
fn held(key: &Key) -> Held {
    let held = Held::around(key, &[], LIST);
    let listed = fs::read_to_string(held.runtime().join("listed")).expect("a list");
    assert!(listed.contains(&key.fingerprint()), "{listed}");
    held
}

#[track_caller]
fn got_nothing(asked: &Finished, key: &Key) {
    assert!(asked.code != 0 && !asked.output().contains(&key.fingerprint()), "{}", asked.report());
}

#[test]
fn another_user_cannot_open_the_socket() {
    let key = Key::ed25519("deploy");
    let held = held(&key);
    let asked = held.at_the_socket("stranger", "ssh-add").arg("-l").finish();
    got_nothing(&asked, &key);
    asked.expect("Permission denied");
    held.release().expect_not("refused");
}

#[test]
fn another_user_at_a_socket_that_was_opened_to_everyone_is_refused_and_named() {
    let key = Key::ed25519("deploy");
    let held = held(&key);
    held.open_to_everyone();
    let asked = held.at_the_socket("stranger", "ssh-add").arg("-l").finish();
    got_nothing(&asked, &key);
    asked.expect_not("Permission denied");
    let id = run_as("stranger", "id").arg("-u").succeed().stdout;
    held.release().expect(&format!("refused: a process of another user (uid {}, ssh-add ", id.trim()));
}

#[test]
fn root_is_another_user_too() {
    let key = Key::ed25519("deploy");
    let held = held(&key);
    let asked = valetkey_integration::Run::new("ssh-add").arg("-l").env("SSH_AUTH_SOCK", &held.socket).finish();
    got_nothing(&asked, &key);
    let said = held.release().expect("refused: a process of another user (uid 0, ssh-add ");
    said.expect("hint: if the build itself runs as root, put sudo in front of valetkey");
}

#[test]
fn an_unrelated_process_of_the_same_user_is_refused_and_named() {
    let key = Key::ed25519("deploy");
    let held = held(&key);
    got_nothing(&held.beside("ssh-add").arg("-l").finish(), &key);
    let said = held.release().expect("refused: a process outside of the wrapped command (ssh-add ");
    said.expect("hint: only what valetkey started is answered");
}

#[test]
fn the_name_of_a_process_makes_it_no_descendant() {
    let key = Key::ed25519("deploy");
    let held = held(&key);
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
    // The second stands in /proc/PID/stat as if the lease's own process were its parent.
    for name in ["valetkey".to_owned(), format!("x) S {} 1 (", held.pid())] {
        let program = folder.path().join(&name);
        assert!(Command::new("cp").arg("/usr/bin/ssh-add").arg(&program).status().expect("cp").success());
        got_nothing(&held.beside(&program).arg("-l").finish(), &key);
    }
    let forged = format!("refused: a process outside of the wrapped command (x) S {} 1", held.pid());
    held.release().expect("refused: a process outside of the wrapped command (valetkey ").expect(&forged);
}

#[test]
fn what_another_lease_of_the_same_user_wraps_is_a_stranger() {
    // It is answered by its own lease alone.
    let (key, other) = (Key::ed25519("deploy"), Key::ed25519("other"));
    let held = held(&key);
    let script = format!("SSH_AUTH_SOCK={} ssh-add -l >foreign 2>&1; ssh-add -l >own 2>&1", held.socket.display());
    let second = Held::around(&other, &[], &script);
    let read = |name: &str| fs::read_to_string(second.runtime().join(name)).expect("a list");
    assert!(!read("foreign").contains(&key.fingerprint()), "{}", read("foreign"));
    assert!(read("own").contains(&other.fingerprint()), "{}", read("own"));
    second.release().expect_not("refused");
    held.release().expect("refused: a process outside of the wrapped command (ssh-add ");
}

#[test]
fn a_descendant_that_lost_its_parent_is_still_answered() {
    let key = Key::ed25519("deploy");
    // Forked twice, in a session of its own; it asks once its parent is gone.
    let script = r#"
mkfifo told
cat >orphan <<'END'
parent() { cut -d ' ' -f 4 "/proc/$$/stat"; }
while [ "$(parent)" = "$1" ]; do :; done
parent >adopted
ssh-add -l >orphaned 2>&1
echo done >told
END
echo $PPID >lease
sh -c 'setsid sh orphan $$ & wait_for=$!; until [ "$(cut -d " " -f 6 /proc/$wait_for/stat)" = $wait_for ]; do :; done'
cat told >/dev/null
"#;
    let held = Held::around(&key, &[], script);
    let read = |name: &str| fs::read_to_string(held.runtime().join(name)).expect("a file of the script");
    assert_eq!(read("adopted"), read("lease"), "it was adopted by the lease");
    assert_eq!(read("lease").trim(), held.pid().to_string());
    assert!(read("orphaned").contains(&key.fingerprint()), "{}", read("orphaned"));
    held.release().expect_not("refused");
}
