//! A desktop session of the test's own: a bus, a keychain, a home, and nothing of the machine's.
//!
//! The keychain's client takes its bus from the environment of its process. So a test runs
//! itself once more as a child inside the session, and does its work there.

use std::path::Path;
use std::process::Command;

use super::made;

/// What stands ready in the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Session {
    /// Not even a bus.
    Nothing,
    /// A bus, and nobody on it.
    Bus,
    /// A bus and an unlocked gnome-keyring.
    Keyring,
}

const INSIDE: &str = "VALETKEY_TEST_INSIDE";

/// A bus that starts nothing by itself: what the machine has installed must not matter.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>"#;

/// Runs `work` inside a session. `test` is the full name of the calling test.
pub(crate) fn within(session: Session, test: &str, work: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return work();
    }
    let folder = made::folder();
    let bus = made::write(folder.path(), "bus.conf", BUS);
    let own = std::env::current_exe().expect("this test's file");
    let own = [made::path_str(&own), "--exact", test, "--nocapture", "--test-threads=1"];
    let bus = ["--config-file", made::path_str(&bus), "--"];
    let mut command = match session {
        Session::Nothing => Command::new(own[0]),
        _ => Command::new("dbus-run-session"),
    };
    match session {
        Session::Nothing => command.args(&own[1..]),
        Session::Bus => command.args(bus).args(own),
        Session::Keyring => command.args(bus).args(["sh", "-ec", KEYRING, "sh"]).args(own),
    };
    let output = environment(&mut command, folder.path())
        .output()
        .expect("dbus-run-session is needed for this test: apt-get install dbus");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.contains("1 passed"), "{test}: {said}");
}

/// `--unlock` reads the password and makes the first collection. The keyring is on the bus a
/// moment after it starts, and is ended with the test, frozen or not.
const KEYRING: &str = "
command -v gnome-keyring-daemon >/dev/null || {
    echo 'gnome-keyring is needed for this test: apt-get install gnome-keyring' >&2; exit 1; }
printf pw | gnome-keyring-daemon --foreground --unlock --components=secrets >/dev/null &
keyring=$!
trap 'kill $keyring || true; kill -CONT $keyring || true; wait $keyring || true' EXIT
until dbus-send --session --print-reply --dest=org.freedesktop.DBus / \\
    org.freedesktop.DBus.NameHasOwner string:org.freedesktop.secrets | grep -q 'boolean true'
do kill -0 $keyring; done
\"$@\"";

fn environment<'a>(command: &'a mut Command, home: &Path) -> &'a mut Command {
    let runtime = home.join("run");
    std::fs::create_dir(&runtime).expect("a folder");
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&runtime, std::fs::Permissions::from_mode(0o700)).expect("a mode");
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", runtime)
        .env(INSIDE, "1")
}

/// Locks the collection of the session's keyring, as a screen lock does.
pub(crate) fn lock() {
    call(
        "org.freedesktop.secrets",
        "/org/freedesktop/secrets",
        &["org.freedesktop.Secret.Service.Lock", "array:objpath:/org/freedesktop/secrets/aliases/default"],
    );
}

/// Stops the session's keyring without ending it: it stays on the bus and answers nobody.
pub(crate) fn freeze() {
    let answer = call(
        "org.freedesktop.DBus",
        "/org/freedesktop/DBus",
        &["org.freedesktop.DBus.GetConnectionUnixProcessID", "string:org.freedesktop.secrets"],
    );
    let process = answer.split_whitespace().last().expect("a process id");
    made::run("sh", &["-c", "kill -STOP $0", process]);
}

/// How many entries another client of the keyring finds under these attributes.
pub(crate) fn entries(service: &str, username: &str) -> usize {
    let attributes = format!("dict:string:string:service,{service},username,{username}");
    let answer = call(
        "org.freedesktop.secrets",
        "/org/freedesktop/secrets",
        &["org.freedesktop.Secret.Service.SearchItems", &attributes],
    );
    answer.matches("object path").count()
}

fn call(destination: &str, path: &str, arguments: &[&str]) -> String {
    let destination = format!("--dest={destination}");
    let output = made::run("dbus-send", &[&["--session", "--print-reply", &destination, path], arguments].concat());
    String::from_utf8(output).expect("text")
}
