//! What the real `ssh-add` lists: what was lent, in the order it was named, and no more than a
//! server lets a client try.

use super::lending::{Ended, Lending};
use crate::hosts::keys::{Key, Keys};
use valetkey::hosts::Fingerprint;

/// A folder with so many keys, which are named by their numbers from 0.
fn keys(count: usize) -> (Keys, Vec<Key>) {
    let keys = Keys::new();
    let made = (0..count).map(|number| keys.ed25519(&number.to_string())).collect();
    (keys, made)
}

fn fingerprint(key: &Key) -> String {
    Fingerprint::of(&key.blob).to_string()
}

/// Lends those keys, in this order.
fn lending(keys: &Keys, order: &[usize]) -> Lending {
    order.iter().fold(Lending::new(), |lending, number| lending.key(&keys.path(&number.to_string())))
}

/// The keys of `ssh-add -L`, without their comments.
fn listed(ended: &Ended) -> Vec<String> {
    let lines = ended.expect_code(0).stdout.lines();
    lines.map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn the_lent_identities_are_listed_in_the_order_they_were_named() {
    let (keys, made) = keys(3);
    for order in [[0, 1, 2], [2, 0, 1]] {
        let lending = lending(&keys, &order);
        let texts = order.map(|number| made[number].text.clone());
        assert_eq!(listed(&lending.run(["ssh-add", "-L"])), texts);
        let short = lending.run(["ssh-add", "-l"]);
        let lines = order.map(|number| format!("256 {} made for a test (ED25519)\n", fingerprint(&made[number])));
        assert_eq!(short.expect_code(0).stdout, lines.concat());
        assert_eq!(short.refusals(), 0, "{}", short.report());
    }
}

#[test]
fn a_key_that_is_named_twice_is_listed_once() {
    let (keys, made) = keys(2);
    let ended = lending(&keys, &[1, 0, 1]).run(["ssh-add", "-L"]);
    assert_eq!(listed(&ended), [made[1].text.clone(), made[0].text.clone()]);
}

#[test]
fn five_are_offered_without_a_word_and_the_sixth_is_named_in_a_warning() {
    let (keys, made) = keys(7);
    let five = lending(&keys, &[0, 1, 2, 3, 4]).run(["ssh-add", "-L"]);
    assert_eq!(listed(&five).len(), 5);
    assert!(!five.stderr.contains("warning:"), "{}", five.report());

    let order = [0, 1, 2, 3, 4, 5, 6];
    let seven = lending(&keys, &order).run(["ssh-add", "-L"]);
    assert_eq!(listed(&seven), made[..5].iter().map(|key| key.text.clone()).collect::<Vec<_>>());
    for (number, key) in made.iter().enumerate() {
        let warned = format!("warning: {} \"made for a test\" is not offered", fingerprint(key));
        assert_eq!(seven.stderr.contains(&warned), number >= 5, "{}", seven.report());
    }
    assert_eq!(seven.receipt["identities"].as_array().map(Vec::len), Some(5), "{}", seven.report());

    let six = lending(&keys, &order).flags(["--max-identities", "6"]).run(["ssh-add", "-L"]);
    assert_eq!(listed(&six), made[..6].iter().map(|key| key.text.clone()).collect::<Vec<_>>());
    assert!(six.stderr.contains(&fingerprint(&made[6])), "{}", six.report());
}

#[test]
fn a_certificate_beside_a_key_is_listed_behind_it() {
    let (keys, made) = keys(1);
    keys.ed25519("ca");
    let certificate = keys.certify("ca", "0", &["-n", "git"]);
    let ended = lending(&keys, &[0]).run(["ssh-add", "-L"]);
    assert_eq!(listed(&ended), [made[0].text.clone(), certificate.text]);
}
