//! Build secrets of the built program, with a double of docker that reads what it is lent.

use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use valetkey::secret::MAX_SECRET;

use super::place::{Place, Ran, ended, line_of, ran, until};
use crate::keys::made;

const SECRET: &str = "s3cret-of-a-test";

/// Answers bake's questions; otherwise writes the path of the last secret into the file `path`,
/// and runs the script that the variable DO holds, in which it is `$path`.
const DOCKER: &str = r#"#!/bin/sh
for word; do
  case $word in
    --print) echo '{"target": {"app": {}}}'; exit ;;
    --help) echo ' --allow stringArray '; exit ;;
    *src=*) path=${word##*src=} ;;
  esac
done
echo "$path" >path
eval "$DO"
"#;

/// What makes valetkey lend out of a process, and as a file in memory.
const TOOLS: [&[&str]; 2] = [&["docker", "build", "."], &["docker", "buildx", "bake"]];

fn place() -> Place {
    let place = Place::new();
    std::fs::create_dir(place.at("bin")).unwrap();
    // Written by another process: a program that is open for writing does not start.
    let mut writer = Command::new("sh");
    writer.args(["-c", "cat >\"$0/docker\"; chmod 755 \"$0/docker\""]).arg(place.at("bin"));
    let mut child = writer.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(DOCKER.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    place
}

/// `valetkey run` with these flags around a tool in whose place the script runs, and whose output
/// is not masked.
fn lending(place: &Place, flags: &[&str], tool: &[&str], script: &str) -> Command {
    let mut command = place.valetkey(&[&["run", "--no-mask"], flags, &["--"], tool].concat());
    let path = format!("{}:{}", place.at("bin").display(), std::env::var("PATH").unwrap());
    command.env_remove("KEY").env("PATH", path).env("DO", script).env("TOKEN", SECRET);
    command
}

fn lend(place: &Place, flags: &[&str], tool: &[&str], script: &str) -> Ran {
    ran(&mut lending(place, flags, tool, script))
}

fn read(place: &Place, name: &str) -> Vec<u8> {
    std::fs::read(place.project().join(name)).unwrap()
}

/// The path that was lent, once the tool runs.
fn lent_path(place: &Place) -> PathBuf {
    PathBuf::from(line_of(&place.project().join("path")))
}

/// Files in memory that hold the secret.
fn in_memory() -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from("/dev/shm")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let kind = entry.file_type();
            if kind.as_ref().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if kind.is_ok_and(|kind| kind.is_file()) {
                let bytes = std::fs::read(&path).unwrap_or_default();
                found.extend(bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()).then_some(path));
            }
        }
    }
    found
}

#[test]
fn a_double_of_docker_reads_every_byte_and_nobody_can_change_one() {
    let place = place();
    let all: Vec<u8> = (0..=255).chain(*b"\n\x1b[31m$(id)`id`\n- {a: *b}\n\0\n").collect();
    place.write("all", &all);
    for tool in TOOLS {
        let script =
            "cat <\"$path\" >got; echo x 2>/dev/null >>\"$path\"; stat -L -c %a \"$path\"; stat -L -f -c %T \"$path\"";
        let ran = lend(&place, &["--secret", "all=file:all"], tool, script);
        ran.is(0).shows(&["600\n"]).never_says(&["$(id)", "warning"]);
        assert!(ran.out.contains("tmpfs"), "{tool:?}: {ran:?}");
        assert_eq!(read(&place, "got"), all);
    }
    let script = "(echo x >>\"$path\") 2>/dev/null || echo sealed; cat <\"$path\" >got";
    lend(&place, &["--secret", "all=file:all"], TOOLS[0], script).is(0).shows(&["sealed"]);
    assert_eq!(read(&place, "got"), all);
}

