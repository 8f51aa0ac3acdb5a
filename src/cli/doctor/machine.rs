//! This machine's clock, and what it can be held against.

use std::path::Path;
use std::time::SystemTime;

use crate::doctor::{Check, clock};

/// Ours before, the engine's, ours after.
pub(super) type EngineClock = (SystemTime, SystemTime, SystemTime);

/// The program itself was written before it ran, and so was the config.
pub(super) fn clock(now: SystemTime, config: Option<&Path>, engine: Option<EngineClock>) -> Vec<Check> {
    let program = std::env::current_exe().ok();
    let files = program.iter().map(std::path::PathBuf::as_path).chain(config);
    let written = files.filter_map(|path| Some((path.display().to_string(), path.metadata().ok()?.modified().ok()?)));
    clock::judge(now, &written.collect::<Vec<_>>(), engine)
}
