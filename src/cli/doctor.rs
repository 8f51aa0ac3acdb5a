//! `valetkey doctor`: asks tools, files, key sources and servers what a build would ask them, and
//! reports. The whole flow stands in [`run`]; what the answers mean is [`crate::doctor`].

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::Args;

use super::lend::{Dry, LendArgs, Settings, config_file};
use crate::builder::{Lending, Typed};
use crate::config::parse_duration;
use crate::doctor::plain::{self, View};
use crate::doctor::{Check, Section, exit_code, json, leases};
use crate::exit::Code;
use crate::lease::Places;
use crate::ui::{self, Failure};

mod build;
mod command;
mod keys;
mod last;
mod machine;
mod secrets;
mod tool;
mod visits;

/// What `valetkey doctor` takes.
#[derive(Args, Debug)]
// What is written at the end of a lease is not written here: there is none.
#[command(after_help = AFTER_HELP, mut_arg("receipt", |arg| arg.hide(true)), mut_arg("decision_log", |arg| arg.hide(true)))]
pub struct DoctorArgs {
    /// What would be lent: the flags of `run`.
    #[command(flatten)]
    pub lend: LendArgs,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
    /// Explain why the last `valetkey run` did not get what it was lent; nothing is asked or checked
    #[arg(long, conflicts_with = "command")]
    pub last: bool,
    /// With --last: look also into this log of the build, or with `-` into standard input
    #[arg(long, value_name = "FILE", requires = "last")]
    pub output: Option<PathBuf>,
    /// How long a server may take to be reached and to accept the login, and the engine to answer
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "15s")]
    pub timeout: Duration,
    /// The build that is checked [default: docker compose build where there is a Compose file, else
    /// the build of the Dockerfile in this folder]
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

const AFTER_HELP: &str = "\
Examples:
  valetkey doctor
  valetkey doctor -- docker compose build
  valetkey doctor --key env:SSH_PRIVATE_KEY --host git.example.com -- docker build -t app .
  valetkey doctor --last
  docker buildx history logs | valetkey doctor --last --output -
  valetkey doctor --json | jq '.checks[] | select(.state == \"failure\")'

Takes the flags of `run`, so that one word is all that changes. Nothing is built and nothing is
fetched: of each repository that a grant names the list of references is read, with the key and the
host keys of the grant, as the gateway reads it. A key is read, and its passphrase asked for, as
`run` does; a program of `command:` is run only where a server is to be asked with its key.

Exit codes: 0 where nothing failed (warnings and what could not be checked are no failure); else
that of the failure that `run` would come upon first: 110 usage or config, 111 a key (also one that
a server does not accept), 112 a host, 113 build tool or engine, 114 lease, 127 no such program.";

/// Checks, and says what was found.
///
/// # Errors
/// [`Failure`] where nothing could be checked at all.
pub fn run(args: &DoctorArgs) -> Result<u8, Failure> {
    if args.last {
        return last::run(args);
    }
    super::harden()?;
    // Before a folder is made, which clears up what others left.
    let places = Places::from_env();
    let (held, left) = (places.held(), places.left());
    let mut report = Report::new(args.json);

    let config = config_file(&args.lend);
    let mut settings = settings(args, config.as_ref(), &mut report);
    let dry = Dry::open(&settings);
    let folder = dry.as_ref().ok().map(|dry| dry.lending.folder.clone());
    let engine_clock = match &dry {
        Ok(dry) => build(args, &settings, &dry.lending, &mut report)?,
        Err(_) => {
            let why = "the folder of a lease cannot be made";
            report.add([Check::not_checked(Section::Tool, "tool", "the build tool and the build", why)]);
            None
        }
    };
    if let Err(error) = dry {
        report.add([Check::failed(Section::Machine, "lease-folder", error.into())]);
    }
    report.show(Section::Tool);
    report.show(Section::Project);

    let loaded = keys::load(&mut settings, args.lend.max_identities(), &mut report);
    report.show(Section::Keys);
    visits::run(&settings, &loaded, folder, args.timeout, &mut report)?;
    report.show(Section::Hosts);

    report.add(leases::judge(&held, &left));
    report.add(machine::clock(SystemTime::now(), config.as_deref(), engine_clock));
    report.show(Section::Machine);
    report.end()
}

