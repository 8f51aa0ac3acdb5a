//! `valetkey run`: grants → keys → lease → build → end. The whole flow stands in [`run`].

use std::ffi::OsString;

use clap::Args;

use super::lend::{LendArgs, Lendings, Opened, Settings, probe};
use crate::agent::peer::Peers;
use crate::builder::{self, Lending, Plan, Typed};
use crate::child::mask::{MIN_PATTERN, Mask};
use crate::child::witness::Witness;
use crate::child::{self, Start};
use crate::exit::Code;
use crate::keys::{Secret, written};
use crate::secret::Way;
use crate::ui::{self, Failure};

mod audit;
mod dry;
mod last;

/// What `valetkey run` takes.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub struct RunArgs {
    /// What is lent.
    #[command(flatten)]
    pub lend: LendArgs,
    /// Audit exactly the images that the build made, once it has ended, also against the very
    /// keys that it was lent
    #[arg(long)]
    pub audit: bool,
    /// Print what the command prints as it is. Without it, the lent secrets are `***` in every
    /// stream that is no terminal: whole, line by line, in base64, in addresses and in JSON
    #[arg(long)]
    pub no_mask: bool,
    /// Print no summary and no warning; errors and refusals are still shown
    #[arg(short, long)]
    pub quiet: bool,
    /// Print what would be run, with which files, and load no key
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// The command to run
    // A word with a dash before the command is a flag that was mistyped, never the command.
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

const AFTER_HELP: &str = "\
Examples:
  valetkey run --key keychain:work -- docker compose build
  valetkey run --key env:SSH_PRIVATE_KEY -- docker compose run app pytest
  valetkey run --key file:~/.ssh/id_ed25519 --host git.example.com -- docker build -t app .
  valetkey run --key agent:SHA256:... -- docker buildx bake
  valetkey run --key 'command:op read op://ci/deploy/key' -- docker compose build
  valetkey run --key app=keychain:app --key lib=keychain:lib -- docker compose build
  valetkey run --key keychain:work --dry-run -- docker compose build
  valetkey run --key keychain:work --audit -- docker compose build
  valetkey run --secret token=env:PIP_TOKEN -- docker build -t app .

The build sees the keys in steps with `RUN --mount=type=ssh`, the host keys in steps with
`--mount=type=secret,id=known_hosts,target=/etc/ssh/ssh_known_hosts,mode=0444`, and each secret
in steps with `--mount=type=secret,id=ID` at /run/secrets/ID. Any other command gets SSH_AUTH_SOCK;
every command gets VALETKEY_KNOWN_HOSTS.";

