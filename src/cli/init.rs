//! `valetkey init`: from what a project's files say that its build reads, to `valetkey.toml`.
//!
//! Owns the one way in which that file is written: a new one at once, one that is there only after
//! its change was shown and somebody said yes. Reads no private key, and writes no secret.

mod check;
mod key_choice;
mod seen;
mod toml_text;
mod write;

use std::path::{Path, PathBuf};

use clap::Args;

use crate::config::{self, Config, Wanted};
use crate::exit::Code;
use crate::hosts::Hosts;
use crate::keys::KeySource;
use crate::project::{self, Address, Reading, Wish, wish};
use crate::ui::{self, Failure};

/// The most grants that are written: a build that reads more repositories is better served by
/// patterns, which a person has to choose.
const MAX_GRANTS: usize = 500;
/// The most lines about one kind of thing that are shown.
const MAX_SHOWN: usize = 50;

/// What `valetkey init` takes.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub struct InitArgs {
    /// The project's folder
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Fail where the config does not cover what the files need, and write nothing
    #[arg(long, conflicts_with_all = ["key", "yes"])]
    pub check: bool,
    /// Key source for every new grant, instead of one that fits
    #[arg(long, value_name = "SOURCE")]
    pub key: Option<String>,
    /// Change an existing file without asking
    #[arg(short, long)]
    pub yes: bool,
}

const AFTER_HELP: &str = "\
Examples:
  valetkey init
  valetkey init services/orders
  valetkey init --key keychain:work
  valetkey init --yes
  valetkey init --check

Reads lock files, manifests and .gitmodules, and writes a grant for each repository that they name
over SSH, with the places that name it. Runs no program, opens no connection and reads no private
key. A repository that needs no key is left out with a line in valetkey.toml:
  # no grant for ssh://git@github.com/org/public

--check ends with 116 where a repository is not covered, with 117 where a file could not be read.
A change that nobody agreed to ends with 110.";

/// A project, its config, and what the one lacks of the other.
struct Project {
    reading: Reading,
    /// Where the config is, or will be.
    path: PathBuf,
    /// What it says, where it is there.
    text: Option<String>,
    config: Config,
    /// Repositories that it says need none.
    left_out: Vec<Address>,
}

impl Project {
    fn read(folder: &Path) -> Result<Self, Failure> {
        let reading = project::read(folder)?;
        let folder = std::path::absolute(folder)
            .map_err(|error| Failure::new(Code::Usage, format!("failed to find the project's folder: {error}")))?;
        let Some(path) = config::find(&folder) else {
            let path = folder.join(config::FILE_NAME);
            return Ok(Self { reading, path, text: None, config: Config::default(), left_out: Vec::new() });
        };
        // It says who may have written it, and how long it may be.
        let config = config::read(&path)?;
        let text = std::fs::read_to_string(&path).map_err(|error| write::failed("read", &path, &error))?;
        let left_out = toml_text::left_out(&text);
        Ok(Self { reading, path, text: Some(text), config, left_out })
    }

    /// What is needed over SSH and not covered.
    fn missing(&self) -> Vec<Wish> {
        let left_out = |wish: &Wish| self.left_out.iter().any(|address| address.same() == wish.address.same());
        let wishes = wish::over_ssh(&self.reading).into_iter();
        wishes.filter(|wish| !wish.is_covered(&self.config.grants) && !left_out(wish)).collect()
    }

    /// Grants for repositories that nothing names.
    fn unneeded(&self) -> Vec<&Wanted> {
        let wishes = wish::over_ssh(&self.reading);
        let is_needed =
            |grant: &Wanted| grant.repos.is_empty() || wishes.iter().any(|wish| wish::covers(grant, &wish.address));
        self.config.grants.iter().filter(|grant| !is_needed(grant)).collect()
    }
}

