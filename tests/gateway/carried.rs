//! What the gateway carries: Git's commands for the granted repositories, whole and unchanged.

use super::place::Place;
use crate::agent::server::me;

#[test]
fn a_clone_a_fetch_and_an_archive_of_a_granted_repository() {
    let place = Place::new();
    let lending = place.lending(&["org/repo"], "");
    let url = place.url("org/repo");
    let ended = place.sh(
        &lending,
        &format!(
            "set -e; git clone -q {url} a; cat a/file; git -C a fetch -q; git -C a fsck; \
             git clone -q --depth 1 {url} b; git clone -q --filter=blob:none {url} c; cat c/file; \
             git -c protocol.version=0 clone -q {url} d; git archive --remote={url} main | tar -t"
        ),
    );
    ended.expect_code(0);
    assert_eq!(ended.stdout.matches("a file").count(), 2, "{}", ended.report());
    assert!(ended.stdout.contains("\nfile\n"), "the archive: {}", ended.report());
    let carried = ended.receipt["repositories"].as_array().unwrap();
    assert!(carried.iter().all(|one| one["exit"] == 0), "{}", ended.report());
    assert!(carried.iter().any(|one| one["command"] == "archive"), "{}", ended.report());
    assert_eq!(carried.len(), place.server.accepted(), "a session each: {}", ended.report());
    assert_eq!((ended.refusals(), &ended.receipt["lending"]), (0, &"gateway".into()), "{}", ended.report());
    assert!(ended.stderr.contains("the build held no key"), "{}", ended.report());
}

#[test]
fn a_repository_of_20_megabytes_and_eight_clones_at_once() {
    let place = Place::new();
    // Bytes that do not compress, the same every time.
    let mut state = 1u32;
    let mut noise = String::new();
    for _ in 0..20_000_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise.push(char::from(b' ' + u8::try_from(state >> 26).unwrap()));
    }
    place.repository("org/large", &noise);
    let lending = place.lending(&["org/repo", "org/large"], "");
    let (large, small) = (place.url("org/large"), place.url("org/repo"));
    let ended = place.sh(
        &lending,
        &format!(
            "set -e; git clone -q --bare {large} large; git -C large fsck; cd large; git cat-file blob main:file | wc -c; \
             cd ..; for n in 1 2 3 4 5 6 7 8; do git clone -q {small} s$n & pids=\"$pids $!\"; done; \
             for pid in $pids; do wait $pid; done; cat s*/file | wc -l"
        ),
    );
    ended.expect_code(0);
    let numbers: Vec<&str> = ended.stdout.split_whitespace().collect();
    assert_eq!(numbers, ["20000000", "8"], "{}", ended.report());
    assert_eq!(place.server.accepted(), 9);
}

#[test]
fn the_repository_chooses_the_key() {
    // Each key opens one repository, as a forge's deploy keys do.
    let place = Place::new();
    place.keys.ed25519("second");
    let only = |key: &str, name: &str| {
        let public = std::fs::read_to_string(place.keys.path(key).with_extension("pub")).unwrap();
        let bare = place.bare(name).display().to_string();
        format!(
            "command=\"case \\\"$SSH_ORIGINAL_COMMAND\\\" in *{bare}*) exec sh -c \\\"$SSH_ORIGINAL_COMMAND\\\";; esac; exit 9\" {public}"
        )
    };
    let keys = [only("key", "org/repo"), only("second", "org/other")].concat();
    std::fs::write(place.server.0.authorized_keys(), keys).unwrap();
    let second = place.config(&["org/other"], "").replace("/key\"", "/second\"");
    let second = second.split_once("[[grant]]").unwrap().1;
    let lending = place.lending(&["org/repo"], &format!("[[grant]]{second}"));
    let (one, two) = (place.url("org/repo"), place.url("org/other"));
    let ended = place.sh(&lending, &format!("git clone -q {one} a && git clone -q {two} b && cat a/file b/file"));
    ended.expect_code(0);
    assert_eq!(ended.stdout, "a file\nanother file\n", "{}", ended.report());
}

#[test]
fn the_servers_own_answer_and_exit_status_reach_git_unchanged() {
    let place = Place::new();
    let lending = place.lending(&["org/missing"], "");
    let url = place.url("org/missing");
    let ended = place.sh(&lending, &format!("git clone -q {url} a; echo code $?"));
    assert!(ended.stderr.contains("does not appear to be a git repository"), "{}", ended.report());
    assert!(ended.stdout.contains("code 128"), "{}", ended.report());
    assert_eq!(ended.receipt["repositories"][0]["exit"], 128, "{}", ended.report());
}

#[test]
fn a_standard_stream_that_is_closed_is_no_way_into_the_tunnel() {
    let place = Place::new();
    let lending = place.lending(&["org/repo"], "");
    let (user, port, path) = (crate::agent::server::me(), place.server.0.port(), place.bare("org/repo"));
    let fetch = format!("ssh -p {port} {user}@127.0.0.1 \"git-upload-pack '{}'\"", path.display());
    let ended = place.sh(
        &lending,
        &format!(
            "printf 0000 | {fetch} >whole; echo $?; {fetch} <&- 2>said | cmp - whole; grep -c 'remote end' said
             printf 0000 | {fetch} >&-; printf 0000 | {fetch} >closed 2>&-; cmp closed whole; echo $?"
        ),
    );
    ended.expect_code(0);
    assert_eq!((ended.stdout.as_str(), ended.refusals()), ("0\n1\n0\n", 0), "{}", ended.report());
}

