//! What the visits to servers say, taken apart into what a person asks in turn: is it reached, is it
//! the right one, does it know the key, does it give the repository?

use super::check::{Check, Section};
use crate::exit::Code;
use crate::gateway::upstream::UpstreamError;
use crate::gateway::visit::{Seen, Visited};
use crate::hosts::Binds;

const HOSTS: Section = Section::Hosts;

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The server, as it is granted.
    pub host: String,
    /// The account.
    pub user: String,
    /// The repository; none where a login was all.
    pub repository: Option<String>,
    /// Fingerprints of the keys that were tried; empty where there was none to try.
    pub keys: Vec<String>,
    /// Whether a build would go through the gateway.
    pub by_gateway: bool,
}

/// The checks of one visit, in the order in which they were come upon.
#[must_use]
pub fn judge(asked: &Asked, visited: &Visited) -> Vec<Check> {
    let host = &asked.host;
    let shown = visited.host_key.as_deref().unwrap_or("none");
    let reached = || Check::ok(HOSTS, "reach", format!("{host} is reached"));
    let known = || Check::ok(HOSTS, "host-key", format!("{host} shows a pinned host key ({shown})"));
    let login = || {
        Check::ok(
            HOSTS,
            "login",
            format!("{host} accepts the login of {} with {}", asked.user, asked.keys.join(" or ")),
        )
    };
    let error = match &visited.seen {
        Ok(Seen::NoLoginAlone) => {
            let what = format!("{host}: host key and login");
            let why = "its host keys are RSA, which is left to the system's ssh, and no repository is named that it could list";
            return vec![Check::not_checked(HOSTS, "login", &what, why)];
        }
        Ok(seen) => {
            let mut checks = vec![reached(), known(), login()];
            checks.extend(repository(asked, seen));
            return checks;
        }
        Err(error) => error,
    };
    let failed = |name, code| {
        let check = Check::failure(HOSTS, name, code, error.to_string());
        Check { hint: error.hint(), ..check }
    };
    match error {
        UpstreamError::Route(..) if !asked.by_gateway => {
            vec![Check::not_checked(
                HOSTS,
                "reach",
                host,
                "valetkey itself goes no way through another host; a build's own ssh may",
            )]
        }
        UpstreamError::Route(..) | UpstreamError::NoSsh(_) | UpstreamError::Hop(..) => {
            vec![failed("reach", Code::Host)]
        }
        UpstreamError::Connect(..) => {
            vec![failed("reach", Code::Host).with_hint("check the name and the port, and that this machine reaches it")]
        }
        UpstreamError::Unpinned(..) | UpstreamError::Changed(..) | UpstreamError::Revoked(..) => {
            vec![reached(), failed("host-key", Code::Host)]
        }
        UpstreamError::Login(..) if asked.keys.is_empty() => {
            vec![
                reached(),
                known(),
                Check::not_checked(HOSTS, "login", &format!("{host}: the login"), "there is no key for it"),
            ]
        }
        UpstreamError::Login(..) => {
            let said = format!("{host} does not accept the login of {} with {}", asked.user, asked.keys.join(" or "));
            let hint = "register the key there, or name the account: user = \"…\"";
            vec![reached(), known(), Check::failure(HOSTS, "login", Code::Key, said).with_hint(hint)]
        }
        // Before the host key there was no login, and after it nothing was wrong with the key.
        UpstreamError::Broken(..) | UpstreamError::Stalled(..) if visited.host_key.is_none() => {
            vec![
                failed("reach", Code::Host).with_hint(format!("check that an SSH server listens there: ssh -v {host}")),
            ]
        }
        UpstreamError::Broken(..) | UpstreamError::Stalled(..) => {
            let name = if asked.repository.is_some() { "repository" } else { "login" };
            vec![reached(), known(), failed(name, Code::Host)]
        }
    }
}

/// A server whose pin does not say whether it binds logins, and that was asked: where it does not, a
/// login from a build does not show its host, and the agent refuses it.
#[must_use]
pub fn binding(host: &str, binds: Binds) -> Option<Check> {
    (binds == Binds::No).then(|| {
        let said = format!("{host} does not bind logins to its host key, and its pin does not say so: the agent will refuse every login from a build");
        let hint = format!("valetkey host add {host} --replace --fingerprint SHA256:… notes it in the pin; or lend by gateway, which knows the host");
        Check::failure(HOSTS, "binding", Code::Host, said).with_hint(hint)
    })
}

