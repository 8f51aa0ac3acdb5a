//! Attestations against the real `ssh-keygen -Y`, both ways, and against forgers.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::Value;
use valetkey::audit::finding::{ImageRead, Outcome, Report};
use valetkey::keys::load::{LoadEnv, load};
use valetkey::keys::{KeySource, keychain::OsKeychain};
use valetkey::report::attestation::{
    AttestError, By, Facts, MAX_STATEMENT, NAMESPACE, Verified, VerifyError, sign, statement, verify,
};
use valetkey::report::signers;
use valetkey::signer::{Identity, SignError, Signer};

use super::report_made::{FINGERPRINT, clean, digest, full, hostile};
use crate::keys::made::{self, KINDS, Kind};

const NOW: u64 = 1_795_697_100;

fn identity(kind: Kind) -> Identity {
    let folder = made::folder();
    let path = made::write(folder.path(), "key", &made::key(kind).text);
    let person = &mut valetkey::keys::passphrase::Person::new(&|_| None);
    let mut env = LoadEnv {
        variable: &|_| None,
        home: None,
        stdin: None,
        keychain: &OsKeychain::default(),
        person,
        passphrase_from: None,
        known: Vec::new(),
        kept: None,
        kept_texts: None,
        secrets_folder: "/nowhere".into(),
        time_limits: valetkey::keys::TimeLimits::default(),
        clock: &std::time::SystemTime::now,
    };
    let mut loaded = load(&KeySource::File(path), &mut env).unwrap();
    loaded.identities.remove(0)
}

fn attested(report: &Report) -> Vec<u8> {
    statement(report, &Facts { finished: NOW, rules_version: "1" })
}

fn allowed(kind: Kind) -> Vec<signers::Signer> {
    signers::parse(&format!("ci@example.com {}", made::key(kind).line)).unwrap()
}

/// `ssh-keygen -Y verify` with the statement on its standard input.
fn ssh_keygen_verifies(folder: &Path, namespace: &str, signers: &str, statement: &[u8], signature: &str) -> bool {
    let signers = made::write(folder, "allowed", signers);
    let signature = made::write(folder, "sig", signature);
    let mut child = Command::new("ssh-keygen")
        .args(["-Y", "verify", "-I", "ci@example.com", "-n", namespace])
        .args(["-f", made::path_str(&signers), "-s", made::path_str(&signature)])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It may refuse before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(statement);
    child.wait().unwrap().success()
}

fn ssh_keygen_signs(folder: &Path, kind: Kind, namespace: &str, options: &[&str], statement: &[u8]) -> String {
    let key = made::write(folder, "key", &made::key(kind).text);
    let file = made::write(folder, "statement", statement);
    let _ = std::fs::remove_file(folder.join("statement.sig"));
    let mut arguments = vec!["-q", "-Y", "sign", "-f", made::path_str(&key), "-n", namespace];
    arguments.extend(options);
    arguments.push(made::path_str(&file));
    made::run("ssh-keygen", &arguments);
    std::fs::read_to_string(folder.join("statement.sig")).unwrap()
}

fn check(statement: &[u8], signature: &str, kind: Kind, images: &[ImageRead]) -> Result<Verified, VerifyError> {
    verify(statement, signature, &allowed(kind), images, NOW)
}

#[test]
fn ssh_keygen_verifies_what_we_sign_with_every_kind_of_key_and_nothing_else() {
    let folder = made::folder();
    let statement = attested(&full());
    for kind in KINDS {
        let signature = sign(&statement, &identity(kind)).unwrap();
        let signers = format!("ci@example.com {}", made::key(kind).line);
        let verifies = |namespace: &str, statement: &[u8]| {
            ssh_keygen_verifies(folder.path(), namespace, &signers, statement, &signature)
        };
        assert!(verifies(NAMESPACE, &statement), "{kind:?}");
        assert!(!verifies("file", &statement), "{kind:?}: another namespace");
        let mut changed = statement.clone();
        changed[statement.len() / 2] ^= 1;
        assert!(!verifies(NAMESPACE, &changed), "{kind:?}: one bit");
    }
    let signature = sign(&statement, &identity(Kind::Ed25519)).unwrap();
    let other = format!("ci@example.com {}", made::key(Kind::P256).line);
    assert!(!ssh_keygen_verifies(folder.path(), NAMESPACE, &other, &statement, &signature), "another key");
}

#[test]
fn we_verify_what_ssh_keygen_signs_with_every_kind_of_key_and_either_hash() {
    let folder = made::folder();
    let report = clean();
    let statement = attested(&report);
    for kind in KINDS {
        for hash in ["hashalg=sha256", "hashalg=sha512"] {
            let signature = ssh_keygen_signs(folder.path(), kind, NAMESPACE, &["-O", hash], &statement);
            let verified = check(&statement, &signature, kind, &report.images).unwrap();
            assert_eq!(verified.principals.as_deref(), Some("ci@example.com"), "{kind:?}");
        }
    }
}

