//! Writing the config: a new file at once, a change of one that is there after it was shown.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::{Project, counted, toml_text};
use crate::config;
use crate::exit::Code;
use crate::receipt::Replacing;
use crate::ui::{self, Failure};

/// Bytes of an answer that are read.
const MAX_ANSWER: u64 = 64;

/// Writes these grants behind what is there.
pub(super) fn run(project: &Project, grants: &str, is_agreed: bool) -> Result<(), Failure> {
    let path = project.path.as_path();
    let Some(old) = &project.text else {
        let text = format!("{}{grants}", toml_text::HEADER);
        valid(&text, path)?;
        return write(path, path, 0o644, &text, grants);
    };
    // A last line without its end would become one with the first new one.
    let joined = if old.is_empty() || old.ends_with('\n') { old.clone() } else { format!("{old}\n") };
    let text = format!("{joined}{grants}");
    valid(&text, path)?;
    ui::diff::show(&path.display().to_string(), old.as_bytes(), text.as_bytes());
    if !is_agreed && !agreed(path)? {
        return Err(Failure::new(Code::Usage, format!("{} was not changed", path.display())));
    }
    // A link stays one: what it leads to is changed.
    let real = path.canonicalize().map_err(|error| failed("find", path, &error))?;
    let now = std::fs::read_to_string(&real).map_err(|error| failed("read", path, &error))?;
    if now != *old {
        let message = format!("{} was changed by somebody else meanwhile", path.display());
        return Err(Failure::new(Code::Usage, message).with_hint("run valetkey init again"));
    }
    let mode = std::fs::metadata(&real).map_err(|error| failed("read", path, &error))?.mode() & 0o777;
    write(&real, path, mode, &text, grants)
}

/// What is written can be read again: that is known before it is shown.
fn valid(text: &str, path: &Path) -> Result<(), Failure> {
    config::parse(text, path).map(|_| ()).map_err(|error| {
        let failure = Failure::from(error);
        let message = format!("failed to add grants behind what is there: {}", failure.message);
        Failure { message, ..failure }.with_hint("write the grants as [[grant]] tables, which others can follow")
    })
}

fn agreed(path: &Path) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        let message = format!("{} was not changed: nobody is here to agree, stdin is no terminal", path.display());
        return Err(Failure::new(Code::Usage, message).with_hint("valetkey init --yes makes this change"));
    }
    ui::note(&format!("change {} like this? (yes / no)", path.display()));
    let mut answer = String::new();
    let read = io::stdin().lock().take(MAX_ANSWER).read_line(&mut answer);
    read.map_err(|error| Failure::new(Code::Usage, format!("failed to read the answer: {error}")))?;
    Ok(["y", "yes"].iter().any(|yes| answer.trim().eq_ignore_ascii_case(yes)))
}

fn write(real: &Path, path: &Path, mode: u32, text: &str, grants: &str) -> Result<(), Failure> {
    let written = Replacing::open(real, mode).and_then(|file| file.write(text.as_bytes()));
    written.map_err(|error| failed("write", path, &error))?;
    let count = grants.lines().filter(|line| *line == "[[grant]]").count();
    ui::note(&format!("wrote {} into {}", counted(count, "grant", "grants"), path.display()));
    Ok(())
}

pub(super) fn failed(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::new(Code::Usage, format!("failed to {what} {}: {error}", path.display()))
}