fn repository(asked: &Asked, seen: &Seen) -> Option<Check> {
    let place = format!("{}/{}", asked.host, asked.repository.as_deref()?);
    let name = "repository";
    Some(match seen {
        Seen::List { references, whole: true } => {
            Check::ok(HOSTS, name, format!("{place} can be read: {references} references"))
        }
        Seen::List { references, whole: false } => {
            let said = format!("{place} can be read: more than {references} references, and no more were looked at");
            Check::ok(HOSTS, name, said)
        }
        Seen::NoList { said } => {
            let said = if said.is_empty() { "it gives no list of references" } else { said };
            Check::failure(HOSTS, name, Code::Key, format!("{place} cannot be read; the server says: {said}"))
                .with_hint("check the name in `repos`, and that the key may read it there")
        }
        Seen::Login | Seen::NoLoginAlone => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::check::State;
    use super::*;

    fn asked() -> Asked {
        Asked {
            host: "forge".into(),
            user: "git".into(),
            repository: Some("org/repo".into()),
            keys: vec!["SHA256:k".into()],
            by_gateway: true,
        }
    }

    fn states(asked: &Asked, host_key: bool, seen: Result<Seen, UpstreamError>) -> Vec<(&'static str, State)> {
        let visited = Visited { host_key: host_key.then(|| "SHA256:h".into()), seen };
        judge(asked, &visited).into_iter().map(|check| (check.name, check.state)).collect()
    }

    const HOST: State = State::Failure(Code::Host);
    const KEY: State = State::Failure(Code::Key);

    #[test]
    fn a_visit_that_succeeds_says_every_step() {
        let all = [("reach", State::Ok), ("host-key", State::Ok), ("login", State::Ok), ("repository", State::Ok)];
        let list = |whole| Ok(Seen::List { references: 3, whole });
        assert_eq!(states(&asked(), true, list(true)), all);
        assert_eq!(states(&asked(), true, list(false)), all);
        assert_eq!(states(&Asked { repository: None, ..asked() }, true, Ok(Seen::Login)), all[..3]);
    }

    #[test]
    fn a_failure_stands_where_it_happened_and_nothing_is_said_of_what_comes_after() {
        let fine = [("reach", State::Ok), ("host-key", State::Ok), ("login", State::Ok)];
        let text = || "x".to_owned();
        for (host_key, error, upto, last) in [
            (false, UpstreamError::Connect(text(), text()), 0, ("reach", HOST)),
            (false, UpstreamError::Stalled(text(), 1), 0, ("reach", HOST)),
            (false, UpstreamError::Broken(text(), text()), 0, ("reach", HOST)),
            (false, UpstreamError::Route(text(), crate::gateway::route::RouteError::Jump), 0, ("reach", HOST)),
            (true, UpstreamError::Unpinned(text(), text()), 1, ("host-key", HOST)),
            (true, UpstreamError::Changed(text(), text(), text()), 1, ("host-key", HOST)),
            (true, UpstreamError::Revoked(text(), text()), 1, ("host-key", HOST)),
            (true, UpstreamError::Login(text(), text(), text()), 2, ("login", KEY)),
            (true, UpstreamError::Stalled(text(), 1), 2, ("repository", HOST)),
        ] {
            let expected: Vec<_> = fine[..upto].iter().copied().chain([last]).collect();
            assert_eq!(states(&asked(), host_key, Err(error.clone())), expected, "{error:?}");
        }
        let refused = states(&asked(), true, Ok(Seen::NoList { said: "not found".into() }));
        assert_eq!(refused, [fine[0], fine[1], fine[2], ("repository", KEY)]);
    }

    #[test]
    fn a_server_that_does_not_bind_logins_is_told_where_its_pin_does_not() {
        assert_eq!(binding("forge", Binds::No).map(|check| check.state), Some(HOST));
        assert_eq!((binding("forge", Binds::Yes), binding("forge", Binds::Unknown)), (None, None));
    }

    #[test]
    fn what_could_not_be_asked_is_not_called_a_failure() {
        let without_key = Asked { keys: vec![], ..asked() };
        let error = UpstreamError::Login("x".into(), "x".into(), String::new());
        assert_eq!(states(&without_key, true, Err(error))[2], ("login", State::NotChecked));
        let by_agent = Asked { by_gateway: false, ..asked() };
        let jump = UpstreamError::Route("x".into(), crate::gateway::route::RouteError::Jump);
        assert_eq!(states(&by_agent, false, Err(jump)), [("reach", State::NotChecked)]);
        assert_eq!(states(&asked(), false, Ok(Seen::NoLoginAlone)), [("login", State::NotChecked)]);
    }
}
