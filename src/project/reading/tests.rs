use super::*;

fn place(line: usize) -> Place {
    Place::new("a.lock", line)
}

#[test]
fn an_https_need_becomes_one_over_ssh_by_insteadof_wherever_that_is_said() {
    let mut reading = Reading::default();
    reading.git(place(1), "dependency a", "git+https://git.example.com/org/a.git@v1");
    reading.rewrite("ssh://git@git.example.com/", "https://git.example.com/");
    let reading = reading.resolved();
    let [need] = reading.needs.as_slice() else { panic!("{reading:?}") };
    assert_eq!((need.address.to_string().as_str(), need.rewritten), ("ssh://git@git.example.com/org/a", true));
}

#[test]
fn a_token_is_told_by_its_place_and_is_in_nothing_that_is_kept() {
    let mut reading = Reading::default();
    reading.git(place(7), "dependency a", "https://ci:hunter2@git.example.com/org/a.git");
    assert!(!format!("{reading:?}").contains("hunter2"));
    let reading = reading.resolved();
    assert_eq!(reading.secrets, [place(7)]);
    assert!(!format!("{reading:?}").contains("hunter2"));
}

#[test]
fn names_from_files_are_harmless() {
    let mut reading = Reading::default();
    reading.git(Place::new("a\u{1b}[2J\n.lock", 1), "dependency \u{1b}[31m\nx", "git@h.example:a/b");
    reading.undecided(place(1), "a\u{1b}b\nc");
    let reading = reading.resolved();
    let all = format!("{}{}{}", reading.needs[0].what, reading.needs[0].place, reading.undecided[0].why);
    assert!(!all.contains(['\u{1b}', '\n']), "{all:?}");
}

#[test]
fn as_many_as_the_limit_are_kept_and_one_more_is_told() {
    let with = |count: usize| {
        let mut reading = Reading::default();
        (0..count).for_each(|at| reading.git(place(at + 1), "x", "git@h.example:a/b"));
        let reading = reading.resolved();
        (reading.needs.len(), reading.unread.len())
    };
    assert_eq!(with(MAX_NEEDS), (MAX_NEEDS, 0));
    assert_eq!(with(MAX_NEEDS + 2), (MAX_NEEDS, 1));
    let mut reading = Reading::default();
    (0..=MAX_UNDECIDED).for_each(|_| reading.undecided(place(1), "x"));
    assert_eq!(reading.undecided.len(), MAX_UNDECIDED);
    // The same is kept once.
    (0..=MAX_UNDECIDED).for_each(|at| [(); 2].iter().for_each(|()| reading.unread(place(at + 1), "x")));
    assert_eq!(reading.unread.len(), MAX_UNDECIDED);
    (0..=MAX_CI_SECRETS).for_each(|at| reading.ci_secret(place(1), &format!("KEY_{at}")));
    assert_eq!(reading.ci_secrets.len(), MAX_CI_SECRETS);
    (0..=MAX_REWRITES).for_each(|_| reading.rewrite("a", "b"));
    assert_eq!(reading.rewrites.len(), MAX_REWRITES);
}
