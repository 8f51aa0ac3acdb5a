//! Flags and `valetkey.toml` put together: what is wanted, and which hosts are pinned.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{LendArgs, expand_home};
use crate::config::{self, Config, ConfigError, Lend, Wanted, WantedSecret};
use crate::exit::Code;
use crate::hosts::{HostName, HostScope, Hosts};
use crate::keys::KeySource;
use crate::policy::grant::{DEFAULT_MAX_SIGNATURES, DEFAULT_TIME_LIMIT, DEFAULT_USER};
use crate::policy::{Access, Limits};
use crate::ui::Failure;

/// Everything that is known before a key is loaded.
pub(in crate::cli) struct Settings {
    /// The grants that were asked for, in order.
    pub(in crate::cli) wanted: Vec<Wanted>,
    /// The build secrets that were asked for, in order.
    pub(in crate::cli) secrets: Vec<WantedSecret>,
    /// The time limit that was typed.
    time_limit: Option<Duration>,
    /// The pins.
    pub(in crate::cli) hosts: Arc<Hosts>,
    /// How access is lent, where a flag says it.
    lend: Option<Lend>,
    /// Findings of `--audit` that do not count.
    pub(in crate::cli) ignores: Vec<crate::audit::ignore::Ignore>,
    /// Whether the comments of keys say which repositories they are for.
    pub(in crate::cli) by_comment: bool,
    /// What a person should know.
    pub(in crate::cli) warnings: Vec<String>,
}

impl Settings {
    /// Reads what the flags name; flags win over the file.
    pub(in crate::cli) fn new(args: &LendArgs) -> Result<Self, Failure> {
        let (settings, mut failures) = Self::with_failures(args)?;
        if failures.is_empty() { Ok(settings) } else { Err(failures.swap_remove(0)) }
    }

    /// The same for who wants to know all that is wrong: what can be told in spite of which the rest
    /// has a meaning comes beside it, in the order in which [`Settings::new`] would fail.
    pub(in crate::cli) fn with_failures(args: &LendArgs) -> Result<(Self, Vec<Failure>), Failure> {
        let config = read_config(args)?;
        let mut warnings = Vec::new();
        let hosts = pins(args, &config, &mut warnings)?;
        let config_hosts: Vec<HostName> = config.hosts.iter().map(|entry| entry.name.clone()).collect();
        let ignores = config.ignores.clone();
        let secrets =
            if args.secrets.is_empty() { config.secrets.clone() } else { config::parse_secret_flags(&args.secrets)? };
        let wanted = wanted(args, config)?;
        let mut failures = Vec::new();
        if wanted.is_empty() && secrets.is_empty() {
            failures.push(ConfigError::NoGrant.into());
        }
        for host in wanted.iter().flat_map(|wanted| &wanted.hosts) {
            failures.extend(check_pinned(&hosts, host).err());
        }
        warnings.extend(without_line(&hosts, &config_hosts, &wanted));
        let by_comment = args.repos_from_comments;
        let (hosts, time_limit, lend) = (Arc::new(hosts), args.time_limit, args.lend);
        let mut settings = Self { wanted, secrets, time_limit, hosts, lend, ignores, by_comment, warnings };
        match settings.check_lending() {
            Ok(warnings) => settings.warnings.extend(warnings),
            Err(failure) => failures.push(failure),
        }
        Ok((settings, failures))
    }

    /// Nothing is wanted, and the built-in and stored hosts are pinned: for who goes on where the
    /// config could not be read.
    pub(in crate::cli) fn nothing() -> Self {
        let hosts = crate::hosts::load(&[]).map_or_else(|_| Hosts::builtin(), |(hosts, _)| hosts);
        Self {
            wanted: Vec::new(),
            secrets: Vec::new(),
            time_limit: None,
            hosts: Arc::new(hosts),
            lend: None,
            ignores: Vec::new(),
            by_comment: false,
            warnings: Vec::new(),
        }
    }

    /// The same with other grants in the place of those that were asked for: what the comments of
    /// the keys say is known when they are loaded.
    pub(in crate::cli) fn replace(&mut self, wanted: Vec<Wanted>) -> Result<Vec<String>, Failure> {
        self.wanted = wanted;
        for host in self.wanted.iter().flat_map(|wanted| &wanted.hosts) {
            check_pinned(&self.hosts, host)?;
        }
        self.check_lending()
    }