/// The config, with what is wrong in it.
fn settings(args: &DoctorArgs, config: Option<&PathBuf>, report: &mut Report) -> Settings {
    let (settings, failures) = match Settings::with_failures(&args.lend) {
        Ok((settings, failures)) => (settings, failures),
        Err(failure) => (Settings::nothing(), vec![failure]),
    };
    let config = config.map(|path| path.display().to_string());
    if failures.iter().all(|failure| failure.code == Code::Host) {
        let (grants, secrets) = (settings.wanted.len(), settings.secrets.len());
        let said = format!("{}: grants: {grants}, secrets: {secrets}", config.as_deref().unwrap_or("the command line"));
        report.add([Check::ok(Section::Project, "config", said)]);
    }
    for failure in failures {
        // A host without a pin stands with its host.
        let (section, name) =
            if failure.code == Code::Host { (Section::Hosts, "pin") } else { (Section::Project, "config") };
        report.add([Check::failed(section, name, failure)]);
    }
    report.add(settings.warnings.iter().map(|text| Check::warning(Section::Project, "config", text)));
    settings
}

/// The tool and what it would build. Returns what the engine's clock shows.
fn build(
    args: &DoctorArgs,
    settings: &Settings,
    lending: &Lending,
    report: &mut Report,
) -> Result<Option<machine::EngineClock>, Failure> {
    let mut probe = super::lend::probe(settings, lending, true)?;
    let typed = match args.command.split_first() {
        Some((program, rest)) => Some(Typed { program: program.clone(), args: rest.to_vec() }),
        None => command::usual(&mut probe),
    };
    let Some(typed) = typed else {
        let why = "no command was given, and this folder has neither a Compose file nor a Dockerfile";
        let check = Check::not_checked(Section::Tool, "tool", "the build tool and the build", why);
        report.add([check.with_hint("valetkey doctor -- docker build -f path/Dockerfile .")]);
        return Ok(None);
    };
    if args.command.is_empty() {
        let said = format!("no command was given; checked is: {}", command::shown(&typed));
        report.add([Check::ok(Section::Tool, "command", said)]);
    }
    let asked = tool::ask(&typed, !args.command.is_empty(), settings, &probe, args.timeout);
    report.add(asked.checks);
    if !asked.is_there {
        let why = "the tool is not there";
        report.add([Check::not_checked(Section::Project, "build", "what would be built", why)]);
        return Ok(None);
    }
    build::look(&typed, lending, &mut probe, report);
    Ok(asked.clock)
}

/// What was found so far; shows each section when all of it is there.
struct Report {
    checks: Vec<Check>,
    view: Option<View>,
}

impl Report {
    fn new(json: bool) -> Self {
        let view = || View { colour: ui::colour_on_stdout(), width: ui::width_of_stdout() };
        Self { checks: Vec::new(), view: (!json).then(view) }
    }

    /// Takes checks in; what was said already is not said again.
    fn add(&mut self, checks: impl IntoIterator<Item = Check>) {
        for check in checks {
            if !self.checks.contains(&check) {
                self.checks.push(check);
            }
        }
    }

    /// Whether one of this name has failed.
    fn has_failed(&self, name: &str) -> bool {
        self.checks.iter().any(|check| check.name == name && matches!(check.state, crate::doctor::State::Failure(_)))
    }

    fn show(&self, section: Section) {
        if let Some(view) = self.view {
            ui::write(plain::section(section, &self.checks, view).as_bytes());
        }
    }

    fn end(self) -> Result<u8, Failure> {
        match self.view {
            Some(_) => ui::line(&plain::summary(&self.checks)),
            None => {
                let text = json::render(&self.checks);
                let text =
                    text.map_err(|error| Failure::new(Code::Internal, format!("failed to write JSON: {error}")))?;
                ui::line(&text);
            }
        }
        Ok(exit_code(&self.checks) as u8)
    }
}
