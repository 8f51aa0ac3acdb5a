//! What a person and a machine are told at the end: summary, receipt, decision log.

use std::collections::BTreeSet;
use std::process::Stdio;

use serde_json::Value;

use super::place::{Place, VALETKEY, ended, line_of, ran};
use crate::keys::made::{self, Kind};

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn receipt(place: &Place) -> Value {
    serde_json::from_str(&std::fs::read_to_string(place.project().join("receipt.json")).unwrap()).unwrap()
}

/// Asks for a signature of a file, which is refused.
const REFUSED: &str = "ssh-add -L >key.pub; echo x >file; ssh-keygen -q -Y sign -f key.pub -n file file; exit 4";

#[test]
fn the_summary_is_on_stderr_and_quiet_leaves_the_refusals() {
    let place = Place::new();
    let ran = place.lend_to(REFUSED);
    ran.is(4).says(&[
        "valetkey: lent ssh-ed25519 SHA256:",
        "signed no login",
        "refused: ",
        "SSHSIG",
        "the lease is over after",
    ]);
    assert!(!ran.out.contains("valetkey"), "{ran:?}");
    let quiet = place.lend(&["--quiet", "--", "sh", "-c", REFUSED]);
    quiet.is(4).says(&["refused: ", "SSHSIG"]).never_says(&["lent ssh-ed25519", "the lease is over"]);
    let silent = place.lend(&["-q", "--", "true"]);
    assert_eq!((silent.is(0).err.as_str(), silent.out.as_str()), ("", ""));
}

#[test]
fn the_receipt_has_exactly_the_documented_fields() {
    let place = Place::new();
    place.lend(&["--user", "me", "--host", "github.com", "--receipt", "receipt.json", "--", "sh", "-c", REFUSED]).is(4);
    let receipt = receipt(&place);
    let fields = "format valetkey lending tool started duration_ms ended_by exit_code identities secrets logins repositories more_repositories refusals more_refusals";
    assert_eq!(keys(&receipt), fields.split(' ').collect());
    assert_eq!((&receipt["format"], &receipt["exit_code"]), (&"valetkey-receipt/1".into(), &4.into()));
    assert_eq!((&receipt["ended_by"], &receipt["tool"]), (&"command".into(), &"other".into()));
    let [lent] = receipt["identities"].as_array().unwrap().as_slice() else { panic!("one identity: {receipt}") };
    let fields = "id fingerprint type comment source hosts unbound_hosts user max_signatures time_limit_seconds lending repos access";
    assert_eq!(keys(lent), fields.split(' ').collect());
    assert_eq!((&lent["source"], &lent["user"], &lent["id"]), (&"env:KEY".into(), &"me".into(), &"default".into()));
    assert_eq!((&lent["hosts"], &lent["max_signatures"]), (&serde_json::json!(["github.com"]), &64.into()));
    let [refused] = receipt["refusals"].as_array().unwrap().as_slice() else { panic!("one refusal: {receipt}") };
    assert_eq!(keys(refused), "kind reason hint count".split(' ').collect());
    assert_eq!((&refused["kind"], &refused["count"]), (&"refused".into(), &1.into()));
}

#[test]
fn a_receipt_is_replaced_whole_and_only_at_the_end() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let place = Place::new();
    let path = place.write("receipt.json", "the one before");
    // The command sees the one before; a reader that has it open keeps it.
    let ran = place.lend(&["--receipt", "receipt.json", "--", "cat", "receipt.json"]);
    assert_eq!(ran.is(0).out, "the one before");
    assert_eq!(receipt(&place)["exit_code"], 0);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o644);
    let inode = path.metadata().unwrap().ino();
    // A command that does not start leaves it, and nothing beside it.
    place.lend(&["--receipt", "receipt.json", "--", "no-such-command"]).is(127);
    assert_eq!(path.metadata().unwrap().ino(), inode);
    assert_eq!(std::fs::read_dir(place.project()).unwrap().count(), 1);
}

#[test]
fn a_receipt_that_cannot_be_put_in_its_place_is_told_and_hides_no_failed_command() {
    let place = Place::new();
    for (code, told) in [(0, 115), (3, 3)] {
        let script = format!("rm -rf gone; exit {code}");
        std::fs::create_dir(place.project().join("gone")).unwrap();
        let ran = place.lend(&["--receipt", "gone/receipt.json", "--", "sh", "-c", &script]);
        ran.is(told).says(&["error: failed to write the receipt gone/receipt.json"]);
    }
}

#[test]
fn a_folder_that_is_missing_is_an_error_before_the_command() {
    let place = Place::new();
    for flag in ["--receipt", "--decision-log"] {
        place.lend(&[flag, "none/file", "--", "touch", "started"]).is(114).says(&["none/file"]);
        assert!(!place.project().join("started").exists());
    }
}

#[test]
fn the_decision_log_has_a_line_of_json_for_each_decision_while_the_command_runs() {
    let place = Place::new();
    place.write("log", "{\"before\":true}\n");
    let script = format!("{REFUSED} 2>&1 | cat; cat log");
    let ran = place.lend(&["--decision-log", "log", "--", "sh", "-c", &script.replace("exit 4", "cat log")]);
    let lines: Vec<Value> = ran.out.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(lines[0]["before"], true, "appended: {ran:?}");
    assert!(lines.iter().any(|line| line["verdict"] == "refuse" && line["kind"] == "refused"), "{ran:?}");
}

#[test]
fn a_time_limit_ends_the_lease_and_not_the_command() {
    let place = Place::new();
    made::run("mkfifo", &[made::path_str(&place.project().join("go"))]);
    let script = "ssh-add -l >before; until ! [ -S $SSH_AUTH_SOCK ] || ! ssh-add -l >/dev/null 2>&1; do :; done; echo over >after; exit 9";
    let mut command = place.valetkey(&[
        "run",
        "--key",
        "env:KEY",
        "--time-limit",
        "1s",
        "--receipt",
        "receipt.json",
        "--",
        "sh",
        "-c",
        script,
    ]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert_eq!(line_of(&place.project().join("after")), "over");
    ended(child).is(9).says(&["ended at its time limit"]);
    assert_eq!(receipt(&place)["ended_by"], "time-limit");
    assert!(std::fs::read_to_string(place.project().join("before")).unwrap().contains(made::COMMENT), "the control");
}

#[test]
fn nothing_that_is_told_holds_the_key_or_an_argument_of_the_command() {
    let place = Place::new();
    let flags = ["run", "--key", "env:KEY", "--receipt", "receipt.json", "--decision-log", "log", "--"];
    let script = format!("{REFUSED} # s3cret-argument");
    let mut command = place.command(VALETKEY);
    let ran = ran(command.args(flags).args(["sh", "-c", &script]));
    let read = |name: &str| std::fs::read_to_string(place.project().join(name)).unwrap();
    let told = [ran.err, ran.out, read("receipt.json"), read("log")].concat();
    assert!(told.contains("SSHSIG"), "the control");
    for line in made::key(Kind::Ed25519).text.lines() {
        assert!(!told.contains(line), "{told}");
    }
    assert!(!told.contains("s3cret-argument"), "{told}");
}
