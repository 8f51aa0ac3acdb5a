//! Parse, run, print the one fatal error, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    valetkey::cli::main()
}
