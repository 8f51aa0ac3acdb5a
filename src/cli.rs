//! What was typed, and which command answers it.

use std::process::ExitCode;

/// Parses the command line, runs the command, prints the one fatal error.
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