#[test]
fn a_pipe_that_git_gave_stays_one_that_waits() {
    let place = Place::new();
    let lending = place.lending(&["org/repo"], "");
    let (user, port, path) = (crate::agent::server::me(), place.server.0.port(), place.bare("org/repo"));
    let fetch = format!("ssh -p {port} {user}@127.0.0.1 \"git-upload-pack '{}'\"", path.display());
    // O_NONBLOCK is 04000 and would be shared with whoever else holds the pipe.
    let script = format!(
        "(printf 0000 | {fetch}; grep flags: /proc/self/fdinfo/3 3>&1 >flags) | cat >out; wc -c <out; cat flags"
    );
    let ended = place.sh(&lending, &script);
    ended.expect_code(0);
    let said: Vec<_> = ended.stdout.split_whitespace().collect();
    let [length, "flags:", flags] = said.as_slice() else { panic!("{}", ended.report()) };
    assert_ne!(*length, "0", "the control: it was written to");
    assert_eq!(u32::from_str_radix(flags, 8).unwrap() & 0o4003, 1, "open for writing, and it waits: {flags}");
}

#[test]
fn a_push_where_the_grant_may_write() {
    expect_a_push_only_where_the_grant_may_write(&Place::new());
}

/// Pushes with a grant to read, which is refused by name and changes nothing, and with one to write.
pub(crate) fn expect_a_push_only_where_the_grant_may_write(place: &Place) {
    let before = place.refs("org/repo");
    let script = format!(
        "set -e; git clone -q {} a; cd a; echo x >x; git add x; \
         git -c user.name=t -c user.email=t@t.invalid commit -q -m two; git push -q",
        place.url("org/repo")
    );
    let refused = place.sh(&place.lending(&["org/repo"], ""), &script);
    assert_ne!(refused.code, Some(0), "{}", refused.report());
    let reason =
        format!("/{} was refused: this build may only read it", place.granted("org/repo").trim_start_matches('/'));
    refused.expect_refused(&reason, Some("access = \"write\""));
    assert_eq!(place.refs("org/repo"), before, "{}", refused.report());
    let pushed = place.sh(&place.lending(&["org/repo"], "access = \"write\""), &script);
    pushed.expect_code(0);
    assert_ne!(place.refs("org/repo"), before, "{}", pushed.report());
}

#[test]
fn a_private_crate_that_cargo_fetches_with_the_git_command() {
    let place = Place::new();
    let manifest = "[package]\nname = \"private\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";
    place.repository_of("org/private", &[("Cargo.toml", manifest), ("src/lib.rs", "pub const PRICE: u32 = 7;\n")]);
    let lending = place.lending(&["org/private"], "");
    let url = place.url("org/private");
    let ended = place.sh(
        &lending,
        &format!(
            "set -e; mkdir -p app/src; cd app; echo 'fn main() {{}}' >src/main.rs; \
             printf '[package]\\nname = \"app\"\\nversion = \"1.0.0\"\\nedition = \"2021\"\\n[dependencies]\\nprivate = {{ git = \"{url}\" }}\\n' >Cargo.toml; \
             CARGO_HOME=$HOME/cargo CARGO_NET_GIT_FETCH_WITH_CLI=true RUSTC=$(dirname {cargo})/rustc {cargo} fetch --quiet; grep -c 'name = \"private\"' Cargo.lock",
            cargo = env!("CARGO")
        ),
    );
    ended.expect_code(0);
    assert_eq!(ended.stdout, "1\n", "{}", ended.report());
    assert!(place.server.accepted() > 0);
}

#[test]
fn a_submodule_where_both_are_granted_and_not_where_one_is() {
    let place = Place::new();
    let modules = format!("[submodule \"lib\"]\n\tpath = lib\n\turl = {}\n", place.url("org/other"));
    place.repository_of("org/whole", &[(".gitmodules", &modules)]);
    place.link("org/whole", "lib", "org/other");
    let script = format!("git clone -q --recurse-submodules {} a; cat a/lib/file", place.url("org/whole"));
    let both = place.sh(&place.lending(&["org/whole", "org/other"], ""), &script);
    assert_eq!(both.stdout, "another file\n", "{}", both.report());
    let one = place.sh(&place.lending(&["org/whole"], ""), &script);
    assert_eq!(one.stdout, "", "{}", one.report());
    one.expect_refused("org/other is not granted to this build", Some("to the repos of its [[grant]]"));
}

/// As in a loop that reads its lines from stdin: `while read -r line; do ssh -n …; done`.
#[test]
fn a_command_with_n_leaves_stdin_to_whoever_comes_next() {
    let place = Place::new();
    let lending = place.lending(&["org/repo"], "");
    let port = place.server.0.port();
    let ask = |option: &str| {
        format!(
            "printf 'next\\n' >in; {{ ssh {option} -p {port} {}@127.0.0.1 \"git-upload-pack '{}'\" >refs; cat; }} <in; \
             grep -q refs/heads/main refs && echo asked",
            me(),
            place.granted("org/repo")
        )
    };
    let ended = place.sh(&lending, &format!("{}; {}", ask("-n"), ask("-T")));
    // The control, without -n: ssh takes what is there.
    assert_eq!(ended.stdout, "next\nasked\nasked\n", "{}", ended.report());
}
