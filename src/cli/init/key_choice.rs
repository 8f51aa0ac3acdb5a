//! PURE: a key source for each repository, and why this one.

use super::seen::Seen;
use crate::config::comment;
use crate::keys::{AgentSelector, KeySource};
use crate::project::Wish;
use crate::wire::text::shown;

/// The key of one new grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// In the order in which they are tried; never empty.
    pub(super) sources: Vec<KeySource>,
    /// Why these, one line each, harmless.
    pub(super) why: Vec<String>,
    /// The name of a keychain entry that is still to be made.
    pub(super) to_add: Option<String>,
}

/// One choice for each.
pub(super) fn choose(missing: &[Wish], named: Option<&KeySource>, seen: &Seen) -> Vec<Choice> {
    if let Some(source) = named {
        return vec![Choice { sources: vec![source.clone()], why: Vec::new(), to_add: None }; missing.len()];
    }
    let names = names(missing);
    missing.iter().zip(names).map(|(wish, name)| choice(wish, &name, seen)).collect()
}

fn choice(wish: &Wish, name: &str, seen: &Seen) -> Choice {
    let mut choice = Choice { sources: Vec::new(), why: Vec::new(), to_add: None };
    // First: in CI its variable is there, and elsewhere it is not.
    let fitting = seen.ci_secrets.iter().find(|(_, secret)| names_repository(secret, &wish.address.repository));
    let alone = || if let [secret] = seen.ci_secrets.as_slice() { Some(secret) } else { None };
    if let Some((place, secret)) = fitting.or_else(alone) {
        choice.sources.push(KeySource::Env(secret.clone()));
        choice
            .why
            .push(format!("CI has the secret {secret} ({place}): pass it to valetkey as a variable of that name"));
    } else if !seen.ci_secrets.is_empty() {
        let all: Vec<&str> = seen.ci_secrets.iter().map(|(_, secret)| secret.as_str()).collect();
        choice.why.push(format!("CI has the secrets {}: env:NAME uses one of them", all.join(", ")));
    }
    if let Some(entry) = seen.keychain.iter().find(|entry| fits_entry(entry, wish, name)) {
        choice.sources.push(KeySource::Keychain(entry.clone()));
        choice.why.push(format!("the keychain has {}", shown(entry.as_bytes())));
    } else if let Some((fingerprint, comment)) = identity(wish, seen) {
        let print = AgentSelector::Fingerprint(fingerprint.to_owned());
        choice.sources.push(KeySource::Agent(print));
        choice.why.push(format!("that is {:?} in your own agent", shown(comment.as_bytes())));
    } else {
        choice.sources.push(KeySource::Keychain(name.to_owned()));
        choice.why.push(format!("valetkey key add {name} --from FILE puts the key there"));
        choice.to_add = Some(name.to_owned());
    }
    choice
}

/// The identity whose comment names the repository, or the only one that there is.
fn identity<'a>(wish: &Wish, seen: &'a Seen) -> Option<(&'a str, &'a str)> {
    let host = wish.address.host_name().ok()?;
    let names = |comment: &str| {
        comment::named(comment)
            .is_some_and(|named| named.host == host && named.repository.matches(&host.host, &wish.address.repository))
    };
    let found = seen.identities.iter().find(|(_, comment)| names(comment));
    let alone = || {
        let [one] = seen.identities.as_slice() else { return None };
        // A deploy key of another repository opens this one as little as no key.
        comment::named(&one.1).is_none().then_some(one)
    };
    found.or_else(alone).map(|(print, comment)| (print.as_str(), comment.as_str()))
}

fn fits_entry(entry: &str, wish: &Wish, name: &str) -> bool {
    let repository = &wish.address.repository;
    [name, repository, &repository.replace('/', "-"), &wish.address.host, last(repository)].contains(&entry)
}

/// `OMNIBUS_DEPLOY_KEY` for `org/omnibus`: every part of the repository's last name is a word of it.
fn names_repository(secret: &str, repository: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        text.split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_ascii_uppercase)
            .collect()
    };
    let secret = words(secret);
    let repository = words(last(repository));
    !repository.is_empty() && secret.windows(repository.len()).any(|window| window == repository)
}

fn last(repository: &str) -> &str {
    repository.rsplit('/').next().unwrap_or(repository)
}

/// A name for a keychain entry each: the repository's last part, the whole where two have the same.
fn names(missing: &[Wish]) -> Vec<String> {
    let lasts: Vec<&str> = missing.iter().map(|wish| last(&wish.address.repository)).collect();
    let name = |(wish, name): (&Wish, &&str)| {
        let text =
            if lasts.iter().filter(|other| *other == name).count() > 1 { &wish.address.repository } else { *name };
        let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
        text.chars().map(plain).take(100).collect::<String>().trim_start_matches('-').to_owned()
    };
    missing.iter().zip(&lasts).map(name).collect()
}

#[cfg(test)]
mod tests;
