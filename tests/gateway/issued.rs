//! The gateway's own login with a certificate that was issued for the lease, at a server that
//! trusts the authority and no key.

use std::fs;

use super::place::{Place, SETTINGS};
use crate::agent::server::{Server, me};
use crate::hosts::keys::Keys;

/// A place whose server lets in nothing but certificates by `ca`.
fn trusting(ca: &Keys, rsa_alone: bool) -> Place {
    let settings = format!("{SETTINGS}TrustedUserCAKeys {}\n", ca.path("ca.pub").display());
    let (server, kind) =
        if rsa_alone { (Server::with_rsa_alone(&settings), "rsa") } else { (Server::with(&settings), "ed25519") };
    let pins = server.known_hosts("", &[kind]);
    let place = Place::at(server, &pins);
    fs::write(place.server.0.authorized_keys(), "").unwrap();
    place
}

/// A grant of `org/repo` with a certificate in the place of the key.
fn config(place: &Place, ca: &Keys, principal: &str) -> String {
    let key = format!("key = \"file:{}\"", place.keys.path("key").display());
    let cert = format!("cert = {{ ca = \"file:{}\", principals = [\"{principal}\"] }}", ca.path("ca").display());
    let config = place.config(&["org/repo"], "");
    assert!(config.contains(&key));
    config.replace(&key, &cert)
}

/// Clones through the gateway; whether that worked.
#[track_caller]
fn clones(place: &Place, config: &str) -> bool {
    let lending = crate::agent::lending::Lending::new().config(config);
    let ended = place.sh(&lending, &format!("git clone -q {} a && cat a/file; ssh-add -l", place.url("org/repo")));
    assert!(!ended.stdout.contains("ED25519"), "the build has no identity: {}", ended.report());
    ended.stdout.contains("a file\n")
}

#[test]
fn an_authority_of_each_kind_lets_the_gateway_in() {
    for (kind, bits) in [("ed25519", None), ("ecdsa", Some(256)), ("ecdsa", Some(521)), ("rsa", Some(2048))] {
        let ca = Keys::new();
        ca.make("ca", kind, bits);
        let place = trusting(&ca, false);
        assert!(clones(&place, &config(&place, &ca, &me())), "{kind}: {}", place.server.0.log());
        let log = place.server.0.log();
        assert!(log.contains("ED25519-CERT SHA256:") && log.contains("ID \"valetkey: "), "{kind}: {log}");
        // The control: the key that authorized_keys had does not.
        assert!(!clones(&place, &place.config(&["org/repo"], "")), "{kind}");
    }
}

#[test]
fn an_authority_lets_the_gateway_in_where_ssh_itself_connects() {
    let ca = Keys::new();
    ca.make("ca", "rsa", Some(2048));
    let place = trusting(&ca, true);
    assert!(clones(&place, &config(&place, &ca, &me())), "{}", place.server.0.log());
}

#[test]
fn a_wrong_principal_or_an_unknown_authority_keeps_the_gateway_out() {
    let (ca, other) = (Keys::new(), Keys::new());
    ca.ed25519("ca");
    other.ed25519("ca");
    let place = trusting(&ca, false);
    assert!(!clones(&place, &config(&place, &ca, "somebody-else")));
    assert!(place.server.0.log().contains("name is not a listed principal"), "{}", place.server.0.log());
    assert!(!clones(&place, &config(&place, &other, &me())));
    assert_eq!(place.server.accepted(), 0);
}