#[test]
fn a_verified_statement_says_who_what_and_when() {
    let report = full();
    let statement = attested(&report);
    let signature = sign(&statement, &identity(Kind::Ed25519)).unwrap();
    let verified = check(&statement, &signature, Kind::Ed25519, &report.images).unwrap();
    assert_eq!(verified.signer, valetkey::signer::fingerprint(&made::key(Kind::Ed25519).blob));
    assert_eq!(verified.by, [By::Manifest; 3]);
    assert_eq!((verified.complete, verified.outcome, verified.ignored), (false, Outcome::Findings, 1));
    assert_eq!(verified.finished_on, "2026-11-26T12:45:00Z");
    assert_eq!(verified.looked_for, [FINGERPRINT]);
    assert_eq!(verified.verdict, valetkey::report::verdict(&report));
}

#[test]
fn a_changed_byte_anywhere_in_statement_or_signature_is_refused() {
    let report = clean();
    let statement = attested(&report);
    let signature = sign(&statement, &identity(Kind::Ed25519)).unwrap();
    assert!(check(&statement, &signature, Kind::Ed25519, &report.images).is_ok());
    for at in (0..statement.len()).step_by(7) {
        let mut changed = statement.clone();
        changed[at] ^= 1;
        let error = check(&changed, &signature, Kind::Ed25519, &report.images).unwrap_err();
        assert_eq!(error, VerifyError::Signature, "byte {at}");
    }
    for cut in [&statement[..statement.len() - 1], &[]] {
        assert_eq!(check(cut, &signature, Kind::Ed25519, &report.images).unwrap_err(), VerifyError::Signature);
    }
    let mut longer = statement.clone();
    longer.push(b'\n');
    assert_eq!(check(&longer, &signature, Kind::Ed25519, &report.images).unwrap_err(), VerifyError::Signature);
    let last = signature.trim_end().len();
    for at in 0..last {
        let mut changed = signature.clone().into_bytes();
        // Another letter of the alphabet, so that the armour stays one wherever it can.
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(check(&statement, &changed, Kind::Ed25519, &report.images).is_err(), "byte {at}");
    }
}

#[test]
fn a_signature_for_another_purpose_or_of_another_key_is_refused() {
    let folder = made::folder();
    let report = clean();
    let statement = attested(&report);
    let signature = ssh_keygen_signs(folder.path(), Kind::Ed25519, "git", &[], &statement);
    let error = check(&statement, &signature, Kind::Ed25519, &report.images).unwrap_err();
    assert_eq!(error, VerifyError::Namespace("git".into()));
    let signature = sign(&statement, &identity(Kind::P256)).unwrap();
    let error = check(&statement, &signature, Kind::Ed25519, &report.images).unwrap_err();
    assert!(matches!(error, VerifyError::Signer(who) if who.starts_with("SHA256:")));
    // The allowed key's name on another key's signature.
    let mut forged = valetkey::wire::sshsig::SshSig::parse(&signature).unwrap();
    forged.public_key.clone_from(&made::key(Kind::Ed25519).blob);
    let error = check(&statement, &forged.armoured(), Kind::Ed25519, &report.images).unwrap_err();
    assert_eq!(error, VerifyError::Signature);
    // A signature for git, said to be one for an audit.
    let mut forged =
        valetkey::wire::sshsig::SshSig::parse(&ssh_keygen_signs(folder.path(), Kind::Ed25519, "git", &[], &statement))
            .unwrap();
    forged.namespace = NAMESPACE.into();
    let error = check(&statement, &forged.armoured(), Kind::Ed25519, &report.images).unwrap_err();
    assert_eq!(error, VerifyError::Signature);
}

#[test]
fn a_signer_counts_only_in_its_time() {
    let report = clean();
    let statement = attested(&report);
    let signature = sign(&statement, &identity(Kind::Ed25519)).unwrap();
    let line = &made::key(Kind::Ed25519).line;
    let signers = signers::parse(&format!("a valid-after=20260101Z,valid-before=20270101Z {line}")).unwrap();
    let at = |now| verify(&statement, &signature, &signers, &report.images, now).map(|_| ());
    let (from, until) = (1_767_225_600, 1_798_761_600);
    assert_eq!((at(from), at(until - 1)), (Ok(()), Ok(())));
    for now in [0, from - 1, until, u64::MAX] {
        assert!(matches!(at(now), Err(VerifyError::Time(_))), "{now}");
    }
}

