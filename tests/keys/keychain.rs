//! The OS keychain: a real Secret Service on a real bus, and each way it can be missing.

use std::time::{Duration, Instant};

use valetkey::cli::key::{KeyArgs, KeyCommand, run};
use valetkey::exit::Code;
use valetkey::keys::keychain::{Keychain as _, KeychainError, OsKeychain};
use valetkey::keys::{LoadEnv, Secret, load};
use valetkey::ui::Failure;

use super::made::{self, Kind};
use super::session::{self, Session, within};
use super::world::{Person, blobs};

const SOON: Duration = Duration::from_secs(20);

fn keychain() -> OsKeychain {
    OsKeychain::with_limit(SOON)
}

/// The name of a test here, as the test runner has it.
macro_rules! name {
    ($test:ident) => {
        concat!("keys::keychain::", stringify!($test))
    };
}

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

/// What every operation says.
fn all_say(expected: &KeychainError) {
    assert_eq!(keychain().get("x").as_ref().expect_err("get"), expected);
    assert_eq!(keychain().set("x", &secret("x")).as_ref().expect_err("set"), expected);
    assert_eq!(keychain().remove("x").as_ref().expect_err("remove"), expected);
    assert_eq!(keychain().list().as_ref().expect_err("list"), expected);
}

#[test]
fn a_session_without_a_bus_is_named_as_such() {
    within(Session::Nothing, name!(a_session_without_a_bus_is_named_as_such), || {
        all_say(&KeychainError::NoBus);
    });
}

#[test]
fn a_bus_without_a_keychain_is_named_as_such() {
    within(Session::Bus, name!(a_bus_without_a_keychain_is_named_as_such), || {
        all_say(&KeychainError::NoProvider);
    });
}

#[test]
fn a_locked_keychain_is_named_as_such() {
    within(Session::Keyring, name!(a_locked_keychain_is_named_as_such), || {
        keychain().set("key", &secret("the secret")).expect("the control: it is unlocked");
        session::lock();
        assert_eq!(keychain().get("key").expect_err("locked"), KeychainError::Locked);
        let set = keychain().set("other", &secret("x"));
        assert_eq!(set.expect_err("locked"), KeychainError::Locked);
        assert_eq!(keychain().remove("key").expect_err("locked"), KeychainError::Locked);
        assert_eq!(keychain().list().expect_err("locked"), KeychainError::Locked);
    });
}

#[test]
fn a_keychain_that_never_answers_ends_in_a_time_out() {
    within(Session::Keyring, name!(a_keychain_that_never_answers_ends_in_a_time_out), || {
        keychain().set("key", &secret("the secret")).expect("the control: it answers");
        session::freeze();
        let start = Instant::now();
        let error = OsKeychain::with_limit(Duration::from_secs(1)).get("key").expect_err("frozen");
        assert_eq!(error, KeychainError::Silent(1));
        assert!(start.elapsed() < SOON);
    });
}

#[test]
fn a_missing_entry_is_named_as_such() {
    within(Session::Keyring, name!(a_missing_entry_is_named_as_such), || {
        keychain().set("another", &secret("x")).expect("the control: it stores");
        assert_eq!(keychain().get("key").expect_err("missing"), KeychainError::NoEntry);
        assert_eq!(keychain().remove("key").expect_err("missing"), KeychainError::NoEntry);
    });
}

#[test]
fn a_long_key_is_read_back_byte_by_byte_listed_and_removed() {
    within(Session::Keyring, name!(a_long_key_is_read_back_byte_by_byte_listed_and_removed), || {
        let pem = made::run("openssl", &["genrsa", "-traditional", "4096"]);
        assert!(pem.len() > 3000);
        keychain().set("rsa", &Secret::new(pem.clone())).expect("stored");
        assert_eq!(keychain().get("rsa").expect("read").expose(), pem);
        assert_eq!(session::entries("valetkey", "rsa"), 1, "under the documented attributes");
        assert_eq!(session::entries("valetkey", "dsa"), 0, "the control");
        keychain().set("b key", &secret("b")).expect("stored");
        assert_eq!(keychain().list().expect("names"), ["b key", "rsa"]);
        keychain().remove("rsa").expect("removed");
        assert_eq!(keychain().list().expect("names"), ["b key"]);
    });
}

