//! `ssh-mount-optional`: an agent that may be missing without a word.

use crate::check::file::File;
use crate::check::finding::{Edit, Found, Severity};
use crate::check::mount_faults::faults;
use crate::check::rule::{Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ssh-mount-optional",
    about: "an ssh mount without required=true",
    why: "Without it the step runs even if no agent was given to the build: SSH_AUTH_SOCK names a socket that is not there, and what is seen is `Permission denied (publickey)`, or a step that fetched nothing.",
    remedy: "write --mount=type=ssh,required=true: the builder then says that the agent is missing, before the step runs",
    severity: Severity::Warning,
    check,
    examples: &[
        Example::new("Dockerfile", "FROM a\nRUN «--mount=type=ssh» poetry install\n")
            .fixed("FROM a\nRUN --mount=type=ssh,required=true poetry install\n"),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN --mount=type=cache,target=/c «--mount=type=ssh,id=lib» \\\n    «--mount=\"id=app,type=ssh\"» x\n",
        )
        .fixed(
            "FROM a\nRUN --mount=type=cache,target=/c --mount=type=ssh,id=lib,required=true \\\n    --mount=\"id=app,type=ssh,required=true\" x\n",
        ),
        Example::new("Dockerfile", "FROM a\nRUN «--mount=type=ssh,required=false» git fetch || true\n"),
        Example::new("Dockerfile", "FROM a\nRUN --mount=type=ssh,required=true a\nRUN --mount=type=ssh,required b\n"),
        Example::new("Dockerfile", "FROM a\nRUN --mount=type=secret,id=t a\nRUN --mount=type=cache,target=/c b\n"),
        // Whether that is true, only the build knows; and what is malformed is another rule's.
        Example::new("Dockerfile", "FROM a\nRUN --mount=type=ssh,required=$NEED a\nRUN --mount=type=ssh, b\n"),
        Example::new("Dockerfile", "FROM a\n# RUN --mount=type=ssh a\nRUN echo --mount=type=ssh\n"),
    ],
};

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    for (_, step) in file.dockerfile.instructions() {
        for mount in step.mounts_of("ssh").filter(|mount| !mount.is_required() && faults(mount).is_empty()) {
            let at = mount.span.clone();
            if !mount.has("required") {
                let add = Edit::insert(mount.end(file.text), ",required=true");
                let message = "the step runs without an agent too, and then fails without saying why";
                found.push(Found::new(at, message).fixed_by("add required=true", vec![add]));
            } else if mount.value(&["required"]).is_none_or(|value| !value.contains('$')) {
                let message = "the step is meant to run without an agent too";
                found.push(Found::new(at, message).remedy("check that the step says so itself when it has no agent"));
            }
        }
    }
}
