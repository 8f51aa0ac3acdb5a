//! The report for machines. Texts are escaped as on a terminal, because that is where JSON ends up.
//!
//! What is there stays; a field that is added leaves the version as it is, one that is taken away or
//! means something else makes a new version.

use serde::Serialize;

use super::check::{Check, Section, State, exit_code};
use crate::ui::{one_line, visible};

/// The version of the form.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
struct Report {
    version: u32,
    tool: Tool,
    exit_code: u8,
    checks: Vec<One>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct One {
    section: Section,
    check: &'static str,
    /// `ok`, `warning`, `failure`, `not checked`.
    state: &'static str,
    said: String,
    hint: Option<String>,
    /// What a failure would end `valetkey run` with.
    code: Option<u8>,
}

/// The whole report, in the order of the sections.
///
/// # Errors
/// Of the serializer.
pub fn render(checks: &[Check]) -> serde_json::Result<String> {
    let checks_of = |section| checks.iter().filter(move |check| check.section == section);
    let rows = Section::ALL.into_iter().flat_map(checks_of).map(|check| One {
        section: check.section,
        check: check.name,
        state: check.state.word(),
        said: one_line(&check.said),
        hint: check.hint.as_deref().map(visible),
        code: match check.state {
            State::Failure(code) => Some(code as u8),
            _ => None,
        },
    });
    let rows = rows.collect();
    let tool = Tool { name: "valetkey", version: env!("CARGO_PKG_VERSION") };
    serde_json::to_string_pretty(&Report { version: VERSION, tool, exit_code: exit_code(checks) as u8, checks: rows })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Code;

    #[test]
    fn a_report_has_its_version_and_its_checks_in_the_order_of_the_sections() {
        let checks = [
            Check::failure(Section::Hosts, "login", Code::Key, "no\x1b[2J").with_hint("do"),
            Check::ok(Section::Tool, "engine", "yes"),
        ];
        let text = render(&checks).unwrap();
        assert!(!text.contains('\x1b'), "{text}");
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&read["version"], &read["exit_code"]), (&1.into(), &111.into()));
        assert_eq!(read["checks"][0]["section"], "tool");
        assert_eq!(read["checks"][0]["code"], serde_json::Value::Null);
        let login = &read["checks"][1];
        assert_eq!((&login["check"], &login["state"]), (&"login".into(), &"failure".into()));
        assert_eq!(
            (&login["said"], &login["hint"], &login["code"]),
            (&"no\\u{1b}[2J".into(), &"do".into(), &111.into())
        );
    }
}
