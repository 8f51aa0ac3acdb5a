use super::*;
use crate::project::go_mod;

fn all(modules: &str, say: impl FnOnce(&mut Reading)) -> Vec<String> {
    let mut reading = Reading::default();
    (go_mod::MODULES.read)("go.mod", modules, &mut reading);
    say(&mut reading);
    let reading = reading.resolved();
    let needs = reading.needs.iter().map(|need| format!("{} {}: {}", need.place.line, need.what, need.address));
    needs
        .chain(reading.undecided.iter().map(|undecided| format!("{}? {}", undecided.place.line, undecided.why)))
        .collect()
}

fn set(reading: &mut Reading, name: &str, value: &str) {
    reading.across.variable(&Place::new("Dockerfile", 1), name, value);
}

const MODULES: &str = "module h.example/org/app\nrequire (\nh.example/org/a v1\nh.example/org/a/v2 v2.0.0\n\
    h.example/deep/group/b v1\ngithub.com/org/c v1\ngithub.com/other/d v1\n)\n";

#[test]
fn private_modules_are_those_that_a_pattern_names() {
    let found = all(MODULES, |reading| set(reading, "GOPRIVATE", "h.example,github.com/org"));
    assert_eq!(
        found,
        [
            "3 module h.example/org/a: https://h.example/org/a",
            "4 module h.example/org/a/v2: https://h.example/org/a",
            "6 module github.com/org/c: https://github.com/org/c",
            "5? module h.example/deep/group/b: only its host knows which repository it lies in: grant that one by hand",
        ]
    );
}

#[test]
fn without_a_pattern_only_modules_beside_the_projects_own_are_asked_about() {
    let found = all(MODULES, |_| {});
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(found[0].starts_with("3? module h.example/org/a: it lies beside this one"), "{found:#?}");
    assert!(found[1].starts_with("4? "), "{found:#?}");
    assert!(found[2].starts_with("5? no GOPRIVATE is set"), "{found:#?}");
}

#[test]
fn a_rule_for_https_makes_an_address_over_ssh_and_one_of_an_organisation_makes_it_private() {
    let found = all(MODULES, |reading| {
        set(reading, "GOPRIVATE", "h.example/org");
        reading.rewrite("ssh://git@h.example/", "https://h.example/");
        reading.rewrite("ssh://git@github.com/org/", "https://github.com/org/");
    });
    assert_eq!(
        found,
        [
            "3 module h.example/org/a: ssh://git@h.example/org/a",
            "4 module h.example/org/a/v2: ssh://git@h.example/org/a",
            "6 module github.com/org/c: ssh://git@github.com/org/c",
        ]
    );
}

#[test]
fn rules_that_are_given_to_git_in_its_variables_apply() {
    let found = all(MODULES, |reading| {
        set(reading, "GIT_CONFIG_KEY_0", "url.ssh://git@github.com/.insteadOf");
        set(reading, "GIT_CONFIG_VALUE_0", "https://github.com/");
        set(reading, "GONOPROXY", "github.com/org/*");
    });
    assert_eq!(found[0], "6 module github.com/org/c: ssh://git@github.com/org/c");
}

#[test]
fn other_variables_are_not_kept() {
    let mut reading = Reading::default();
    set(&mut reading, "TOKEN", "hunter2");
    assert!(!format!("{reading:?}").contains("hunter2"));
}

#[test]
fn modules_and_submodules_at_their_limit_are_kept_and_one_more_is_told() {
    let told = |count: usize| {
        let mut reading = Reading::default();
        (0..count).for_each(|at| reading.across.module(&format!("h.example/o/{at}"), Place::new("go.mod", at + 1)));
        set(&mut reading, "GOPRIVATE", "*");
        let reading = reading.resolved();
        (reading.needs.len(), reading.unread.len())
    };
    assert_eq!(told(MAX_MODULES), (MAX_MODULES, 0));
    assert_eq!(told(MAX_MODULES + 1), (MAX_MODULES, 1));
    let text = |count: usize| {
        (0..count).map(|at| format!("[submodule \"{at}\"]\nurl = git@h.example:o/{at}\n")).collect::<String>()
    };
    let told = |count: usize| {
        let mut reading = Reading::default();
        (crate::project::submodule::MODULES.read)(".gitmodules", &text(count), &mut reading);
        let reading = reading.resolved();
        (reading.needs.len(), reading.unread.len())
    };
    assert_eq!(told(MAX_SUBMODULES), (MAX_SUBMODULES, 0));
    assert_eq!(told(MAX_SUBMODULES + 1), (MAX_SUBMODULES, 1));
}

#[test]
fn patterns_at_their_limit_are_kept_and_no_more() {
    let kept = |count: usize| {
        let mut across = Across::default();
        let value: String = (0..count).map(|at| format!("h{at}.example,")).collect();
        across.variable(&Place::new(".env", 1), "GOPRIVATE", &value);
        across.variable(&Place::new(".env", 2), "GOPRIVATE", "one.example");
        across.patterns.len()
    };
    assert_eq!(kept(MAX_PATTERNS - 1), MAX_PATTERNS);
    assert_eq!(kept(MAX_PATTERNS + 1), MAX_PATTERNS);
}
