//! What the command prints where nobody sits at a terminal: the lent secrets are not in it, and
//! everything else is, at once, in its order, to the last byte.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::place::{Place, Ran, VALETKEY, ended, line_of, ran, until};
use super::terminal::{Terminal, code};
use crate::keys::made::{self, Kind, Made};

/// Longer than anything here takes; where something waits for nobody, the test ends by this.
const SOON: Duration = Duration::from_secs(20);

/// Lines of a key's text that are secret: no armour, and no part of its public half.
fn body(key: &'static Made) -> Vec<&'static str> {
    key.text.lines().filter(|line| line.len() >= 8 && !line.starts_with("-----") && !key.line.contains(line)).collect()
}

/// Runs a script with the key beside it, in a file `key` and as `$COPY`.
fn print(kind: Kind, flags: &[&str], script: &str) -> (Ran, &'static Made) {
    let place = Place::new();
    let key = made::key(kind);
    place.write("key", &key.text);
    let args = [&["run", "--quiet", "--key", "env:KEY"], flags, &["--", "bash", "-c", script]].concat();
    (ran(place.valetkey(&args).env("KEY", &key.text).env("COPY", &key.text)), key)
}

/// What stands in for the secret in `shown`, cut out of what surrounds it.
#[track_caller]
fn is_masked(shown: &str, key: &'static Made, left: usize) {
    assert!(shown.contains("***"), "nothing was masked: {shown}");
    for line in body(key) {
        assert!(!shown.contains(line), "{shown}");
        // Nor longer parts of a line.
        for at in 0..line.len().saturating_sub(16) {
            assert!(!shown.contains(&line[at..at + 16]), "{shown}");
        }
    }
    assert!(shown.len() <= left, "too much is left: {shown}");
}

#[test]
fn a_key_that_the_command_prints_is_masked_whole_and_line_by_line_in_both_streams() {
    for kind in [Kind::Ed25519, Kind::Rsa] {
        for to in ["", " >&2"] {
            for script in [
                "cat key",
                "echo \"$COPY\"",
                "printf %s \"$COPY\"",
                "while read -r line; do echo \"#7 0.312 $line\"; done <key",
                "sed 's/^/    /' key",
                "sed 's/$/\\r/' key",
                "tail -n +2 key | head -n 3",
                "tr '\\n' ' ' <key",
                "set -x; : \"$(<key)\"",
            ] {
                let (ran, key) = print(kind, &[], &format!("{{ {script}; }}{to}"));
                let shown = ran.is(0).out.clone() + &ran.err;
                is_masked(&shown, key, 1500);
                assert!(script.starts_with("set") || to.is_empty() == ran.out.contains("***"), "{script}: {ran:?}");
            }
        }
    }
}

#[test]
fn base64_addresses_and_json_of_a_key_are_masked() {
    for kind in [Kind::Ed25519, Kind::Rsa] {
        for script in [
            "base64 key",
            "base64 -w0 key",
            "base64 -w64 key",
            "base64 key | sed 's/^/#7 0.312 /'",
            "printf %s \"$COPY\" | base64",
            "echo \"$COPY\" | base64 -w0",
            "base64 -w0 key | tr '+/' '-_' | tr -d =",
            "{ printf 'user:'; cat key; printf 'more'; } | base64 -w0",
            "{ printf 'me:'; cat key; } | base64 -w0",
            "{ printf 'a:'; cat key; } | base64 -w0",
            "python3 -c 'import urllib.parse; print(urllib.parse.quote(open(\"key\").read()))'",
            "python3 -c 'import urllib.parse; print(urllib.parse.quote_plus(open(\"key\").read()))'",
            "python3 -c 'import json; print(json.dumps({\"key\": open(\"key\").read()}))'",
        ] {
            let (ran, key) = print(kind, &[], script);
            assert_eq!(ran.is(0).err, "", "{script}");
            is_masked(&ran.out, key, 1000);
            // The control: without the mask, it is there.
            let (shown, _) = print(kind, &["--no-mask"], script);
            assert!(shown.out.len() > key.text.len() && !shown.out.contains("***"), "{script}: {shown:?}");
            // Nothing of the form is left but what stands around it and the last few characters.
            for at in 0..shown.out.len().saturating_sub(24) {
                let Some(part) = shown.out.get(at..at + 24) else { continue };
                assert!(!ran.out.contains(part), "{script}: {part} is left in {}", ran.out);
            }
        }
    }
}

#[test]
fn a_passphrase_from_a_source_is_masked_too_and_one_that_is_too_short_is_warned_of() {
    for (passphrase, masked) in [("hunter2", true), ("12345", false)] {
        let place = Place::new();
        let path = place.write("locked", &made::key(Kind::Ed25519).text);
        made::run("ssh-keygen", &["-q", "-p", "-a", "1", "-N", passphrase, "-f", made::path_str(&path)]);
        let args =
            ["run", "--key", "file:locked", "--passphrase-from", "env:PASS", "--", "sh", "-c", "echo \"[$COPY]\""];
        let ran = ran(place.valetkey(&args).env("PASS", passphrase).env("COPY", passphrase));
        ran.is(0).shows(&[if masked { "[***]\n" } else { "[12345]\n" }]);
        assert_eq!(ran.err.contains("fewer than 6 bytes cannot be masked"), !masked, "{ran:?}");
    }
}

/// Reads what comes, piece by piece.
fn read_from(mut from: impl std::io::Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            if sender.send(bytes[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    receiver
}

#[track_caller]
fn until_read(from: &Receiver<Vec<u8>>, expected: &str) {
    let mut all = Vec::new();
    let end = Instant::now() + SOON;
    while all.len() < expected.len() {
        let left = end.saturating_duration_since(Instant::now());
        all.extend(from.recv_timeout(left).unwrap_or_else(|_| panic!("only {:?}", String::from_utf8_lossy(&all))));
    }
    assert_eq!(String::from_utf8_lossy(&all), expected);
}

/// `valetkey run --quiet --key env:KEY -- …` with pipes for all streams.
fn start(place: &Place, script: &str) -> Child {
    let mut command = place.valetkey(&["run", "--quiet", "--key", "env:KEY", "--", "bash", "-c", script]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn progress_without_an_end_of_line_comes_at_once_while_the_command_waits() {
    let place = Place::new();
    let mut child = start(
        &place,
        "printf 'step 1'; read x; printf '\\r50%%' >&2; read x; printf '[%s] ' \"$x\"; while IFS= read -r x; do printf %s \"$x\"; done; exit 7",
    );
    let (out, err) = (read_from(child.stdout.take().unwrap()), read_from(child.stderr.take().unwrap()));
    let mut stdin = child.stdin.take().unwrap();
    until_read(&out, "step 1");
    stdin.write_all(b"a\n").unwrap();
    until_read(&err, "\r50%");
    stdin.write_all(b"b\n").unwrap();
    until_read(&out, "[b] ");
    // Letters that a line of the key begins with, and base64 of it: whatever it is, it comes.
    for letter in (b'!'..=b'~').map(char::from) {
        stdin.write_all(format!("{letter}\n").as_bytes()).unwrap();
        until_read(&out, &letter.to_string());
    }
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(7));
}

#[test]
fn two_streams_into_one_file_or_pipe_keep_the_order_of_their_lines() {
    let place = Place::new();
    let script = "for i in $(seq 300); do echo out $i; echo err $i >&2; done";
    let expected: String = (1..=300).map(|i| format!("out {i}\nerr {i}\n")).collect();
    let both = format!("\"$0\" run --quiet --key env:KEY -- bash -c '{script}' 2>&1");
    for redirected in
        [format!("{both} | cat"), format!("{{ {both}; }} >file; cat file"), format!("{{ {both}; }} >>file2; cat file2")]
    {
        let ran = ran(place.command("bash").args(["-c", &redirected, VALETKEY]));
        assert_eq!(ran.is(0).out, expected, "{redirected}");
    }
}

#[test]
fn ten_megabytes_of_anything_come_out_byte_for_byte() {
    let place = Place::new();
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    })
    .take(10 << 20)
    .collect();
    let path = place.write("noise", &noise);
    for (out, err) in [("cat noise", "true"), ("true", "cat noise >&2"), ("cat noise", "cat noise >&2")] {
        let child = place
            .valetkey(&["run", "--quiet", "--key", "env:KEY", "--", "sh", "-c", &format!("{out} & {err}; wait")])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.wait_with_output().unwrap();
        for (script, got) in [(out, output.stdout), (err, output.stderr)] {
            let expected: &[u8] = if script == "true" { b"" } else { &noise };
            assert!(got == expected, "{script}: {} bytes of {}", got.len(), path.display());
        }
    }
}

#[test]
fn what_a_reader_that_comes_late_has_not_read_yet_is_not_lost() {
    let place = Place::new();
    // More than fits into any of the pipes between the two, read when the command is long done.
    let script = "\"$0\" run --quiet --key env:KEY -- sh -c 'head -c 60000 /dev/zero; echo x >done' | { until [ -s done ]; do :; done; wc -c; }";
    ran(place.command("bash").args(["-c", script, VALETKEY])).is(0).shows(&["60000\n"]);
}

#[test]
fn a_process_that_the_command_left_behind_with_its_output_open_does_not_keep_us() {
    let place = Place::new();
    for noisy in [false, true] {
        let file = if noisy { "noisy" } else { "silent" };
        let loops = if noisy { "while :; do echo again; done" } else { "exec sleep 600" };
        let script = format!("(echo $BASHPID >{file}; {loops}) & until [ -s {file} ]; do :; done; echo last; exit 3");
        let before = Instant::now();
        let mut child = start(&place, &script);
        let out = read_from(child.stdout.take().unwrap());
        let status = until("the end of valetkey", || child.try_wait().unwrap());
        let left = line_of(&place.project().join(file));
        // It is not ended by us, where it does not write: that is as without us.
        let alive = Command::new("kill").args(["-0", &left]).stderr(Stdio::null()).status().unwrap().success();
        made::run("sh", &["-c", "kill -KILL $0 2>/dev/null || true", &left]);
        assert!(noisy || alive);
        assert_eq!(status.code(), Some(3));
        let all: Vec<u8> = out.iter().flatten().collect();
        assert!(String::from_utf8_lossy(&all).contains("last\n"));
        assert!(before.elapsed() < SOON);
    }
}

#[test]
fn what_a_process_left_behind_still_says_in_time_is_written() {
    let place = Place::new();
    let ran = place.lend(&[
        "--quiet",
        "--",
        "bash",
        "-c",
        "(while kill -0 $$ 2>/dev/null; do :; done; echo late) & echo first",
    ]);
    assert_eq!(ran.is(0).out, "first\nlate\n");
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_command_as_without_us() {
    let place = Place::new();
    for (script, expected) in [
        ("\"$0\" run --quiet --key env:KEY -- yes | head -1; echo ${PIPESTATUS[0]}", "y\n141\n"),
        (
            "\"$0\" run --quiet --key env:KEY -- bash -c 'yes >&2; echo $? >code' 2>&1 >/dev/null | head -1; cat code",
            "y\n141\n",
        ),
        // Without a word from the command since the reader went.
        (
            "\"$0\" run --quiet --key env:KEY -- bash -c 'until [ -e gone ]; do :; done; for i in {1..2000}; do bash -c \"echo x\"; c=$?; [ $c = 0 ] || break; done; echo $c >code2' | { exec <&-; : >gone; until [ -s code2 ]; do :; done; }; cat code2",
            "141\n",
        ),
    ] {
        let ran = ran(place.command("bash").args(["-c", script, VALETKEY]));
        assert_eq!(ran.is(0).out, expected, "{script}: {ran:?}");
        ran.never_says(&["roken pipe", "panicked"]);
    }
}

#[test]
fn output_that_cannot_be_written_is_a_failure_that_is_told_of() {
    let place = Place::new();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut command = place.valetkey(&["run", "--quiet", "--key", "env:KEY", "--", "echo", "words"]);
    let child = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap();
    ended(child).is(115).says(&["failed to write what the command printed: ", "space"]);
}

#[test]
fn a_signal_ends_a_run_whose_reader_stands_still() {
    let place = Place::new();
    let mut child = start(&place, "echo x >ready; exec yes");
    line_of(&place.project().join("ready"));
    let id = child.id().to_string();
    // Nobody reads, so that all pipes are full.
    made::run("kill", &["-TERM", &id]);
    let status = until("the end of valetkey", || child.try_wait().unwrap());
    assert_eq!((status.code(), status.signal()), (Some(143), None));
}

#[test]
fn without_the_mask_the_command_has_our_very_streams() {
    let place = Place::new();
    let file = File::create(place.project().join("file")).unwrap();
    let script = "[ /dev/fd/1 -ef file ] && [ /dev/fd/2 -ef file ] && echo same || echo other";
    for (flags, expected) in [(&["--no-mask"][..], "same\n"), (&[], "other\n")] {
        file.set_len(0).unwrap();
        let args = [&["run", "--quiet", "--key", "env:KEY"], flags, &["--", "bash", "-c", script]].concat();
        let append = || File::options().append(true).open(place.project().join("file")).unwrap();
        let child = place.valetkey(&args).stdout(append()).stderr(append()).spawn().unwrap();
        ended(child).is(0);
        assert_eq!(std::fs::read_to_string(place.project().join("file")).unwrap(), expected);
    }
}

#[test]
fn a_terminal_is_the_commands_own_and_the_other_stream_is_masked_all_the_same() {
    let (place, terminal) = (Place::new(), Terminal::new());
    let key = made::key(Kind::Ed25519);
    place.write("key", &key.text);
    let line = body(key)[1];
    let script = "test -t 0 && test -t 1 && test -t 2 && echo all-three; cat key";
    let child = terminal.start(&place, &[VALETKEY, "run", "--quiet", "--key", "env:KEY", "--", "sh", "-c", script]);
    assert_eq!(code(child), Some(0), "{}", terminal.shown());
    terminal.until_shown("all-three");
    terminal.until_shown(line);

    let terminal = Terminal::new();
    let inner = "test -t 1 || echo out-is-none; test -t 2 && echo err-is-one >&2; cat key; cat key >&2";
    let outer = format!("{VALETKEY} run --quiet --key env:KEY -- sh -c '{inner}' >file");
    assert_eq!(code(terminal.start(&place, &["sh", "-c", &outer])), Some(0), "{}", terminal.shown());
    terminal.until_shown("err-is-one");
    terminal.until_shown(line);
    let file = std::fs::read_to_string(place.project().join("file")).unwrap();
    assert!(file.contains("out-is-none") && file.contains("***") && !file.contains(line), "{file}");
}

#[test]
fn a_public_key_is_no_secret_though_the_text_of_the_private_key_has_whole_lines_of_it() {
    for kind in [Kind::Ed25519, Kind::P256, Kind::P384, Kind::P521, Kind::Rsa] {
        let place = Place::new();
        let key = made::key(kind);
        let ran = ran(place.valetkey(&["run", "--key", "env:KEY", "--", "ssh-add", "-L"]).env("KEY", &key.text));
        assert_eq!(ran.is(0).out.trim_end(), key.line.trim_end());
        // Nor in PEM of the older kind.
        let path = place.write("key", &key.text);
        made::run("ssh-keygen", &["-q", "-p", "-m", "PKCS8", "-N", "", "-f", made::path_str(&path)]);
        let ran = place.valetkey(&["run", "--key", "file:key", "--", "ssh-add", "-L"]).output().unwrap();
        assert!(!String::from_utf8(ran.stdout).unwrap().contains("***"));
    }
}
