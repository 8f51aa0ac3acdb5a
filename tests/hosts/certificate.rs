//! Host certificates made by the real ssh-keygen.

use super::keys::{Key, Keys};
use valetkey::hosts::certificate::{HostCertificate, certified_key, is_certificate};
use valetkey::hosts::{HostKeyStatus, HostName, HostScope, Hosts, KeyOwner};

/// 2030-01-01 00:00:00 UTC, between the dates of [`VALID`] in any time zone.
const NOW: u64 = 1_893_456_000;
const VALID: [&str; 2] = ["-V", "20200101:20400101"];

fn name(text: &str) -> HostName {
    text.parse().unwrap()
}

fn only(host: &str) -> HostScope {
    HostScope::Only(vec![name(host)])
}

fn pins(text: &str) -> Hosts {
    let mut hosts = Hosts::empty();
    assert_eq!(hosts.add_known_hosts(text, "file").unwrap(), Vec::<String>::new());
    hosts
}

/// A CA, a host key and its certificate for git.example.
fn certified(keys: &Keys) -> (Key, Key, Key) {
    let (ca, key) = (keys.ed25519("ca"), keys.ed25519("host"));
    let certificate = keys.certify("ca", "host", &[&["-h", "-n", "git.example,GIT2.example"], &VALID[..]].concat());
    (ca, key, certificate)
}

#[test]
fn a_certificate_by_every_kind_of_ca_over_every_kind_of_key_is_good() {
    let keys = Keys::new();
    let kinds = [
        ("ed25519", None),
        ("ecdsa", Some(256)),
        ("ecdsa", Some(384)),
        ("ecdsa", Some(521)),
        ("rsa", Some(2048)),
        ("rsa", Some(3072)),
    ];
    for (at, (kind, bits)) in kinds.into_iter().enumerate() {
        let ca = keys.make(&format!("ca{at}"), kind, bits);
        let host = keys.make(&format!("host{at}"), kind, bits);
        let algorithms: &[&[&str]] =
            if kind == "rsa" { &[&["-t", "rsa-sha2-256"], &["-t", "rsa-sha2-512"]] } else { &[&[]] };
        for algorithm in algorithms {
            let options = [&["-h", "-n", "git.example"], &VALID[..], algorithm].concat();
            let certificate = keys.certify(&format!("ca{at}"), &format!("host{at}"), &options);
            let parsed =
                HostCertificate::parse(&certificate.blob).unwrap_or_else(|| panic!("{kind} {bits:?} {algorithm:?}"));
            assert_eq!((parsed.key, parsed.authority), (host.blob.clone(), ca.blob.clone()));
            assert_eq!(parsed.principals, ["git.example"]);
            let hosts = pins(&format!("@cert-authority *.example {}\n", ca.text));
            assert_eq!(hosts.status(&name("git.example"), &certificate.blob, NOW), HostKeyStatus::Match);
        }
    }
}

#[test]
fn a_ca_signature_with_sha1_is_refused() {
    let keys = Keys::new();
    keys.make("ca", "rsa", Some(2048));
    keys.ed25519("host");
    let options = ["-h", "-n", "git.example", "-t", "ssh-rsa"];
    let certificate = keys.certify("ca", "host", &options);
    assert_eq!(HostCertificate::parse(&certificate.blob), None);
    let certificate = keys.certify("ca", "host", &["-h", "-n", "git.example"]);
    assert!(HostCertificate::parse(&certificate.blob).is_some(), "the same with SHA-2 is good");
}

#[test]
fn a_certificate_is_the_hosts_only_by_a_pinned_ca_in_its_time_and_for_its_names() {
    let keys = Keys::new();
    let (ca, _, certificate) = certified(&keys);
    let stranger = keys.ed25519("stranger");
    let hosts = pins(&format!("@cert-authority *.example {}\nplain.example {}\n", ca.text, stranger.text));
    let after = 2_208_988_800 + 86_400;
    let before = 1_577_836_800 - 86_400;
    for (host, now, status) in [
        ("git.example", NOW, HostKeyStatus::Match),
        ("git2.example", NOW, HostKeyStatus::Match),
        ("other.example", NOW, HostKeyStatus::Changed),
        ("git.elsewhere", NOW, HostKeyStatus::New),
        // The CA's line is for port 22.
        ("git.example:2222", NOW, HostKeyStatus::New),
        ("git.example", after, HostKeyStatus::Changed),
        ("git.example", before, HostKeyStatus::Changed),
    ] {
        assert_eq!(hosts.status(&name(host), &certificate.blob, now), status, "{host} at {now}");
    }
    let owner = |scope: &HostScope, now| hosts.owner(scope, &certificate.blob, now);
    assert_eq!(owner(&only("git.example"), NOW), KeyOwner::Granted("git.example".into()));
    assert_eq!(owner(&HostScope::AllPinned, NOW), KeyOwner::Granted("git.example".into()));
    assert_eq!(owner(&only("plain.example"), NOW), KeyOwner::OtherHost("git.example".into()));
    assert_eq!(owner(&only("git.example"), after), KeyOwner::Unknown);
    let other = pins(&format!("@cert-authority *.example {}\n", stranger.text));
    assert_eq!(other.owner(&HostScope::AllPinned, &certificate.blob, NOW), KeyOwner::Unknown);
    // A CA that is pinned as a plain key signs nothing.
    let plain = pins(&format!("git.example {}\n", ca.text));
    assert_eq!(plain.owner(&HostScope::AllPinned, &certificate.blob, NOW), KeyOwner::Unknown);
}

