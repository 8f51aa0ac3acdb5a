//! What was typed, and which command answers it.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::exit::Code;
use crate::keys::LoadEnv;
use crate::keys::source::{SourceError, may_be_key};
use crate::ui::{self, Failure};

pub mod audit;
pub mod check;
pub mod doctor;
pub mod host;
pub mod init;
pub mod key;
pub mod lend;
pub mod rewrite;
pub mod run;
pub mod start;
pub mod status;
pub mod stop;

/// Lends SSH keys to a container build, for the length of the build and no longer.
#[derive(Debug, Parser)]
#[command(name = "valetkey", version, propagate_version = true, max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  valetkey init
  valetkey key add work --from ~/.ssh/id_ed25519
  valetkey run --key keychain:work -- docker compose build
  valetkey run --key env:SSH_PRIVATE_KEY -- docker build -t app .
  eval \"$(valetkey start --key env:SSH_PRIVATE_KEY)\"
  valetkey audit app:latest
  valetkey host add git.example.com --fingerprint SHA256:...

Exit codes: the wrapped command's own; 128+n when signal n ended it; 110 usage or config,
111 key, 112 host, 113 build tool, 114 lease, 115 internal, 116 an audit or a check found
something, 117 it could not read everything, 126 not executable, 127 not found.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Write valetkey.toml from what the project's own files say that its build reads
    Init(init::InitArgs),
    /// Run a build with keys lent to it
    Run(Box<run::RunArgs>),
    /// Lend keys for the length of a job, to builds that valetkey does not start itself
    Start(Box<start::StartArgs>),
    /// Show the leases that `start` left in the background
    Status(status::StatusArgs),
    /// End a lease that `start` left in the background
    Stop(stop::StopArgs),
    /// Give the guest to the ssh steps of a Dockerfile, for a build by gateway
    Rewrite(rewrite::RewriteArgs),
    /// Show that images hold no key, or where they do
    Audit(audit::AuditArgs),
    /// Find recipes that put keys into images, trust any host, or fail without saying why
    Check(check::CheckArgs),
    /// Check tool, project, keys, hosts and repositories before a build
    Doctor(Box<doctor::DoctorArgs>),
    /// Keep keys in the keychain of the operating system
    Key(key::KeyArgs),
    /// Pin the host keys of servers
    Host(host::HostArgs),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  valetkey completions bash > ~/.local/share/bash-completion/completions/valetkey"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages into a folder
    #[command(after_help = "Example:\n  valetkey man ~/.local/share/man/man1 && man valetkey-run")]
    Man {
        /// The folder, which is there
        folder: std::path::PathBuf,
    },
}

/// Parses the command line, runs the command, prints the one fatal error.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(done) = crate::child::witness::role().or_else(crate::secret::holder::role) {
        return done;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if repeats_a_key(&error.to_string()) => {
            let failure = Failure::from(SourceError::KeyText);
            ui::failure(&failure);
            return ExitCode::from(failure.code as u8);
        }
        Err(error) => {
            // Help and version are answers, not errors; the rest has our own exit code.
            let code = if error.use_stderr() { Code::Usage } else { Code::Ok };
            let _ = error.print();
            return ExitCode::from(code as u8);
        }
    };
    let result = match cli.command {
        Command::Init(args) => init::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Start(args) if is_background() => start::background::run(&args),
        Command::Start(args) => start::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Stop(args) => stop::run(&args),
        Command::Rewrite(args) => rewrite::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Key(args) => key_command(args).map(|()| 0),
        Command::Host(args) => host::run(args).map(|()| 0),
        Command::Completions { shell } => completions(shell).map(|()| 0),
        Command::Man { folder } => man(&folder).map(|()| 0),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            ui::failure(&failure);
            ExitCode::from(failure.code as u8)
        }
    }
}

/// Whether this is the process of a lease, which `start` starts under a name of its own.
fn is_background() -> bool {
    std::env::args_os().next().is_some_and(|name| name == start::background::NAME)
}

/// Whether clap's message would show the text of a key that was typed (`--key "$KEY"`).
fn repeats_a_key(message: &str) -> bool {
    let typed = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    // A first line may be all that is repeated.
    typed
        .filter(|word| may_be_key(word))
        .any(|word| word.lines().any(|line| !line.is_empty() && message.contains(line)))
}

fn key_command(args: key::KeyArgs) -> Result<(), Failure> {
    harden()?;
    LoadEnv::with_process(None, |env| key::run(args, env))
}

/// Before the first key is read: from here on no other process of this user can read our
/// memory.
fn harden() -> Result<crate::sys::Hardened, Failure> {
    crate::sys::harden()
        .map_err(|error| Failure::new(Code::Lease, format!("failed to protect the memory of this process: {error}")))
}

fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "valetkey", &mut script);
    let written = std::io::stdout().write_all(&script);
    written.map_err(|error| Failure::new(Code::Internal, format!("failed to write the completion script: {error}")))
}

/// One page for each command, made of the command line's own definition.
fn man(folder: &std::path::Path) -> Result<(), Failure> {
    // `help` is answered by every command itself.
    let command = Cli::command().disable_help_subcommand(true);
    let written = clap_mangen::generate_to(command, folder);
    written.map_err(|error| {
        Failure::new(Code::Usage, format!("failed to write the manual pages into {}: {error}", folder.display()))
            .with_hint("name a folder that is there, such as ~/.local/share/man/man1")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_command_may_come_with_or_without_two_dashes() {
        for line in ["valetkey run --key stdin -- docker build -t x .", "valetkey run --key stdin docker build -t x ."]
        {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            let Command::Run(args) = cli.command else { panic!("not run") };
            assert_eq!(args.command, ["docker", "build", "-t", "x", "."]);
        }
    }
}