/// Runs `valetkey init`.
///
/// # Errors
/// When the project or its config cannot be read, the config cannot be written, or nobody said yes
/// to a change of it.
pub fn run(args: &InitArgs) -> Result<u8, Failure> {
    let key = args.key.as_deref().map(key_source).transpose()?;
    let project = Project::read(&args.path)?;
    if args.check {
        return check::run(&project);
    }
    tell(&project.reading);
    let missing = project.missing();
    if missing.is_empty() {
        let files = counted(project.reading.files.len(), "file", "files");
        ui::note(&match project.text {
            Some(_) => format!("{} covers all that is named in {files}", project.path.display()),
            None => format!("no repository that is read over SSH is named in {files}: nothing is to be granted"),
        });
        return Ok(0);
    }
    if missing.len() > MAX_GRANTS {
        let message = format!(
            "the project reads {} repositories, and no more than {MAX_GRANTS} grants are written",
            missing.len()
        );
        return Err(Failure::new(Code::Usage, message)
            .with_hint("write a [[grant]] with patterns by hand: repos = [\"org/*\"]"));
    }
    let choices = key_choice::choose(&missing, key.as_ref(), &seen::look(key.is_some(), &project.reading));
    let hosts = Hosts::builtin();
    let grants = toml_text::grants(&missing, &choices, |name| {
        hosts.has_pins(name) || project.config.hosts.iter().any(|entry| entry.name == *name && !entry.keys.is_empty())
    });
    write::run(&project, &grants, args.yes)?;
    told_next(&project, &missing, &choices);
    Ok(0)
}

/// A key source that can be asked again and again.
fn key_source(text: &str) -> Result<KeySource, Failure> {
    match text.parse::<KeySource>()? {
        KeySource::Stdin => Err(Failure::new(Code::Usage, "standard input is read once, and a config many times")
            .with_hint("name another source: --key keychain:NAME, --key env:NAME")),
        source => Ok(source),
    }
}

/// What a person has to know or to decide.
fn tell(reading: &Reading) {
    shown(reading.secrets.iter().map(|place| {
        format!("{place}: the address holds a password or a token, which every reader of the file has: revoke it, and take it out (nothing of it was copied)")
    }));
    let https = wish::over_others(reading);
    shown(https.iter().filter_map(|wish| {
        let (place, what) = wish.places.first()?;
        Some(format!("{place}: {what} is read from {}, which no SSH key opens", wish.address))
    }));
    if !https.is_empty() {
        ui::note(
            "where one of those is private: let Git read it over SSH (git config url.\"ssh://git@HOST/\".insteadOf https://HOST/, in the project or in the build's step), or lend a token with a [[secret]]",
        );
    }
    shown(reading.undecided.iter().map(|one| format!("{}: not decided: {}", one.place, one.why)));
    shown(reading.unread.iter().map(|one| format!("{}: {}", one.place, one.why)));
}

/// `1 grant`, `2 grants`.
fn counted(count: usize, one: &str, more: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {more}") }
}

fn shown(lines: impl Iterator<Item = String>) {
    let mut more = 0_usize;
    for (at, line) in lines.enumerate() {
        if at < MAX_SHOWN { ui::warning(&line) } else { more += 1 }
    }
    if more > 0 {
        ui::warning(&format!("and {more} more of these"));
    }
}

/// What is still to do before the first build.
fn told_next(project: &Project, missing: &[Wish], choices: &[key_choice::Choice]) {
    // A file of pins that cannot be used is told by the run that needs it.
    let pinned = crate::hosts::load(&project.config.known_hosts).map_or_else(|_| Hosts::builtin(), |(hosts, _)| hosts);
    let mut hosts: Vec<_> = missing.iter().filter_map(|wish| wish.address.host_name().ok()).collect();
    hosts.sort();
    hosts.dedup();
    for host in hosts.iter().filter(|host| !pinned.has_pins(host)).take(MAX_SHOWN) {
        ui::note(&format!("{host} has no pinned host key yet: valetkey host add {host}"));
    }
    let mut names: Vec<&str> = choices.iter().filter_map(|choice| choice.to_add.as_deref()).collect();
    names.sort_unstable();
    names.dedup();
    if !names.is_empty() {
        let all = names.iter().take(MAX_SHOWN).copied().collect::<Vec<_>>().join(", ");
        ui::note(&format!("no key was found for {all}: valetkey key add NAME --from FILE, or name another source"));
    }
}
