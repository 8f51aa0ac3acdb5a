//! `cert = { ca = … }`: what is issued says what it was asked to say, as the real ssh-keygen reads
//! it, and nothing else is offered.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use base64ct::{Base64, Encoding as _};

use super::agent::Agent;
use super::made::{self, Kind};
use super::world::{World, said};
use valetkey::keys::issue::Issue;
use valetkey::keys::{KeyFrom, Loaded};
use valetkey::signer::{Parts, fingerprint};

fn issue(ca: &str, extensions: &[(&str, &str)]) -> KeyFrom {
    let extensions: BTreeMap<_, _> =
        extensions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let principals = vec!["git".to_owned(), "alice".to_owned()];
    let ca = ca.parse().expect("a source");
    KeyFrom::Certificate(Issue::new(ca, principals, Duration::from_secs(600), extensions).expect("it is right"))
}

/// A world with an authority of this kind in `CA`.
fn world(kind: Kind) -> World {
    let mut world = World::default();
    world.variables.insert("CA", (&made::key(kind).text).into());
    world
}

/// What `ssh-keygen -L` prints of the one identity.
fn read(loaded: &Loaded) -> String {
    let [identity] = &loaded.identities[..] else { panic!("{:?}", loaded.identities) };
    let folder = made::folder();
    let line = format!("ssh-ed25519-cert-v01@openssh.com {}\n", Base64::encode_string(&identity.blob));
    let path = made::write(folder.path(), "cert.pub", line);
    let shown = std::process::Command::new("ssh-keygen")
        .args(["-L", "-f", made::path_str(&path)])
        .env("TZ", "UTC")
        .output()
        .expect("ssh-keygen is needed for this test");
    // It checks the signature as well.
    assert!(shown.status.success(), "{shown:?}");
    String::from_utf8(shown.stdout).expect("text")
}

#[test]
fn an_authority_of_each_kind_signs_what_ssh_keygen_accepts() {
    for kind in made::KINDS {
        let mut world = world(kind);
        world.now = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
        let (loaded, source) = world.with(|env| issue("env:CA", &[]).load(env)).expect("a certificate");
        let shown = read(&loaded);
        assert!(shown.contains("user certificate") && shown.contains("Key ID: \"valetkey: git, alice\""), "{shown}");
        assert!(shown.contains(&format!("{} (using", fingerprint(&made::key(kind).blob))), "{kind:?}: {shown}");
        // A minute before, and ten minutes after.
        assert!(shown.contains("Valid: from 2027-01-15T07:59:00 to 2027-01-15T08:10:00"), "{shown}");
        let rest = shown.split_once("Principals:").expect("principals").1;
        let words: Vec<&str> = rest.split_whitespace().collect();
        assert_eq!(words, ["git", "alice", "Critical", "Options:", "(none)", "Extensions:", "(none)"], "{shown}");
        if kind == Kind::Rsa {
            assert!(shown.contains("(using rsa-sha2-512)"), "{shown}");
        }
        assert_eq!(source, "a certificate by env:CA");
        assert_eq!(loaded.identities[0].comment, "valetkey: git, alice");
    }
}

#[test]
fn extensions_are_those_that_were_asked_for() {
    let extensions = [("login@github.com", "alice"), ("permit-pty", "")];
    let (loaded, _) = world(Kind::Ed25519).with(|env| issue("env:CA", &extensions).load(env)).expect("a certificate");
    let shown = read(&loaded);
    // The value stands as an SSH string inside, which ssh-keygen shows in hexadecimal.
    assert!(shown.contains("login@github.com UNKNOWN OPTION: 00000005616c696365 (len 9)"), "{shown}");
    assert!(shown.contains("permit-pty\n") && shown.contains("Critical Options: (none)"), "{shown}");
}

#[test]
fn every_lease_has_a_key_and_a_serial_number_of_its_own_and_an_audit_knows_both_keys() {
    let once = || {
        let mut world = world(Kind::P256);
        let (loaded, _) = world.with(|env| issue("env:CA", &[]).load(env)).expect("a certificate");
        let shown = read(&loaded);
        let serial = shown.lines().find_map(|line| line.trim().strip_prefix("Serial: ")).expect("a number").to_owned();
        let [ca, fresh] = &world.kept[..] else { panic!("{:?}", world.kept) };
        let blob = |parts: &Parts| valetkey::signer::build(parts).expect("a key").blob;
        assert_eq!(blob(ca), made::key(Kind::P256).blob);
        assert!(valetkey::wire::certificate::certifies(&loaded.identities[0].blob, &blob(fresh)));
        let texts: Vec<_> = world.kept_texts.iter().map(valetkey::keys::Secret::expose).collect();
        assert_eq!(texts, [made::key(Kind::P256).text.as_bytes()]);
        (serial, blob(fresh))
    };
    let (first, second) = (once(), once());
    assert!(first.0 != second.0 && first.1 != second.1);
}

