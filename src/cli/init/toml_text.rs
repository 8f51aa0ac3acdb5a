//! PURE: grants as they stand in `valetkey.toml`.
//!
//! Everything from elsewhere is a string of TOML's, written with its escapes, or a comment
//! without control characters: no name can become a line of its own.

use super::key_choice::Choice;
use crate::hosts::HostName;
use crate::policy::grant::DEFAULT_USER;
use crate::project::{Address, Wish};
use crate::ui::one_line;

/// The most places that are named above a grant.
const MAX_PLACES: usize = 5;
/// What marks a repository that needs no grant.
const LEFT_OUT: &str = "# no grant for ";

/// What stands at the top of a new file.
pub(super) const HEADER: &str = "\
# What this project's build reads over SSH, written by `valetkey init`. It holds no secret.
# `valetkey init --check` tells when it no longer covers what the lock files need.
";

/// A grant for each, with an empty line before it. `is_pinned` says whether everybody has the
/// host's key.
pub(super) fn grants(missing: &[Wish], choices: &[Choice], is_pinned: impl Fn(&HostName) -> bool) -> String {
    let mut out = String::new();
    let mut told: Vec<HostName> = Vec::new();
    for (wish, choice) in missing.iter().zip(choices) {
        let Ok(host) = wish.address.host_name() else { continue };
        out.push('\n');
        for (place, what) in wish.places.iter().take(MAX_PLACES) {
            comment(&mut out, &format!("{place}, {what}"));
        }
        if wish.places.len() > MAX_PLACES {
            comment(&mut out, &format!("and {} more", wish.places.len() - MAX_PLACES));
        }
        if wish.tries_https {
            comment(&mut out, "tools try HTTPS first: where it is public, put this line in the place of the grant:");
            comment(&mut out, &format!("  {LEFT_OUT}{}", wish.address));
        }
        if !is_pinned(&host) && !told.contains(&host) {
            comment(&mut out, &format!("its host key is not built in: valetkey host add {host}"));
            told.push(host.clone());
        }
        out.push_str("[[grant]]\n");
        choice.why.iter().for_each(|why| comment(&mut out, why));
        let sources: Vec<String> = choice.sources.iter().map(|source| string(&source.to_string())).collect();
        match sources.as_slice() {
            [source] => out.push_str(&format!("key = {source}\n")),
            sources => out.push_str(&format!("key = [{}]\n", sources.join(", "))),
        }
        out.push_str(&format!("host = {}\n", string(&host.to_string())));
        if let Some(user) = wish.address.user.as_deref().filter(|user| *user != DEFAULT_USER) {
            out.push_str(&format!("user = {}\n", string(user)));
        }
        out.push_str(&format!("repos = [{}]\n", string(&wish.address.repository)));
    }
    out
}

/// The repositories that a config says need no grant.
pub(super) fn left_out(text: &str) -> Vec<Address> {
    let rest = text.lines().filter_map(|line| line.trim().strip_prefix(LEFT_OUT));
    rest.filter_map(|rest| Address::parse(rest.split_whitespace().next()?.trim_end_matches([':', ','])).ok()).collect()
}

fn comment(out: &mut String, text: &str) {
    out.push_str("# ");
    out.push_str(&one_line(text));
    out.push('\n');
}

/// A string of TOML's on one line. JSON's escapes are TOML's, but for DEL, which JSON leaves as it is.
fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KeySource;
    use crate::project::Place;
    use std::path::Path;

    fn wish(url: &str, places: &[(&str, &str)]) -> Wish {
        let place = |(file, what): &(&str, &str)| (Place::new(file, 7), (*what).to_owned());
        Wish {
            address: Address::parse(url).unwrap(),
            places: places.iter().map(place).collect(),
            tries_https: url.contains("github.com"),
        }
    }

    fn choice(source: &str) -> Choice {
        Choice { sources: vec![source.parse().unwrap()], why: vec!["why".into()], to_add: None }
    }

    #[test]
    fn a_grant_says_where_it_comes_from_and_what_it_grants() {
        let wishes = [
            wish("ssh://me@h.example:2222/o/a.git", &[("poetry.lock", "dependency a"), ("b/uv.lock", "dependency a")]),
            wish("git@github.com:o/b", &[("package.json", "dependency b")]),
        ];
        let choices = [choice("env:K"), choice("keychain:b")];
        let text = grants(&wishes, &choices, |host| host.host == "github.com");
        assert_eq!(
            text,
            "
# poetry.lock:7, dependency a
# b/uv.lock:7, dependency a
# its host key is not built in: valetkey host add [h.example]:2222
[[grant]]
# why
key = \"env:K\"
host = \"[h.example]:2222\"
user = \"me\"
repos = [\"o/a\"]

# package.json:7, dependency b
# tools try HTTPS first: where it is public, put this line in the place of the grant:
#   # no grant for ssh://git@github.com/o/b
[[grant]]
# why
key = \"keychain:b\"
host = \"github.com\"
repos = [\"o/b\"]
"
        );
        assert_eq!(crate::config::parse(&text, Path::new("/p/valetkey.toml")).unwrap().grants.len(), 2);
    }

    #[test]
    fn no_name_becomes_a_line_or_a_value_of_its_own() {
        assert_eq!(string("a\u{7f}\n\"\\b"), r#""a\u007f\n\"\\b""#);
        let hostile = "x\n[[grant]]\nkey = \"env:STOLEN\"\u{1b}[2J\u{7f}\r\u{0}\u{2028}";
        let mut one = choice("env:K");
        one.sources = vec![KeySource::Keychain("a\"]\n[[grant]]\nkey=\"env:STOLEN".into())];
        one.why = vec![hostile.into()];
        let text = grants(&[wish("git@h.example:o/a", &[(hostile, hostile)])], &[one], |_| true);
        let config = crate::config::parse(&text, Path::new("/p/valetkey.toml"));
        // A keychain's name has no line feed, so this one is refused, and as a value.
        assert!(matches!(config, Err(crate::config::ConfigError::Value { field: "key", .. })), "{config:?} {text}");
        assert!(!text.contains(['\u{1b}', '\u{7f}', '\r', '\u{0}', '\u{2028}']), "{text:?}");
        assert_eq!(text.lines().filter(|line| line.starts_with("[[grant]]")).count(), 1);
    }

    #[test]
    fn places_at_the_limit_are_named_and_those_past_it_are_counted() {
        let of =
            |count: usize| grants(&[wish("git@h.example:o/a", &vec![("f", "x"); count])], &[choice("env:K")], |_| true);
        assert_eq!(of(MAX_PLACES).matches("# f:7").count(), MAX_PLACES);
        assert!(of(MAX_PLACES + 2).contains("# and 2 more\n"));
    }

    #[test]
    fn a_repository_is_left_out_by_a_line_that_says_so() {
        let text = "# no grant for ssh://git@github.com/o/a\n  # no grant for git@h.example:o/b.git, public\n# no grant for\n\
                    #   # no grant for ssh://git@github.com/o/c\n";
        let left_out: Vec<String> = left_out(text).iter().map(ToString::to_string).collect();
        assert_eq!(left_out, ["ssh://git@github.com/o/a", "ssh://git@h.example/o/b"]);
    }
}
