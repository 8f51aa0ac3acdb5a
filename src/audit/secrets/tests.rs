//! Runs every rule's examples and near misses through the scanner that an audit has.

use super::*;
use crate::audit::scan::Scanner;

fn scan(name: &str, text: &str) -> Vec<Found> {
    let scanner = Scanner::new(vec![Box::new(Secrets)]);
    let mut found = Vec::new();
    let shown = Text { bytes: text.as_bytes(), name: name.as_bytes(), depth: 0 };
    scanner.scan(&shown, 0..text.len(), &mut found);
    found
}

fn file(path: &str, text: &str) -> Vec<Found> {
    let scanner = Scanner::new(vec![Box::new(Secrets)]);
    let name = path.rsplit('/').next().unwrap();
    let mut found = scan(name, text);
    scanner.file(path.as_bytes(), &Text { bytes: text.as_bytes(), name: name.as_bytes(), depth: 0 }, &mut found);
    found
}

fn ids(found: &[Found]) -> Vec<&str> {
    found.iter().map(|found| found.rule).collect()
}

/// The ways that a token stands in a file.
const PLACES: [(&str, &str); 9] = [
    ("", ""),
    ("TOKEN=", "\n"),
    ("a: \"", "\",\n"),
    ("--token ", " --more"),
    ("x\0\0", "\0y"),
    ("printf '\\n", "\\n'"),
    ("?q=1%3D", "%26b"),
    ("'\\u003d", "'"),
    ("<a>", "</a>"),
];

#[test]
fn every_example_of_a_token_is_found_once_wherever_it_stands() {
    for token in tokens::TOKENS {
        for example in (token.examples)().found {
            for (before, behind) in PLACES {
                let text = format!("{before}{example}{behind}");
                assert_eq!(ids(&scan("x", &text)), [token.id], "{text}");
            }
        }
    }
}

#[test]
fn no_near_miss_of_a_token_is_found_wherever_it_stands() {
    for token in tokens::TOKENS {
        for example in (token.examples)().not {
            for (before, behind) in PLACES {
                let text = format!("{before}{example}{behind}");
                assert_eq!(ids(&scan("x", &text)), [""; 0], "{text}");
            }
        }
    }
}

#[test]
fn every_example_of_an_address_is_found_once_and_no_near_miss_is() {
    let examples = url::examples();
    for example in examples.found {
        assert_eq!(ids(&scan("x", &format!("\"{example}\""))), ["url-password"], "{example}");
    }
    for example in examples.not {
        assert_eq!(ids(&scan("x", &format!("\"{example}\""))), [""; 0], "{example}");
    }
}

#[test]
fn every_example_of_a_credential_file_is_found_once_at_each_of_its_paths_and_no_near_miss_is() {
    for rule in files::FILES {
        let examples = (rule.examples)();
        assert!(!examples.found.is_empty() && !examples.not.is_empty(), "{}", rule.id);
        for path in rule.paths {
            let path = format!("root/{}", path.replace("//", "/x/").replace('*', "y"));
            assert!(Secrets.names(path.as_bytes()), "{path}");
            for example in &examples.found {
                assert_eq!(ids(&file(&path, example)), [rule.id], "{path} {example}");
            }
            for example in &examples.not {
                assert_eq!(ids(&file(&path, example)), [""; 0], "{path} {example}");
            }
        }
    }
}

#[test]
fn a_credential_file_with_windows_line_ends_is_read_alike() {
    for rule in files::FILES {
        let path = format!("root/{}", rule.paths[0].replace("//", "/x/").replace('*', "y"));
        for example in (rule.examples)().found {
            assert_eq!(ids(&file(&path, &example.replace('\n', "\r\n"))), [rule.id], "{example}");
        }
    }
}