    /// Whether the socket of this ssh id is the gateway's: where one of its grants is.
    pub(in crate::cli) fn by_gateway(&self, id: &str) -> bool {
        let mut grants = self.wanted.iter().filter(|wanted| wanted.id == id);
        grants.any(|wanted| match self.lend_of(wanted) {
            Lend::Agent => false,
            Lend::Gateway => true,
            Lend::Auto => !wanted.repos.is_empty(),
        })
    }

    /// The flag's word, else the file's.
    fn lend_of(&self, wanted: &Wanted) -> Lend {
        self.lend.or(wanted.lend).unwrap_or_default()
    }

    /// Says what a way of lending does not hold a build to.
    fn check_lending(&self) -> Result<Vec<String>, Failure> {
        let mut open = Vec::new();
        for wanted in &self.wanted {
            let by_gateway = self.by_gateway(&wanted.id);
            if by_gateway && self.lend_of(wanted) == Lend::Agent {
                let message = format!(
                    "the grant of {} is to be lent by agent, and shares its ssh id \"{}\" with one for the gateway",
                    wanted.key, wanted.id
                );
                return Err(Failure::new(Code::Usage, message)
                    .with_hint("an ssh id is one socket: give one of the two another `id`"));
            }
            if !by_gateway && !wanted.repos.is_empty() {
                open.push(
                    "an agent cannot see repositories: when lent by agent `repos` is not enforced, the build can reach every repository that the key opens"
                        .to_owned(),
                );
            }
            if by_gateway && wanted.repos.is_empty() && self.lend_of(wanted) == Lend::Auto {
                open.push(format!(
                    "the grant of {} names no repos and shares its ssh id \"{}\" with one that does: the gateway reads every repository that the key opens",
                    wanted.key, wanted.id
                ));
            }
        }
        let any = self.wanted.iter().any(|wanted| self.by_gateway(&wanted.id));
        if any && crate::guest::PROGRAM.is_empty() {
            return Err(Failure::new(
                Code::Builder,
                "this valetkey has no guest program, so its gateway cannot be used",
            )
            .with_hint("the guest is for Linux on x86-64 and arm64; lend by agent instead: --lend agent"));
        }
        open.dedup();
        Ok(open)
    }

    /// The scope of a grant.
    pub(in crate::cli) fn scope(wanted: &Wanted) -> HostScope {
        if wanted.hosts.is_empty() { HostScope::AllPinned } else { HostScope::Only(wanted.hosts.clone()) }
    }

    /// The known_hosts file for the build: the hosts of all grants.
    pub(in crate::cli) fn known_hosts_text(&self) -> String {
        let scopes: Vec<HostScope> = self.wanted.iter().map(Self::scope).collect();
        self.hosts.known_hosts_for(&scopes)
    }

    /// The longest time limit of a grant, after which nothing could be signed any more; that of
    /// secrets alone is what was typed, or a grant's default.
    pub(in crate::cli) fn time_limit(&self) -> Duration {
        let longest = self.wanted.iter().map(|wanted| wanted.limits.time_limit).max();
        longest.unwrap_or(self.time_limit.unwrap_or(DEFAULT_TIME_LIMIT))
    }

    /// The variables that held a key, a passphrase or a secret, for the child not to see.
    pub(in crate::cli) fn secret_variables(&self) -> Vec<OsString> {
        let of = |wanted: &'_ Wanted| {
            let passphrase = wanted.passphrase_from.iter().flat_map(KeySource::variables);
            wanted.key.variables().into_iter().chain(passphrase).map(OsString::from).collect::<Vec<_>>()
        };
        let secrets = self.secrets.iter().flat_map(|wanted| &wanted.sources).flat_map(KeySource::variables);
        self.wanted.iter().flat_map(of).chain(secrets.map(OsString::from)).collect()
    }
}

/// A granted host without a pin would refuse every login, inside the build and late.
fn check_pinned(hosts: &Hosts, host: &HostName) -> Result<(), Failure> {
    if hosts.has_pins(host) {
        return Ok(());
    }
    Err(Failure::new(Code::Host, format!("no host key is pinned for {host}")).with_hint(format!(
        "pin it once with `valetkey host add {host}`, or name a file that has it with --known-hosts"
    )))
}

