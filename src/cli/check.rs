//! `valetkey check`: files → rules → report, or files that are mended.

use std::path::{Path, PathBuf};

use clap::Args;

use super::lend;
use crate::check::around::Around;
use crate::check::disk::Folder;
use crate::check::file::FileError;
use crate::check::finding::{Outcome, Report, RuleInfo, Unread};
use crate::check::rules::RULES;
use crate::check::walk::{Candidate, walk};
use crate::check::{look, page};
use crate::config;
use crate::exit::Code;
use crate::hosts::Hosts;
use crate::receipt::Replacing;
use crate::report::check::{Format, render};
use crate::report::{DEFAULT_WIDTH, View};
use crate::ui::{self, Failure};

/// What `valetkey check` takes.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub struct CheckArgs {
    /// Files, and folders that are looked through [default: the working folder]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Make the fixes after which the build does the same, and report what is left
    #[arg(long)]
    pub fix: bool,
    /// Show what --fix would change, and write nothing
    #[arg(long)]
    pub diff: bool,
    /// Form of the report
    #[arg(long, value_enum, default_value_t = Format::Plain)]
    pub format: Format,
    /// Print the rules and what each finds, and check nothing
    #[arg(long, value_enum, value_name = "FORM", num_args = 0..=1, default_missing_value = "list", require_equals = true)]
    pub rules: Option<RulesForm>,
    /// Print what a rule finds, why, and what to do instead, and check nothing
    #[arg(long, value_name = "RULE")]
    pub explain: Option<String>,
    /// Host keys of this valetkey.toml count as pinned [default: the nearest one from the working folder upwards]
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    pub config: Option<PathBuf>,
    /// Do not read valetkey.toml
    #[arg(long)]
    pub no_config: bool,
}

/// How the rules are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum RulesForm {
    /// A line for each.
    List,
    /// The page docs/rules.md.
    Markdown,
}

const AFTER_HELP: &str = "\
Examples:
  valetkey check
  valetkey check Dockerfile compose.yaml
  valetkey check --diff
  valetkey check --fix api/Dockerfile
  valetkey check --format sarif > check.sarif
  valetkey check --explain ssh-keyscan

Looks at Dockerfiles, Compose and bake files, GitHub workflows and GitLab CI files, by their names; a
file that is named is what it says it is. Runs and fetches nothing.

A finding is ignored by a comment above what it means, or at the end of its line, with a reason:
  # valetkey: ignore ssh-keyscan the lab has no other way

Exits 0 if everything was read and nothing but notes was found, 116 if something was found, 117 if
nothing was found and not everything could be read.";

/// Checks what was named.
///
/// # Errors
/// When the config or a pin cannot be read, or a mended file cannot be written.
pub fn run(args: &CheckArgs) -> Result<u8, Failure> {
    if let Some(form) = args.rules {
        match form {
            RulesForm::List => RULES.iter().for_each(|rule| ui::line(&format!("{:<24}{}", rule.id, rule.about))),
            RulesForm::Markdown => ui::write(page::markdown(RULES).as_bytes()),
        }
        return Ok(Code::Ok as u8);
    }
    if let Some(id) = &args.explain {
        return explain(id);
    }
    let hosts = pinned(args)?;
    let here = [PathBuf::from(".")];
    let walked = walk(if args.paths.is_empty() { &here } else { &args.paths });
    let mut report = Report { unread: walked.unread, rules: rules(), ..Report::default() };
    for candidate in &walked.candidates {
        let name = candidate.path.to_string_lossy();
        let folder = Folder::new(&candidate.folder);
        let around = Around { files: &folder, hosts: &hosts };
        let looked = checked(args, candidate, &name, &around)?;
        match looked {
            Ok(looked) => {
                if looked.is_cut {
                    let reason =
                        "it is so long, or repeats itself so often, that not all of it was looked at".to_owned();
                    report.unread.push(Unread { path: name.clone().into_owned(), reason });
                }
                report.files.push(name.into_owned());
                report.findings.extend(looked.findings);
                report.ignored.extend(looked.ignored);
            }
            Err(error) => report.unread.push(Unread { path: name.into_owned(), reason: error.to_string() }),
        }
    }
    let view = View { colour: ui::colour_on_stdout(), width: ui::width_of_stdout().unwrap_or(DEFAULT_WIDTH) };
    if args.diff {
        // The diff alone goes to stdout, so that `patch` can read it.
        ui::note(&crate::report::check::verdict(&report));
    } else {
        ui::write(&render(args.format, &report, &view));
    }
    Ok(match report.outcome() {
        Outcome::Clean => Code::Ok,
        Outcome::Findings => Code::Findings,
        Outcome::Incomplete => Code::NotAllRead,
    } as u8)
}

