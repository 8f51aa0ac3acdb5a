//! `kill -9` leaves a socket that nobody answers, and files without a secret; the next start of
//! the same user removes them.

use std::fs;

use valetkey_integration::user::run_as;
use valetkey_integration::{Held, Key, valetkey};

#[test]
fn and_what_it_leaves_holds_no_secret_and_is_removed_by_the_next_start() {
    let key = Key::ed25519("deploy");
    let held = Held::around(&key, &[], "ssh-add -l >listed");
    // The control: it answered before.
    assert!(fs::read_to_string(held.runtime().join("listed")).expect("a list").contains(&key.fingerprint()));
    run_as("valet", "kill").args(["-KILL", &held.pid().to_string()]).succeed();
    let (held, status) = held.ended();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));

    assert!(held.socket.exists(), "a kill cleans nothing up");
    held.beside("ssh-add").arg("-l").finish().expect_failure().expect_not(&key.fingerprint());
    held.beside("sh")
        .args(["-c", "ssh-add -l 2>&1; socat -u OPEN:/dev/null UNIX-CONNECT:$SSH_AUTH_SOCK"])
        .finish()
        .expect_failure()
        .expect("Connection refused");
    let folder = held.socket.parent().expect("a folder").to_owned();
    let left: Vec<_> = fs::read_dir(&folder).expect("a folder").flatten().map(|entry| entry.path()).collect();
    assert!(left.iter().any(|path| path.ends_with("known_hosts")), "{left:?}");
    for path in left.iter().filter(|path| path.is_file()) {
        assert!(!key.is_in(&fs::read(path).expect("a file")), "{}", path.display());
    }

    let script = format!("XDG_RUNTIME_DIR={} exec \"$0\" \"$@\"", held.runtime().display());
    let next = run_as("valet", "sh").args(["-c", &script]).arg(valetkey());
    let next = next.args(["run", "--no-config", "--key", "env:DEPLOY_KEY", "--", "true"]);
    next.env("DEPLOY_KEY", key.private()).succeed();
    assert!(!folder.exists());
}