/// Runs the command with keys and secrets lent to it, and returns its exit code.
///
/// # Errors
/// [`Failure`] where valetkey itself failed; then the command was not started. The one exception is
/// [`Code::Internal`], when the command succeeded and the receipt, or what it printed, could not be
/// written.
pub fn run(args: &RunArgs) -> Result<u8, Failure> {
    let hardened = super::harden()?;
    let mut settings = Settings::new(&args.lend)?;
    let typed = typed(&args.command)?;
    if args.dry_run {
        return dry::run(&settings, &typed);
    }
    // Before the first key, so that it holds none.
    let witness = Witness::start().map_err(child::ChildError::Watch)?;
    let mut looking = super::audit::looking::Looking::default();
    let is_masked = !args.no_mask && child::output::is_recorded();
    let looking_for = args.audit.then_some(&mut looking);
    let mut lendings = Lendings::load(&mut settings, args.lend.max_identities(), looking_for, is_masked)?;
    let mask = is_masked.then(|| mask(&mut lendings));
    let mut opened = Opened::new(&args.lend, &settings, lendings, Peers::Command, way(&typed))?;
    let mut plan = builder::plan(&typed, &opened.lending, &mut probe(&settings, &opened.lending, false)?)?;
    let auditing = args.audit.then(|| audit::Auditing::new(&typed, &mut plan, &opened.lending.folder)).transpose()?;
    opened.make(&plan)?;
    // A clone's goes with the lease.
    let before = last::Before::new(&plan);
    if !args.quiet {
        settings.warnings.iter().chain(opened.warnings()).chain(&plan.warnings).for_each(|text| ui::warning(text));
        plan.notes.iter().for_each(|text| ui::note(text));
    }
    let start = start(&typed, &plan, &opened.lending, settings.secret_variables());
    let ran = child::run(&start, Some(hardened.core_limit), witness, mask.as_ref());
    // What it made stands in the lease's folder.
    let succeeded = ran.as_ref().is_ok_and(|(ended, _)| ended.code() == 0);
    let made = auditing.as_ref().filter(|_| succeeded).map(|auditing| {
        let images = probe(&settings, &opened.lending, false).and_then(|mut probe| auditing.images(&mut probe));
        (auditing, images)
    });
    let ended_by = opened.end();
    let (ended, output) = ran?;
    // What comes late comes when nothing is lent any more.
    let (signs, written) = output.finish();

    let receipt = opened.receipt(plan.tool, Some(ended_by), Some(ended.code()));
    if !args.quiet {
        receipt.summary().iter().for_each(|line| ui::note(line));
    } else {
        receipt.refusal_lines().iter().for_each(|line| ui::note(line));
    }
    if let Some(line) = before.ended(&receipt, &opened.tally(), signs, args.no_mask) {
        ui::note(&line);
    }
    if let Err(failure) = opened.write(&receipt) {
        // That the command failed is the more important news.
        if ended.code() == 0 {
            return Err(Failure { code: Code::Internal, ..failure });
        }
        ui::failure(&failure);
    }
    if let Err(error) = written {
        let failure = Failure::new(Code::Internal, format!("failed to write what the command printed: {error}"));
        if ended.code() == 0 {
            return Err(failure);
        }
        ui::failure(&failure);
    }
    if let Some((auditing, images)) = made {
        let ignores = settings.ignores.clone();
        let options = super::audit::Options { looking, ignores, cached: true, ..Default::default() };
        return auditing.run(&images?, &settings.secret_variables(), options);
    }
    Ok(ended.code())
}

/// What takes the secrets that were read out of what the command prints; says so where one cannot
/// be.
fn mask(lendings: &mut Lendings) -> Mask {
    let texts = std::mem::take(&mut lendings.texts);
    let public = lendings.grants.iter().flat_map(|grant| &grant.keys).map(|blob| written::base64(blob));
    let (mask, short) = Mask::of_texts(texts.iter().map(Secret::expose), &public.collect::<Vec<_>>());
    if short > 0 {
        lendings.warnings.push(format!(
            "secrets of fewer than {MIN_PATTERN} bytes cannot be masked in what the command prints: {short} of those that were read"
        ));
    }
    mask
}

/// How the tool can read secrets. Root may do what podman and buildah need a user namespace for,
/// unless that was taken from it, as in a container.
fn way(typed: &Typed) -> Way {
    use rustix::thread::{CapabilitySet, capabilities};
    let may_mount = capabilities(None).is_ok_and(|may| may.effective.contains(CapabilitySet::SYS_ADMIN));
    let is_root = rustix::process::geteuid().is_root() && may_mount;
    if builder::reads_files_alone(typed, is_root) { Way::File } else { Way::Process }
}

fn typed(command: &[OsString]) -> Result<Typed, Failure> {
    let (program, args) = command.split_first().ok_or_else(|| Failure::new(Code::Usage, "no command was given"))?;
    Ok(Typed { program: program.clone(), args: args.to_vec() })
}

/// The child's start: the plan's arguments and environment, the agent where the tool got no
/// explicit socket, and without the variables that held a key.
fn start(typed: &Typed, plan: &Plan, lending: &Lending, remove: Vec<OsString>) -> Start {
    let mut set = plan.set_env.clone();
    set.push(("VALETKEY_KNOWN_HOSTS".into(), lending.known_hosts.clone().into()));
    let mut remove = remove;
    if plan.agent_in_env
        && let Some((_, socket)) = lending.sockets.first()
    {
        set.push(("SSH_AUTH_SOCK".into(), socket.clone().into()));
        // It names the user's own agent, and `ssh-agent -k` would end that one.
        remove.push("SSH_AGENT_PID".into());
    }
    Start { program: typed.program.clone(), args: plan.args.clone(), set, remove }
}