#[test]
fn a_ca_line_with_a_port_covers_that_port() {
    let keys = Keys::new();
    let (ca, _, certificate) = certified(&keys);
    let hosts = pins(&format!("@cert-authority [*.example]:2222 {}\n", ca.text));
    assert_eq!(hosts.status(&name("git.example:2222"), &certificate.blob, NOW), HostKeyStatus::Match);
    assert_eq!(hosts.status(&name("git.example"), &certificate.blob, NOW), HostKeyStatus::New);
    let owner = hosts.owner(&HostScope::AllPinned, &certificate.blob, NOW);
    assert_eq!(owner, KeyOwner::Granted("[git.example]:2222".into()));
}

#[test]
fn the_edges_of_the_validity_are_those_of_openssh() {
    let keys = Keys::new();
    let (_, _, certificate) = certified(&keys);
    let parsed = HostCertificate::parse(&certificate.blob).unwrap();
    for (now, valid) in [
        (parsed.valid_after - 1, false),
        (parsed.valid_after, true),
        (parsed.valid_before - 1, true),
        (parsed.valid_before, false),
    ] {
        assert_eq!(parsed.is_valid_for("git.example", now), valid, "{now}");
    }
}

#[test]
fn user_certificates_and_certificates_without_names_are_refused() {
    let keys = Keys::new();
    let ca = keys.ed25519("ca");
    keys.ed25519("host");
    let hosts = pins(&format!("@cert-authority * {}\n", ca.text));
    for options in [&["-n", "git.example"][..], &["-h"], &["-n", "git.example", "-O", "force-command=true"]] {
        let certificate = keys.certify("ca", "host", options);
        assert!(is_certificate(&certificate.blob));
        assert_eq!(HostCertificate::parse(&certificate.blob), None, "{options:?}");
        assert_eq!(hosts.owner(&HostScope::AllPinned, &certificate.blob, NOW), KeyOwner::Unknown);
    }
    let good = keys.certify("ca", "host", &["-h", "-n", "git.example"]);
    assert!(matches!(hosts.owner(&HostScope::AllPinned, &good.blob, NOW), KeyOwner::Granted(_)));
}

#[test]
fn a_critical_option_makes_a_host_certificate_unusable() {
    let keys = Keys::new();
    keys.ed25519("ca");
    keys.ed25519("host");
    let certificate = keys.certify("ca", "host", &["-h", "-n", "git.example", "-O", "critical:new@example=1"]);
    assert_eq!(HostCertificate::parse(&certificate.blob), None);
    let certificate = keys.certify("ca", "host", &["-h", "-n", "git.example", "-O", "extension:new@example=1"]);
    assert!(HostCertificate::parse(&certificate.blob).is_some(), "an extension is not critical");
}

#[test]
fn a_revoked_key_or_ca_is_revoked_inside_a_certificate_too() {
    let keys = Keys::new();
    let (ca, key, certificate) = certified(&keys);
    for revoked in [&ca, &key, &certificate] {
        let text = format!("@cert-authority * {}\ngit.example {}\n@revoked x {}\n", ca.text, key.text, revoked.text);
        let hosts = pins(&text);
        assert_eq!(hosts.status(&name("git.example"), &certificate.blob, NOW), HostKeyStatus::Revoked);
        assert!(matches!(hosts.owner(&HostScope::AllPinned, &certificate.blob, NOW), KeyOwner::Revoked(_)));
    }
}

#[test]
fn a_certificate_over_a_pinned_key_is_that_key_as_in_ssh() {
    let keys = Keys::new();
    let (_, key, certificate) = certified(&keys);
    assert_eq!(certified_key(&certificate.blob), Some(key.blob));
    let hosts = pins(&format!("git.example {}\n", key.text));
    let after = u64::MAX;
    assert_eq!(hosts.status(&name("git.example"), &certificate.blob, after), HostKeyStatus::Match);
}

#[test]
fn every_truncation_and_every_flipped_byte_is_refused_without_a_panic() {
    let keys = Keys::new();
    let (ca, _, certificate) = certified(&keys);
    let hosts = pins(&format!("@cert-authority * {}\n", ca.text));
    let owner = |blob: &[u8]| hosts.owner(&HostScope::AllPinned, blob, NOW);
    assert!(matches!(owner(&certificate.blob), KeyOwner::Granted(_)));
    for at in 0..certificate.blob.len() {
        assert_eq!(HostCertificate::parse(&certificate.blob[..at]), None, "cut at {at}");
        assert_eq!(owner(&certificate.blob[..at]), KeyOwner::Unknown, "cut at {at}");
        let mut flipped = certificate.blob.clone();
        flipped[at] ^= 0x80;
        assert_eq!(HostCertificate::parse(&flipped), None, "flipped at {at}");
        assert_eq!(owner(&flipped), KeyOwner::Unknown, "flipped at {at}");
    }
    let mut longer = certificate.blob.clone();
    longer.push(0);
    assert_eq!(owner(&longer), KeyOwner::Unknown);
}
