//! `--dry-run`: the command, environment and files that a run would use. Loads no key and no secret.

use std::ffi::OsStr;

use super::start;
use crate::builder::{self, Typed};
use crate::cli::lend::{Dry, Settings, probe};
use crate::cli::start::output;
use crate::ui::{self, Failure};

/// Prints what would be run.
pub(super) fn run(settings: &Settings, typed: &Typed) -> Result<u8, Failure> {
    let dry = Dry::open(settings)?;
    let lending = &dry.lending;
    let plan = builder::plan(typed, lending, &mut probe(settings, lending, true)?)?;
    settings.warnings.iter().chain(&plan.warnings).for_each(|text| ui::warning(text));
    for wanted in &settings.wanted {
        let how = if settings.by_gateway(&wanted.id) { "gateway" } else { "agent" };
        ui::line(&format!("# lend {} as ssh id {} by {how}", wanted.key, wanted.id));
    }
    for wanted in &settings.secrets {
        ui::line(&format!("# lend {} as secret {} in the form {}", wanted.from(), wanted.id, wanted.form.name()));
    }
    let start = start(typed, &plan, lending, settings.secret_variables());
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
    output::quoted(&text)
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
