//! PURE: `poetry.lock`: `[[package]]` with `[package.source] type = "git"`.

use super::Reading;
use super::format::{Format, dependency, name, understood};
use super::lines::Lines;
use crate::document::toml;

/// The format.
pub(super) static FORMAT: Format = Format { name: "poetry.lock", wants: |path| name(path) == "poetry.lock", read };

fn read(file: &str, text: &str, reading: &mut Reading) {
    let Some(lock) = understood(file, toml(text), reading) else { return };
    let lines = Lines::new(file, text);
    for package in lock.get("package").into_iter().flat_map(|packages| packages.items()) {
        let Some(source) = package.get("source") else { continue };
        if source.text_of("type") == Some("git")
            && let Some(url) = source.get("url")
            && let Some(address) = url.text()
        {
            reading.git(lines.place(&url.span), &dependency(package.text_of("name")), address);
        }
    }
}
