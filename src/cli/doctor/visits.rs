//! Visits the servers of all grants: several at once, those to one server one after another, each
//! and all of them within a time limit.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{Report, Settings};
use crate::config::Wanted;
use crate::doctor::visits::{Asked, binding, judge};
use crate::doctor::{Check, Section};
use crate::exit::Code;
use crate::gateway::exec_request::ExecRequest;
use crate::gateway::upstream::UpstreamError;
use crate::gateway::visit::{Seen, Visit, VisitLimits, Visited, Visitor};
use crate::hosts::{Binds, HostKeyStatus, HostName, probe};
use crate::signer::{Identity, fingerprint};
use crate::ui::Failure;

const HOSTS: Section = Section::Hosts;
/// Servers that are visited at once.
const MAX_AT_ONCE: usize = 8;
/// Visits at most.
const MAX_VISITS: usize = 200;
/// How long all visits may take together: each server's time limit, so often.
const ROUNDS: u32 = 8;
/// A visit's own limit over that of its steps.
const OVER: u32 = 2;

/// A visit that is to be made.
struct Planned {
    asked: Asked,
    visit: Visit,
}

/// Makes them, and reports.
pub(super) fn run(
    settings: &Settings,
    loaded: &[Vec<Identity>],
    folder: Option<PathBuf>,
    timeout: Duration,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut planned = Vec::new();
    for (wanted, identities) in settings.wanted.iter().zip(loaded) {
        plan(wanted, identities, settings.by_gateway(&wanted.id), &mut planned, report);
    }
    for left in planned.drain(MAX_VISITS.min(planned.len())..) {
        let why = format!("{MAX_VISITS} visits are made at most");
        report.add([Check::not_checked(HOSTS, "reach", &place(&left.asked), &why)]);
    }
    let Some(folder) = folder else {
        let why = "the folder of a lease cannot be made";
        report.add(planned.iter().map(|left| Check::not_checked(HOSTS, "reach", &place(&left.asked), why)));
        return Ok(());
    };
    if planned.is_empty() {
        return Ok(());
    }
    let limits = VisitLimits { whole: timeout.saturating_mul(OVER), step: timeout };
    let visitor = Visitor::new(settings.hosts.clone(), settings.secret_variables(), folder, limits);
    let mut by_agent = BTreeMap::new();
    let accepted = |visited: &Visited| visited.seen.is_ok();
    let outcomes = all(visitor, planned, timeout.saturating_mul(ROUNDS))?;
    for (Planned { asked, visit }, visited) in outcomes {
        if !asked.by_gateway && matches!(&visited, Some(Outcome::Visited(visited)) if accepted(visited)) {
            by_agent.insert(visit.host.to_string(), visit.host);
        }
        match visited {
            Some(Outcome::Visited(visited)) => report.add(judge(&asked, &visited)),
            Some(Outcome::Skipped) => {
                let why = "nothing can be asked of this server before what is wrong with it";
                report.add([Check::not_checked(HOSTS, "repository", &place(&asked), why)]);
            }
            None => {
                let why = format!("the time for all servers ({} s) was over", timeout.saturating_mul(ROUNDS).as_secs());
                report.add([Check::not_checked(HOSTS, "reach", &place(&asked), &why)]);
            }
        }
    }
    for (name, host) in by_agent.iter().take(MAX_AT_ONCE) {
        report.add(binding(name, asked_binding(settings, host, timeout)));
    }
    Ok(())
}