#[test]
fn the_variable_is_gone_and_no_process_below_has_it() {
    let place = place();
    let script = "for p in $(cat /proc/$PPID/task/$PPID/children); do
        tr '\\0' '\\n' </proc/$p/environ | cat - /proc/$p/cmdline | grep -a -c 's3cret[-]of'; done; echo \"${TOKEN-unset}\"";
    for tool in TOOLS {
        let ran = lend(&place, &["--secret", "t=env:TOKEN"], tool, script);
        assert_eq!(ran.is(0).out, "0\n0\n0\nunset\n", "witness, holder and command: {ran:?}");
        ran.never_says(&[SECRET]);
    }
    // The control: the same search finds it in the environment that it was given in.
    let ran = ran(place
        .command("sh")
        .args(["-c", "tr '\\0' '\\n' </proc/$$/environ | grep -a -c s3cret-of"])
        .env("T", SECRET));
    assert_eq!(ran.out, "1\n");
}

#[test]
fn a_lease_of_secrets_alone_leaves_the_users_agent_and_says_what_it_lent() {
    let place = place();
    let mut command =
        lending(&place, &["--secret", "t=env:TOKEN", "--receipt", "r"], TOOLS[0], "echo $SSH_AUTH_SOCK $*");
    let ran = ran(command.env("SSH_AUTH_SOCK", "/my/own/agent"));
    ran.is(0).shows(&["/my/own/agent build --secret id=t,src="]).never_says(&["--ssh", "login", "warning", SECRET]);
    ran.says(&["lent the secret t (raw, 16 bytes) from env:TOKEN", "the lease is over"]);
    let receipt: Value = serde_json::from_slice(&read(&place, "r")).unwrap();
    let secret = serde_json::json!({"id": "t", "source": "env:TOKEN", "form": "raw", "bytes": 16});
    assert_eq!((&receipt["secrets"], &receipt["lending"]), (&serde_json::json!([secret]), &"none".into()));
    assert_eq!(receipt["identities"], serde_json::json!([]));
}

#[test]
fn a_form_of_the_config_is_what_the_build_reads_and_a_flag_replaces_it() {
    let place = place();
    let config = "[[secret]]\nid = \"n\"\nsource = \"env:TOKEN\"\nform = \"netrc\"\nhost = \"git.example.com\"\nlogin = \"ci\"\n";
    place.write("valetkey.toml", config);
    let ran = lend(&place, &[], TOOLS[0], "cat \"$path\"");
    assert_eq!(ran.is(0).out, format!("machine git.example.com login ci password {SECRET}\n"));
    ran.says(&["lent the secret n (netrc, 59 bytes) from env:TOKEN"]);
    let ran = lend(&place, &["--secret", "n=env:TOKEN"], TOOLS[0], "cat \"$path\"");
    assert_eq!(ran.is(0).out, SECRET);
}

#[test]
fn after_success_failure_and_a_signal_no_path_is_left() {
    let place = place();
    for tool in TOOLS {
        for end in ["exit 0", "exit 3", "kill -TERM $$", "kill -KILL $$"] {
            let ran = lend(&place, &["--secret", "t=env:TOKEN"], tool, &format!("cat \"$path\"; {end}"));
            assert_eq!(ran.out, SECRET, "the control");
            assert!(!lent_path(&place).exists(), "{tool:?} {end}");
            assert!(!in_memory().contains(&lent_path(&place)));
        }
    }
    assert!(place.leases().is_empty(), "{:?}", place.leases());
}

/// A lease whose tool waits.
fn held(place: &Place, tool: &[&str]) -> (Child, PathBuf) {
    let mut command = lending(place, &["--secret", "t=env:TOKEN"], tool, "exec sleep 600");
    // The tool outlives valetkey, and would keep pipes open.
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let path = lent_path(place);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), SECRET, "the control");
    (child, path)
}

