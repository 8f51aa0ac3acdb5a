//! Which process a lease lasts for, and whom it answers (PURE but for [`ancestors`]).
//!
//! A step of a CI job ends before the step that builds: what lasts as long as the job is the
//! runner's worker. A person's shell lasts as long as its commands do.

use rustix::process::Pid;

use crate::agent::peer::{MAX_DEPTH, Peers, Relative};
use crate::exit::Code;
use crate::ui::Failure;

/// Processes that live for one job, by the name that Linux shows of them (15 bytes at most), and
/// what they are: GitHub's worker, and Buildkite's agent, which starts itself anew for each job.
const WORKERS: [&str; 2] = ["Runner.Worker", "buildkite-agent"];
/// Programs that wait for the one command that they were given, and end with it.
const WRAPPERS: [&str; 6] = ["sudo", "doas", "su", "timeout", "time", "nice"];

/// What a lease lasts for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Until {
    /// The process.
    pub(super) process: Relative,
    /// Whom it answers.
    pub(super) peers: Peers,
    /// What is weaker than with `run`.
    pub(super) weaker: Vec<String>,
}

/// Who is to be answered, as `--peers` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Answered {
    /// The process that the lease lasts for, and its descendants.
    #[default]
    Job,
    /// Every process of this user.
    User,
}

/// Processes above one, the nearest first.
pub(super) fn ancestors(pid: Pid) -> Vec<Relative> {
    let mut found = Vec::new();
    let mut at = pid.as_raw_nonzero().get();
    while at > 0 && found.len() < MAX_DEPTH {
        let Some(relative) = Relative::of(at) else { break };
        at = relative.parent;
        found.push(relative);
    }
    found
}

/// Chooses among the processes above `start`, the nearest first.
pub(super) fn choose(ancestors: &[Relative], github: bool, answered: Option<Answered>) -> Option<Until> {
    if let Some(worker) = ancestors.iter().find(|one| WORKERS.contains(&one.name.as_str())) {
        return Some(until(worker, answered.unwrap_or_default()));
    }
    if github {
        // In a container the worker is out of sight, and each step comes from outside.
        let first = ancestors.last()?;
        return Some(until(first, answered.unwrap_or(Answered::User)));
    }
    let mut shell = ancestors.iter().position(|one| !WRAPPERS.contains(&one.name.as_str()))?;
    // A subshell, `$(…)` or a pipe, which ends with its last command.
    while ancestors.get(shell).is_some_and(|one| one.forked) && shell + 1 < ancestors.len() {
        shell += 1;
    }
    Some(until(ancestors.get(shell)?, answered.unwrap_or_default()))
}

/// The process that was typed.
pub(super) fn typed(pid: i32, answered: Option<Answered>) -> Result<Until, Failure> {
    let process = Relative::of(pid).ok_or_else(|| gone(pid))?;
    Ok(until(&process, answered.unwrap_or_default()))
}

/// Of a process that is not there.
pub(super) fn gone(pid: i32) -> Failure {
    Failure::new(Code::Usage, format!("there is no process {pid} for the lease to last for"))
        .with_hint("give --until-exit the number of a process that lives as long as the job, such as $$ of its shell")
}

fn until(process: &Relative, answered: Answered) -> Until {
    let name = crate::wire::text::shown(process.name.as_bytes());
    let pid = process.process.pid;
    let (peers, weaker) = match answered {
        Answered::Job => (
            Peers::Job(process.process),
            format!(
                "every process below {name} ({pid}) is answered, not one build alone; `valetkey run` answers its own command"
            ),
        ),
        Answered::User => (
            Peers::User,
            "every process of this user is answered, whatever started it: it cannot be told which are the job's"
                .to_owned(),
        ),
    };
    let outlives = "it ends when that process does, at its time limit, or with `valetkey stop`; a build that is over does not end it".to_owned();
    Until { process: process.clone(), peers, weaker: vec![weaker, outlives] }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names, with `forked` where it started no program of its own, the nearest first; numbers count
    /// down from 100.
    fn line(names: &[(&str, &str)]) -> Vec<Relative> {
        let own = Relative::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        let one = |(at, (name, how)): (usize, &(&str, &str))| {
            let pid = 100 - i32::try_from(at).unwrap();
            let mut one = own.clone();
            one.process.pid = pid;
            Relative { name: (*name).to_owned(), forked: *how == "forked", parent: pid - 1, ..one }
        };
        names.iter().enumerate().map(one).collect()
    }

    fn chosen(names: &[(&str, &str)], github: bool) -> (i32, bool) {
        let until = choose(&line(names), github, None).unwrap();
        (until.process.process.pid, until.peers == Peers::User)
    }

    #[test]
    fn a_shell_is_chosen_past_its_own_subshells_and_past_what_waits_for_one_command() {
        assert_eq!(chosen(&[("bash", ""), ("sshd", "forked")], false), (100, false));
        assert_eq!(chosen(&[("bash", "forked"), ("bash", "forked"), ("bash", ""), ("bash", "")], false), (98, false));
        assert_eq!(chosen(&[("sudo", ""), ("sh", ""), ("make", "")], false), (99, false));
        assert_eq!(chosen(&[("sh", "forked")], false), (100, false), "all that is seen of it");
    }

    #[test]
    fn a_step_of_a_job_is_passed_over_for_the_runners_worker() {
        let github = [("bash", "bash -e x"), ("Runner.Worker", "w"), ("Runner.Listener", "l")];
        assert_eq!(chosen(&github, true), (99, false));
        let buildkite = [("bash", "bash hook"), ("buildkite-agent", "b bootstrap"), ("buildkite-agent", "b start")];
        assert_eq!(chosen(&buildkite, false), (99, false));
    }

    #[test]
    fn in_a_container_of_a_github_job_the_first_process_is_chosen_and_every_process_answered() {
        assert_eq!(chosen(&[("sh", "sh -e x"), ("node", "node main.js")], true), (99, true));
    }

    #[test]
    fn what_is_weaker_than_with_run_is_said() {
        for answered in [Answered::Job, Answered::User] {
            let until = choose(&line(&[("bash", "bash")]), false, Some(answered)).unwrap();
            assert_eq!(until.peers == Peers::User, answered == Answered::User);
            assert!(until.weaker[0].contains("is answered"), "{until:?}");
        }
    }
}
