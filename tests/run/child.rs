//! What the wrapped command starts with: as if valetkey were not there, but for the lease.

use std::collections::BTreeMap;
use std::fs::File;

use rustix::process::{DumpableBehavior, dumpable_behavior};

use super::place::{Place, Ran, VALETKEY, ran};

/// The signal lines of the command's `/proc/self/status`.
fn signal_sets(ran: &Ran) -> BTreeMap<String, u64> {
    let lines = ran.is(0).out.lines().filter(|line| line.starts_with("Sig") && !line.starts_with("SigQ"));
    let sets = lines.filter_map(|line| line.split_once(":\t"));
    sets.map(|(name, bits)| (name.to_owned(), u64::from_str_radix(bits, 16).unwrap())).collect()
}

fn bit(signal: rustix::process::Signal) -> u64 {
    1 << (signal.as_raw() - 1)
}

#[test]
fn no_signal_is_blocked_or_ignored_in_the_command() {
    let place = Place::new();
    let sets = signal_sets(&place.lend(&["--", "cat", "/proc/self/status"]));
    // Against the same command alone: what runs the tests may ignore signals too.
    let alone = signal_sets(&ran(place.command("cat").arg("/proc/self/status")));
    assert_eq!(sets, alone);
    assert_eq!((sets["SigBlk"], sets["SigIgn"] & bit(rustix::process::Signal::PIPE)), (0, 0));
}

#[test]
fn a_signal_that_was_ignored_before_stays_ignored_in_the_command() {
    let place = Place::new();
    let args = [VALETKEY, "run", "--key", "env:KEY", "--", "cat", "/proc/self/status"];
    let sets = signal_sets(&ran(place.command("nohup").args(args)));
    assert_eq!(sets["SigIgn"] & bit(rustix::process::Signal::HUP), bit(rustix::process::Signal::HUP), "{sets:?}");
}

#[test]
fn a_pipe_whose_reader_is_gone_ends_its_writer_silently() {
    let place = Place::new();
    let ran = place.lend_to("yes | head -1");
    ran.is(0).shows(&["y\n"]).never_says(&["roken pipe"]);
    // The command itself too, not only what a shell starts below it.
    let ran =
        place.lend(&["--", "bash", "-c", "bash -c 'trap \"\" PIPE; echo x' | true; yes | true; echo ${PIPESTATUS[0]}"]);
    ran.is(0).shows(&["141\n"]);
}

#[test]
fn the_command_inherits_no_descriptor_but_its_standard_streams() {
    let place = Place::new();
    let list = ["ls", "-1", "/proc/self/fd"];
    // Against the same command alone: whoever runs the tests may have left some open.
    let alone = ran(place.command("ls").args(&list[1..]));
    alone.is(0).shows(&["0\n", "1\n", "2\n"]);
    let flags = ["--receipt", "receipt.json", "--decision-log", "log", "--key", "b=env:KEY", "--"];
    let lent = place.lend(&[&flags[..], &list].concat());
    assert_eq!(lent.is(0).out, alone.out);
}

#[test]
fn a_descriptor_that_the_caller_gave_reaches_the_command() {
    let place = Place::new();
    let script = r#"exec 7<"$0"; exec "$1" run --key env:KEY -- sh -c 'cat <&7'"#;
    let file = place.write("given", "words");
    let ran = ran(place.command("sh").args(["-c", script, file.to_str().unwrap(), VALETKEY]));
    assert_eq!(ran.is(0).out, "words");
}

#[test]
fn the_core_limit_of_the_command_is_the_callers_and_valetkeys_own_is_zero() {
    let place = Place::new();
    let script = r#"ulimit -Sc; ulimit -Hc; grep core /proc/$PPID/limits"#;
    let limited = |wrap: &[&str]| {
        let args = [&["--core=512:1024"], wrap, &["sh", "-c", script]].concat();
        let ran = ran(place.command("prlimit").args(args));
        ran.is(0).out.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let alone = limited(&[]);
    assert_eq!(alone[..2], ["1", "2"], "the control, in blocks of 512 bytes");
    let lent = limited(&[VALETKEY, "run", "--key", "env:KEY", "--"]);
    assert_eq!(lent[..2], alone[..2]);
    let own: Vec<&str> = lent[2].split_whitespace().collect();
    assert_eq!(own[..5], ["Max", "core", "file", "size", "0"], "valetkey's own limit");
}

const INSIDE: &str = "VALETKEY_TEST_INSIDE_CHILD";

/// Runs itself once more as the wrapped command, because only a process can ask this of itself.
#[test]
fn the_command_can_be_debugged_like_any_other() {
    if std::env::var_os(INSIDE).is_some() {
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::Dumpable);
        assert!(File::open("/proc/self/mem").is_ok());
        return;
    }
    let place = Place::new();
    let own = std::env::current_exe().unwrap();
    let test = "run::child::the_command_can_be_debugged_like_any_other";
    let mut command = place.valetkey(&["run", "--key", "env:KEY", "--", own.to_str().unwrap(), "--exact", test]);
    ran(command.env(INSIDE, "1")).is(0).shows(&["1 passed"]);
}
