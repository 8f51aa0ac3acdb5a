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
