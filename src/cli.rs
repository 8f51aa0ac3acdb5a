//! What was typed, and which command answers it.

use std::process::ExitCode;

pub mod key;

/// Parses the command line, runs the command, prints the one fatal error.
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
