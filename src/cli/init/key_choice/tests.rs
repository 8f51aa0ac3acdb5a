use super::*;
use crate::project::{Address, Place};

fn wish(url: &str) -> Wish {
    Wish { address: Address::parse(url).unwrap(), places: Vec::new(), tries_https: false }
}

fn one(url: &str, seen: &Seen) -> (Vec<String>, Option<String>) {
    let choice = choose(&[wish(url)], None, seen).remove(0);
    (choice.sources.iter().map(ToString::to_string).collect(), choice.to_add)
}

fn with(identities: &[(&str, &str)], keychain: &[&str], secrets: &[&str]) -> Seen {
    let text = |text: &&str| (*text).to_owned();
    Seen {
        identities: identities.iter().map(|(print, comment)| (text(print), text(comment))).collect(),
        keychain: keychain.iter().map(text).collect(),
        ci_secrets: secrets.iter().map(|name| (Place::new("ci.yml", 1), text(name))).collect(),
    }
}

const LIB: &str = "git@github.com:org/lib.git";

#[test]
fn a_keychain_entry_to_be_made_is_named_after_the_repository() {
    assert_eq!(one(LIB, &Seen::default()), (vec!["keychain:lib".into()], Some("lib".into())));
    let choices = choose(&[wish("git@h.example:a/lib"), wish("git@h.example:b/lib")], None, &Seen::default());
    let sources: Vec<_> = choices.iter().map(|choice| choice.sources[0].to_string()).collect();
    assert_eq!(sources, ["keychain:a-lib", "keychain:b-lib"]);
}

#[test]
fn an_entry_an_identity_or_a_secret_that_fits_is_proposed() {
    assert_eq!(one(LIB, &with(&[], &["other", "org-lib"], &[])).0, ["keychain:org-lib"]);
    assert_eq!(one(LIB, &with(&[], &["github.com"], &[])).0, ["keychain:github.com"]);
    let identities = [("SHA256:a", "me@laptop"), ("SHA256:b", "git@github.com:org/lib.git")];
    assert_eq!(one(LIB, &with(&identities, &[], &[])).0, ["agent:SHA256:b"]);
    assert_eq!(one(LIB, &with(&identities[..1], &[], &[])).0, ["agent:SHA256:a"]);
    assert_eq!(one(LIB, &with(&[], &[], &["APP_KEY", "LIB_DEPLOY_KEY"])).0, ["env:LIB_DEPLOY_KEY", "keychain:lib"]);
    assert_eq!(one(LIB, &with(&identities[..1], &[], &["SSH_KEY"])).0, ["env:SSH_KEY", "agent:SHA256:a"]);
}

#[test]
fn what_only_might_fit_is_not_proposed() {
    let two = [("SHA256:a", "me@laptop"), ("SHA256:b", "me@work")];
    assert_eq!(one(LIB, &with(&two, &["other"], &["A_KEY", "B_KEY", "LIBRARY_KEY"])).0, ["keychain:lib"]);
    assert_eq!(one(LIB, &with(&[("SHA256:a", "git@github.com:org/app.git")], &[], &[])).0, ["keychain:lib"]);
}

#[test]
fn a_source_that_was_named_is_every_grants() {
    let source: KeySource = "env:KEY".parse().unwrap();
    let choices = choose(&[wish(LIB), wish("git@h.example:a/b")], Some(&source), &Seen::default());
    assert!(choices.iter().all(|choice| choice.sources == [source.clone()] && choice.to_add.is_none()));
}

#[test]
fn a_comment_of_an_identity_is_harmless() {
    let choice = choose(&[wish(LIB)], None, &with(&[("SHA256:a", "a\u{1b}[2J\n[[grant]]")], &[], &[])).remove(0);
    assert!(!choice.why.iter().any(|line| line.contains(['\u{1b}', '\n'])), "{choice:?}");
}
