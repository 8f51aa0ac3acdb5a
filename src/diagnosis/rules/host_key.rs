//! The host key changed, or is not known.

use super::super::scene::{Reach, Scene, reach};
use super::super::sign::Kind;
use super::super::{Certainty, Diagnosis};
use crate::decision_log::Cause;

pub(super) fn rule(scene: &Scene<'_>) -> Vec<Diagnosis> {
    let mut told = Vec::new();
    for refusal in scene.facts.refusals.iter() {
        let (id, says) = match refusal.cause {
            Cause::HostKeyChanged => ("host-key-changed", "the server showed another host key than the pinned one"),
            Cause::HostUnknown => ("host-unknown", "the server's host key is pinned nowhere"),
            _ => continue,
        };
        told.push(Diagnosis {
            id,
            certainty: Certainty::Certain,
            says: says.into(),
            seen: vec![refusal.reason.clone()],
            remedy: refusal.hint.clone().unwrap_or_else(|| "do not trust this server before you know why".into()),
        });
    }
    if let Some((sign, place)) = scene.signs(&[Kind::HostKeyChanged]).next() {
        told.push(Diagnosis {
            id: "host-key-changed",
            certainty: Certainty::Certain,
            says: match place {
                Some(place) => format!("the server showed another host key than the one that the step on {place} knows"),
                None => "the server showed another host key than the one that the step knows".into(),
            },
            seen: vec![sign.kind.seen().into()],
            remedy: "somebody may be in between: compare with what the host publishes (valetkey host verify HOST) before you change a pin, and take keys of an ssh-keyscan out of the image".into(),
        });
        // With it ssh says that the host key could not be verified.
        return told;
    }
    for (sign, place) in scene.signs(&[Kind::HostUnknown, Kind::CargoHost]) {
        // Through the gateway cargo should not log in at all.
        if scene.by_gateway() && sign.kind == Kind::CargoHost {
            continue;
        }
        // Of a step that the guest did not reach, other rules tell.
        if matches!(reach(place), Reach::NoMount(_) | Reach::Closed(_))
            && (scene.by_gateway() || scene.facts.asked == 0)
        {
            continue;
        }
        let step = place.map_or_else(|| "a step".into(), |place| format!("the step on {place}"));
        // The guest hands over to the image's own ssh when nobody answers it any more.
        if scene.by_gateway() && scene.facts.ended_early() {
            continue;
        }
        let (id, certainty, says, remedy) = if scene.by_gateway() {
            (
                "not-the-guest",
                Certainty::Likely,
                format!("{step} used another ssh than valetkey's guest, and that knows no host keys"),
                "let the step run plain `ssh` of its PATH, with --mount=type=ssh and without GIT_SSH; or lend by agent: --lend agent",
            )
        } else {
            (
                "host-unknown",
                Certainty::Certain,
                format!("{step} does not know the server's host key"),
                "mount the lent ones: --mount=type=secret,id=known_hosts,target=/etc/ssh/ssh_known_hosts,mode=0444; and pin the host if valetkey does not know it: valetkey host add HOST",
            )
        };
        told.push(Diagnosis { id, certainty, says, seen: vec![sign.kind.seen().into()], remedy: remedy.into() });
    }
    told
}
