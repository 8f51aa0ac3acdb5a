//! Each signal reaches the command exactly as often as it would without valetkey.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::place::{Place, VALETKEY, ended, line_of, ran, until};
use super::terminal::{Terminal, code};
use crate::keys::made;

/// A command that notes each signal it gets, and ends when the file `end` is there. It writes
/// its number to `ready` once it listens.
const NOTE: &str = "
for s in HUP INT QUIT TERM USR1 USR2 WINCH; do trap \"echo $s >> noted\" $s; done
echo $$ > ready
until [ -e end ]; do read -t 0.02 x <> \"$0\"; done
exit 7";

struct Noted {
    place: Place,
    /// Never written to: a `read` from it is a pause without a child process.
    silent: PathBuf,
}

impl Noted {
    fn new() -> Self {
        let place = Place::new();
        let silent = place.project().join("silent");
        made::run("mkfifo", &[made::path_str(&silent)]);
        Self { place, silent }
    }

    /// The words that start the noting command below valetkey.
    fn words(&self) -> Vec<&str> {
        vec![VALETKEY, "run", "--key", "env:KEY", "--", "bash", "-c", NOTE, made::path_str(&self.silent)]
    }

    /// Starts it in a process group of its own.
    fn start(&self) -> Child {
        let words = self.words();
        let mut command = self.place.command(words[0]);
        command.args(&words[1..]).process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        self.ready();
        child
    }

    fn ready(&self) -> String {
        line_of(&self.place.project().join("ready"))
    }

    fn noted(&self) -> String {
        std::fs::read_to_string(self.place.project().join("noted")).unwrap_or_default()
    }

    #[track_caller]
    fn until_noted(&self, signals: &str) {
        until(signals, || (self.noted() == signals).then_some(()));
    }

    fn end(&self) {
        std::fs::write(self.place.project().join("end"), "").unwrap();
    }

    /// Ends it, and says what was noted in all.
    fn all(&self, child: Child) -> String {
        self.end();
        ended(child).is(7);
        self.noted()
    }
}

fn kill(signal: &str, whom: &str) {
    made::run("kill", &["-s", signal, "--", whom]);
}

#[test]
fn a_signal_to_valetkey_alone_is_passed_on_once() {
    let noted = Noted::new();
    let child = noted.start();
    let mut all = String::new();
    for signal in ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "TERM"] {
        kill(signal, &child.id().to_string());
        all += &format!("{signal}\n");
        noted.until_noted(&all);
    }
    assert_eq!(noted.all(child), all);
}

#[test]
fn a_signal_from_a_process_of_the_same_group_is_passed_on_too() {
    // As `terminate()` of a script language does, and `kill $!` of a shell without job control.
    let noted = Noted::new();
    let script =
        r#""$@" & until [ -s ready ]; do :; done; kill -TERM $!; until [ -s noted ]; do :; done; >end; wait $!"#;
    let mut command = noted.place.command("sh");
    ran(command.args(["-c", script, "sh"]).args(noted.words()).process_group(0)).is(7);
    assert_eq!(noted.noted(), "TERM\n");
}

#[test]
fn a_signal_to_the_whole_group_is_not_doubled_whoever_sends_it() {
    // From outside of the group, as a CI runner ends a job.
    let noted = Noted::new();
    let child = noted.start();
    let group = format!("-{}", child.id());
    kill("TERM", &group);
    noted.until_noted("TERM\n");
    kill("INT", &group);
    noted.until_noted("TERM\nINT\n");
    // What comes next to valetkey alone is passed on: the group's signals are done with.
    kill("USR1", &child.id().to_string());
    noted.until_noted("TERM\nINT\nUSR1\n");
    kill("TERM", &child.id().to_string());
    noted.until_noted("TERM\nINT\nUSR1\nTERM\n");
    assert_eq!(noted.all(child), "TERM\nINT\nUSR1\nTERM\n");
    // From inside of the group, as `kill 0` of a script does.
    let noted = Noted::new();
    let child = noted.start();
    kill_from_inside(&noted.place, child.id());
    noted.until_noted("USR1\n");
    kill("USR2", &child.id().to_string());
    noted.until_noted("USR1\nUSR2\n");
    assert_eq!(noted.all(child), "USR1\nUSR2\n");
}

fn kill_from_inside(place: &Place, group: u32) {
    let mut inside = Command::new("sh");
    inside.args(["-c", "trap '' USR1; kill -USR1 0"]).current_dir(place.project());
    assert!(inside.process_group(i32::try_from(group).unwrap()).status().unwrap().success());
}

