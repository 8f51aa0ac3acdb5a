//! `mount-unreadable`: a socket or secret that is root's, in a step that is not.

use crate::check::dockerfile::{Instruction, Mount};
use crate::check::file::File;
use crate::check::finding::{Edit, Found, Severity};
use crate::check::mount_faults::faults;
use crate::check::rule::{Example, Rule};
use crate::wire::text::shown;

pub(super) const RULE: Rule = Rule {
    id: "mount-unreadable",
    about: "an ssh or secret mount that the step's user cannot read",
    why: "The builder gives the socket mode 0600 and a secret mode 0400, and root owns both: behind a USER the step has `Permission denied`, however right the key is.",
    remedy: "add uid=N where the user is a number, else mode=0666 for ssh and mode=0444 for a secret: they are there for that step alone",
    severity: Severity::Error,
    check,
    examples: &[
        Example::new("Dockerfile", "FROM a\nUSER app\nRUN «--mount=type=ssh,required=true» git fetch\n")
            .fixed("FROM a\nUSER app\nRUN --mount=type=ssh,required=true,mode=0666 git fetch\n"),
        Example::new("Dockerfile", "FROM a\nUSER 1000:1000\nRUN «--mount=type=secret,id=npmrc» npm ci\n")
            .fixed("FROM a\nUSER 1000:1000\nRUN --mount=type=secret,id=npmrc,uid=1000 npm ci\n"),
        Example::new("Dockerfile", "FROM a AS b\nUSER node\nFROM b\nRUN «--mount=type=secret,id=t,gid=0» x\n")
            .fixed("FROM a AS b\nUSER node\nFROM b\nRUN --mount=type=secret,id=t,gid=0,mode=0444 x\n"),
        Example::new(
            "Dockerfile",
            "FROM a\nUSER app\nRUN «--mount=type=ssh,mode=0644» x\nRUN «--mount=type=ssh,uid=0» y\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nUSER app\nRUN «--mount=type=secret,id=t,target=/root/.netrc,mode=0444» x\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN --mount=type=ssh x\nUSER app\nUSER root\nRUN --mount=type=ssh x\nUSER $U\nRUN --mount=type=ssh x\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a\nUSER app\nRUN --mount=type=ssh,mode=0666 x\nRUN --mount=type=ssh,uid=1000 x\nRUN --mount=type=secret,id=t,mode=0444 x\nRUN --mount=type=ssh,gid=7,mode=0660 x\n",
        ),
        // A variable has no file, root reads it all the same, and a cache is not asked for.
        Example::new(
            "Dockerfile",
            "FROM a\nUSER app\nRUN --mount=type=secret,id=t,env=TOKEN x\nRUN --mount=type=secret,id=t sudo cat /run/secrets/t\nRUN --mount=type=cache,target=/c x\n",
        ),
    ],
};

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    for (_, step) in file.dockerfile.steps().filter(|(_, step)| step.is_by_other_user() && !becomes_root(step)) {
        for mount in &step.mounts {
            let ssh = match mount.kind().as_str() {
                "ssh" => true,
                "secret" if !mount.has("env") || mount.value(&["target", "dst", "destination"]).is_some() => false,
                _ => continue,
            };
            if faults(mount).is_empty() {
                found.extend(look(step, mount, ssh, file.text));
            }
        }
    }
}

fn look(step: &Instruction, mount: &Mount, ssh: bool, text: &[u8]) -> Option<Found> {
    let user = step.user.as_deref()?.split(':').next()?;
    let what = if ssh { "the agent's socket" } else { "the secret" };
    let at = mount.span.clone();
    if mount.value(&["target", "dst", "destination"]).is_some_and(|target| target.starts_with("/root/")) {
        let message = format!("{what} lies in /root, which is closed to the step's user");
        let remedy = "leave target out, or name a folder that the user may enter";
        return Some(Found::new(at, message).remedy(remedy));
    }
    let field = |name: &str| mount.value(&[name]);
    // What variables hold is not known here.
    if ["uid", "gid", "mode"].iter().any(|name| field(name).is_some_and(|value| value.contains('$'))) {
        return None;
    }
    let mode = match field("mode") {
        Some(mode) => u32::from_str_radix(mode, 8).ok()?,
        None => 0o600,
    };
    // To use a socket takes writing.
    let needed = if ssh { 0o6 } else { 0o4 };
    let number: Option<u32> = user.parse().ok();
    let owner: u32 = field("uid").map_or(Ok(0), str::parse).ok()?;
    let is_owner = if owner == 0 { false } else { number.is_none_or(|number| number == owner) };
    if is_owner || mode & needed == needed || (mode >> 3) & needed == needed {
        return None;
    }
    let whose = if owner == 0 { "root".to_owned() } else { format!("user {owner}") };
    let message = format!("{what} can be read by {whose} alone, and the step runs as {}", shown(user.as_bytes()));
    let finding = Found::new(at, message);
    if mount.has("mode") || mount.has("uid") {
        return Some(finding);
    }
    let add = match number {
        Some(number) => format!("uid={number}"),
        None if ssh => "mode=0666".to_owned(),
        None => "mode=0444".to_owned(),
    };
    Some(finding.fixed_by(format!("add {add}"), vec![Edit::insert(mount.end(text), format!(",{add}"))]))
}

/// Whether a command of the step is run as root.
fn becomes_root(step: &Instruction) -> bool {
    step.commands.iter().any(|command| {
        command
            .words
            .first()
            .is_some_and(|word| matches!(&*word.text, b"sudo" | b"doas" | b"su" | b"gosu" | b"su-exec"))
    })
}
