//! Commands as two users whom the machine does not know (`integration/as-user`): `valet` runs
//! valetkey, `stranger` is somebody else. Both share processes and `/tmp` with everyone.

use std::ffi::OsStr;
use std::path::PathBuf;

use crate::{Run, script};

/// A command as `valet` or `stranger`.
#[must_use]
pub fn run_as(user: &str, program: impl AsRef<OsStr>) -> Run {
    Run::new(script("as-user")).args([user, "--"]).arg(program)
}

/// The folder with the user's `home` and `run`.
#[must_use]
pub fn folder_of(user: &str) -> PathBuf {
    let output = Run::new(script("as-user")).args(["folder", user]).succeed().stdout;
    PathBuf::from(output.trim())
}
