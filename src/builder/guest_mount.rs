//! PURE: which Dockerfile a build uses, and its copy with the guest mounted, in the lease's
//! folder; the person's own file stays as it is.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::dockerfile::{self, CONTEXT, Note, Rewritten};
use super::probe::Question;
use super::{BuilderError, Lending, Plan, Probe, Split, git_context, mounted_steps};

/// What became of one Dockerfile.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mounted {
    /// A copy to use instead; none where it stays as it is.
    pub(super) copy: Option<PathBuf>,
    /// Named contexts that it needs: the guest where a step asks for an agent, and clones of
    /// what it ADDs. None where nothing is lent to it.
    pub(super) contexts: Vec<(String, String)>,
    /// The ids that its ssh mounts name.
    pub(super) ids: Vec<String>,
}

/// A Dockerfile that was read.
pub(super) struct Dockerfile<'a> {
    /// Its name, as builders show it.
    pub(super) name: &'a str,
    /// Its text.
    pub(super) text: &'a str,
    /// The ignore file that belongs to it alone.
    pub(super) ignore: Option<String>,
}

/// Rewrites a Dockerfile, and puts the copy and the copy of its own ignore file into the plan.
/// `place` is the tool and, where there are several, the service or target. Where it is not
/// sure that this one is built at all, nothing is an error (`strict` is false).
pub(super) fn mount(
    place: &str,
    dockerfile: Dockerfile<'_>,
    lending: &Lending,
    plan: &mut Plan,
    strict: bool,
    probe: &mut dyn Probe,
) -> Result<Mounted, BuilderError> {
    let Dockerfile { name, text, ignore } = dockerfile;
    plan.steps.extend(mounted_steps::of(text.as_bytes(), place, name));
    // Numbered: several services may have a Dockerfile of one name.
    let number = plan.files.len();
    let Rewritten { text, steps, own, ids, adds, notes } =
        dockerfile::rewrite(text.as_bytes(), lending.git.is_some().then_some(number));
    for note in &notes {
        match said(place, name, note) {
            Ok(warning) => plan.warnings.push(warning),
            Err(error) if strict => return Err(error),
            Err(error) => plan.warnings.push(error.to_string()),
        }
    }
    let mut mounted = Mounted { ids, ..Mounted::default() };
    if let (Some(folder), true) = (&lending.guest, steps + own > 0) {
        let folder = folder.to_str().ok_or_else(|| BuilderError::Path(folder.clone()))?;
        mounted.contexts.push((CONTEXT.to_owned(), folder.to_owned()));
    }
    for (index, add) in adds.iter().enumerate() {
        let place = format!("{place}, {name}");
        match git_context::checkout(&place, &add.source, add.keep_git, add.commit.as_deref(), plan, probe) {
            Ok((root, files)) if probe.exists(&files) && !probe.is_within(&files, &root) => {
                return Err(BuilderError::Outside { place: format!("{place}, {}", add.source.url) });
            }
            Ok((root, _)) => {
                let folder = root.parent().and_then(Path::to_str).ok_or_else(|| BuilderError::Path(root.clone()))?;
                mounted.contexts.push((dockerfile::add_context(number, index), folder.to_owned()));
            }
            Err(error) if strict => return Err(error),
            Err(error) => plan.warnings.push(error.to_string()),
        }
    }
    if steps == 0 && adds.is_empty() {
        return Ok(mounted);
    }
    // The name itself stays in it, because it is what builders show.
    let base = name.rsplit('/').next().unwrap_or("Dockerfile");
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let base = if base.chars().all(plain) && base.len() <= 64 { base } else { "Dockerfile" };
    let copy = lending.folder.join(format!("{number}.{base}"));
    // What came in as text goes out as text: only ASCII was inserted.
    plan.files.push((copy.clone(), String::from_utf8_lossy(&text).into_owned()));
    if let Some(ignore) = ignore {
        plan.files.push((ignore_path(&copy), ignore));
    }
    mounted.copy = Some(copy);
    Ok(mounted)
}

/// A Dockerfile with the guest, for a build that valetkey does not start itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RewrittenFile {
    /// Its text.
    pub text: String,
    /// Its steps that got the guest.
    pub steps: usize,
    /// The ignore file that belongs to it alone.
    pub ignore: Option<String>,
    /// What a person should know.
    pub warnings: Vec<String>,
}

/// Reads a Dockerfile and gives the guest to its ssh steps. What an `ADD` fetches is left to the
/// builder, with a warning.
///
/// # Errors
/// Where it cannot be read, or the build would fail with another reason.
pub fn rewritten(path: &Path, probe: &mut dyn Probe) -> Result<RewrittenFile, BuilderError> {
    let path = probe.cwd().join(path);
    let (text, ignore) = (read(&path, probe)?, ignore_of(&path, probe)?);
    let name = path.file_name().map_or_else(|| "Dockerfile".into(), |name| name.to_string_lossy().into_owned());
    let Rewritten { text, steps, notes, .. } = dockerfile::rewrite(text.as_bytes(), None);
    let warnings = notes.iter().map(|note| said("valetkey rewrite", &name, note)).collect::<Result<_, _>>()?;
    Ok(RewrittenFile { text: String::from_utf8_lossy(&text).into_owned(), steps, ignore, warnings })
}