#[test]
fn a_token_in_a_credential_file_is_named_by_its_form_and_said_once() {
    let token = made::checked("npm_", 1);
    assert_eq!(ids(&file("root/.npmrc", &format!("//npm.corp/:_authToken={token}\n"))), ["npm-token"]);
    let token = made::checked("ghp_", 1);
    assert_eq!(ids(&file("root/.git-credentials", &format!("https://joe:{token}@forge.corp\n"))), ["github-token"]);
    assert_eq!(ids(&file("root/.netrc", &format!("machine a login b password {token}"))), ["github-token"]);
    let password = made::base62(20, 1);
    assert_eq!(ids(&file("root/.git-credentials", &format!("https://joe:{password}@forge.corp\n"))), ["url-password"]);
}

/// Every part of `text` that could be a secret: what a message must not have.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| part.len() >= 7)
}

#[test]
fn no_message_has_any_part_of_a_secret() {
    for token in tokens::TOKENS {
        for example in (token.examples)().found {
            for found in scan("x", &example) {
                assert!(parts(&example[found.at..]).all(|part| !found.message.contains(part)), "{}", found.message);
            }
        }
    }
    for rule in files::FILES {
        for example in (rule.examples)().found {
            for found in file(&format!("root/{}", rule.paths[0].replace("//", "/x/")), &example) {
                let secret = &example[found.at..found.at + found.length];
                assert!(!found.message.contains(secret), "{}", found.message);
                let encoded = secret.starts_with("aHVudGVy") || secret.starts_with("am9l");
                assert!(encoded || secret.contains("hunter2") || secret.len() > 12, "{} {secret}", rule.id);
            }
        }
    }
}

#[test]
fn a_finding_says_where_its_token_begins_and_how_long_it_is() {
    let token = made::checked("ghp_", 1);
    let text = format!("export GITHUB_TOKEN={token};");
    let found = scan("x", &text);
    assert_eq!((found[0].at, found[0].length), (20, 40));
}

#[test]
fn every_rule_has_an_id_of_its_own_in_lower_case_and_a_remedy_of_one_line() {
    let mut all: Vec<(&str, &str, &str)> = Vec::new();
    all.extend(tokens::TOKENS.iter().map(|token| (token.id, token.kind, token.remedy)));
    all.extend(files::FILES.iter().map(|file| (file.id, file.kind, file.remedy)));
    for (id, kind, remedy) in &all {
        assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'), "{id}");
        for text in [kind, remedy] {
            assert!(!text.contains('\n') && !text.ends_with('.') && text.starts_with(char::is_lowercase), "{text}");
        }
    }
    let count = all.len();
    all.sort_unstable();
    all.dedup_by_key(|rule| rule.0);
    assert_eq!(all.len(), count);
}

#[test]
fn two_tokens_in_one_run_are_two_findings_and_a_cut_one_is_none() {
    let text = format!("{}={}", made::checked("ghp_", 1), made::checked("npm_", 2));
    assert_eq!(ids(&scan("x", &text)), ["github-token", "npm-token"]);
    for cut in 1..text.len() {
        let expected: &[&str] = if cut >= 40 { &["github-token"] } else { &[] };
        assert_eq!(ids(&scan("x", &text[..cut])), expected, "{cut}");
    }
}

#[test]
fn no_credential_file_that_is_cut_anywhere_or_is_noise_breaks_a_rule() {
    for rule in files::FILES {
        let examples = (rule.examples)();
        for example in examples.found.iter().chain(&examples.not) {
            for cut in 0..=example.len() {
                (rule.look)(&example.as_bytes()[..cut], &mut |hit| {
                    assert!(hit.range.end <= cut && hit.range.start <= hit.range.end)
                });
            }
        }
        for seed in 0..50 {
            let noise = made::body(400, seed, b"ab:=\"'\\/ \n@<>{}[]#.$password token machine");
            (rule.look)(noise.as_bytes(), &mut |hit| assert!(hit.range.end <= noise.len()));
            (url::parse(noise.as_bytes(), 0)).map(|_| ()).unwrap_or_default();
        }
    }
}
