//! Sign requests that are almost a granted login, from a client inside the wrapped command. Each
//! differs from one that is signed in a single thing.

use super::client::{Client, Login, inside, lending, sign};
use crate::hosts::keys::{Key, Keys};
use valetkey::wire::agent::{FAILURE, SIGN_RESPONSE};

/// What the agent makes of signed data for the lent key: whether there is a signature.
#[track_caller]
fn is_signed(key: &[u8], data: &[u8]) -> bool {
    let reply = Client::connect().ask(&sign(key, data)).unwrap();
    assert!(reply == [FAILURE] || reply[0] == SIGN_RESPONSE, "{reply:?}");
    reply[0] == SIGN_RESPONSE
}

/// Runs the test again inside a lease; what was refused there, for these reasons and no others.
#[track_caller]
fn refused(test: &str, reasons: &[&str]) {
    let (_keys, lending) = lending();
    let ended = lending.again(&format!("agent::forged_logins::{test}"));
    ended.expect_bound("forge", 1);
    for reason in reasons {
        ended.expect_refused(reason, None);
    }
    assert_eq!(ended.refusals(), reasons.len(), "{}", ended.report());
}

/// Each of these is refused, and what they are made from is signed.
fn try_each(forged: impl IntoIterator<Item = Login>) {
    let granted = Login::granted();
    for login in forged {
        assert!(!is_signed(&granted.key, &login.data()), "{}", String::from_utf8_lossy(&login.data()));
    }
    assert!(is_signed(&granted.key, &granted.data()));
}

#[test]
fn data_that_is_no_login_to_its_last_byte() {
    if inside() {
        let granted = Login::granted();
        let whole = granted.data();
        let shortened = (0..whole.len()).map(|length| whole[..length].to_vec());
        let stated = [&b"SSH-2.0-OpenSSH"[..], b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n", b""];
        for data in shortened.chain(stated.map(<[u8]>::to_vec)) {
            assert!(!is_signed(&granted.key, &data), "{data:?}");
        }
        return try_each([
            Login { rest: vec![0], ..granted.clone() },
            Login { session: vec![], ..granted.clone() },
            Login { session: vec![9; 65], ..granted.clone() },
            Login { message: 80, ..granted.clone() },
            Login { signed: 0, ..granted.clone() },
            Login { method: b"password".to_vec(), ..granted.clone() },
            Login { method: b"hostbased".to_vec(), ..granted.clone() },
            Login { method: b"publickey".to_vec(), ..granted.clone() },
            Login { host_key: None, ..granted },
        ]);
    }
    refused("data_that_is_no_login_to_its_last_byte", &["the data to sign is not an SSH login"]);
}

#[test]
fn another_service() {
    if inside() {
        let service = |name: &str| Login { service: name.into(), ..Login::granted() };
        return try_each(["ssh-userauth", "ssh-connection\0", ""].map(service));
    }
    let reason = |name: &str| format!("the login is for the service {name:?}, not for \"ssh-connection\"");
    let reasons = ["ssh-userauth", "ssh-connection\u{fffd}", ""].map(reason);
    refused("another_service", &reasons.each_ref().map(String::as_str));
}

#[test]
fn another_algorithm() {
    if inside() {
        let algorithm = |name: &str| Login { algorithm: name.into(), ..Login::granted() };
        return try_each(["ssh-rsa", "ssh-ed25519-cert-v01@openssh.com"].map(algorithm));
    }
    let reason = |name: &str| format!("the signature algorithm {name:?} is not one that this key may use");
    let reasons = ["ssh-rsa", "ssh-ed25519-cert-v01@openssh.com"].map(reason);
    refused("another_algorithm", &reasons.each_ref().map(String::as_str));
}

/// A key that was not lent, and a certificate for the lent one from an authority of its own.
fn of_the_attacker(lent: &[u8]) -> (Vec<u8>, Vec<u8>) {
    use base64ct::{Base64, Encoding as _};
    let keys = Keys::new();
    let other = keys.ed25519("ca");
    keys.write("lent.pub", &format!("ssh-ed25519 {} lent\n", Base64::encode_string(lent)));
    let certificate: Key = keys.certify("ca", "lent", &["-n", "git"]);
    (other.blob, certificate.blob)
}

#[test]
fn another_key_inside_or_a_certificate_that_was_not_lent() {
    if inside() {
        let granted = Login::granted();
        let (other, certificate) = of_the_attacker(&granted.key);
        let algorithm = b"ssh-ed25519-cert-v01@openssh.com".to_vec();
        return try_each([Login { key: other, ..granted.clone() }, Login { key: certificate, algorithm, ..granted }]);
    }
    let reason = "the login names another key than the one that was asked to sign";
    refused("another_key_inside_or_a_certificate_that_was_not_lent", &[reason]);
}

#[test]
fn a_key_that_was_not_lent() {
    if inside() {
        let granted = Login::granted();
        let (other, certificate) = of_the_attacker(&granted.key);
        for key in [other, certificate, Vec::new()] {
            assert!(!is_signed(&key, &Login { key: key.clone(), ..granted.clone() }.data()));
        }
        return try_each([]);
    }
    let (_keys, lending) = lending();
    let ended = lending.again("agent::forged_logins::a_key_that_was_not_lent");
    ended.expect_bound("forge", 1).expect_refused("the key is not one that was lent", None);
    assert_eq!(ended.refusals(), 3, "{}", ended.report());
}
