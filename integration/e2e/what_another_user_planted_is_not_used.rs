//! In folders that everyone may write to, like /tmp: what another user put where valetkey looks
//! stops it before the command is started, and the message says what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;
use valetkey_integration::user::run_as;
use valetkey_integration::{Finished, Key, Run, valetkey};

/// A folder like /tmp: everyone may write, nobody may remove what is another's.
fn shared() -> TempDir {
    let mode = fs::Permissions::from_mode(0o1777);
    let folder = tempfile::Builder::new().prefix("valetkey-shared.").tempdir().expect("a folder");
    fs::set_permissions(folder.path(), mode).expect("a mode");
    folder
}

/// A shell of a user in a folder.
fn shell(user: &str, folder: &Path, script: &str) -> Run {
    run_as(user, "sh").args(["-ec", script]).within(folder)
}

/// What `valetkey run` of the user `valet` says in a folder, and whether its command was started.
fn runs(folder: &Path, variables: &str, flags: &str) -> (Finished, bool) {
    let marker = folder.join("started");
    let script = format!("{variables} exec {} run {flags} -- touch started", valetkey().display());
    let finished = shell("valet", folder, &script).env("DEPLOY_KEY", Key::ed25519("deploy").private()).finish();
    let started = marker.exists();
    let _ = fs::remove_file(marker);
    (finished, started)
}

#[track_caller]
fn stopped((finished, started): (Finished, bool), code: i32) -> Finished {
    assert!(!started, "{}", finished.report());
    finished.expect_code(code).expect("error: ").expect("hint: ")
}

#[track_caller]
fn worked((finished, started): (Finished, bool)) {
    assert!(started, "{}", finished.expect_code(0).report());
}

#[test]
fn a_folder_or_link_in_the_temp_folder_that_leases_would_lie_in() {
    let id = run_as("valet", "id").arg("-u").succeed().stdout.trim().to_owned();
    for plant in [
        format!("mkdir -m 777 valetkey-{id}"),
        format!("mkdir mine && chmod 777 mine && ln -s mine valetkey-{id}"),
        format!("ln -s / valetkey-{id}"),
        format!("touch valetkey-{id}"),
    ] {
        let folder = shared();
        let variables = format!("unset XDG_RUNTIME_DIR; TMPDIR={}", folder.path().display());
        let run = || runs(folder.path(), &variables, "--no-config --key env:DEPLOY_KEY");
        shell("stranger", folder.path(), &plant).succeed();
        let said = stopped(run(), 114);
        said.expect("is not a folder of this user alone (mode 0700)").expect("set XDG_RUNTIME_DIR");

        // The control: with its own folder there, the same run works.
        shell("stranger", folder.path(), &format!("rm -r valetkey-{id}")).succeed();
        worked(run());
    }
}

#[test]
fn a_folder_of_the_users_own_that_was_opened_to_others() {
    let id = run_as("valet", "id").arg("-u").succeed().stdout.trim().to_owned();
    let folder = shared();
    let variables = format!("unset XDG_RUNTIME_DIR; TMPDIR={}", folder.path().display());
    let run = || runs(folder.path(), &variables, "--no-config --key env:DEPLOY_KEY");
    shell("valet", folder.path(), &format!("mkdir valetkey-{id}; chmod 755 valetkey-{id}")).succeed();
    stopped(run(), 114);
    shell("valet", folder.path(), &format!("chmod 700 valetkey-{id}")).succeed();
    worked(run());
}

/// A config that is valid, and grants something.
const CONFIG: &str = "printf '[[grant]]\\nkey = \"env:DEPLOY_KEY\"\\n' >valetkey.toml";

#[test]
fn a_config_file_of_another_user_in_a_parent_folder() {
    let folder = shared();
    let below = folder.path().join("project/deep");
    shell("valet", folder.path(), "mkdir -p project/deep").succeed();
    shell("stranger", folder.path(), CONFIG).succeed();
    for flags in ["", "--key env:DEPLOY_KEY"] {
        stopped(runs(&below, "", flags), 110)
            .expect("valetkey.toml belongs to another user or can be written by others");
    }
    // The controls: its own file there, or none at all, work.
    worked(runs(&below, "", "--no-config --key env:DEPLOY_KEY"));
    shell("stranger", folder.path(), "rm valetkey.toml").succeed();
    shell("valet", folder.path(), CONFIG).succeed();
    worked(runs(&below, "", ""));
    shell("valet", folder.path(), "chmod 666 valetkey.toml").succeed();
    stopped(runs(&below, "", ""), 110);
}

#[test]
fn a_link_of_another_user_to_a_config_file_of_ones_own() {
    let (folder, home) = (shared(), shared());
    shell("valet", home.path(), CONFIG).succeed();
    shell("valet", folder.path(), "mkdir project").succeed();
    let link = format!("ln -s {}/valetkey.toml valetkey.toml", home.path().display());
    let below = folder.path().join("project");
    shell("stranger", folder.path(), &link).succeed();
    let (finished, started) = runs(&below, "", "--key env:DEPLOY_KEY");
    // Where the kernel protects links in such folders it is not even seen.
    assert!(
        !started || fs::read_to_string("/proc/sys/fs/protected_symlinks").unwrap().trim() == "1",
        "{}",
        finished.report()
    );

    shell("stranger", folder.path(), "rm valetkey.toml").succeed();
    shell("valet", folder.path(), &link).succeed();
    worked(runs(&below, "", ""));

    // And the other way round: a link of one's own to a config file of another user.
    let theirs = shared();
    shell("stranger", theirs.path(), CONFIG).succeed();
    let link = format!("ln -sf {}/valetkey.toml valetkey.toml", theirs.path().display());
    shell("valet", folder.path(), &link).succeed();
    stopped(runs(&below, "", ""), 110);
}
