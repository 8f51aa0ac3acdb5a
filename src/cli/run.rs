//! `valetkey run`: grants → keys → lease → build → end. The whole flow stands in [`run`].

use std::ffi::{OsStr, OsString};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use clap::Args;

use crate::agent::service::Shared;
use crate::builder::checkout::Checkouts;
use crate::builder::{self, Lending, Plan, Typed};
use crate::child::witness::Witness;
use crate::child::{self, Start};
use crate::config::{self, DEFAULT_MAX_IDENTITIES};
use crate::decision_log::DecisionLog;
use crate::exit::Code;
use crate::gateway::{TimeLimits, Upstreams};
use crate::lease::{Folder, Lease, Places};
use crate::policy::Standing;
use crate::receipt::{Frame, Pending, Receipt};
use crate::ui::{self, Failure};

mod audit;
mod dry;
mod lend;
mod settings;

use lend::Lendings;
use settings::Settings;

/// What `valetkey run` takes.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub struct RunArgs {
    /// Key to lend: keychain:NAME, env:NAME, file:PATH, stdin, agent, agent:SHA256:... or
    /// agent:COMMENT; with ID= in front for another ssh id than "default". Replaces the
    /// grants of valetkey.toml
    // Parsed later: clap would repeat a wrong value, and that may be the key itself.
    #[arg(short, long = "key", value_name = "[ID=]SOURCE")]
    pub keys: Vec<String>,
    /// Host that the keys may log in to; without it, every pinned host
    #[arg(long = "host", value_name = "NAME[:PORT]", value_parser = settings::parse_host)]
    pub hosts: Vec<crate::hosts::HostName>,
    /// Account that the keys may log in as [default: git]
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// File with host keys to trust beside the built-in ones (may be given several times)
    #[arg(long, value_name = "FILE")]
    pub known_hosts: Vec<PathBuf>,
    /// How access is lent: `gateway` carries Git commands, and the build holds no key; `agent`
    /// lends the keys for logins; `auto` is the gateway wherever a grant names repositories. Also
    /// `lend` in valetkey.toml [default: auto]
    #[arg(long, value_name = "HOW", value_enum)]
    pub lend: Option<config::Lend>,
    /// Where the passphrase of an encrypted key comes from (any key source but agent)
    // Parsed later, as --key.
    #[arg(long, value_name = "SOURCE")]
    pub passphrase_from: Option<String>,
    /// Signatures that each grant allows [default: 64]
    #[arg(long, value_name = "N")]
    pub max_signatures: Option<u32>,
    /// Time after which the lease ends, such as 90s, 30m or 2h [default: 1h]
    #[arg(long, value_name = "TIME", value_parser = config::parse_duration)]
    pub time_limit: Option<std::time::Duration>,
    /// Identities that one socket offers at most; servers cut a client off after six [default: 5]
    #[arg(long, value_name = "N")]
    pub max_identities: Option<NonZeroUsize>,
    /// Config file [default: valetkey.toml in this folder or one above it]
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    pub config: Option<PathBuf>,
    /// Do not read valetkey.toml
    #[arg(long)]
    pub no_config: bool,
    /// Write what was lent, signed and refused to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub receipt: Option<PathBuf>,
    /// Append a line of JSON for each decision to this file
    #[arg(long, value_name = "FILE")]
    pub decision_log: Option<PathBuf>,
    /// Audit exactly the images that the build made, once it has ended, also against the very
    /// keys that it was lent
    #[arg(long)]
    pub audit: bool,
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
  valetkey run --key app=keychain:app --key lib=keychain:lib -- docker compose build
  valetkey run --key keychain:work --dry-run -- docker compose build
  valetkey run --key keychain:work --audit -- docker compose build

The build sees the keys in steps with `RUN --mount=type=ssh`, and the host keys in steps with
`--mount=type=secret,id=known_hosts,target=/etc/ssh/ssh_known_hosts,mode=0444`. Any other
command gets SSH_AUTH_SOCK; every command gets VALETKEY_KNOWN_HOSTS.";

