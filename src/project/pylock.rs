//! PURE: `pylock.toml` (PEP 751): `[[packages]]` with `vcs = { type = "git", url = "…" }`.

use super::Reading;
use super::format::{Format, dependency, name, understood};
use super::lines::Lines;
use crate::document::toml;

/// The format.
pub(super) static FORMAT: Format = Format { name: "pylock.toml", wants, read };

fn wants(path: &str) -> bool {
    let file = name(path);
    file == "pylock.toml" || (file.starts_with("pylock.") && file.ends_with(".toml"))
}

fn read(file: &str, text: &str, reading: &mut Reading) {
    let Some(lock) = understood(file, toml(text), reading) else { return };
    let lines = Lines::new(file, text);
    for package in lock.get("packages").into_iter().flat_map(|packages| packages.items()) {
        let Some(vcs) = package.get("vcs") else { continue };
        if vcs.text_of("type") == Some("git")
            && let Some(url) = vcs.get("url")
            && let Some(address) = url.text()
        {
            reading.git(lines.place(&url.span), &dependency(package.text_of("name")), address);
        }
    }
}
