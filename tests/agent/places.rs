//! Where the socket lies and who can reach it, while the lease lasts and after it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::client::lending;
use super::lending::{Ended, Lending};

/// Modes of the socket, its folder, and the folder above that.
const LOOK: &str = r#"
folder=$(dirname "$SSH_AUTH_SOCK")
echo "$SSH_AUTH_SOCK"
stat -c '%a %F' "$SSH_AUTH_SOCK" "$folder" "$(dirname "$folder")"
stat -c '%U' "$SSH_AUTH_SOCK" "$folder" "$(dirname "$folder")" | sort -u
"#;

/// The path of the socket that was there, after all that had to hold of it.
#[track_caller]
fn socket(ended: &Ended) -> PathBuf {
    let lines: Vec<&str> = ended.expect_code(0).stdout.lines().collect();
    let modes = ["600 socket", "700 directory", "700 directory"];
    assert_eq!(lines[1..4], modes, "{}", ended.report());
    assert_eq!(lines[4..], [super::server::me()], "{}", ended.report());
    let socket = PathBuf::from(lines[0]);
    assert!(!socket.exists() && !socket.parent().unwrap().exists(), "{} is still there", socket.display());
    socket
}

#[test]
fn in_the_run_time_folder_open_to_its_owner_alone_and_gone_at_the_end() {
    let (_keys, lending) = lending();
    let socket = socket(&lending.sh(LOOK));
    assert!(socket.starts_with(lending.folder().join("run/valetkey")), "{}", socket.display());
}

#[test]
fn whatever_the_umask_says() {
    let (_keys, lending) = lending();
    let lending = lending.first("umask 000");
    socket(&lending.sh(LOOK));
}

#[test]
fn in_the_temp_folder_where_there_is_no_run_time_folder_of_this_user_alone() {
    let uid = rustix::process::geteuid().as_raw();
    let of = |lending: Lending| {
        let temp = lending.folder().join("temp");
        std::fs::create_dir(&temp).unwrap();
        let lending = lending.env("TMPDIR", &temp);
        let socket = socket(&lending.sh(LOOK));
        assert!(socket.starts_with(temp.join(format!("valetkey-{uid}"))), "{}", socket.display());
    };
    let (_keys, missing) = lending();
    of(missing.first("unset XDG_RUNTIME_DIR"));
    let (_keys, open) = lending();
    let run = open.folder().join("run");
    std::fs::set_permissions(run, std::fs::Permissions::from_mode(0o755)).unwrap();
    of(open);
    let (_keys, linked) = lending();
    let run = linked.folder().join("run");
    std::fs::rename(&run, linked.folder().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(linked.folder().join("elsewhere"), run).unwrap();
    of(linked);
}
