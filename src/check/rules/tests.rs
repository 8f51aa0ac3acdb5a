use std::ops::Range;

use super::*;
use crate::check::around::{Around, Dependency, Given};
use crate::check::file::{File, kind_of_name};
use crate::check::finding::{Fix, Found};
use crate::check::fix;
use crate::check::rule::Example;
use crate::hosts::Hosts;

/// A text without its marks, and what stood between them.
fn marked(text: &str) -> (String, Vec<Range<usize>>) {
    let (mut plain, mut spans, mut open) = (String::new(), Vec::new(), None);
    for c in text.chars() {
        match c {
            // Keeps what looks like a secret from being one in this very program.
            '§' => {}
            '«' => open = Some(plain.len()),
            '»' => spans.push(open.take().expect("a mark that was opened")..plain.len()),
            c => plain.push(c),
        }
    }
    assert_eq!(open, None, "a mark that is never closed: {text}");
    (plain, spans)
}

fn found(rule: &Rule, example: &Example, text: &str) -> Vec<Found> {
    let kind = kind_of_name(example.file).unwrap_or_else(|| panic!("{}: no name of a kind", example.file));
    let hosts = Hosts::builtin();
    let needs = example.needs.iter().map(|&(file, repository)| Dependency {
        file: file.to_owned(),
        line: 1,
        repository: repository.to_owned(),
        is_over_ssh: true,
    });
    let texts: Vec<String> = example.beside.iter().map(|(_, text)| text.replace('§', "")).collect();
    let beside: Vec<(&str, &str)> =
        example.beside.iter().zip(&texts).map(|((path, _), text)| (*path, text.as_str())).collect();
    let files = Given::new(&beside).naming(needs.collect());
    let around = Around { files: &files, hosts: &hosts };
    let file = File::read(example.file, text.as_bytes(), kind, &around).expect("an example that can be read");
    let mut found = Vec::new();
    (rule.check)(&file, &mut found);
    found
}

#[test]
fn every_rule_finds_in_its_examples_what_is_marked_and_nothing_else() {
    let mut wrong = Vec::new();
    for rule in RULES {
        for example in rule.examples {
            let (text, spans) = marked(example.text);
            let mut at: Vec<_> = found(rule, example, &text).into_iter().map(|found| found.at).collect();
            at.sort_by_key(|span| (span.start, span.end));
            let texts: Vec<_> = at.iter().map(|span| &text[span.clone()]).collect();
            if at != spans {
                wrong.push(format!("{}: found {texts:?} in\n{}", rule.id, example.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_an_example_that_it_finds_and_one_that_it_does_not() {
    for rule in RULES {
        let finds = |example: &Example| example.text.contains('«');
        assert!(rule.examples.first().is_some_and(finds), "{}: the first example is one that it finds", rule.id);
        assert!(rule.examples.iter().any(|example| !finds(example)), "{}", rule.id);
        assert!(
            rule.about.starts_with("a ") || rule.about.starts_with("an ") || !rule.about.ends_with('.'),
            "{}",
            rule.id
        );
    }
}

/// The text after all fixes that are made, and after as many rounds as that takes.
fn fixed(rule: &Rule, example: &Example, text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..fix::MAX_ROUNDS {
        let found = found(rule, example, &text);
        let fixes: Vec<&Fix> = found.iter().filter_map(|found| found.fix.as_ref()).filter(|fix| fix.is_safe).collect();
        let (after, made) = fix::apply(text.as_bytes(), &fixes);
        if made == 0 {
            return text;
        }
        text = String::from_utf8(after).expect("a fix that leaves text");
    }
    panic!("{}: fixes of {} never end: {text}", rule.id, example.text);
}

#[test]
fn every_fix_gives_what_its_example_says_and_ends() {
    for rule in RULES {
        for example in rule.examples {
            let before = marked(example.text).0;
            let after = fixed(rule, example, &before);
            assert_eq!(after, example.fixed.unwrap_or(&before), "{}: {before}", rule.id);
            assert_eq!(fixed(rule, example, &after), after, "{}: fixing twice", rule.id);
        }
    }
}
