//! What `run` and `start` share: the flags that say what is lent, and the way from them to a
//! lease that answers.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Args;

use crate::agent::peer::Peers;
use crate::agent::service::Shared;
use crate::builder::checkout::Checkouts;
use crate::builder::{self, Lending, Plan};
use crate::config::{self, DEFAULT_MAX_IDENTITIES};
use crate::decision_log::{DecisionLog, Tally};
use crate::exit::Code;
use crate::gateway::{TimeLimits, Upstreams};
use crate::lease::{EndedBy, Folder, Lease, Places};
use crate::policy::Standing;
use crate::receipt::{Frame, Pending, Receipt};
use crate::secret::{Holder, Way};
use crate::ui::Failure;

pub(super) mod by_comment;
mod dry;
mod lendings;
mod secrets;
mod settings;

pub(super) use dry::Dry;
pub(super) use lendings::Lendings;
pub(super) use settings::{Settings, config_file, pinned};

/// The flags that say what is lent.
#[derive(Args, Debug)]
pub struct LendArgs {
    /// Key to lend: keychain:NAME, env:NAME, file:PATH, stdin, command:PROGRAM AND ARGUMENTS,
    /// credential:NAME, vault:MOUNT/PATH#FIELD, agent, agent:SHA256:... or agent:COMMENT; with ID=
    /// in front for another ssh id than "default". Replaces the grants of valetkey.toml
    // Parsed later: clap would repeat a wrong value, and that may be the key itself.
    #[arg(short, long = "key", value_name = "[ID=]SOURCE")]
    pub keys: Vec<String>,
    /// Build secret to lend, from any key source but agent, as it is, for steps with
    /// --mount=type=secret,id=ID. Replaces the secrets of valetkey.toml, which has other forms
    // Parsed later, as --key.
    #[arg(long = "secret", value_name = "ID=SOURCE")]
    pub secrets: Vec<String>,
    /// Host that the keys may log in to; without it, every pinned host
    #[arg(long = "host", value_name = "NAME[:PORT]", value_parser = settings::parse_host)]
    pub hosts: Vec<crate::hosts::HostName>,
    /// Account that the keys may log in as [default: git]
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Hold each key whose comment names a repository, such as git@github.com:owner/repo.git, to
    /// that repository and host
    #[arg(long)]
    pub repos_from_comments: bool,
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
}

impl LendArgs {
    /// Identities that one socket offers at most.
    pub(in crate::cli) fn max_identities(&self) -> usize {
        self.max_identities.map_or(DEFAULT_MAX_IDENTITIES, NonZeroUsize::get)
    }
}

/// A lease that answers, and what has to be known of it at its end.
pub(in crate::cli) struct Opened {
    /// Its folder and sockets.
    pub(in crate::cli) lease: Lease,
    /// What builders are given.
    pub(in crate::cli) lending: Lending,
    lendings: Lendings,
    log: Arc<DecisionLog>,
    upstreams: Arc<Upstreams>,
    receipt: Option<Pending>,
    shared: Arc<Shared>,
    time_limit: Duration,
    /// Seconds since 1970.
    pub(in crate::cli) started: u64,
}

impl Opened {
    /// Opens a lease for what was loaded. The files that are written at its end are opened first,
    /// so that a place that cannot be written to is known before a build starts.
    pub(in crate::cli) fn new(
        args: &LendArgs,
        settings: &Settings,
        lendings: Lendings,
        peers: Peers,
        way: Way,
    ) -> Result<Self, Failure> {
        let receipt = args.receipt.as_deref().map(Pending::open).transpose()?;
        let log = args.decision_log.as_deref().map(open_log).transpose()?;
        let log = Arc::new(DecisionLog::new(lendings.known(), log));

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
        let holder = lendings.hold(way, folder.path())?;
        let secrets = lendings.secret_ids().zip(holder.iter().flat_map(Holder::paths));
        let secrets = secrets.map(|(id, path)| (id.to_owned(), path.clone())).collect();
        let guest = lendings.any_gateway().then(|| folder.write_guest()).transpose()?;
        let time_limit = settings.time_limit();
        let lease = Lease::start(folder, services, holder, &shared, time_limit, &peers)?;
        let lending = Lending {
            sockets: lease.sockets().to_vec(),
            secrets,
            known_hosts,
            folder: lease.folder().to_owned(),
            guest,
            git: lease.sockets().first().filter(|_| lendings.git_by_gateway()).map(|(_, socket)| socket.clone()),
        };
        Ok(Self { lease, lending, lendings, log, upstreams, receipt, shared, time_limit, started })
    }

    /// What a person should know of what was loaded.
    pub(in crate::cli) fn warnings(&self) -> &[String] {
        &self.lendings.warnings
    }

    /// After this time it ends.
    pub(in crate::cli) fn time_limit(&self) -> Duration {
        self.time_limit
    }

    /// What of it is left.
    pub(in crate::cli) fn time_left(&self) -> Duration {
        self.time_limit().saturating_sub(self.shared.started.elapsed())
    }

    /// Writes what a plan needs into the lease's folder.
    pub(in crate::cli) fn make(&self, plan: &Plan) -> Result<(), Failure> {
        for path in &plan.folders {
            self.lease.make_folder(path)?;
        }
        for (path, content) in &plan.files {
            self.lease.write(path, content.as_bytes())?;
        }
        Ok(())
    }

    /// Ends the lease: nothing answers any more, its folder is gone. Says what ended it.
    pub(in crate::cli) fn end(&mut self) -> EndedBy {
        self.close();
        self.lease.end()
    }

    /// Ends it for builds, and leaves its folder. What it did is known from here on.
    pub(in crate::cli) fn close(&mut self) {
        self.lease.close();
        self.upstreams.stop();
    }

    /// What it did so far.
    pub(in crate::cli) fn receipt(&self, tool: String, ended_by: Option<EndedBy>, exit_code: Option<u8>) -> Receipt {
        let frame = Frame {
            lending: self.lendings.lending(),
            tool,
            started: self.started,
            duration: self.shared.started.elapsed(),
            ended_by,
            exit_code,
        };
        Receipt::new(frame, self.lendings.lent(), self.lendings.lent_secrets(), self.log.tally())
    }

    /// What happened so far.
    pub(in crate::cli) fn tally(&self) -> Tally {
        self.log.tally()
    }

    /// Writes the receipt where it was asked for.
    pub(in crate::cli) fn write(&mut self, receipt: &Receipt) -> Result<(), Failure> {
        match self.receipt.take() {
            Some(pending) => pending.write(receipt).map_err(Failure::from),
            None => Ok(()),
        }
    }
}

/// What the build tools and files are asked through, without the variables that hold keys. A dry
/// run clones nothing.
pub(in crate::cli) fn probe(
    settings: &Settings,
    lending: &Lending,
    is_dry: bool,
) -> Result<builder::probe::System, Failure> {
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

/// `~/` at the start of a path is the home folder, as a shell has it; `file:~/x` reaches us
/// unexpanded.
pub(crate) fn expand_home(path: &std::path::Path, home: Option<&std::ffi::OsStr>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => path.to_owned(),
    }
}
