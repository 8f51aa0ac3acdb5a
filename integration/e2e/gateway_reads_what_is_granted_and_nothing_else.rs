//! What a hostile install script would try through the gateway, from inside a RUN step of a real
//! build. The image has a real SSH client for it. Each attack fails, the step and the summary say
//! why, and the clone of the granted repository works in the same step.

use valetkey_integration::engine::BASE_IMAGE;
use valetkey_integration::process::finish;
use valetkey_integration::{Engine, Finished, GatewayBuild, GitServer, Run, WaitingStep};

const ENGINE: &str = "docker-28";

/// Asks the agent to sign with a key that it does not list, which ssh-keygen would not even ask
/// for. A success where the answer is anything but a failure (SSH_AGENT_FAILURE, 5).
const SIGN: &str = r#"
import base64, os, socket, struct, sys
text = lambda data: struct.pack(">I", len(data)) + data
body = b"\x0d" + text(base64.b64decode(sys.argv[1])) + text(b"SSHSIG" + bytes(64)) + struct.pack(">I", 0)
agent = socket.socket(socket.AF_UNIX)
agent.connect(os.environ["SSH_AUTH_SOCK"])
agent.sendall(text(body))
answer = agent.recv(5, socket.MSG_WAITALL)
print("the agent answered", answer, file=sys.stderr)
sys.exit(0 if answer[4:] != b"\x05" else 1)
"#;

/// A build whose key opens another repository too, and whose image keeps its SSH client.
fn hostile(attack: &str) -> GatewayBuild {
    let build = GatewayBuild::new();
    build.server.add_package("platform/payroll.git");
    let script = format!(
        "if {{ {attack}\n}}; then echo 'the attack worked' >&2; exit 9; fi\n\
         git clone -q {{url}} /cloned || {{ echo 'the control failed' >&2; exit 8; }}\n"
    );
    let script = build.filled(&script).replace("{public}", build.key.public().split(' ').nth(1).expect("a key"));
    let steps = "COPY attack sign /\nRUN --mount=type=ssh sh /attack";
    build
        .writing("sign", SIGN)
        .writing("attack", &script)
        .writing("Dockerfile", &format!("FROM {BASE_IMAGE}\n{steps}\n"))
}

/// Every reference of a repository of the server.
fn refs(server: &GitServer, name: &str) -> String {
    let path = server.state().join("srv/repositories").join(name);
    let git = Run::new("git").args(["-c", "safe.directory=*", "--git-dir"]).arg(path);
    git.args(["for-each-ref"]).succeed().stdout
}

/// Tries the attack: it must fail for this reason, shown in the step and in the summary, and
/// cost no login. The one login is the control's.
#[track_caller]
fn fails(attack: &str, reason: &str) -> Finished {
    let build = hostile(attack);
    let reason = build.filled(reason);
    let before = refs(&build.server, "platform/omnibus.git");
    let finished = build.build(&Engine::named(ENGINE)).succeed();
    let finished = finished.expect(&build.carried("platform/omnibus")).expect(&format!("valetkey: {reason}"));
    let shown = finished.stderr.lines().any(|line| line.contains("refused") && line.contains(&reason));
    assert!(shown, "the summary does not say {reason:?}\n{}", finished.report());
    build.expect_logins(&finished, 1);
    assert_eq!(refs(&build.server, "platform/omnibus.git"), before, "the repository was changed");
    finished
}

#[test]
fn a_push_is_refused_by_name_and_changes_nothing() {
    let attack = "git clone -q {url} /mine && cd /mine && git push -q origin HEAD:refs/heads/evil";
    let build = hostile(attack);
    let before = refs(&build.server, "platform/omnibus.git");
    assert!(before.contains("refs/heads/main"), "{before}");
    let reason = format!("a push to [127.0.0.1]:{}/platform/omnibus was refused", build.server.port);
    let finished = build.build(&Engine::named(ENGINE)).succeed();
    let finished = finished.expect(&format!("valetkey: {reason}")).expect(&format!("refused: {reason}"));
    build.expect_logins(&finished, 2);
    assert_eq!(refs(&build.server, "platform/omnibus.git"), before, "the repository was changed");
}

#[test]
fn another_repository_is_not_read() {
    let other = "$(echo {url} | sed s/omnibus/payroll/)";
    fails(&format!("git clone {other} /stolen"), "[127.0.0.1]:{port}/platform/payroll is not granted to this build")
        .expect("granted: [127.0.0.1]:");
}

