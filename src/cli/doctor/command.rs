//! The command that is checked where none was typed, and where a program is.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::builder::{Probe, Typed, has_compose_project};

/// Folders of PATH that are looked into.
const MAX_FOLDERS: usize = 256;
/// What builds a Dockerfile, in the order in which it is looked for.
const BUILDERS: [&str; 3] = ["docker", "podman", "buildah"];

/// What a person would type here: Compose's build where there is a project, else that of the
/// Dockerfile. `None` where there is nothing to build.
pub(super) fn usual(probe: &mut dyn Probe) -> Option<Typed> {
    let typed = |program: &str, args: &[&str]| {
        Some(Typed { program: program.into(), args: args.iter().map(OsString::from).collect() })
    };
    if has_compose_project(probe) {
        return typed("docker", &["compose", "build"]);
    }
    let folder = probe.cwd().to_owned();
    let mut is_there = |name: &str| probe.exists(&folder.join(name));
    let (docker, podman) = (is_there("Dockerfile"), is_there("Containerfile"));
    if !docker && !podman {
        return None;
    }
    // A Containerfile alone is none of docker's.
    let mut builders = BUILDERS.iter().filter(|name| docker || **name != "docker");
    let found = builders.find(|name| find(OsStr::new(name)).is_some());
    typed(found.unwrap_or(if docker { &"docker" } else { &"podman" }), &["build", "."])
}

/// The command as one line.
pub(super) fn shown(typed: &Typed) -> String {
    let words = std::iter::once(&typed.program).chain(&typed.args);
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// The file of a program, as a shell finds it.
pub(super) fn find(program: &OsStr) -> Option<PathBuf> {
    let runs = |path: &Path| path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
    if program.as_encoded_bytes().contains(&b'/') {
        return Some(PathBuf::from(program)).filter(|path| runs(path));
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).take(MAX_FOLDERS).map(|folder| folder.join(program)).find(|path| runs(path))
}
