//! The tool did not use ssh, so that nothing that was lent could help it.

use super::super::scene::{Place, Reach, Scene, reach};
use super::super::sign::Kind;
use super::super::{Certainty, Diagnosis};
use crate::builder::steps::Tool;
use crate::decision_log::Cause;

const CARGO: &str = "let cargo run Git: ENV CARGO_NET_GIT_FETCH_WITH_CLI=true before the step (net.git-fetch-with-cli)";
const POETRY: &str = "let Poetry run Git: ENV POETRY_SYSTEM_GIT_CLIENT=true before the step (system-git-client)";

pub(super) fn rule(scene: &Scene<'_>) -> Vec<Diagnosis> {
    let mut told: Vec<Diagnosis> =
        scene.signs(&[Kind::NoUserName]).map(|(sign, place)| https(sign.about.as_deref(), place)).collect();
    let asked_for_keys = scene.facts.refusals.iter().find(|refusal| refusal.cause == Cause::AskedForKeys);
    let refused = || asked_for_keys.map(|refusal| format!("refused: {}", refusal.reason));
    let kinds: &[Kind] = if scene.by_gateway() { &[Kind::CargoGit, Kind::CargoHost] } else { &[Kind::CargoGit] };
    for (sign, place) in scene.signs(kinds) {
        // Without a socket nobody could have logged in.
        if matches!(reach(place), Reach::NoMount(_) | Reach::Closed(_)) {
            continue;
        }
        // With the keys themselves cargo logs in on its own, and a server may refuse it.
        let certainty =
            if asked_for_keys.is_some() || scene.by_gateway() { Certainty::Certain } else { Certainty::Likely };
        let seen = [sign.kind.seen().to_owned()].into_iter().chain(refused()).collect();
        told.push(own_git("cargo", "cargo-own-git", CARGO, place, certainty, seen));
    }
    for (sign, place) in scene.signs(&[Kind::PoetryGit]) {
        let host = sign.about.as_deref().unwrap_or("a server");
        told.push(Diagnosis {
            id: "poetry-own-git",
            certainty: Certainty::Certain,
            says: format!("Poetry's own Git read a repository of {host} by HTTPS in {}, and got no login there", step(place)),
            seen: vec![sign.kind.seen().into()],
            remedy: format!(
                "write the repository's address as git+ssh://; or, where a credential helper of Git's is to give the login, {POETRY}"
            ),
        });
    }
    if asked_for_keys.is_some() && told.is_empty() {
        told.extend(without_sign(scene, refused().into_iter().collect()));
    }
    for (sign, place) in scene.signs(&[Kind::NoSsh]) {
        if matches!(reach(place), Reach::NoMount(_) | Reach::Closed(_)) {
            continue;
        }
        let step = step(place);
        told.push(Diagnosis {
            id: "no-ssh",
            certainty: Certainty::Certain,
            says: format!("the image of {step} has no ssh client"),
            seen: vec![sign.kind.seen().into()],
            remedy: "install openssh-client in it before the step; or name `repos` in the grant, so that the gateway brings an ssh of its own".into(),
        });
    }
    told
}

fn step(place: Option<Place<'_>>) -> String {
    place.map_or_else(|| "a step".into(), |place| format!("the step on {place}"))
}

fn https(host: Option<&str>, place: Option<Place<'_>>) -> Diagnosis {
    let host = host.unwrap_or("HOST");
    // The port is that of HTTPS.
    let bare = host.split(':').next().unwrap_or(host);
    Diagnosis {
        id: "https-address",
        certainty: Certainty::Certain,
        says: format!("{} reads a repository of {host} by HTTPS, and lent are logins by ssh", step(place)),
        seen: vec![Kind::NoUserName.seen().into()],
        remedy: format!(
            "write its address as ssh://git@{bare}/…; or, for that step alone: GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=url.ssh://git@{bare}/.insteadOf GIT_CONFIG_VALUE_0=https://{host}/"
        ),
    }
}

fn own_git(
    tool: &str,
    id: &'static str,
    remedy: &str,
    place: Option<Place<'_>>,
    certainty: Certainty,
    seen: Vec<String>,
) -> Diagnosis {
    let says = format!("{tool} used a Git of its own in {}, which runs no ssh", step(place));
    Diagnosis { id, certainty, says, seen, remedy: remedy.into() }
}

/// A program asked the gateway for keys: of those that the Dockerfiles run, which have a Git of
/// their own.
fn without_sign(scene: &Scene<'_>, seen: Vec<String>) -> Vec<Diagnosis> {
    let mut steps = scene.steps().filter(|place| place.step.tools.contains(&Tool::Cargo) && !place.step.ssh.is_empty());
    if let Some(place) = steps.find(|place| !place.recipe.steps.cargo_runs_git) {
        return vec![own_git("cargo", "cargo-own-git", CARGO, Some(place), Certainty::Likely, seen)];
    }
    vec![Diagnosis {
        id: "not-the-guest",
        certainty: Certainty::Likely,
        says: "a program in the build asked for keys itself, and did not run the ssh that the gateway serves".into(),
        seen,
        remedy: "let it run plain `ssh` of its PATH, or Git; or lend the keys themselves: --lend agent".into(),
    }]
}
