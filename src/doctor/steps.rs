//! The steps with an ssh mount that a command would build.

use super::check::{Check, Section};
use crate::builder::{MAX_STEPS, MountedStep};
use crate::wire::text::shown;

const NAME: &str = "ssh-step";

/// One check a step.
#[must_use]
pub fn judge(steps: &[MountedStep]) -> Vec<Check> {
    steps.iter().take(MAX_STEPS).map(one).collect()
}

fn one(step: &MountedStep) -> Check {
    let (id, file) = (shown(step.id.as_bytes()), shown(step.file.as_bytes()));
    let user = step.user.as_ref().map_or_else(String::new, |user| format!(", as USER {}", shown(user.as_bytes())));
    let required = if step.required { "required" } else { "not required" };
    let said = format!("{}, {file} line {}: ssh id {id}, {required}{user}", step.place, step.line);
    if step.readable {
        return Check::ok(Section::Project, NAME, said);
    }
    Check::warning(Section::Project, NAME, format!("{said}, and the socket is root's alone, so that it finds no key"))
        .with_hint("add the user's number or everybody: --mount=type=ssh,uid=1000 or ,mode=0666")
}

#[cfg(test)]
mod tests {
    use super::super::check::State;
    use super::*;

    fn step(user: Option<&str>, readable: bool) -> MountedStep {
        let (place, file) = ("docker build".to_owned(), "Dockerfile".to_owned());
        let (id, user) = ("lib".to_owned(), user.map(str::to_owned));
        MountedStep { place, file, line: 7, id, required: true, user, readable }
    }

    #[test]
    fn a_step_is_named_and_one_that_cannot_use_the_socket_is_warned_of() {
        let checks = judge(&[step(None, true), step(Some("app"), false)]);
        assert_eq!(checks[0].said, "docker build, Dockerfile line 7: ssh id lib, required");
        assert_eq!((checks[0].state, checks[1].state), (State::Ok, State::Warning));
        assert!(checks[1].said.contains("as USER app") && checks[1].hint.is_some());
    }
}