/// A fingerprint is enough for the agent, and no known_hosts line can be made of it.
fn without_line(hosts: &Hosts, config_hosts: &[HostName], wanted: &[Wanted]) -> Option<String> {
    let granted = |host: &HostName| wanted.iter().any(|wanted| wanted.hosts.is_empty() || wanted.hosts.contains(host));
    let has_key = |host: &HostName| hosts.listed_for(host).iter().any(|pin| pin.key_type.is_some());
    let names = config_hosts.iter().filter(|host| granted(host) && !has_key(host)).map(ToString::to_string);
    let mut names: Vec<String> = names.collect();
    names.dedup();
    let list = names.join(", ");
    (!names.is_empty()).then(|| {
        format!(
            "{list}: pinned by fingerprint alone, which gives no line in the known_hosts file that the build gets; put the key itself into `keys`, or pin it with `valetkey host add NAME --fingerprint SHA256:...`"
        )
    })
}

/// The config file that is read, where there is one.
pub(in crate::cli) fn config_file(args: &LendArgs) -> Option<PathBuf> {
    let named = args.config.clone().filter(|_| !args.no_config);
    named.or_else(|| config::find(&std::env::current_dir().ok()?).filter(|_| !args.no_config))
}

fn read_config(args: &LendArgs) -> Result<Config, Failure> {
    if args.no_config {
        return Ok(Config::default());
    }
    Ok(config_file(args).map(|path| config::read(&path)).transpose()?.unwrap_or_default())
}

fn wanted(args: &LendArgs, config: Config) -> Result<Vec<Wanted>, Failure> {
    let passphrase_from = args.passphrase_from.as_deref().map(config::parse_passphrase_flag).transpose()?;
    let mut wanted = if args.keys.is_empty() { config.grants } else { from_flags(args, config.lend)? };
    for wanted in &mut wanted {
        override_by_flags(wanted, args, passphrase_from.as_ref());
    }
    Ok(wanted)
}

fn from_flags(args: &LendArgs, lend: Option<Lend>) -> Result<Vec<Wanted>, ConfigError> {
    let one = |text: &String| {
        let (id, key) = config::parse_key_flag(text)?;
        Ok(Wanted {
            id,
            key: key.into(),
            passphrase_from: None,
            hosts: Vec::new(),
            user: DEFAULT_USER.to_owned(),
            repos: Vec::new(),
            access: Access::Read,
            lend,
            limits: Limits { max_signatures: DEFAULT_MAX_SIGNATURES, time_limit: DEFAULT_TIME_LIMIT },
        })
    };
    args.keys.iter().map(one).collect()
}

/// What was typed on the command line holds for every grant.
fn override_by_flags(wanted: &mut Wanted, args: &LendArgs, passphrase_from: Option<&KeySource>) {
    if !args.hosts.is_empty() {
        wanted.hosts.clone_from(&args.hosts);
    }
    if let Some(user) = &args.user {
        wanted.user.clone_from(user);
    }
    if let Some(source) = passphrase_from {
        wanted.passphrase_from = Some(source.clone());
    }
    wanted.limits.max_signatures = args.max_signatures.unwrap_or(wanted.limits.max_signatures);
    wanted.limits.time_limit = args.time_limit.unwrap_or(wanted.limits.time_limit);
}

fn pins(args: &LendArgs, config: &Config, warnings: &mut Vec<String>) -> Result<Hosts, Failure> {
    pinned(&args.known_hosts, config, warnings)
}

/// The host keys that are trusted: built in, stored, of these files, of the config.
pub(in crate::cli) fn pinned(
    files: &[std::path::PathBuf],
    config: &Config,
    warnings: &mut Vec<String>,
) -> Result<Hosts, Failure> {
    let home = std::env::var_os("HOME");
    let files = files.iter().chain(&config.known_hosts);
    let files: Vec<_> = files.map(|file| expand_home(file, home.as_deref())).collect();
    let (mut hosts, notes) = crate::hosts::load(&files)?;
    warnings.extend(notes);
    hosts.add_pins(&config.hosts);
    Ok(hosts)
}

/// For clap: a host name, with its hint in the message.
pub(in crate::cli) fn parse_host(text: &str) -> Result<HostName, String> {
    // No label of a name is that long (RFC 1035), so it is a key in the wrong place.
    if crate::keys::source::may_be_key(text) {
        return Err("this is no host name".into());
    }
    text.parse::<HostName>().map_err(|error| with_hint(&error))
}

fn with_hint(error: &dyn crate::ui::Explain) -> String {
    match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
}