#[test]
fn after_a_kill_of_valetkey_no_path_and_no_file_is_left() {
    for tool in TOOLS {
        let place = place();
        let (mut child, path) = held(&place, tool);
        let is_file = path.starts_with("/dev/shm");
        assert_eq!(is_file, tool.contains(&"bake"), "{}", path.display());
        assert_eq!(in_memory().contains(&path), is_file, "the control of the search");
        let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        until("the path is gone", || (!path.exists()).then_some(()));
        assert!(!in_memory().contains(&path));
        assert!(!is_file || !path.parent().unwrap().exists(), "its folder is left");
        for folder in place.leases() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
                assert!(!bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()));
            }
        }
        // The tool alone is left.
        let left = |number: &&str| Path::new("/proc").join(number).join("exe").read_link().is_ok();
        let left: Vec<&str> = until("the others are gone", || {
            let left: Vec<&str> = children.split_whitespace().filter(left).collect();
            (left.len() == 1).then_some(left)
        });
        made::run("kill", &["-KILL", left[0]]);
    }
}

#[test]
fn an_interrupt_of_the_terminal_takes_no_secret_from_a_build_that_still_ends() {
    use std::os::unix::process::CommandExt as _;
    for tool in TOOLS {
        let place = place();
        let script = "trap 'cat \"$path\" >got; exit 5' INT; echo >ready; while :; do sleep 0.01; done";
        let mut command = lending(&place, &["--secret", "t=env:TOKEN"], tool, script);
        let child = command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        line_of(&place.project().join("ready"));
        made::run("kill", &["-INT", "--", &format!("-{}", child.id())]);
        ended(child).is(5);
        assert_eq!(read(&place, "got"), SECRET.as_bytes());
    }
}

#[test]
fn at_the_time_limit_the_secret_is_gone_while_the_command_goes_on() {
    for tool in TOOLS {
        let place = place();
        let script = "while [ -e \"$path\" ]; do sleep 0.01; done; echo gone";
        let ran = lend(&place, &["--secret", "t=env:TOKEN", "--time-limit", "1s"], tool, script);
        ran.is(0).shows(&["gone\n"]).says(&["the lease ended at its time limit"]);
    }
}

#[test]
fn a_secret_at_the_limit_is_lent_and_one_byte_more_is_refused_before_the_tool_starts() {
    for tool in TOOLS {
        let place = place();
        place.write("large", vec![b'x'; MAX_SECRET]);
        let ran = lend(&place, &["--secret", "l=file:large"], tool, "wc -c <\"$path\"");
        assert_eq!(ran.is(0).out.trim(), MAX_SECRET.to_string());
        std::fs::remove_file(place.project().join("path")).unwrap();
        place.write("larger", vec![b'x'; MAX_SECRET + 1]);
        let ran = lend(&place, &["--secret", "l=file:larger"], tool, "echo started");
        ran.is(111).says(&["the secret l cannot be lent as raw", "a builder takes 512000 bytes"]);
        assert_eq!(ran.out, "");
        assert!(!place.project().join("path").exists());
    }
}

#[test]
fn a_source_that_gives_nothing_or_too_much_stops_the_run_without_repeating_it() {
    let place = place();
    place.write("empty", "");
    place.write("two", format!("{SECRET}\n{SECRET}\n"));
    let config = "[[secret]]\nid = \"n\"\nsource = \"file:two\"\nform = \"cargo\"\nregistry = \"r\"\n";
    place.write("valetkey.toml", config);
    for (flags, says) in [
        (&["--secret", "t=env:MISSING"][..], "no secret t from env:MISSING: the variable is not set"),
        (&["--secret", "t=file:empty"], "what file:empty holds is empty"),
        (&["--secret", "t=file:none"], "there is no such file"),
        (&[], "has more than one line"),
    ] {
        let ran = lend(&place, flags, TOOLS[0], "echo started");
        ran.is(111).says(&[says, "hint: "]).never_says(&[SECRET]);
        assert_eq!(ran.out, "");
    }
    let ran = lend(&place, &["--secret", SECRET], TOOLS[0], "");
    ran.is(110).says(&["--secret", "it has no id"]).never_says(&[SECRET]);
}