/// Runs `valetkey key …` with this standard input.
fn key(command: KeyCommand, stdin: &str) -> Result<(), Failure> {
    let mut env = LoadEnv {
        variable: &|_| None,
        home: None,
        stdin: Some(Box::new(stdin.as_bytes())),
        keychain: &keychain(),
        person: &mut Person::default(),
        passphrase_from: None,
        known: Vec::new(),
        kept: None,
        kept_texts: None,
        secrets_folder: "/nowhere".into(),
        time_limits: valetkey::keys::TimeLimits::default(),
        clock: &std::time::SystemTime::now,
    };
    run(KeyArgs { command }, &mut env)
}

fn add(name: &str, from: &str, force: bool, stdin: &str) -> Result<(), Failure> {
    key(KeyCommand::Add { name: name.to_owned(), from: from.to_owned(), force }, stdin)
}

#[test]
fn a_key_is_added_used_replaced_and_removed() {
    within(Session::Keyring, name!(a_key_is_added_used_replaced_and_removed), || {
        let (first, second) = (made::key(Kind::Ed25519), made::key(Kind::P256));
        add("work", "-", false, &first.text).expect("added");
        let loaded = || {
            let source = "keychain:work".parse().expect("a source");
            LoadEnv::with_process(None, |env| load(&source, env)).expect("a key")
        };
        assert_eq!(blobs(&loaded()), [&first.blob[..]]);
        let folder = made::folder();
        let path = made::write(folder.path(), "key", &second.text);
        let error = add("work", made::path_str(&path), false, "").expect_err("there is one");
        assert!(error.message.contains("already has an entry"), "{error:?}");
        assert!(error.hint.expect("a hint").contains("--force"));
        assert_eq!(blobs(&loaded()), [&first.blob[..]], "still the first");
        add("keychain:work", made::path_str(&path), true, "").expect("replaced");
        assert_eq!(blobs(&loaded()), [&second.blob[..]]);
        key(KeyCommand::List, "").expect("listed");
        key(KeyCommand::Remove { name: "work".to_owned() }, "").expect("removed");
        let error = key(KeyCommand::Remove { name: "work".to_owned() }, "").expect_err("gone");
        assert!(error.message.contains("keychain:work: the keychain has no entry"), "{error:?}");
        assert_eq!(error.code, Code::Key);
    });
}

#[test]
fn what_is_no_usable_private_key_is_not_stored() {
    within(Session::Keyring, name!(what_is_no_usable_private_key_is_not_stored), || {
        let line = &made::key(Kind::Ed25519).line;
        let error = add("work", "-", false, line).expect_err("a public key");
        assert!(error.message.contains("it is a public key"), "{error:?}");
        let short = String::from_utf8(made::run("openssl", &["genrsa", "1024"])).expect("PEM");
        let error = add("work", "-", true, &short).expect_err("a short key");
        assert!(error.message.contains("1024 bits"), "{error:?}");
        assert!(add("work", "-", false, "").expect_err("empty").message.contains("it is empty"));
        let error = add("bad\nname", "-", false, &made::key(Kind::Ed25519).text);
        assert_eq!(error.expect_err("no name").code, Code::Usage);
        assert!(keychain().list().expect("names").is_empty());
    });
}

#[test]
fn an_encrypted_key_is_stored_as_it_is() {
    within(Session::Keyring, name!(an_encrypted_key_is_stored_as_it_is), || {
        let folder = made::folder();
        let path = made::write(folder.path(), "key", &made::key(Kind::Ed25519).text);
        let text = made::path_str(&path);
        made::run("ssh-keygen", &["-q", "-p", "-a", "1", "-N", "words", "-f", text]);
        add("locked", text, false, "").expect("stored without its passphrase");
        let stored = keychain().get("locked").expect("read");
        assert_eq!(stored.expose(), std::fs::read(&path).expect("a file"));
        key(KeyCommand::List, "").expect("listed without its passphrase");
    });
}