fn explain(id: &str) -> Result<u8, Failure> {
    let Some(rule) = RULES.iter().find(|rule| rule.id == id) else {
        let near = RULES.iter().max_by(|a, b| strsim::jaro(a.id, id).total_cmp(&strsim::jaro(b.id, id)));
        let hint = near.map_or_else(String::new, |rule| format!("did you mean {}? ", rule.id));
        return Err(Failure::new(Code::Usage, format!("there is no rule \"{id}\""))
            .with_hint(format!("{hint}valetkey check --rules lists them")));
    };
    ui::write(page::explained(rule).as_bytes());
    Ok(Code::Ok as u8)
}

/// Looks at a file; mends it before, where that is asked for.
fn checked(
    args: &CheckArgs,
    candidate: &Candidate,
    name: &str,
    around: &Around<'_>,
) -> Result<Result<look::Looked, FileError>, Failure> {
    let Candidate { text, kind, path, .. } = candidate;
    if !args.fix && !args.diff {
        return Ok(look::look(name, text, *kind, around));
    }
    let (fixed, made) = match look::fixed(name, text, *kind, around) {
        Ok(fixed) => fixed,
        Err(error) => return Ok(Err(error)),
    };
    if args.diff {
        ui::diff::show(name, text, &fixed);
        return Ok(look::look(name, text, *kind, around));
    }
    if made > 0 {
        write(path, &fixed)?;
        ui::note(&format!("{name}: {made} mended"));
    }
    Ok(look::look(name, &fixed, *kind, around))
}

/// Puts the mended text in the place of the file, with its mode. A link is not replaced by a file.
fn write(path: &Path, text: &[u8]) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let failed =
        |error: std::io::Error| Failure::new(Code::Usage, format!("failed to write {}: {error}", path.display()));
    let real = path.canonicalize().map_err(failed)?;
    if path.symlink_metadata().map_err(failed)?.is_symlink() {
        return Err(Failure::new(Code::Usage, format!("failed to write {}: it is a link", path.display()))
            .with_hint(format!("mend the file that it names: valetkey check --fix {}", real.display())));
    }
    let mode = real.metadata().map_err(failed)?.permissions().mode() & 0o7777;
    let file = Replacing::open(&real, mode).map_err(failed)?;
    file.write(text).map_err(failed)
}

/// The host keys that are trusted: built in, stored, and of the config.
fn pinned(args: &CheckArgs) -> Result<Hosts, Failure> {
    let found = || args.config.clone().or_else(|| config::find(&std::env::current_dir().ok()?));
    let path = if args.no_config { None } else { found() };
    let config = path.map(|path| config::read(&path)).transpose()?.unwrap_or_default();
    let mut warnings = Vec::new();
    let hosts = lend::pinned(&[], &config, &mut warnings)?;
    warnings.iter().for_each(|warning| ui::warning(warning));
    Ok(hosts)
}

fn rules() -> Vec<RuleInfo> {
    RULES.iter().map(|rule| RuleInfo::new(rule.id, rule.about, rule.remedy, rule.severity)).collect()
}