#[test]
fn the_first_source_that_is_there_is_lent_and_named() {
    let place = place();
    let config = "[[secret]]\nid = \"t\"\nsource = [\"env:MISSING\", \"file:none\", \"env:TOKEN\"]\n";
    place.write("valetkey.toml", config);
    let ran = lend(&place, &[], TOOLS[0], "cat \"$path\"; echo \"${TOKEN-unset}\"");
    assert_eq!(ran.is(0).out, format!("{SECRET}unset\n"));
    ran.says(&["lent the secret t (raw, 16 bytes) from env:TOKEN"]);
    place.write("valetkey.toml", config.replace("env:TOKEN", "env:NONE"));
    let ran = lend(&place, &[], TOOLS[0], "echo started");
    ran.is(111).says(&["none of them is there", "env:MISSING: the variable is not set"]).never_says(&["started"]);
}

#[test]
fn what_the_tool_prints_of_a_secret_is_masked_where_nobody_sits_at_a_terminal() {
    let place = place();
    let mut command = place.valetkey(&["run", "--secret", "t=env:TOKEN", "--", "docker", "build", "."]);
    let path = format!("{}:{}", place.at("bin").display(), std::env::var("PATH").unwrap());
    let ran = ran(command.env("PATH", path).env("DO", "cat \"$path\"; echo; base64 <\"$path\"").env("TOKEN", SECRET));
    assert_eq!(ran.is(0).out, "***\n***\n");
}

#[test]
fn a_dry_run_names_secrets_and_reads_none() {
    let place = place();
    let ran = lend(&place, &["--dry-run", "--secret", "t=env:MISSING"], TOOLS[0], "echo started");
    ran.is(0).shows(&[
        "# lend env:MISSING as secret t in the form raw",
        "docker build --secret id=t,src=/",
        "unset MISSING",
    ]);
    ran.never_says(&["started"]);
}

#[test]
fn without_a_key_and_a_secret_there_is_nothing_to_lend() {
    let place = place();
    lend(&place, &[], TOOLS[0], "").is(110).says(&[
        "no key was named, and no secret",
        "--secret ID=SOURCE",
        "[[secret]]",
    ]);
}

/// The program may be run and not read, as some install it: the kernel then closes what a process
/// of it holds.
#[test]
fn a_program_that_may_not_be_read_lends_secrets_too() {
    let place = place();
    let copy = place.at("bin").join("valetkey");
    made::run("cp", &[super::place::VALETKEY, made::path_str(&copy)]);
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o111)).unwrap();
    assert_eq!(copy.metadata().unwrap().mode() & 0o777, 0o111);
    let mut command = lending(&place, &["--secret", "t=env:TOKEN"], TOOLS[0], "cat \"$path\"");
    let mut other = Command::new(&copy);
    other.args(command.get_args()).env_clear().current_dir(place.project()).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        other.env(name, value.unwrap_or_default());
    }
    command.stdin(Stdio::null());
    assert_eq!(ran(&mut other).is(0).out, SECRET);
}

#[test]
fn a_holder_that_was_stopped_or_killed_leaves_nothing_either() {
    for tool in TOOLS {
        for signal in ["STOP", "KILL"] {
            let place = place();
            let script = format!(
                "for p in $(cat /proc/$PPID/task/$PPID/children); do
                    if grep -qa lease-secrets /proc/$p/cmdline; then echo hit; kill -{signal} $p; fi; done"
            );
            let ran = lend(&place, &["--secret", "t=env:TOKEN"], tool, &script);
            assert_eq!(ran.is(0).out, "hit\n", "the control");
            let path = lent_path(&place);
            assert!(!path.exists() && !in_memory().contains(&path), "{tool:?} {signal}");
        }
    }
}
