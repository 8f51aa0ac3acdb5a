//! The keychain: a real one that is open, locked or empty, and none.

use super::examined::Examined;
use crate::keys::made::{self, Kind};
use crate::keys::session::{self, Session, within};
use crate::run::place::Place;
use valetkey::keys::Secret;
use valetkey::keys::keychain::{Keychain as _, OsKeychain};

macro_rules! name {
    ($test:ident) => {
        concat!("doctor::keychain::", stringify!($test))
    };
}

/// Looks for `keychain:work`, else at a variable, on the session's own bus.
fn looked(sources: &str) -> Examined {
    let place = Place::new();
    place.write("valetkey.toml", format!("[[grant]]\nkey = {sources}\n"));
    let mut command = place.valetkey(&["doctor", "--json"]);
    if let Some(bus) = std::env::var_os("DBUS_SESSION_BUS_ADDRESS") {
        command.env("DBUS_SESSION_BUS_ADDRESS", bus);
    }
    let ran = crate::run::place::ran(&mut command);
    let report = serde_json::from_str(&ran.out).unwrap();
    Examined { ran, report }
}

fn stored() {
    let text = made::key(Kind::Ed25519).text.as_bytes().to_vec();
    OsKeychain::default().set("work", &Secret::new(text)).expect("stored");
}

#[test]
fn an_entry_that_is_there_and_one_that_is_not() {
    within(Session::Keyring, name!(an_entry_that_is_there_and_one_that_is_not), || {
        looked("\"keychain:work\"").is(111).says("key", &["has no entry of this name", "valetkey key add"]);
        stored();
        looked("\"keychain:work\"")
            .is(0)
            .stands(&[("key", "ok"), ("keychain", "ok")])
            .says("keychain", &["is open", "entries of valetkey: 1"]);
    });
}

#[test]
fn a_keychain_that_is_locked() {
    within(Session::Keyring, name!(a_keychain_that_is_locked), || {
        stored();
        session::lock();
        looked("\"keychain:work\"").is(111).says("key", &["the keychain is locked", "unlock it"]).lacks("keychain");
    });
}

#[test]
fn a_keychain_that_is_not_there_is_a_warning_where_another_source_is() {
    within(Session::Bus, name!(a_keychain_that_is_not_there_is_a_warning_where_another_source_is), || {
        looked("\"keychain:work\"").is(111).says("key", &["no keychain is running"]);
        let examined = looked("[\"keychain:work\", \"env:KEY\"]");
        examined.is(0).stands(&[("key", "ok"), ("keychain", "warning")]).says("keychain", &["no keychain is running"]);
    });
}
