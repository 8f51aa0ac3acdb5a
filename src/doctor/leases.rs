//! Leases of this user: those that a process holds, and what a killed one left.

use std::path::PathBuf;

use super::check::{Check, Section};

/// Folders that are named one by one.
const MAX_NAMED: usize = 10;

/// Judges the folders that were found before this command made one of its own.
#[must_use]
pub fn judge(held: &[PathBuf], left: &[PathBuf]) -> Vec<Check> {
    let mut checks = Vec::new();
    if !held.is_empty() {
        let said = format!("leases that a process holds now: {}", listed(held));
        checks.push(Check::ok(Section::Machine, "leases", said).with_hint("valetkey status shows those of `start`"));
    }
    if !left.is_empty() {
        let said = format!("folders of leases whose process is gone: {}; they hold no key", listed(left));
        checks.push(Check::warning(Section::Machine, "stale-leases", said).with_hint(
            "the next `valetkey run` on this machine clears the folder that it uses itself; remove others with rm -r",
        ));
    }
    if checks.is_empty() {
        checks.push(Check::ok(Section::Machine, "leases", "no lease is open, and none was left behind"));
    }
    checks
}

fn listed(folders: &[PathBuf]) -> String {
    let names: Vec<String> = folders.iter().take(MAX_NAMED).map(|folder| folder.display().to_string()).collect();
    let more = folders.len().saturating_sub(MAX_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::check::State;
    use super::*;

    #[test]
    fn what_is_held_is_listed_and_what_was_left_is_warned_of() {
        assert_eq!(judge(&[], &[]).len(), 1);
        let checks = judge(&["/run/a".into()], &["/run/b".into()]);
        assert_eq!((checks[0].state, checks[1].state), (State::Ok, State::Warning));
        assert!(checks[0].said.contains("/run/a") && checks[1].said.contains("/run/b"));
    }

    #[test]
    fn folders_are_named_up_to_the_limit_and_counted_past_it() {
        let folders = |count: usize| (0..count).map(|at| PathBuf::from(format!("/run/{at}"))).collect::<Vec<_>>();
        assert!(!listed(&folders(MAX_NAMED)).contains("more"));
        assert!(listed(&folders(MAX_NAMED + 1)).ends_with(", /run/9 and 1 more"));
    }
}