#[test]
fn no_path_leads_to_another_repository() {
    let paths = [
        ("'platform/omnibus/../payroll.git'", "goes through"),
        ("'platform/omnibus' 'platform/payroll'", "has a quote in it"),
        ("'platform/omnibus;id'", "has a character in it that no repository needs"),
        ("'platform/%2e%2e/platform/payroll'", "has a percent sign in it"),
        ("'platform/pay\u{155}oll'", "has a character in it that is not ASCII"),
    ];
    let ask = |(path, _): (&str, _)| format!("ssh -p {{port}} git@127.0.0.1 \"git-upload-pack {path}\" </dev/null");
    let attacks = paths.map(ask).join(" || ");
    let finished = fails(&attacks, "the repository's path goes through").expect_not("refs/heads/main");
    for (_, reason) in paths {
        let times = finished.stderr.matches(&format!("the repository's path {reason}")).count();
        assert!(times >= 2, "{reason}: not in the step and the summary\n{}", finished.report());
    }
}

/// The most memory that valetkey may have taken, in kB.
const MEMORY: u64 = 64 * 1024;

/// By the guest, and by frames of its own: a megabyte in a sign request for the gateway's key.
const LONG: &str = r#"
import os, socket, struct
text = lambda data: struct.pack(">I", len(data)) + data
agent = socket.socket(socket.AF_UNIX)
agent.connect(os.environ["SSH_AUTH_SOCK"])
agent.sendall(text(b"\x0b"))
size, = struct.unpack(">I", agent.recv(4, socket.MSG_WAITALL))
listed = agent.recv(size, socket.MSG_WAITALL)
length, = struct.unpack(">I", listed[5:9])
key = listed[9:9 + length]
try:
    agent.sendall(text(b"\x0d" + text(key) + text(b"git-upload-pack '" + b"a" * (1 << 20) + b"'") + bytes(4)))
    answer = agent.recv(5, socket.MSG_WAITALL)
except OSError:
    answer = b""
assert answer in (b"", b"\x00\x00\x00\x01\x05"), answer
print("a megabyte was refused")
"#;

#[test]
fn a_path_of_a_megabyte_costs_no_memory_and_the_next_clone_works() {
    let step = WaitingStep::new();
    // A kernel takes 128 kB as one argument at most; the rest comes as further words.
    let attack = "a=$(head -c 104858 /dev/zero | tr '\\0' a); ssh='ssh -p {port} git@127.0.0.1'; \
        $ssh git-upload-pack $a $a $a $a $a $a $a $a $a $a </dev/null || \
        $ssh \"git-upload-pack '$(echo $a | head -c 2000)'\" </dev/null || ! python3 /sign";
    let build = hostile(attack).writing("sign", LONG);
    let script = std::fs::read_to_string(build.project.file("attack")).expect("the script");
    let build = build.writing("attack", &format!("{script}{}\n", step.bare_command()));
    let child = build.build(&Engine::named(ENGINE)).spawn();
    let mut arrived = step.arrived();
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("valetkey runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak").trim();
    let peak: u64 = peak.trim_end_matches(" kB").parse().expect("a number");
    assert!(peak < MEMORY, "{peak} kB");
    arrived.go_on();
    let finished = finish(child, "valetkey run").expect_code(0).expect("the command is too long to be a Git command");
    let finished = finished.expect("a megabyte was refused").expect("refused: the repository's path is too long");
    build.expect_logins(&finished.expect(&build.carried("platform/omnibus")), 1);
}

#[test]
fn another_port_is_not_reached() {
    let other = GitServer::up();
    other.add_package("platform/omnibus.git");
    let attack = format!("git clone ssh://git@127.0.0.1:{}/platform/omnibus.git /stolen", other.port);
    // One is there already: who started it looked whether it listens.
    let before = other.log().matches("Connection from").count();
    fails(&attack, &format!("[127.0.0.1]:{} is not granted to this build", other.port));
    assert_eq!(other.log().matches("Connection from").count(), before, "{}", other.log());
}

#[test]
fn no_other_command_runs_at_the_server() {
    fails("ssh -p {port} git@127.0.0.1 id", "the command \"id\" is not one of Git's");
}

#[test]
fn no_shell_is_opened() {
    fails("ssh -p {port} git@127.0.0.1 </dev/null", "a shell was asked for");
}

/// What the agent lists, a signature by the very key of the grant, and a login beside the tunnel
/// by the image's own ssh.
#[test]
fn the_agent_signs_nothing() {
    let attack = "ssh-add -L | tee /listed | grep -v ' valetkey gateway$' | grep . || \
        python3 /sign {public} || \
        /usr/bin/ssh -o BatchMode=yes -o StrictHostKeyChecking=no -p {port} git@127.0.0.1 git-upload-pack platform/payroll.git";
    let build = hostile(attack);
    let finished = build.build(&Engine::named(ENGINE)).succeed().expect(&build.carried("platform/omnibus"));
    let finished = finished
        .expect("refused: the key is not one that was lent")
        .expect("a program asked the agent for keys and got none");
    let finished = finished.expect("Permission denied (publickey)");
    build.expect_logins(&finished, 1);
}
