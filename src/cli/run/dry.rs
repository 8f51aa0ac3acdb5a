//! `--dry-run`: the command, environment and files that a run would use. Loads no key.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::settings::Settings;
use super::{probe, start};
use crate::builder::{self, Lending, Typed};
use crate::lease::{Folder, Places};
use crate::ui::{self, Failure};

/// Prints what would be run.
pub(super) fn run(settings: &Settings, typed: &Typed) -> Result<u8, Failure> {
    let folder = Folder::planned(&Places::from_env());
    let mut ids: Vec<&str> = Vec::new();
    for wanted in &settings.wanted {
        if !ids.contains(&wanted.id.as_str()) {
            ids.push(&wanted.id);
        }
    }
    ids.sort_by_key(|id| *id != crate::config::DEFAULT_ID);
    let socket = |(number, id): (usize, &&str)| -> (String, PathBuf) {
        let name = if number == 0 { "agent.sock".to_owned() } else { format!("agent{number}.sock") };
        ((*id).to_owned(), folder.join(name))
    };
    let lending = Lending {
        sockets: ids.iter().enumerate().map(socket).collect(),
        known_hosts: folder.join("known_hosts"),
        folder: folder.clone(),
    };
    let plan = builder::plan(typed, &lending, &mut probe(settings)?)?;
    settings.warnings.iter().chain(&plan.warnings).for_each(|text| ui::warning(text));
    for wanted in &settings.wanted {
        ui::line(&format!("# lend {} as ssh id {}", wanted.key, wanted.id));
    }
    let start = start(typed, &plan, &lending, settings.secret_variables());
    for name in &start.remove {
        ui::line(&format!("unset {}", quoted(name)));
    }
    for (name, value) in &start.set {
        ui::line(&format!("export {}={}", name.to_string_lossy(), quoted(value)));
    }
    let words = std::iter::once(&start.program).chain(&start.args);
    ui::line(&words.map(|word| quoted(word)).collect::<Vec<_>>().join(" "));
    ui::line(&format!("# {}", lending.known_hosts.display()));
    ui::line(settings.known_hosts_text().trim_end());
    for (path, content) in &plan.files {
        ui::line(&format!("# {}", path.display()));
        ui::line(content.trim_end());
    }
    Ok(0)
}

/// A word as a shell would need it.
fn quoted(word: &OsStr) -> String {
    let text = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+%*".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_change_it() {
        for (word, shown) in [("a.b/c", "a.b/c"), ("", "''"), ("a b", "'a b'"), ("it's", r"'it'\''s'"), ("$X", "'$X'")]
        {
            assert_eq!(quoted(OsStr::new(word)), shown);
        }
    }
}
