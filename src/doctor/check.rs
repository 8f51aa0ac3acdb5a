//! One check: what was looked at, how it stands, what to do.

use serde::Serialize;

use crate::exit::Code;
use crate::ui::Failure;

/// Where a check stands in the report; the order is the order in which a person reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Section {
    /// The build tool and its engine.
    Tool,
    /// `valetkey.toml`, Compose's files, Dockerfiles.
    Project,
    /// Where keys and secrets come from.
    Keys,
    /// Servers: reached, known, logged in to, read from.
    Hosts,
    /// This machine: clock, leases.
    Machine,
}

impl Section {
    /// All of them, in their order.
    pub const ALL: [Self; 5] = [Self::Tool, Self::Project, Self::Keys, Self::Hosts, Self::Machine];

    /// Its title.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Tool => "Tool",
            Self::Project => "Project",
            Self::Keys => "Keys and secrets",
            Self::Hosts => "Hosts and repositories",
            Self::Machine => "Machine",
        }
    }
}

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Ok,
    /// A build may work, and a person should know.
    Warning,
    /// A build would not work: what `valetkey run` ends with where it is the one to notice.
    Failure(Code),
    /// Nobody looked; the check says why.
    NotChecked,
}

impl State {
    /// The word for it, on terminals and in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failure(_) => "failure",
            Self::NotChecked => "not checked",
        }
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Where it stands.
    pub section: Section,
    /// Its name for machines: `engine`, `host-key` …
    pub name: &'static str,
    /// How it stands.
    pub state: State,
    /// A sentence for a person, without a secret. May hold text from elsewhere: whoever shows it
    /// escapes it.
    pub said: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Check {
    fn new(section: Section, name: &'static str, state: State, said: impl Into<String>) -> Self {
        Self { section, name, state, said: said.into(), hint: None }
    }

    /// All is well.
    #[must_use]
    pub fn ok(section: Section, name: &'static str, said: impl Into<String>) -> Self {
        Self::new(section, name, State::Ok, said)
    }

    /// Something to know.
    #[must_use]
    pub fn warning(section: Section, name: &'static str, said: impl Into<String>) -> Self {
        Self::new(section, name, State::Warning, said)
    }

    /// Something that stops a build.
    #[must_use]
    pub fn failure(section: Section, name: &'static str, code: Code, said: impl Into<String>) -> Self {
        Self::new(section, name, State::Failure(code), said)
    }

    /// Something that nobody looked at. `why` fits behind "because".
    #[must_use]
    pub fn not_checked(section: Section, name: &'static str, what: &str, why: &str) -> Self {
        Self::new(section, name, State::NotChecked, format!("{what}, because {why}"))
    }

    /// What `valetkey run` would have ended with.
    #[must_use]
    pub fn failed(section: Section, name: &'static str, failure: Failure) -> Self {
        Self { hint: failure.hint, ..Self::failure(section, name, failure.code, failure.message) }
    }

    /// The same with what to do.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// In which order `valetkey run` comes upon what is wrong; what a build itself would come upon is last.
fn rank(check: &Check) -> Option<(u8, Code)> {
    let State::Failure(code) = check.state else { return None };
    Some((
        match check.section {
            Section::Project if code == Code::Usage || code == Code::Host => 0,
            Section::Keys => 1,
            Section::Machine => 2,
            Section::Tool | Section::Project => 3,
            Section::Hosts => 4,
        },
        code,
    ))
}

/// What `valetkey doctor` ends with: 0 where nothing failed, else the code of the failure that
/// `valetkey run` would come upon first.
#[must_use]
pub fn exit_code(checks: &[Check]) -> Code {
    checks.iter().filter_map(rank).min_by_key(|(rank, _)| *rank).map_or(Code::Ok, |(_, code)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_and_what_was_not_checked_are_no_failure() {
        let checks = [
            Check::ok(Section::Tool, "a", ""),
            Check::warning(Section::Keys, "b", ""),
            Check::not_checked(Section::Hosts, "c", "x", "y"),
        ];
        assert_eq!((exit_code(&checks), exit_code(&[])), (Code::Ok, Code::Ok));
        assert_eq!(checks[2].said, "x, because y");
    }

    #[test]
    fn the_exit_code_is_that_of_the_failure_that_run_comes_upon_first() {
        let of = |section, code| Check::failure(section, "x", code, "");
        let mut checks = vec![of(Section::Hosts, Code::Host)];
        assert_eq!(exit_code(&checks), Code::Host);
        checks.insert(0, of(Section::Tool, Code::Builder));
        assert_eq!(exit_code(&checks), Code::Builder);
        checks.push(of(Section::Machine, Code::Lease));
        assert_eq!(exit_code(&checks), Code::Lease);
        checks.push(of(Section::Keys, Code::Key));
        assert_eq!(exit_code(&checks), Code::Key);
        checks.push(of(Section::Project, Code::Usage));
        assert_eq!(exit_code(&checks), Code::Usage);
    }
}
