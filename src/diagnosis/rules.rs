//! The rules, a file for each kind of cause: from a scene to what it speaks for.

mod cached;
mod closed_socket;
mod host_key;
mod limits;
mod login;
mod no_mount;
mod not_forwarded;
mod not_granted;
mod not_ssh;
mod server;

use super::scene::Scene;
use super::{Certainty, Diagnosis};

pub(super) use cached::CACHED;

/// All of them, in the order in which the equally certain are told.
pub(super) const RULES: [fn(&Scene<'_>) -> Vec<Diagnosis>; 10] = [
    limits::rule,
    not_forwarded::rule,
    host_key::rule,
    not_granted::rule,
    closed_socket::rule,
    no_mount::rule,
    not_ssh::rule,
    login::rule,
    server::rule,
    cached::rule,
];

/// The id of [`nothing_asked`].
pub(super) const NOTHING_ASKED: &str = "nothing-asked";

/// What is left where no rule speaks: a command that failed, and used nothing that was lent.
pub(super) fn nothing_asked(scene: &Scene<'_>) -> Option<Diagnosis> {
    let facts = scene.facts;
    if !(facts.lends && facts.failed() && facts.is_silent()) {
        return None;
    }
    let (says, remedy) = if facts.asked == 0 {
        (
            "the command failed, and nothing in it asked for what was lent",
            "look at what the command said: it may have failed before a step that needs access, or a step may read its repository in another way than by ssh",
        )
    } else {
        (
            "the command failed, and nothing logged in with what was lent, though it was asked for",
            "look at what the server and ssh said: with `ssh -v` in the step, they say more",
        )
    };
    Some(Diagnosis {
        id: NOTHING_ASKED,
        certainty: Certainty::Possible,
        says: says.into(),
        seen: vec![asked(scene), "no login was signed, and no command was carried".into()],
        remedy: remedy.into(),
    })
}

/// How often the socket was asked, as a sentence.
fn asked(scene: &Scene<'_>) -> String {
    match scene.facts.asked {
        0 => "nobody asked the lent agent what it has".into(),
        1 => "the lent agent was asked once what it has".into(),
        count => format!("the lent agent was asked {count} times what it has"),
    }
}
