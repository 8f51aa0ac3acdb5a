//! Only the user whose secret it is can read where it lies: not a stranger; and where the user's
//! own tool cannot, because it reads from within a user namespace, a file in memory is lent.

use std::fs;
use std::process::Stdio;

use valetkey_integration::held::{first_line, folder_for};
use valetkey_integration::process::finish;
use valetkey_integration::user::run_as;
use valetkey_integration::{Run, valetkey};

const SECRET: &str = "tok-of-valet";

/// Prints the path of the last secret and waits, in the place of a builder.
const DOUBLE: &str =
    "#!/bin/sh\nfor word; do case $word in *src=*) path=${word##*src=} ;; esac; done\necho \"$path\"\ncat >/dev/null\n";

/// Lends to a double of this name, and tries to read what it is lent: as the user, from within a
/// user namespace of the user, and as a stranger.
fn tried(name: &str) -> [Option<String>; 3] {
    let folder = folder_for("valet");
    let tool = folder.path().join(name);
    // By another process: a program that is open for writing does not start.
    let script = "printf %s \"$1\" >\"$0\" && chmod 755 \"$0\"";
    run_as("valet", "sh").args(["-c", script]).arg(&tool).arg(DOUBLE).succeed();
    let start = "XDG_RUNTIME_DIR=$1; shift; exec \"$@\"";
    let run = run_as("valet", "sh").args(["-c", start, "sh"]).arg(folder.path()).arg(valetkey());
    let run = run.args(["run", "--no-config", "--secret", "t=env:TOKEN", "--"]).arg(&tool).args(["build", "."]);
    let mut child = run.env("TOKEN", SECRET).within(folder.path()).stdin(Stdio::piped()).spawn();
    let release = child.stdin.take();
    let path = first_line(child.stdout.as_mut().expect("a pipe"));
    let read = |run: Run| {
        let finished = run.finish();
        (finished.code == 0).then_some(finished.stdout)
    };
    let tried = [
        read(run_as("valet", "cat").arg(&path).within("/")),
        read(run_as("valet", "unshare").args(["--user", "--map-root-user", "cat", &path]).within("/")),
        read(run_as("stranger", "cat").arg(&path).within("/")),
    ];
    drop(release);
    let _ = finish(child, "valetkey run").expect_code(0);
    assert!(!fs::exists(&path).expect("a path"));
    tried
}

#[test]
fn out_of_a_process_with_a_double_of_docker() {
    let [own, apart, stranger] = tried("docker");
    assert_eq!(own.as_deref(), Some(SECRET), "the control");
    assert_eq!(stranger, None);
    assert_eq!(apart, None, "what makes podman's way another one");
}

#[test]
fn from_within_a_user_namespace_with_doubles_of_podman_and_buildah() {
    for name in ["podman", "buildah"] {
        let [own, apart, stranger] = tried(name);
        assert_eq!((own.as_deref(), apart.as_deref(), stranger), (Some(SECRET), Some(SECRET), None), "{name}");
    }
}