#[test]
fn the_key_of_the_certificate_signs_and_that_of_the_authority_does_not() {
    let (loaded, _) = world(Kind::Ed25519).with(|env| issue("env:CA", &[]).load(env)).expect("a certificate");
    let signature = loaded.identities[0].signer.sign(b"data", 0).expect("signed");
    let certificate = ssh_key::Certificate::from_bytes(&loaded.identities[0].blob).expect("a certificate");
    let public = certificate.public_key().ed25519().expect("an ed25519 key").0;
    let of = |public: &[u8]| {
        aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ED25519, public.to_vec())
            .verify(b"data", &signature[signature.len() - 64..])
    };
    assert!(of(&public).is_ok());
    assert!(of(made::key(Kind::Ed25519).blob.last_chunk::<32>().expect("a key")).is_err());
}

#[test]
fn the_authority_may_be_encrypted_or_live_in_the_users_agent() {
    let folder = made::folder();
    let path = made::write(folder.path(), "ca", &made::key(Kind::P384).text);
    made::run("ssh-keygen", &["-q", "-p", "-a", "1", "-N", "hunter two", "-f", made::path_str(&path)]);
    let mut world = World { passphrase_from: Some("env:WORDS"), ..World::default() };
    world.variables.insert("WORDS", "hunter two".into());
    let source = format!("file:{}", path.display());
    let (loaded, _) = world.with(|env| issue(&source, &[]).load(env)).expect("a certificate");
    assert!(read(&loaded).contains(&fingerprint(&made::key(Kind::P384).blob)));

    for kind in [Kind::Ed25519, Kind::P256, Kind::Rsa] {
        let agent = Agent::new(&[kind, Kind::P521]);
        let print = fingerprint(&made::key(kind).blob);
        let source = format!("agent:{print}");
        let (loaded, _) = agent.world().with(|env| issue(&source, &[]).load(env)).expect("a certificate");
        assert!(read(&loaded).contains(&print), "{kind:?}");
        let several = agent.world().with(|env| issue("agent", &[]).load(env)).expect_err("two keys");
        assert!(said(&several).contains("the authority is one key, and 2 are there"), "{}", said(&several));
    }
}

#[test]
fn an_authority_that_is_not_there_or_no_key_is_an_error_of_its_own_source() {
    let mut world = world(Kind::Ed25519);
    world.variables.insert("PUBLIC", (&made::key(Kind::Ed25519).line).into());
    world.variables.insert("TWO", format!("{0}{0}", made::key(Kind::Ed25519).text).into());
    for (source, words) in [
        ("env:NOTHING", "no usable key from env:NOTHING: the variable is not set"),
        ("env:PUBLIC", "no usable key from env:PUBLIC: it is a public key"),
        ("env:TWO", "the authority is one key, and 2 are there"),
    ] {
        let error = world.with(|env| issue(source, &[]).load(env)).expect_err(source);
        assert!(said(&error).contains(words), "{}", said(&error));
    }
    // A clock that is before all time.
    world.now = Some(SystemTime::UNIX_EPOCH);
    let error = world.with(|env| issue("env:CA", &[]).load(env)).expect_err("no time");
    assert!(said(&error).contains("the clock of this machine is wrong"), "{}", said(&error));
}

#[test]
fn a_certificate_beside_the_authoritys_key_is_not_what_signs() {
    let folder = made::folder();
    let path = made::write(folder.path(), "ca", &made::key(Kind::Ed25519).text);
    made::write(folder.path(), "ca.pub", &made::key(Kind::Ed25519).line);
    let (ca, public) = (made::path_str(&path).to_owned(), format!("{}.pub", path.display()));
    made::run("ssh-keygen", &["-q", "-s", &ca, "-I", "own", "-n", "git", &public]);
    let source = format!("file:{ca}");
    let (loaded, _) = World::default().with(|env| issue(&source, &[]).load(env)).expect("a certificate");
    assert!(read(&loaded).contains("Key ID: \"valetkey: git, alice\""));
}
