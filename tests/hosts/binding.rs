//! Which servers bind logins to their host key, and what of the host key is in a bound login.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::keys::{Key, Keys, run};
use crate::sshd::Sshd;
use valetkey::hosts::probe::{EXCHANGE_TIMEOUT, ProbeError, probe, probe_within};
use valetkey::hosts::transport::TransportError;
use valetkey::hosts::{Binds, HostName, HostScope, Hosts, KeyOwner};

/// 2030-01-01, as good a day as any for a certificate without dates.
const NOW: u64 = 1_893_456_000;

#[test]
fn an_openssh_server_binds_and_every_key_it_has_is_shown() {
    let sshd = Sshd::start();
    let probed = probe(&sshd.name().parse().unwrap()).unwrap();
    assert_eq!(probed.binds, Binds::Yes, "{}", sshd.log());
    let own = ["ed25519", "ecdsa", "rsa"].map(|kind| Key::read(&sshd.host_key(kind).with_extension("pub")).blob);
    assert_eq!(probed.keys, own);
    assert_eq!(probed.binds_by.as_ref(), own.last(), "RSA is what the second exchange asks for first");
}

#[test]
fn a_server_whose_messages_cannot_be_read_is_not_said_to_bind_or_not() {
    let sshd = Sshd::with(&["rsa"], |_| "Ciphers chacha20-poly1305@openssh.com\n".into());
    let probed = probe(&sshd.name().parse().unwrap()).unwrap();
    assert_eq!((probed.binds, probed.keys.len()), (Binds::Unknown, 1));
}

#[test]
fn the_exchange_works_over_either_curve() {
    for kex in ["curve25519-sha256", "ecdh-sha2-nistp256"] {
        let sshd = Sshd::with(&["rsa"], |_| format!("KexAlgorithms {kex}\n"));
        let probed = probe(&sshd.name().parse().unwrap()).unwrap();
        assert_eq!((probed.binds, probed.keys.len()), (Binds::Yes, 1), "{kex}");
    }
}

/// So many bytes of a key are not met by chance.
const ENOUGH: usize = 8;

/// Passes connections on to `port`; in what the server says, `from` becomes `to`.
fn between(port: u16, from: Vec<u8>, to: Vec<u8>) -> HostName {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let name = HostName::new("127.0.0.1", listener.local_addr().unwrap().port()).unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), TcpStream::connect(("127.0.0.1", port)).unwrap());
            let (mut out, mut back) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut &client, &mut &server);
                let _ = server.shutdown(std::net::Shutdown::Both);
            });
            let (from, to) = (from.clone(), to.clone());
            std::thread::spawn(move || {
                let mut held = Vec::new();
                let mut buffer = vec![0; 64 * 1024];
                while let Ok(count @ 1..) = back.read(&mut buffer) {
                    held.extend_from_slice(&buffer[..count]);
                    if let Some(at) = held.windows(from.len()).position(|window| window == from) {
                        held[at..at + from.len()].copy_from_slice(&to);
                    }
                    // A reply that is cut in two reads would slip through: it is held until whole.
                    let starts_key = (ENOUGH..from.len()).any(|length| held.ends_with(&from[..length]));
                    if !starts_key && out.write_all(&std::mem::take(&mut held)).is_err() {
                        return;
                    }
                }
                let _ = out.write_all(&held);
                let _ = out.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    name
}

#[test]
fn someone_in_between_cannot_show_a_key_that_is_not_theirs() {
    let keys = Keys::new();
    for (kind, key_kind, bits) in [("ed25519", "ed25519", None), ("rsa", "rsa", Some(2048))] {
        let sshd = Sshd::with(&[kind], |_| String::new());
        let own = Key::read(&sshd.host_key(kind).with_extension("pub")).blob;
        let claimed = keys.make(&format!("claimed-{kind}"), key_kind, bits).blob;
        assert_eq!(own.len(), claimed.len());
        let honest = between(sshd.port(), own.clone(), own.clone());
        assert_eq!(probe(&honest).unwrap().keys, std::slice::from_ref(&own), "{kind}");
        let lying = between(sshd.port(), own, claimed);
        let error = probe(&lying).unwrap_err();
        assert!(matches!(&error, ProbeError::Exchange(_, TransportError::Signature)), "{kind}: {error:?}");
    }
}

#[test]
fn a_server_that_says_nothing_is_left_after_the_time_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let name = HostName::new("127.0.0.1", listener.local_addr().unwrap().port()).unwrap();
    let start = Instant::now();
    let error = probe_within(&name, Duration::from_millis(100)).unwrap_err();
    assert!(matches!(error, ProbeError::Exchange(..)), "{error:?}");
    assert!(start.elapsed() < EXCHANGE_TIMEOUT);
}

/// A server on another implementation, which announces extensions and not this one.
struct Unbinding;

