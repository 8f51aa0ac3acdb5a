//! Keys that stay in the user's own agent: a real ssh-agent, and fakes of what no real one does.

use std::io::Read as _;
use std::process::{Command, Stdio};

use valetkey::agent::upstream::{MAX_FRAME, MAX_IDENTITIES, Upstream, UpstreamError};
use valetkey::signer::{RSA_SHA2_256, RSA_SHA2_512, SignError, fingerprint};

use super::agent::Agent;
use super::made::{self, KINDS, Kind};
use super::world::{World, blobs, pasted, said};

#[test]
fn every_key_of_a_real_agent_is_listed_and_signs_as_it_would_here() {
    let agent = Agent::new(&KINDS);
    let loaded = agent.world().load("agent").expect("identities");
    assert_eq!(blobs(&loaded), KINDS.map(|kind| &made::key(kind).blob[..]));
    for (identity, kind) in loaded.identities.iter().zip(KINDS) {
        assert_eq!(identity.comment, made::COMMENT);
        let signature = identity.signer.sign(b"data", RSA_SHA2_512).expect("a signature");
        // Ed25519 and RSA sign the same bytes the same way, wherever the key is.
        if [Kind::Ed25519, Kind::Rsa].contains(&kind) {
            let here = pasted(&made::key(kind).text).expect("a key").identities.remove(0);
            assert_eq!(here.signer.sign(b"data", RSA_SHA2_512).expect("ours"), signature);
        }
    }
}

#[test]
fn both_rsa_flags_mean_to_a_real_agent_what_they_mean_here() {
    let agent = Agent::new(&[Kind::Rsa]);
    let theirs = agent.world().load("agent").expect("a key").identities.remove(0);
    let ours = pasted(&made::key(Kind::Rsa).text).expect("a key").identities.remove(0);
    for flags in [RSA_SHA2_256, RSA_SHA2_512, RSA_SHA2_256 | RSA_SHA2_512] {
        assert_eq!(theirs.signer.sign(b"data", flags), ours.signer.sign(b"data", flags));
    }
    assert_eq!(theirs.signer.sign(b"data", 0), Err(SignError::Sha1));
}

#[test]
fn a_fingerprint_or_a_comment_chooses() {
    let agent = Agent::new(&[Kind::Ed25519, Kind::P256]);
    let other = made::folder();
    let path = other.path().join("other");
    let path = made::path_str(&path);
    made::run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "other", "-f", path]);
    agent.add(&["-q", path]);
    let mut world = agent.world();
    let print = fingerprint(&made::key(Kind::P256).blob);
    let listed = Command::new("ssh-add")
        .arg("-l")
        .env("SSH_AUTH_SOCK", &agent.socket)
        .output()
        .expect("ssh-add is needed for this test");
    assert!(String::from_utf8_lossy(&listed.stdout).contains(&print), "as ssh-add prints it");
    let loaded = world.load(&format!("agent:{print}")).expect("one");
    assert_eq!(blobs(&loaded), [&made::key(Kind::P256).blob[..]]);
    let loaded = world.load(&format!("agent:{}", made::COMMENT)).expect("two");
    assert_eq!(loaded.identities.len(), 2, "every key with exactly this comment");
    assert_eq!(world.load("agent:other").expect("one").identities.len(), 1);
    let said_none = said(&world.load("agent:nobody").expect_err("none"));
    assert!(said_none.contains("none of the 3 keys in the ssh-agent has this comment"));
    let wrong = fingerprint(b"nothing");
    let said_none = said(&world.load(&format!("agent:{wrong}")).expect_err("none"));
    assert!(said_none.contains("none of the 3 keys in the ssh-agent has this fingerprint"));
}

#[test]
fn no_agent_a_dead_agent_and_an_empty_agent_are_three_errors() {
    let mut world = World::default();
    assert!(said(&world.load("agent").expect_err("none")).contains("SSH_AUTH_SOCK is not set"));
    world.variables.insert("SSH_AUTH_SOCK", "".into());
    assert!(said(&world.load("agent").expect_err("none")).contains("SSH_AUTH_SOCK is not set"));
    world.variables.insert("SSH_AUTH_SOCK", "/nowhere/agent".into());
    assert!(said(&world.load("agent").expect_err("dead")).contains("no ssh-agent answers"));
    let long = format!("/{}", "x".repeat(200));
    world.variables.insert("SSH_AUTH_SOCK", long.into());
    assert!(said(&world.load("agent").expect_err("long")).contains("no ssh-agent answers"));
    let agent = Agent::new(&[]);
    for source in ["agent", "agent:me"] {
        let said = said(&agent.world().load(source).expect_err("empty"));
        assert!(said.contains("holds no keys, or is locked"), "{said}");
    }
}

#[test]
fn a_real_agent_that_has_lost_the_key_refuses() {
    let agent = Agent::new(&[Kind::Ed25519]);
    let identity = agent.world().load("agent").expect("a key").identities.remove(0);
    identity.signer.sign(b"data", 0).expect("the control: it signs");
    agent.add(&["-q", "-D"]);
    let error = identity.signer.sign(b"data", 0).expect_err("gone");
    assert_eq!(error, SignError::Upstream("the ssh-agent refused".to_owned()));
}

