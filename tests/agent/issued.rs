//! Logins with a certificate that was issued for the lease: the real ssh through our agent, to a
//! real sshd that trusts the authority and no key.

use super::client::{Client, Login, inside, sign};
use super::lending::Lending;
use super::server::{LOGGED_IN, NOT_LET_IN, Server, me, ssh};
use crate::hosts::keys::{Key, Keys};
use valetkey::wire::agent::FAILURE;
use valetkey::wire::certificate::Certified;

/// The kinds of authority.
const KINDS: [(&str, Option<u32>); 5] =
    [("ed25519", None), ("ecdsa", Some(256)), ("ecdsa", Some(384)), ("ecdsa", Some(521)), ("rsa", Some(2048))];

/// A folder with an authority, and a server that trusts it alone.
fn trusting(kind: &str, bits: Option<u32>) -> (Keys, Server) {
    let keys = Keys::new();
    keys.make("ca", kind, bits);
    let server = Server::with(&format!("TrustedUserCAKeys {}\n", keys.path("ca.pub").display()));
    (keys, server)
}

/// A lease of a certificate by the key `ca` of the folder.
fn lending(keys: &Keys, ca: &str, server: &Server, principal: &str, more: &str) -> Lending {
    Lending::new().config(&format!(
        "known_hosts = {:?}\n[[grant]]\ncert = {{ ca = \"file:{}\", principals = [\"{principal}\"]{more} }}\n\
         host = \"{}\"\nuser = \"{}\"\nmax_signatures = 1000\n",
        server.pinned(&keys.path("")),
        keys.path(ca).display(),
        server.host(),
        me()
    ))
}

#[test]
fn a_certificate_by_an_authority_of_each_kind_logs_in() {
    for (kind, bits) in KINDS {
        let (keys, server) = trusting(kind, bits);
        let ended = lending(&keys, "ca", &server, &me(), "").sh(&ssh(&server, ""));
        ended.expect_code(LOGGED_IN).expect_bound(&server.name(), 1);
        let log = server.0.log();
        assert!(log.contains("ED25519-CERT SHA256:") && log.contains("ID \"valetkey: "), "{kind}: {log}");
        let identity = &ended.receipt["identities"][0];
        assert_eq!(identity["type"], "ssh-ed25519-cert-v01@openssh.com");
        assert_eq!(identity["source"], format!("a certificate by file:{}", keys.path("ca").display()));
        let ca = std::fs::read_to_string(keys.path("ca")).unwrap();
        let body = ca.lines().nth(2).unwrap();
        assert!(!ended.report().contains(body), "nothing of the authority's key is shown");
    }
}

#[test]
fn a_wrong_principal_and_an_unknown_authority_are_refused_by_the_server() {
    let (keys, server) = trusting("ed25519", None);
    let ended = lending(&keys, "ca", &server, "somebody-else", "").sh(&ssh(&server, ""));
    ended.expect_code(NOT_LET_IN);
    assert!(server.0.log().contains("Certificate invalid: name is not a listed principal"), "{}", server.0.log());
    let other = valetkey::signer::fingerprint(&keys.ed25519("other").blob);
    lending(&keys, "other", &server, &me(), "").sh(&ssh(&server, "")).expect_code(NOT_LET_IN);
    let refused = server.0.log().lines().any(|line| line.starts_with("Failed publickey") && line.ends_with(&other));
    assert!(refused, "{}", server.0.log());
    assert_eq!(server.accepted(), 0);
    // The control.
    lending(&keys, "ca", &server, &me(), "").sh(&ssh(&server, "")).expect_code(LOGGED_IN);
}

#[test]
fn a_certificate_that_has_expired_is_refused_by_the_server() {
    let (keys, server) = trusting("ed25519", None);
    // Once and again, until the second for which it is valid has passed.
    let ssh = ssh(&server, "");
    let script =
        format!("for i in $(seq 500); do {ssh}; code=$?; test $code = {LOGGED_IN} || exit $code; done; exit 1");
    lending(&keys, "ca", &server, &me(), ", valid = \"1s\"").sh(&script).expect_code(NOT_LET_IN);
    assert!(server.0.log().contains("Certificate invalid: expired"), "{}", server.0.log());
}

#[test]
fn the_authority_and_the_bare_key_never_answer_on_the_socket() {
    const NAME: &str = "agent::issued::the_authority_and_the_bare_key_never_answer_on_the_socket";
    if inside() {
        let listed = Client::connect().list().unwrap();
        let [certificate] = &listed[..] else { panic!("{listed:?}") };
        let authority = Key::parse(&std::env::var("CA_PUBLIC").unwrap()).blob;
        let bare = Certified::parse(certificate).unwrap().key;
        let host = Key::parse(&std::env::var("HOST_PUBLIC").unwrap()).blob;
        let login = |key: &[u8], algorithm: &[u8]| Login {
            session: vec![9; 32],
            message: 50,
            user: me().into_bytes(),
            service: b"ssh-connection".to_vec(),
            method: b"publickey-hostbound-v00@openssh.com".to_vec(),
            signed: 1,
            algorithm: algorithm.to_vec(),
            key: key.to_vec(),
            host_key: Some(host.clone()),
            rest: Vec::new(),
        };
        let ask = |key: &[u8], data: &[u8]| Client::connect().ask(&sign(key, data)).unwrap();
        let cert_algorithm = b"ssh-ed25519-cert-v01@openssh.com";
        for key in [&authority, &bare] {
            assert_eq!(ask(key, &login(key, b"ssh-ed25519").data()), [FAILURE]);
            assert_eq!(ask(key, &login(certificate, cert_algorithm).data()), [FAILURE]);
            // What an authority signs.
            assert_eq!(ask(key, certificate), [FAILURE]);
        }
        assert_eq!(ask(certificate, certificate), [FAILURE]);
        assert_eq!(ask(certificate, &login(&bare, b"ssh-ed25519").data()), [FAILURE]);
        // The control.
        assert_ne!(ask(certificate, &login(certificate, cert_algorithm).data()), [FAILURE]);
        return;
    }
    let (keys, server) = trusting("ed25519", None);
    let public = std::fs::read_to_string(keys.path("ca.pub")).unwrap();
    let host = std::fs::read_to_string(server.0.host_key("ed25519").with_extension("pub")).unwrap();
    let lending =
        lending(&keys, "ca", &server, &me(), "").env("CA_PUBLIC", public.trim()).env("HOST_PUBLIC", host.trim());
    lending.again(NAME);
}

#[test]
fn the_lease_issues_no_certificates() {
    let (keys, server) = trusting("ed25519", None);
    let script = format!(
        "ssh-keygen -q -t ed25519 -N '' -f mine; ssh-add -L >lent.pub; grep -c . lent.pub
         for ca in {} lent.pub; do ssh-keygen -q -Us $ca -I evil -n {} mine.pub 2>&1 && echo signed; done; ls mine-cert.pub",
        keys.path("ca.pub").display(),
        me()
    );
    let ended = lending(&keys, "ca", &server, &me(), "").sh(&script);
    assert!(ended.stdout.starts_with("1\n") && !ended.stdout.contains("signed\n"), "{}", ended.report());
    assert!(!ended.stdout.contains("mine-cert.pub\n"), "{}", ended.report());
    // The control: whoever has the authority's key can.
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-s"])
        .arg(keys.path("ca"))
        .args(["-I", "mine", "-n", &me()])
        .arg(keys.path("ca.pub"))
        .status();
    assert!(made.unwrap().success());
}
