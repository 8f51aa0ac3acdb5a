//! PURE: `uv.lock`: `[[package]]` with `source = { git = "…?rev=…#commit" }`.

use super::Reading;
use super::format::{Format, dependency, name, understood};
use super::lines::Lines;
use crate::document::toml;

/// The format.
pub(super) static FORMAT: Format = Format { name: "uv.lock", wants: |path| name(path) == "uv.lock", read };

fn read(file: &str, text: &str, reading: &mut Reading) {
    let Some(lock) = understood(file, toml(text), reading) else { return };
    let lines = Lines::new(file, text);
    for package in lock.get("package").into_iter().flat_map(|packages| packages.items()) {
        if let Some(git) = package.at(&["source", "git"])
            && let Some(address) = git.text()
        {
            reading.git(lines.place(&git.span), &dependency(package.text_of("name")), address);
        }
    }
}
