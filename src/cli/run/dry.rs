//! `--dry-run`: the command, environment and files that a run would use. Loads no key and no secret.
//!
//! The lease's folder and sockets exist for a moment, because build tools are asked and some
//! look whether a socket is there; nobody listens on them.

use std::ffi::OsStr;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use super::start;
use crate::agent::socket;
use crate::builder::{self, Lending, Typed};
use crate::cli::lend::{Settings, probe};
use crate::cli::start::output;
use crate::lease::{Folder, LeaseError, Places};
use crate::ui::{self, Failure};

/// Prints what would be run.
pub(super) fn run(settings: &Settings, typed: &Typed) -> Result<u8, Failure> {
    let folder = Folder::make(&Places::from_env())?;
    let mut ids: Vec<&str> = Vec::new();
    for wanted in &settings.wanted {
        if !ids.contains(&wanted.id.as_str()) {
            ids.push(&wanted.id);
        }
    }
    ids.sort_by_key(|id| *id != crate::config::DEFAULT_ID);
    let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
    // Bound for as long as the tools are asked, and not answered.
    let (sockets, _bound): (Vec<_>, Vec<_>) = ids
        .iter()
        .enumerate()
        .map(|(number, id)| bind(&folder, number, id))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .unzip();
    let by_gateway = ids.iter().any(|id| settings.by_gateway(id));
    let git = sockets.first().filter(|(id, _)| settings.by_gateway(id)).map(|(_, socket)| socket.clone());
    let lending = Lending {
        sockets,
        git,
        // Names, and no files: nothing is loaded.
        secrets: settings.secrets.iter().map(|wanted| (wanted.id.clone(), folder.path().join(&wanted.id))).collect(),
        known_hosts: folder.path().join("known_hosts"),
        folder: folder.path().to_owned(),
        guest: by_gateway.then(|| folder.write_guest()).transpose()?,
    };
    let plan = builder::plan(typed, &lending, &mut probe(settings, &lending, true)?)?;
    settings.warnings.iter().chain(&plan.warnings).for_each(|text| ui::warning(text));
    for wanted in &settings.wanted {
        let how = if settings.by_gateway(&wanted.id) { "gateway" } else { "agent" };
        ui::line(&format!("# lend {} as ssh id {} by {how}", wanted.key, wanted.id));
    }
    for wanted in &settings.secrets {
        ui::line(&format!("# lend {} as secret {} in the form {}", wanted.from(), wanted.id, wanted.form.name()));
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

/// The socket of an ssh id, bound.
fn bind(folder: &Folder, number: usize, id: &str) -> Result<((String, PathBuf), UnixListener), LeaseError> {
    let path = folder.socket_path(number)?;
    let bound = socket::bind(&path).map_err(|source| LeaseError::Socket { path: path.clone(), source })?;
    Ok(((id.to_owned(), path), bound))
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
