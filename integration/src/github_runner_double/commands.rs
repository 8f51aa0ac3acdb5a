//! Workflow commands in a log, found as the runner finds them: `::NAME …::` at the beginning of a
//! line, and the older `##[NAME …]` anywhere in it.

/// The commands that it knows.
const KNOWN: [&str; 19] = [
    "internal-set-repo-path",
    "set-env",
    "set-output",
    "save-state",
    "add-mask",
    "add-path",
    "add-matcher",
    "remove-matcher",
    "debug",
    "warning",
    "error",
    "notice",
    "group",
    "endgroup",
    "echo",
    "stop-commands",
    "command",
    "pause-logging",
    "resume-logging",
];

/// A log as the runner shows it: without the lines that name what is to be hidden, and with `***`
/// wherever that comes. What is hidden stays so for the rest of the job.
pub(super) fn shown(log: &str, masks: &mut Vec<String>) -> String {
    let hidden = found(log).into_iter().filter(|(name, _)| name == "add-mask");
    let hidden = hidden.map(|(_, text)| text.split_once("::").unwrap_or_default().1.to_owned());
    let hidden = hidden.map(|text| text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%"));
    masks.extend(hidden.filter(|text| !text.is_empty()));
    let lines: Vec<&str> = log.split('\n').filter(|line| !line.starts_with("::add-mask::")).collect();
    masks.iter().fold(lines.join("\n"), |log, mask| log.replace(mask.as_str(), "***"))
}

/// Names, and all that stands behind them.
pub(super) fn found(log: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut stopped: Option<String> = None;
    for line in log.split(['\n', '\r']) {
        let line = line.trim_start();
        if let Some(token) = &stopped {
            if line.trim_end() == format!("::{token}::") {
                stopped = None;
            }
            continue;
        }
        let Some((name, rest)) = newer(line).or_else(|| older(line)) else { continue };
        if name == "stop-commands" {
            let token = rest.trim_start_matches(':').to_owned();
            assert!(!token.is_empty() && !KNOWN.contains(&token.as_str()), "a token that the runner refuses: {token}");
            stopped = Some(token);
        }
        found.push((name, rest));
    }
    assert_eq!(stopped, None, "commands are still stopped at the end of the step");
    found
}

fn newer(line: &str) -> Option<(String, String)> {
    let (command, data) = line.strip_prefix("::")?.split_once("::")?;
    let (name, properties) = command.split_once(' ').unwrap_or((command, ""));
    KNOWN.contains(&name).then(|| (name.to_owned(), format!("{properties}::{data}")))
}

fn older(line: &str) -> Option<(String, String)> {
    let (command, data) = line.split_once("##[")?.1.split_once(']')?;
    let name = command.split(' ').next()?;
    KNOWN.contains(&name).then(|| (name.to_owned(), data.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_where_the_runner_finds_them_and_not_while_they_are_stopped() {
        let log = "a ::error::x\n ::error file=f::a\nx ##[add-mask]b\n::stop-commands::t\n::error::x\n##[error]x\n::t::\n::notice::c\r::unknown::x";
        let names: Vec<String> = found(log).into_iter().map(|(name, text)| format!("{name} {text}")).collect();
        assert_eq!(names, ["error file=f::a", "add-mask b", "stop-commands ::t", "notice ::c"]);
    }

    #[test]
    fn what_is_to_be_hidden_is_not_shown_by_this_step_and_later_ones() {
        let mut masks = Vec::new();
        assert_eq!(shown("::add-mask::a%25b\nx a%b\n", &mut masks), "x ***\n");
        assert_eq!(shown("a%b", &mut masks), "***");
    }

    #[test]
    #[should_panic = "commands are still stopped"]
    fn a_step_that_leaves_them_stopped_is_an_error() {
        let _ = found("::stop-commands::t\n::u::\n");
    }
}