#[test]
fn a_command_that_a_passed_on_signal_ends_is_reported_as_such() {
    let place = Place::new();
    let mut command = place.valetkey(&["run", "--key", "env:KEY", "--", "sh", "-c", "echo x > ready; exec sleep 600"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    line_of(&place.project().join("ready"));
    kill("TERM", &child.id().to_string());
    ended(child).is(143).says(&["the lease is over"]);
    assert_eq!(place.leases(), Vec::<PathBuf>::new());
}

#[test]
fn a_hang_up_that_valetkey_was_told_to_ignore_is_ignored() {
    let noted = Noted::new();
    let words = noted.words();
    let mut command = noted.place.command("nohup");
    let child = command.args(words).process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    noted.ready();
    kill("HUP", &child.id().to_string());
    kill("TERM", &child.id().to_string());
    noted.until_noted("TERM\n");
    assert_eq!(noted.all(child), "TERM\n");
}

#[test]
fn ctrl_c_and_ctrl_backslash_on_a_terminal_reach_the_command_exactly_once() {
    let (noted, terminal) = (Noted::new(), Terminal::new());
    let child = terminal.start(&noted.place, &noted.words());
    noted.ready();
    let mut all = String::new();
    for (key, signal) in [("\x03", "INT\n"), ("\x1c", "QUIT\n"), ("\x03", "INT\n")] {
        terminal.types(key);
        all += signal;
        noted.until_noted(&all);
    }
    // After those of the terminal, one to valetkey alone is passed on.
    kill("INT", &valetkey_of(&noted.ready()));
    all += "INT\n";
    noted.until_noted(&all);
    noted.end();
    assert_eq!(code(child), Some(7), "{}", terminal.shown());
    assert_eq!(noted.noted(), all);
}

/// The number of the parent of a process.
fn valetkey_of(command: &str) -> String {
    let status = std::fs::read_to_string(Path::new("/proc").join(command).join("status")).unwrap();
    status.lines().find_map(|line| line.strip_prefix("PPid:\t")).unwrap().to_owned()
}

#[test]
fn a_new_window_size_is_the_commands_and_told_once() {
    let (noted, terminal) = (Noted::new(), Terminal::new());
    let child = terminal.start(&noted.place, &noted.words());
    noted.ready();
    terminal.resize(33, 77);
    noted.until_noted("WINCH\n");
    noted.end();
    assert_eq!(code(child), Some(7));
    assert_eq!(noted.noted(), "WINCH\n");
}

#[test]
fn a_terminal_that_hangs_up_tells_the_command_where_valetkey_leads_the_session() {
    let (noted, terminal) = (Noted::new(), Terminal::new());
    let child = terminal.start(&noted.place, &noted.words());
    noted.ready();
    drop(terminal);
    noted.until_noted("HUP\n");
    noted.end();
    assert_eq!(code(child), Some(7));
    assert_eq!(noted.noted(), "HUP\n");
}

#[test]
fn the_command_is_in_the_foreground_and_reads_the_terminal() {
    let (place, terminal) = (Place::new(), Terminal::new());
    let script = "stty size; read word; echo got $word; test -t 0 && test -t 1 && test -t 2";
    terminal.resize(20, 60);
    let child = terminal.start(&place, &[VALETKEY, "run", "--key", "env:KEY", "--", "sh", "-c", script]);
    terminal.until_shown("20 60");
    terminal.types("hello\n");
    terminal.until_shown("got hello");
    assert_eq!(code(child), Some(0), "{}", terminal.shown());
}

#[test]
fn ctrl_z_stops_the_whole_job_and_fg_goes_on_with_it() {
    let (place, terminal) = (Place::new(), Terminal::new());
    let shell = terminal.start(&place, &["bash", "--norc", "--noprofile", "-i"]);
    terminal
        .types(&format!("PS1='>'; {VALETKEY} run --key env:KEY -- sh -c 'echo $$ >ready; read x; echo again $x'\n"));
    let command = line_of(&place.project().join("ready"));
    terminal.types("\x1a");
    terminal.until_shown("Stopped");
    let stopped = |number: &str| {
        let stat = std::fs::read_to_string(Path::new("/proc").join(number).join("stat")).unwrap();
        stat.rsplit(')').next().unwrap().trim_start().starts_with('T')
    };
    assert!(stopped(&command) && stopped(&valetkey_of(&command)));
    terminal.types("fg\n");
    until("it goes on", || (!stopped(&command)).then_some(()));
    terminal.types("now\n");
    terminal.until_shown("again now");
    terminal.types("exit $?\n");
    assert_eq!(code(shell), Some(0), "{}", terminal.shown());
}