#[test]
fn a_statement_is_about_its_own_images_alone() {
    let report = clean();
    let statement = attested(&report);
    let signature = sign(&statement, &identity(Kind::Ed25519)).unwrap();
    let about = |images: &[ImageRead]| check(&statement, &signature, Kind::Ed25519, images).map(|verified| verified.by);
    let image = report.images[0].clone();
    // The same image under another name, and out of an archive that has no manifest.
    let named = ImageRead { name: "other".into(), ..image.clone() };
    let archived = ImageRead { digest: digest('f'), config_digest: Some(digest('f')), ..image.clone() };
    let repacked = ImageRead { digest: digest('a'), ..image.clone() };
    assert_eq!(about(&[named, archived, repacked]), Ok(vec![By::Manifest, By::Config, By::Config]));
    let other = ImageRead { digest: digest('a'), config_digest: Some(digest('b')), ..image.clone() };
    assert_eq!(about(&[image.clone(), other]), Err(VerifyError::Subject(image.name.clone())));
    assert_eq!(about(&[]), Err(VerifyError::NoImage));
    for odd in ["", "sha256:", &digest('e')[7..], &digest('e').replace("sha256", "md5")] {
        let odd = ImageRead { digest: odd.into(), config_digest: None, ..image.clone() };
        assert!(matches!(about(&[odd]), Err(VerifyError::Subject(_))));
    }
}

#[test]
fn what_is_signed_and_is_no_audit_or_contradicts_itself_is_refused() {
    let report = clean();
    let good: Value = serde_json::from_slice(&attested(&report)).unwrap();
    let breaking: [fn(&mut Value); 7] = [
        |it| it["_type"] = "https://in-toto.io/Statement/v0.1".into(),
        |it| it["predicateType"] = "https://slsa.dev/provenance/v1".into(),
        |it| it["predicate"]["result"]["complete"] = false.into(),
        |it| it["predicate"]["result"]["outcome"] = "fine".into(),
        |it| drop(it["predicate"].as_object_mut().unwrap().remove("result")),
        |it| it["subject"] = Value::Null,
        |it| *it = Value::Array(vec![]),
    ];
    for (at, breaking) in breaking.into_iter().enumerate() {
        let mut broken = good.clone();
        breaking(&mut broken);
        let broken = broken.to_string().into_bytes();
        let signature = sign(&broken, &identity(Kind::Ed25519)).unwrap();
        let error = check(&broken, &signature, Kind::Ed25519, &report.images).unwrap_err();
        assert!(matches!(error, VerifyError::NoAudit(_)), "{at}: {error}");
    }
    let twice = String::from_utf8(attested(&report)).unwrap().replacen('{', "{\"predicateType\": \"x\",", 1);
    let signature = sign(twice.as_bytes(), &identity(Kind::Ed25519)).unwrap();
    let error = check(twice.as_bytes(), &signature, Kind::Ed25519, &report.images).unwrap_err();
    assert!(matches!(error, VerifyError::NoAudit(_)), "a field twice: {error}");
}

#[test]
fn a_statement_is_in_totos_and_says_everything_that_was_done() {
    let said: Value = serde_json::from_slice(&attested(&full())).unwrap();
    assert_eq!(said["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(said["predicateType"], "urn:valetkey:audit:v1");
    assert_eq!(said["subject"][0]["name"], "app:latest (linux/amd64)");
    assert_eq!(said["subject"][0]["digest"]["sha256"], digest('e')[7..]);
    assert_eq!(said["subject"][1]["digest"]["sha256"], digest('f')[7..]);
    let predicate = &said["predicate"];
    assert_eq!(predicate["read"]["images"][0]["layers"].as_array().unwrap().len(), 6);
    assert_eq!(predicate["rules"]["ids"][0], "openssh-private-key");
    assert_eq!(predicate["lookedFor"][0], FINGERPRINT);
    assert_eq!(predicate["findings"].as_array().unwrap().len(), 7);
    assert_eq!(predicate["unread"].as_array().unwrap().len(), 2);
    // It is shown on terminals too.
    let text = String::from_utf8(attested(&hostile())).unwrap();
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'));
}

#[test]
fn a_statement_at_the_limit_is_signed_and_read_and_a_longer_one_is_not() {
    let report = clean();
    let padded = |length: usize| {
        let mut statement = attested(&report);
        statement.resize(length, b' ');
        statement
    };
    let signer = identity(Kind::Ed25519);
    let most = padded(MAX_STATEMENT);
    let signature = sign(&most, &signer).unwrap();
    assert!(check(&most, &signature, Kind::Ed25519, &report.images).is_ok());
    let longer = padded(MAX_STATEMENT + 1);
    assert!(matches!(sign(&longer, &signer), Err(AttestError::TooLong)));
    assert_eq!(check(&longer, &signature, Kind::Ed25519, &report.images), Err(VerifyError::TooLong));
}

/// Signs with one key and says it was another, or signs something else.
struct Liar(Arc<dyn Signer>);

impl Signer for Liar {
    fn sign(&self, _data: &[u8], flags: u32) -> Result<Vec<u8>, SignError> {
        self.0.sign(b"something else", flags)
    }
}

#[test]
fn a_signature_that_does_not_verify_is_not_given_away() {
    let statement = attested(&clean());
    let mut other = identity(Kind::Ed25519);
    other.blob = made::key(Kind::P256).blob.clone();
    assert!(matches!(sign(&statement, &other), Err(AttestError::Unverifiable)));
    let mut liar = identity(Kind::Ed25519);
    liar.signer = Arc::new(Liar(liar.signer));
    assert!(matches!(sign(&statement, &liar), Err(AttestError::Unverifiable)));
}