/// What a person is told. An error where the build would fail, late and with another reason.
fn said(place: &str, name: &str, note: &Note) -> Result<String, BuilderError> {
    Ok(match note {
        Note::AddGit(line, why) => {
            return Err(BuilderError::AddGit { place: format!("{place}, {name} line {line}"), why: *why });
        }
        Note::AddLeft(line) => git_context::left(&format!("{place}, {name} line {line}"), "this ADD"),
        Note::Taken(line) => {
            return Err(BuilderError::ContextTaken { place: format!("{place}, {name} line {line}") });
        }
        Note::Onbuild(line) => {
            format!(
                "{place}, {name} line {line}: ONBUILD is recorded in the image, so its ssh step does not get the guest"
            )
        }
        Note::GitSsh(line, variable, program) => format!(
            "{place}, {name} line {line}: {variable} makes Git use another ssh than the guest: unless {program} runs plain `ssh` itself, it finds no key in this build"
        ),
        Note::SshOption(line, variable, option) => format!(
            "{place}, {name} line {line}: {variable} gives ssh the option {option}, which the guest refuses: a step may run Git commands only"
        ),
        Note::OtherSsh(line, program) => format!(
            "{place}, {name} line {line}: {program} is not the guest, and finds no key in this build; plain `ssh` is"
        ),
        Note::NoShell(line, image) => format!(
            "{place}, {name} line {line}: {image} has no shell to run this step with; use the exec form, RUN [\"PROGRAM\", …], or copy in what the step needs"
        ),
        Note::Path(line) => format!(
            "{place}, {name} line {line}: this PATH has no /usr/local/bin, where the guest is mounted; steps there find another ssh or none"
        ),
        Note::Odd(line) => {
            format!("{place}, {name} line {line}: this RUN is split inside its own name, so it does not get the guest")
        }
    })
}

/// The text of a Dockerfile; an error where it is not there.
pub(super) fn read(path: &Path, probe: &mut dyn Probe) -> Result<String, BuilderError> {
    let missing = || std::io::Error::from(std::io::ErrorKind::NotFound);
    let text = probe.read(path).and_then(|text| text.ok_or_else(missing));
    text.map_err(|source| BuilderError::Read { path: path.to_owned(), source })
}

/// Where a Dockerfile's own ignore file lies.
#[must_use]
pub fn ignore_path(dockerfile: &Path) -> PathBuf {
    let mut path = dockerfile.as_os_str().to_owned();
    path.push(".dockerignore");
    path.into()
}

/// The ignore file that belongs to one Dockerfile alone.
pub(super) fn ignore_of(path: &Path, probe: &mut dyn Probe) -> Result<Option<String>, BuilderError> {
    let path = ignore_path(path);
    probe.read(&path).map_err(|source| BuilderError::Read { path, source })
}

/// Whether a context is fetched by the builder: a URL, or Git's own short form.
pub(super) fn is_remote(context: &str) -> bool {
    context.contains("://") || context.starts_with("git@") || context.starts_with("github.com/")
}

/// Stops where the builder knows no named contexts (CLI 20.10).
pub(super) fn check_contexts(tool: &str, split: Split<'_>, probe: &mut dyn Probe) -> Result<(), BuilderError> {
    let mut args = split.before().to_vec();
    args.push("--help".into());
    let question = Question {
        program: &split.typed.program,
        args,
        env: vec![("DOCKER_BUILDKIT".into(), "1".into())],
        stdin: String::new(),
    };
    let asked = || format!("{tool} --help");
    let output = probe.output(&question).map_err(|source| BuilderError::Ask { asked: asked(), source })?;
    if String::from_utf8_lossy(&output.stdout).contains("--build-context ") {
        Ok(())
    } else {
        Err(BuilderError::NoContexts(tool.into()))
    }
}

/// The first Docker Engine whose own BuildKit knows named contexts.
const FIRST_ENGINE: u32 = 23;

/// Stops where the engine behind `docker` builds with a BuildKit that knows no named contexts.
/// An engine that does not answer is left to the command itself, which says it better.
pub(super) fn check_engine(
    tool: &str,
    program: &OsStr,
    globals: &[OsString],
    probe: &mut dyn Probe,
) -> Result<(), BuilderError> {
    let mut args = globals.to_vec();
    args.extend(["version", "--format", "{{.Server.Version}}"].map(OsString::from));
    let question = Question { program, args, env: vec![], stdin: String::new() };
    let Ok(output) = probe.output(&question) else { return Ok(()) };
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if output.success && major < FIRST_ENGINE => {
            Err(BuilderError::NoContexts(format!("{tool}'s engine ({version})")))
        }
        _ => Ok(()),
    }
}