/// What a server says of binding, where its pin says nothing and the server is the pinned one.
fn asked_binding(settings: &Settings, host: &HostName, timeout: Duration) -> Binds {
    if settings.hosts.binds(host) != Binds::Unknown {
        return Binds::Unknown;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    match probe::binding(host, timeout) {
        Ok((binds, key)) if settings.hosts.status(host, &key, now) == HostKeyStatus::Match => binds,
        _ => Binds::Unknown,
    }
}

/// What a check is about.
fn place(asked: &Asked) -> String {
    match &asked.repository {
        Some(repository) => format!("{}/{repository}", asked.host),
        None => asked.host.clone(),
    }
}

/// The visits of one grant: each repository that it names, or a login.
fn plan(wanted: &Wanted, identities: &[Identity], by_gateway: bool, planned: &mut Vec<Planned>, report: &mut Report) {
    if wanted.hosts.is_empty() {
        let why = "it names no host, and so holds for every pinned one";
        let check = Check::not_checked(HOSTS, "reach", &format!("the hosts of the grant of {}", wanted.key), why);
        report.add([check.with_hint("name its hosts: host = \"git.example.com\" in valetkey.toml, or --host")]);
    }
    let (patterns, names): (Vec<String>, Vec<String>) =
        wanted.repos.iter().map(ToString::to_string).partition(|repository| repository.contains('*'));
    for host in &wanted.hosts {
        for pattern in &patterns {
            let why = "a pattern names no repository that could be asked for; the login is";
            report.add([Check::not_checked(HOSTS, "repository", &format!("{host}/{pattern}"), why)]);
        }
        let one = |repository: Option<&String>, exec: Option<ExecRequest>| Planned {
            asked: Asked {
                host: host.to_string(),
                user: wanted.user.clone(),
                repository: repository.cloned(),
                keys: identities.iter().map(|identity| fingerprint(&identity.blob)).collect(),
                by_gateway,
            },
            visit: Visit { host: host.clone(), user: wanted.user.clone(), exec, identities: identities.to_vec() },
        };
        // Without a key the server itself is all that there is to look at.
        if names.is_empty() || identities.is_empty() {
            planned.push(one(None, None));
            continue;
        }
        for name in &names {
            planned.push(one(Some(name), forms(name).into_iter().next()));
        }
    }
}

/// The commands that may list a repository, which is granted by one name and asked for by several:
/// from the account's folder, from the root, and with Git's own ending.
fn forms(name: &str) -> Vec<ExecRequest> {
    let forms = [name.to_owned(), format!("/{name}"), format!("{name}.git")];
    let command = |path: &String| ExecRequest::parse(format!("git-upload-pack '{path}'").as_bytes()).ok();
    forms.iter().filter_map(command).collect()
}

enum Outcome {
    Visited(Visited),
    /// What was wrong with the server was found by a visit before.
    Skipped,
}

type Outcomes = Arc<Mutex<Vec<Option<Outcome>>>>;

/// Makes all visits, and says how each ended; in the order in which they were planned.
fn all(visitor: Visitor, planned: Vec<Planned>, limit: Duration) -> Result<Vec<(Planned, Option<Outcome>)>, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(4 * MAX_AT_ONCE)
        .thread_name("doctor")
        .enable_all()
        .build();
    let failed = |error: std::io::Error| Failure::new(Code::Internal, format!("the system gave no threads: {error}"));
    let runtime = runtime.map_err(failed)?;
    let mut by_host: Vec<(HostName, Vec<(usize, Visit)>)> = Vec::new();
    let outcomes = Outcomes::default();
    outcomes.lock().unwrap_or_else(PoisonError::into_inner).resize_with(planned.len(), || None);
    for (number, Planned { visit, .. }) in planned.iter().enumerate() {
        let visit = visit.clone();
        match by_host.iter_mut().find(|(host, _)| *host == visit.host) {
            Some((_, visits)) => visits.push((number, visit)),
            None => by_host.push((visit.host.clone(), vec![(number, visit)])),
        }
    }
    let (visitor, places) = (Arc::new(visitor), Arc::new(Semaphore::new(MAX_AT_ONCE)));
    runtime.block_on(async {
        let mut hosts = JoinSet::new();
        for (_, visits) in by_host {
            let (visitor, places, outcomes) = (Arc::clone(&visitor), Arc::clone(&places), Arc::clone(&outcomes));
            hosts.spawn(async move {
                if let Ok(_place) = places.acquire().await {
                    one_host(&visitor, visits, &outcomes).await;
                }
            });
        }
        // What is not there by then is not waited for.
        let _ = tokio::time::timeout(limit, async { while hosts.join_next().await.is_some() {} }).await;
        hosts.abort_all();
    });
    // A look-up of a name, or a key that waits for a touch, would hold it.
    runtime.shutdown_timeout(Duration::from_secs(1));
    let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(planned.into_iter().zip(outcomes.drain(..)).collect())
}

async fn one_host(visitor: &Visitor, visits: Vec<(usize, Visit)>, outcomes: &Outcomes) {
    let mut is_out = false;
    for (number, visit) in visits {
        let outcome = if is_out { Outcome::Skipped } else { Outcome::Visited(one(visitor, visit).await) };
        if let Outcome::Visited(visited) = &outcome {
            is_out = is_servers(visited);
        }
        if let Some(place) = outcomes.lock().unwrap_or_else(PoisonError::into_inner).get_mut(number) {
            *place = Some(outcome);
        }
    }
}

/// Whether it failed for a reason that another visit would meet as well.
fn is_servers(visited: &Visited) -> bool {
    match &visited.seen {
        Err(UpstreamError::Login(..)) | Ok(_) => false,
        Err(UpstreamError::Broken(..) | UpstreamError::Stalled(..)) => visited.host_key.is_none(),
        Err(_) => true,
    }
}

/// A visit; where a repository is not found by one form of its name, by the next.
async fn one(visitor: &Visitor, visit: Visit) -> Visited {
    let first = visitor.visit(&visit).await;
    let (Ok(Seen::NoList { .. }), Some(exec)) = (&first.seen, &visit.exec) else {
        return first;
    };
    for exec in forms(&exec.repository).into_iter().skip(1) {
        let visited = visitor.visit(&Visit { exec: Some(exec), ..visit.clone() }).await;
        if matches!(visited.seen, Ok(Seen::List { .. })) {
            return visited;
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_asked_for_by_every_form_of_its_name() {
        let commands: Vec<String> = forms("org/repo").iter().map(ExecRequest::command).collect();
        assert_eq!(
            commands,
            ["git-upload-pack 'org/repo'", "git-upload-pack '/org/repo'", "git-upload-pack 'org/repo.git'"]
        );
    }
}
