//! `Debug` and `Display` of everything that holds a secret show nothing of it.

use valetkey::keys::Secret;
use valetkey::keys::parse::{Secrets, parse};

use super::made::{self, KINDS};
use super::world::pasted;

/// The secret bytes of a key, as debug output would show them: `[1, 2, …` or in hexadecimal.
fn shown(text: &str) -> Vec<String> {
    let number = |byte: &u8| byte.to_string();
    let bytes: Vec<u8> = {
        use base64ct::{Base64, Encoding as _};
        let body: String = text.lines().filter(|line| !line.contains('-')).collect();
        Base64::decode_vec(&body).expect("base64")
    };
    bytes.windows(6).map(|window| window.iter().map(number).collect::<Vec<_>>().join(", ")).collect()
}

#[test]
fn nothing_secret_is_shown_by_debug() {
    for kind in KINDS {
        let text = &made::key(kind).text;
        let loaded = pasted(text).expect("a key");
        let found = parse(text.as_bytes()).expect("a key").remove(0);
        let Secrets::Open(parts) = &found.secret else { panic!("not encrypted") };
        let key = valetkey::signer::build(parts).expect("a key");
        let secret = Secret::new(text.clone().into_bytes());
        let said = format!("{loaded:?} {:?} {parts:?} {key:?} {secret:?}", found.secret);
        assert!(said.contains("Secret(") && said.contains("Parts("), "the control: {said}");
        for piece in shown(text) {
            assert!(!said.contains(&piece), "{kind:?}: {said}");
        }
    }
}

#[test]
fn a_locked_key_shows_nothing() {
    let text =
        made::openssl(&made::as_format(made::Kind::P256, "PKCS8"), &["pkcs8", "-topk8", "-passout", "pass:words"]);
    let found = parse(text.as_bytes()).expect("a key");
    let said = format!("{found:?}");
    assert!(said.contains("Locked"));
    for piece in shown(&text) {
        assert!(!said.contains(&piece), "{said}");
    }
}
