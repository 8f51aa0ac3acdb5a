//! What another process of the same user could try: memory, debuggers, core dumps, the initial
//! environment. The control of each is a process of the same user that holds the same key in
//! its memory and its environment, and gives it away.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdin, Stdio};
use std::time::{Duration, Instant};

use valetkey_integration::user::run_as;
use valetkey_integration::{Finished, Held, Key, held};

/// Reads `/proc/PID/mem` wherever `/proc/PID/maps` says that there is something to read.
const READ_MEMORY: &str = r#"
import sys
pid = sys.argv[1]
with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
    for line in maps:
        span, mode = line.split()[:2]
        start, end = (int(part, 16) for part in span.split("-"))
        if mode[0] == "r":
            try:
                memory.seek(start)
                sys.stdout.buffer.write(memory.read(end - start))
            except (OSError, ValueError, OverflowError):
                pass
"#;

/// A process of the user that holds a key and lets itself be traced. (Where Yama is on, a process
/// has to say so; valetkey does not.)
struct Holder {
    child: Child,
    _open: Option<ChildStdin>,
}

impl Holder {
    fn of(key: &Key) -> Self {
        let script = "import ctypes, os; ctypes.CDLL(None).prctl(0x59616d61, ctypes.c_ulong(-1), 0, 0, 0); \
                      print('ready', flush=True); os.read(0, 1)";
        let holder = run_as("valet", "/usr/bin/python3").args(["-c", script]).env("DEPLOY_KEY", key.private());
        let mut child = holder.stdin(Stdio::piped()).spawn();
        let open = child.stdin.take();
        assert_eq!(held::first_line(child.stdout.as_mut().expect("a pipe")), "ready");
        Self { child, _open: open }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs one attack on a process, in a folder of the attacker's. What it printed and what files
/// it left are searched for the key.
fn gets_the_key(key: &Key, attack: impl Fn(u32) -> valetkey_integration::Run, pid: u32) -> (bool, Finished) {
    let folder = held::folder_for("valet");
    let finished = attack(pid).within(folder.path()).finish();
    let mut loot = finished.output().into_bytes();
    for entry in fs::read_dir(folder.path()).expect("a folder").flatten() {
        loot.extend(fs::read(entry.path()).expect("a file of the attack"));
    }
    (key.is_in(&loot), finished)
}

#[track_caller]
fn fails_at_valetkey_and_works_elsewhere(attack: impl Fn(u32) -> valetkey_integration::Run) {
    let key = Key::ed25519("deploy");
    let (held, holder) = (Held::around(&key, &[], ""), Holder::of(&key));
    let (found, finished) = gets_the_key(&key, &attack, holder.child.id());
    assert!(found, "the control found no key\n{}", finished.report());
    let (found, finished) = gets_the_key(&key, &attack, held.pid());
    assert!(!found, "the key was found\n{}", finished.report());
    assert!(finished.output().to_lowercase().contains("permi"), "{}", finished.report());
    let _ = held.release();
}

#[test]
fn by_its_memory_in_proc() {
    fails_at_valetkey_and_works_elsewhere(|pid| {
        let script = format!("/usr/bin/python3 -c '{READ_MEMORY}' {pid} >memory");
        run_as("valet", "sh").args(["-c", &script])
    });
}

#[test]
fn by_a_core_dump_that_gcore_makes() {
    fails_at_valetkey_and_works_elsewhere(|pid| run_as("valet", "gcore").args(["-o", "core", &pid.to_string()]));
}

#[test]
fn by_a_debugger() {
    fails_at_valetkey_and_works_elsewhere(|pid| {
        let gdb = run_as("valet", "gdb").args(["-batch", "-nx", "-p", &pid.to_string()]);
        gdb.args(["-ex", "generate-core-file core", "-ex", "detach"])
    });
}

#[test]
fn by_its_initial_environment() {
    fails_at_valetkey_and_works_elsewhere(|pid| run_as("valet", "cat").arg(format!("/proc/{pid}/environ")));
}

#[test]
fn its_entries_in_proc_belong_to_root_and_its_core_limit_is_zero_and_its_childs_is_not() {
    let key = Key::ed25519("deploy");
    let held = Held::around(&key, &[], "cat /proc/$$/limits >limits");
    let environ = fs::metadata(format!("/proc/{}/environ", held.pid())).expect("an entry");
    assert_eq!(environ.uid(), 0, "the kernel gives away what cannot be dumped");
    let limit = |limits: &str| {
        let line = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a line");
        line.split_whitespace().nth(4).expect("a soft limit").to_owned()
    };
    let own = fs::read_to_string(format!("/proc/{}/limits", held.pid())).expect("limits");
    let childs = fs::read_to_string(held.runtime().join("limits")).expect("limits");
    assert_eq!(limit(&own), "0");
    assert_ne!(limit(&childs), "0", "it was started with a limit that allows core dumps");
    let _ = held.release();
}

#[test]
fn by_a_crash() {
    for signal in ["ABRT", "SEGV"] {
        let key = Key::ed25519("deploy");
        let held = Held::around(&key, &[], "");
        let (pid, folder) = (held.pid(), held.runtime().to_owned());
        let give_up = Instant::now() + Duration::from_secs(20);
        // Rust takes the first SIGSEGV to look for a stack overflow: it is sent until it works.
        while fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
            assert!(Instant::now() < give_up, "valetkey lives on");
            let _ = run_as("valet", "kill").args([&format!("-{signal}"), &pid.to_string()]).finish();
        }
        let names = || fs::read_dir(&folder).expect("the folder").flatten().map(|entry| entry.file_name());
        let cores = names().filter(|name| name.to_string_lossy().contains("core")).count();
        let asked = held.beside("ssh-add").arg("-l").finish();
        assert!(asked.code != 0 && !asked.output().contains(&key.fingerprint()), "{}", asked.report());
        let (_held, status) = held.ended();
        assert!(status.signal().is_some() && !status.core_dumped(), "{status:?}");
        assert_eq!(cores, 0);
    }
}

#[test]
fn but_the_wrapped_command_may_crash_and_leave_its_core() {
    // The control of a crash: the same limit and the same signal, without valetkey's protection.
    // Where the kernel hands cores to a program, that program has it, and nothing is to be seen.
    let handed_on = fs::read_to_string("/proc/sys/kernel/core_pattern").expect("a pattern").starts_with(['|', '/']);
    let key = Key::ed25519("deploy");
    let script = "sh -c 'kill -SEGV $$'; echo $? >code; ls >files";
    let held = Held::around(&key, &[], script);
    let read = |name: &str| fs::read_to_string(held.runtime().join(name)).expect("a file of the script");
    assert_eq!(read("code"), "139\n");
    assert!(handed_on || read("files").contains("core"), "{}", read("files"));
    let _ = held.release();
}