#[test]
fn our_own_socket_is_not_taken_for_the_users_agent() {
    let folder = made::folder();
    let path = folder.path().join("own");
    let _listener = valetkey::agent::socket::bind(&path).expect("a socket");
    let error = Upstream::new(path.into()).identities().expect_err("ourselves");
    assert_eq!(error, UpstreamError::Ourselves);
}

/// An agent in another process that answers one request in its own way.
struct Fake {
    child: std::process::Child,
    path: std::path::PathBuf,
    _folder: tempfile::TempDir,
}

impl Fake {
    /// `answer` is Python: `client` is the connection, `sys.argv[2]` a file with `bytes`.
    fn new(answer: &str, bytes: &[u8]) -> Self {
        let folder = made::folder();
        let path = folder.path().join("agent");
        let bytes = made::write(folder.path(), "answer", bytes);
        let program = format!(
            "import socket, sys\n\
             server = socket.socket(socket.AF_UNIX)\n\
             server.bind(sys.argv[1]); server.listen(1)\n\
             print('ready', flush=True)\n\
             client = server.accept()[0]; client.recv(5)\n\
             {answer}\n"
        );
        let mut child = Command::new("python3")
            .args(["-c", &program])
            .args([&path, &bytes])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3 is needed for this test");
        let mut ready = [0; 6];
        let pipe = child.stdout.as_mut().expect("a pipe");
        pipe.read_exact(&mut ready).expect("it is ready");
        Self { child, path, _folder: folder }
    }

    fn upstream(&self) -> Upstream {
        Upstream::new(self.path.clone().into())
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a list request makes of these bytes and an end.
fn answered(answer: &[u8]) -> Result<usize, UpstreamError> {
    let send = "try: client.sendall(open(sys.argv[2], 'rb').read())\n\
                except OSError: pass\n\
                client.close()";
    let fake = Fake::new(send, answer);
    fake.upstream().identities().map(|identities| identities.len())
}

#[test]
fn an_agent_that_is_silent_or_slow_without_end_is_given_up() {
    let limit = std::time::Duration::from_secs(1);
    // The second sends byte after byte: a limit on each read alone would never end.
    for answer in [
        "client.recv(1)",
        "client.settimeout(0.1)\n\
         client.sendall(b'\\0\\3\\0\\0')\n\
         while True:\n \
         \x20 client.sendall(b'x')\n \
         \x20 try: client.recv(1)\n \
         \x20 except socket.timeout: pass\n",
    ] {
        let fake = Fake::new(answer, b"");
        let error = fake.upstream().with_time_limit(limit).identities().expect_err("no answer");
        assert_eq!(error, UpstreamError::Silent(1), "{answer}");
    }
}

fn frame(body: &[u8]) -> Vec<u8> {
    [&u32::try_from(body.len()).expect("short").to_be_bytes(), body].concat()
}

#[test]
fn an_answer_that_is_none_is_an_error_and_not_a_panic() {
    assert_eq!(answered(&frame(b"\x0c\0\0\0\0")), Ok(0), "the control");
    assert_eq!(answered(&frame(b"\x05")), Err(UpstreamError::Refused));
    for garbled in [
        frame(b""),
        frame(b"\x06"),
        frame(b"\x0c"),
        frame(b"\x0c\0\0\0\x01"),
        frame(b"\x0c\0\0\0\x01\xff\xff\xff\xff"),
        frame(b"\x0c\0\0\0\x01\0\0\0\x01x\0\0\0\x09short"),
        frame(b"\x0c\xff\xff\xff\xff"),
        u32::MAX.to_be_bytes().to_vec(),
    ] {
        assert_eq!(answered(&garbled), Err(UpstreamError::Garbled), "{garbled:?}");
    }
    for cut in [&b""[..], b"\0\0", b"\0\0\0\x05\x0c\0"] {
        assert!(matches!(answered(cut), Err(UpstreamError::Unreachable(_))), "{cut:?}");
    }
}

#[test]
fn an_answer_ends_at_its_limits() {
    // One identity whose comment fills the frame.
    let filled = |length: usize| {
        let comment = length - 1 - 4 - 5 - 4;
        let mut body = b"\x0c\0\0\0\x01\0\0\0\x01x".to_vec();
        body.extend_from_slice(&u32::try_from(comment).expect("short").to_be_bytes());
        body.resize(length, b'c');
        frame(&body)
    };
    assert_eq!(answered(&filled(MAX_FRAME)), Ok(1));
    assert_eq!(answered(&filled(MAX_FRAME + 1)), Err(UpstreamError::Garbled));
    let many = |count: u32| {
        let mut body = vec![12];
        body.extend_from_slice(&count.to_be_bytes());
        (0..count).for_each(|_| body.extend_from_slice(b"\0\0\0\x01x\0\0\0\0"));
        frame(&body)
    };
    assert_eq!(answered(&many(MAX_IDENTITIES)), Ok(MAX_IDENTITIES as usize));
    assert_eq!(answered(&many(MAX_IDENTITIES + 1)), Err(UpstreamError::Garbled));
}

#[test]
fn our_own_socket_gets_not_a_byte_of_what_is_to_be_signed() {
    let folder = made::folder();
    let path = folder.path().join("own");
    let listener = valetkey::agent::socket::bind(&path).expect("a socket");
    let error = Upstream::new(path.into()).sign(b"blob", b"data", 0).expect_err("ourselves");
    assert_eq!(error, UpstreamError::Ourselves);
    let (mut stream, _) = listener.accept().expect("a connection");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("an end");
    assert!(bytes.is_empty());
}
