//! PURE: `pnpm-lock.yaml` (versions 5 to 9): `packages` with `resolution: {type: git, repo: …}`.

use super::Reading;
use super::format::{Format, dependency, name, understood};
use super::lines::Lines;
use crate::document::{Node, yaml};

/// The format.
pub(super) static FORMAT: Format =
    Format { name: "pnpm-lock.yaml", wants: |path| name(path) == "pnpm-lock.yaml", read };

fn read(file: &str, text: &str, reading: &mut Reading) {
    let Some(documents) = understood(file, yaml(text), reading) else { return };
    let lines = Lines::new(file, text);
    for (id, package) in documents.iter().flat_map(|lock| lock.get("packages").map(Node::entries).unwrap_or_default()) {
        let Some(resolution) = package.get("resolution") else { continue };
        if resolution.text_of("type") == Some("git")
            && let Some(repo) = resolution.get("repo")
            && let Some(address) = repo.text()
        {
            // Before version 9 the name stands beside it; then the id begins with it.
            let name = package.text_of("name").or_else(|| id.text().and_then(name_of));
            // pnpm fetches from this very address.
            reading.git(lines.place(&repo.span), &dependency(name), address);
        }
    }
}

/// `@scope/name@git+ssh://…`: `@scope/name`.
fn name_of(id: &str) -> Option<&str> {
    let at = id.get(1..)?.find('@')? + 1;
    id.get(..at)
}