impl russh::server::Handler for Unbinding {
    type Error = russh::Error;
}

#[test]
fn a_server_that_announces_no_binding_is_recorded_as_not_binding() {
    let keys = Keys::new();
    keys.ed25519("host");
    let key = russh::keys::PrivateKey::read_openssh_file(keys.path("host")).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let name = HostName::new("127.0.0.1", listener.local_addr().unwrap().port()).unwrap();
    let config = std::sync::Arc::new(russh::server::Config { keys: vec![key], ..Default::default() });
    runtime.spawn(async move {
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            let session = russh::server::run_stream(config.clone(), stream, Unbinding);
            tokio::spawn(async move { session.await.map(drop) });
        }
    });
    let probed = probe(&name).unwrap();
    assert_eq!((probed.binds, probed.keys.len()), (Binds::No, 1));
}

/// A stock ssh-agent.
struct Agent(Child);

impl Agent {
    fn start(socket: &Path) -> Self {
        let mut command = Command::new("ssh-agent");
        command.arg("-D").arg("-a").arg(socket).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().expect("ssh-agent cannot be run: install the package openssh-client");
        let agent = Self(child);
        let give_up = Instant::now() + Duration::from_secs(20);
        while UnixStream::connect(socket).is_err() {
            assert!(Instant::now() < give_up, "ssh-agent does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        agent
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn read_frame(stream: &mut UnixStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut frame = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut frame).ok()?;
    Some([&length[..], &frame].concat())
}

/// Passes everything on to the agent and tells of the sign requests.
fn listen_in(listener: UnixListener, agent: std::path::PathBuf) -> mpsc::Receiver<Vec<u8>> {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, mut agent) = (client.unwrap(), UnixStream::connect(&agent).unwrap());
            let tell = tell.clone();
            std::thread::spawn(move || {
                while let Some(frame) = read_frame(&mut client) {
                    if frame[4] == 13 {
                        let _ = tell.send(frame.clone());
                    }
                    agent.write_all(&frame).unwrap();
                    let Some(answer) = read_frame(&mut agent) else { return };
                    client.write_all(&answer).unwrap();
                }
            });
        }
    });
    told
}

#[test]
fn a_login_bound_to_a_host_certificate_has_the_certificate_in_its_signed_data() {
    let keys = Keys::new();
    let ca = keys.ed25519("ca");
    let user = keys.ed25519("user");
    let sshd = Sshd::with(&["ed25519"], |folder| {
        let key = folder.join("ed25519.pub");
        run(Command::new("ssh-keygen")
            .args(["-q", "-h", "-I", "t", "-n", "127.0.0.1", "-s"])
            .arg(keys.path("ca"))
            .arg(key));
        format!("HostCertificate {}/ed25519-cert.pub\n", folder.display())
    });
    fs::write(sshd.authorized_keys(), &user.text).unwrap();
    let certificate = Key::read(&sshd.host_key("ed25519-cert").with_extension("pub"));
    let known_hosts = keys.write("known_hosts", &format!("@cert-authority {} {}\n", sshd.name(), ca.text));

    let _agent = Agent::start(&keys.path("agent"));
    run(Command::new("ssh-add").arg("-q").arg(keys.path("user")).env("SSH_AUTH_SOCK", keys.path("agent")));
    let told = listen_in(UnixListener::bind(keys.path("ear")).unwrap(), keys.path("agent"));
    let user_name = String::from_utf8(run(Command::new("id").arg("-un")).stdout).unwrap();
    let mut ssh = Command::new("ssh");
    ssh.args(["-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o"]);
    ssh.arg(format!("UserKnownHostsFile={}", known_hosts.display())).args(["-o", "GlobalKnownHostsFile=none"]);
    ssh.args(["-p", &sshd.port().to_string(), &format!("{}@127.0.0.1", user_name.trim()), "true"]);
    let output = ssh.env("SSH_AUTH_SOCK", keys.path("ear")).stdin(Stdio::null()).output().unwrap();

    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let request = told.recv_timeout(Duration::from_secs(20)).unwrap_or_else(|_| panic!("{error}\n{}", sshd.log()));
    let has = |bytes: &[u8]| request.windows(bytes.len()).any(|window| window == bytes);
    assert!(has(b"publickey-hostbound-v00@openssh.com"));
    assert!(has(&certificate.blob), "the whole certificate is in the signed data");

    let mut hosts = Hosts::empty();
    hosts.add_known_hosts(&fs::read_to_string(known_hosts).unwrap(), "file").unwrap();
    let name: HostName = sshd.name().parse().unwrap();
    let owner = hosts.owner(&HostScope::Only(vec![name]), &certificate.blob, NOW);
    assert_eq!(owner, KeyOwner::Granted(sshd.name()));
}
