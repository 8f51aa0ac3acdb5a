//! `valetkey start`: a lease in the background, for builds that valetkey does not start itself.
//!
//! The lease is a process of its own, this program once more ([`background`]): it loads the keys
//! on this terminal, says when it answers, and goes into the background. This one waits for that
//! word, and prints what the next steps need ([`output`]).

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::Args;

use super::lend::LendArgs;
use crate::exit::Code;
use crate::lease::control::{self, Question};
use crate::ui::Failure;

pub(super) mod background;
mod bake;
pub(super) mod given;
mod offered;
pub(super) mod output;
mod until;

use given::Given;

/// Bytes of what the lease's process says once it answers: a document, and lines to mask.
const MAX_WORD: u64 = 16 << 20;

/// What `valetkey start` takes.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub struct StartArgs {
    /// What is lent.
    #[command(flatten)]
    pub lend: LendArgs,
    /// End the lease when this process does [default: the runner's worker of a GitHub or Buildkite
    /// job, else the shell that this is typed in]
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(i32).range(1..))]
    pub until_exit: Option<i32>,
    /// Who is answered: that process and its descendants, or every process of this user
    #[arg(long, value_name = "WHO", value_enum)]
    pub peers: Option<until::Answered>,
    /// Write an override for the Compose project of this folder, and name it in COMPOSE_FILE; by
    /// itself where there is one
    #[arg(long, conflicts_with = "no_compose")]
    pub compose: bool,
    /// Leave COMPOSE_FILE alone
    #[arg(long)]
    pub no_compose: bool,
    /// Write an override for `docker buildx bake` in this folder, for these targets [default:
    /// bake's own]
    #[arg(long, value_name = "TARGET", num_args = 0..)]
    pub bake: Option<Vec<String>>,
    /// Leave SSH_AUTH_SOCK alone
    #[arg(long)]
    pub keep_agent: bool,
    /// Append the variables to the file that GITHUB_ENV names, and outputs to that of GITHUB_OUTPUT;
    /// hide what was lent from the job's log
    #[arg(long)]
    pub github_env: bool,
    /// Write the variables to this file, as NAME=value
    #[arg(long, value_name = "FILE")]
    pub dotenv: Option<PathBuf>,
    /// Print everything as JSON
    #[arg(long)]
    pub json: bool,
    /// Print no note and no warning; errors are still shown
    #[arg(short, long)]
    pub quiet: bool,
}

const AFTER_HELP: &str = "\
Examples:
  eval \"$(valetkey start --key env:SSH_PRIVATE_KEY)\"
  docker build $VALETKEY_BUILD_ARGS -t app .
  docker compose run app pytest
  eval \"$(valetkey stop)\"

  valetkey start --key keychain:work --until-exit $$ --time-limit 10m --json
  valetkey start --github-env              in a GitHub job, with the grants of valetkey.toml
  valetkey start --dotenv lease.env        for systems that read NAME=value

The lease ends with `valetkey stop`, with the process that it lasts for, at its time limit, or when
its own process gets SIGTERM. Next steps get VALETKEY_LEASE, SSH_AUTH_SOCK, VALETKEY_KNOWN_HOSTS,
VALETKEY_BUILD_ARGS, and COMPOSE_FILE with an override behind the project's own files. Where the
gateway lends, `valetkey rewrite Dockerfile` gives a Dockerfile for `docker build -f`.";

/// Starts a lease in the background and prints what the next steps need.
///
/// # Errors
/// [`Failure`] where the lease cannot be opened, or what is needed cannot be written; then there is
/// no lease.
pub fn run(args: &StartArgs) -> Result<u8, Failure> {
    // What it reads of the lease's process may hold lines to mask.
    super::harden()?;
    let failed =
        |error: std::io::Error| Failure::new(Code::Lease, format!("failed to start the process of the lease: {error}"));
    // By its link, which still leads to this program when its file was replaced.
    let mut command = Command::new("/proc/self/exe");
    command.arg0(background::NAME).args(std::env::args_os().skip(1)).stdout(Stdio::piped());
    crate::sys::with_three_descriptors(&mut command);
    let mut child = command.spawn().map_err(failed)?;
    let mut word = zeroize::Zeroizing::new(Vec::new());
    if let Some(stdout) = child.stdout.take() {
        stdout.take(MAX_WORD).read_to_end(&mut word).map_err(failed)?;
    }
    let end = word.iter().position(|byte| *byte == b'\n');
    let Some((document, masks)) = end.map(|end| word.split_at(end + 1)) else {
        // It has said why itself.
        let status = child.wait().map_err(failed)?;
        let code = status.code().and_then(|code| u8::try_from(code).ok()).filter(|code| *code != 0);
        return Ok(code.unwrap_or(Code::Lease as u8));
    };
    let given: Given = serde_json::from_slice(document)
        .map_err(|error| Failure::new(Code::Internal, format!("the lease's process said something else: {error}")))?;
    say(args, &given, masks).inspect_err(|_| {
        // Nobody would know of it.
        let _ = control::ask(&given.lease, Question::Stop);
    })?;
    Ok(0)
}

/// Prints and writes what was asked for.
fn say(args: &StartArgs, given: &Given, masks: &[u8]) -> Result<(), Failure> {
    if args.github_env {
        let delimiter = crate::lease::random_name().map(|name| format!("valetkey_{name}"));
        let delimiter =
            delimiter.map_err(|error| Failure::new(Code::Internal, format!("failed to get random bytes: {error}")))?;
        let variables: Vec<_> = given.variables.iter().map(|one| (one.name.clone(), one.value.clone())).collect();
        let written = output::github(&variables, &delimiter).zip(output::github(&output::outputs(given), &delimiter));
        let (env, outputs) =
            written.ok_or_else(|| Failure::new(Code::Internal, "a value of the lease cannot be written for GitHub"))?;
        crate::ui::write(masks);
        output::append("GITHUB_ENV", &env)?;
        output::append("GITHUB_OUTPUT", &outputs)?;
    }
    if let Some(path) = &args.dotenv {
        output::replace(path, &output::dotenv(&given.variables)?)?;
    }
    if args.json {
        let text = serde_json::to_string_pretty(given)
            .map_err(|error| Failure::new(Code::Internal, format!("failed to write JSON: {error}")))?;
        crate::ui::line(&text);
    } else if !args.github_env && args.dotenv.is_none() {
        crate::ui::write(output::shell(given).as_bytes());
    }
    Ok(())
}
