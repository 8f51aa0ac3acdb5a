//! The server refused the login, or let another key in than the one that may read the repository.

use super::super::scene::{Reach, Scene, reach};
use super::super::sign::Kind;
use super::super::{Certainty, Diagnosis};
use crate::decision_log::Cause;

const HELD: &str = "name `repos` in each [[grant]], so that the gateway takes the key that the repository is granted to; or lend them under ids of their own";

pub(super) fn rule(scene: &Scene<'_>) -> Vec<Diagnosis> {
    let facts = scene.facts;
    let mut told = Vec::new();
    for refusal in facts.refusals.iter().filter(|refusal| refusal.cause == Cause::LoginRefused) {
        told.push(not_authorised(Certainty::Certain, "the server".into(), vec![refusal.reason.clone()]));
    }
    for (sign, place) in scene.signs(&[Kind::LoginRefused]) {
        let server = sign.about.clone().unwrap_or_else(|| "the server".into());
        let seen = vec![sign.kind.seen().to_owned(), super::asked(scene)];
        match (reach(place), facts.asked) {
            // Other rules tell of these.
            (Reach::NoMount(_) | Reach::Closed(_), _) => {}
            (Reach::Open(place), 0) => told.push(Diagnosis {
                id: "agent-not-asked",
                certainty: Certainty::Likely,
                says: format!("ssh in the step on {place} did not ask the lent agent"),
                seen,
                remedy: "look for IdentityAgent, IdentitiesOnly or another SSH_AUTH_SOCK in the step and in its ssh configuration".into(),
            }),
            (Reach::Unknown, 0) => told.push(Diagnosis {
                id: "agent-not-reached",
                certainty: Certainty::Likely,
                says: "the step that logs in did not reach the lent agent: it has no ssh mount, or runs as a user for whom the socket is closed".into(),
                seen,
                remedy: "begin the step with RUN --mount=type=ssh,required=true; where it runs as a USER, with uid= of that user".into(),
            }),
            // Nobody may have answered any more.
            _ if facts.is_silent() && !facts.ended_early() => told.push(not_authorised(Certainty::Certain, server, seen)),
            _ => told.push(not_authorised(Certainty::Likely, server, seen)),
        }
    }
    if let Some((sign, _)) = scene.signs(&[Kind::TooManyKeys]).next() {
        told.push(Diagnosis {
            id: "wrong-key-first",
            certainty: Certainty::Certain,
            says: "the server cut the login off before the right key was offered".into(),
            seen: vec![sign.kind.seen().into(), format!("{} keys were lent", facts.ids.len())],
            remedy: HELD.into(),
        });
    }
    let unknown = scene.signs(&[Kind::NotRead]).next().filter(|_| scene.has_no_other(Kind::NotRead));
    if let Some((sign, _)) = scene.signs(&[Kind::RepositoryRefused]).next().or(unknown)
        && !facts.is_silent()
        && !facts.refusals.iter().any(|refusal| refusal.cause != Cause::Other)
    {
        // Every server has its own words.
        let certainty = if sign.kind == Kind::NotRead { Certainty::Possible } else { Certainty::Likely };
        let mut seen = vec![sign.kind.seen().into()];
        seen.push(format!("{} logins were signed, {} commands were carried", facts.logins, facts.carried));
        let several = facts.logins > 0
            && facts.ids.iter().enumerate().any(|(at, id)| facts.ids.iter().skip(at + 1).any(|other| other == id));
        told.push(if several {
            seen.push(format!("{} keys were lent, and a server takes the first one that it knows", facts.ids.len()));
            Diagnosis {
                id: "wrong-key-first",
                certainty,
                says: "the server let in a key that was offered first, and that may not read the repository".into(),
                seen,
                remedy: HELD.into(),
            }
        } else {
            Diagnosis {
                id: "repository-refused",
                certainty,
                says: "the server knows the key, and does not let it read the repository, or there is no such one".into(),
                seen,
                remedy: "check the repository's name, and that the key may read it there: as a deploy key it opens one repository alone".into(),
            }
        });
    }
    told
}

fn not_authorised(certainty: Certainty, server: String, seen: Vec<String>) -> Diagnosis {
    Diagnosis {
        id: "login-refused",
        certainty,
        says: format!("{server} does not take the key that was lent"),
        seen,
        remedy: "register its public half there (as a deploy key of the repository, or of an account that may read it), and check user and key of the grant".into(),
    }
}