/// Runs the command with keys lent to it, and returns its exit code.
///
/// # Errors
/// [`Failure`] where valetkey itself failed; then the command was not started. The one exception is
/// [`Code::Internal`], when the command succeeded and the receipt could not be written.
pub fn run(args: &RunArgs) -> Result<u8, Failure> {
    let hardened = super::harden()?;
    let settings = Settings::new(args)?;
    let typed = typed(&args.command)?;
    if args.dry_run {
        return dry::run(&settings, &typed);
    }
    // Before the first key, so that it holds none.
    let witness = Witness::start().map_err(child::ChildError::Watch)?;
    let max_identities = args.max_identities.map_or(DEFAULT_MAX_IDENTITIES, NonZeroUsize::get);
    let mut looking = super::audit::looking::Looking::default();
    let lendings = Lendings::load(&settings, max_identities, args.audit.then_some(&mut looking))?;
    let receipt = args.receipt.as_deref().map(Pending::open).transpose()?;
    let log = Arc::new(DecisionLog::new(lendings.known(), args.decision_log.as_deref().map(open_log).transpose()?));

    let folder = Folder::make(&Places::from_env())?;
    let known_hosts = folder.path().join("known_hosts");
    folder.write(&known_hosts, 0o644, settings.known_hosts_text().as_bytes())?;
    let shared = Arc::new(Shared {
        standing: Mutex::new(Standing::new(lendings.grants.len())),
        grants: lendings.grants.clone(),
        hosts: settings.hosts.clone(),
        log: Arc::clone(&log),
        started: Instant::now(),
    });
    let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let upstreams = Arc::new(Upstreams::new(
        settings.hosts.clone(),
        Arc::clone(&log),
        settings.secret_variables(),
        TimeLimits::default(),
        folder.path().to_owned(),
    ));
    let services = lendings.services(&shared, &upstreams)?;
    let guest = lendings.any_gateway().then(|| folder.write_guest()).transpose()?;
    let mut lease = Lease::start(folder, services, &shared, lendings.time_limit())?;
    let lending = Lending {
        sockets: lease.sockets().to_vec(),
        known_hosts: known_hosts.clone(),
        folder: lease.folder().to_owned(),
        guest,
        git: lease.sockets().first().filter(|_| lendings.git_by_gateway()).map(|(_, socket)| socket.clone()),
    };
    let mut plan = builder::plan(&typed, &lending, &mut probe(&settings, &lending, false)?)?;
    let auditing = args.audit.then(|| audit::Auditing::new(&typed, &mut plan, &lending.folder)).transpose()?;
    for path in &plan.folders {
        lease.make_folder(path)?;
    }
    for (path, content) in &plan.files {
        lease.write(path, content.as_bytes())?;
    }
    if !args.quiet {
        settings.warnings.iter().chain(&lendings.warnings).chain(&plan.warnings).for_each(|text| ui::warning(text));
        plan.notes.iter().for_each(|text| ui::note(text));
    }
    let start = start(&typed, &plan, &lending, settings.secret_variables());
    let ended = child::run(&start, Some(hardened.core_limit), witness);
    // What it made stands in the lease's folder.
    let succeeded = ended.as_ref().is_ok_and(|ended| ended.code() == 0);
    let made = auditing.as_ref().filter(|_| succeeded).map(|auditing| {
        let images = probe(&settings, &lending, false).and_then(|mut probe| auditing.images(&mut probe));
        (auditing, images)
    });
    let ended_by = lease.end();
    upstreams.stop();
    let ended = ended?;

    let frame = Frame {
        lending: lendings.lending(),
        tool: plan.tool,
        started,
        duration: shared.started.elapsed(),
        ended_by,
        exit_code: ended.code(),
    };
    let summary = Receipt::new(frame, lendings.lent(), log.tally());
    if !args.quiet {
        summary.summary().iter().for_each(|line| ui::note(line));
    } else {
        summary.refusal_lines().iter().for_each(|line| ui::note(line));
    }
    if let Some(Err(failed)) = receipt.map(|receipt| receipt.write(&summary)) {
        let failure = Failure::from(failed);
        // That the command failed is the more important news.
        if ended.code() == 0 {
            return Err(Failure { code: Code::Internal, ..failure });
        }
        ui::failure(&failure);
    }
    if let Some((auditing, images)) = made {
        let ignores = settings.ignores.clone();
        return auditing.run(&images?, super::audit::Options { looking, ignores, cached: true, ..Default::default() });
    }
    Ok(ended.code())
}

fn typed(command: &[OsString]) -> Result<Typed, Failure> {
    let (program, args) = command.split_first().ok_or_else(|| Failure::new(Code::Usage, "no command was given"))?;
    Ok(Typed { program: program.clone(), args: args.to_vec() })
}

/// What the build tools and files are asked through, without the variables that hold keys. A dry
/// run clones nothing.
fn probe(settings: &Settings, lending: &Lending, is_dry: bool) -> Result<builder::probe::System, Failure> {
    let system = builder::probe::System::new(settings.secret_variables())
        .map_err(|error| Failure::new(Code::Builder, format!("failed to find the working directory: {error}")))?;
    Ok(match (&lending.guest, &lending.git) {
        (Some(guest), Some(socket)) => {
            let clones = lending.folder.join(crate::lease::CLONES);
            let checkouts = Checkouts::new(clones, guest.join(crate::guest::NAME), socket.clone());
            system.with_checkouts(if is_dry { checkouts.dry() } else { checkouts })
        }
        _ => system,
    })
}

fn open_log(path: &std::path::Path) -> Result<std::fs::File, Failure> {
    let opened = std::fs::OpenOptions::new().append(true).create(true).open(path);
    opened.map_err(|error| {
        Failure::new(Code::Lease, format!("failed to open the decision log {}: {error}", path.display()))
    })
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

/// `~/` at the start of a path is the home folder, as a shell has it; `file:~/x` reaches us
/// unexpanded.
pub(crate) fn expand_home(path: &std::path::Path, home: Option<&OsStr>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => path.to_owned(),
    }
}
