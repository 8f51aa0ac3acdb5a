//! PURE finding of the Compose files that Compose would have found, so that ours can follow them.
//!
//! Read in compose-go's `cli/options.go` (2.0 to 2.14) and checked on Compose 2.26 and 2.40.
//! Where `-f` was typed, ours is one more `-f`. Else COMPOSE_FILE is set: naming files turns
//! off Compose's search, and with COMPOSE_FILE, unlike with `-f`, everything else (which `.env`
//! files are read, relative paths, the project's name) goes on as in the search.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use super::flags::{self, Walk};
use super::{BuilderError, Lending, Probe, dotenv};

/// compose-go's `DefaultFileNames`, in its order.
const NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
/// compose-go's `DefaultOverrideFileNames`, in its order.
const OVERRIDE_NAMES: [&str; 4] =
    ["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"];
/// Characters that may stand between the paths of COMPOSE_FILE; the first that is in none is used.
const SEPARATORS: [u8; 4] = *b":|;\n";
/// The most folders upwards that are searched.
const DEPTH_LIMIT: usize = 256;

/// Asks for Compose's version (`2.26.1-4`), where that decides which files it finds.
pub(super) type Version<'a> = dyn FnMut(&mut dyn Probe) -> Result<String, BuilderError> + 'a;

/// How Compose is told its files and ours.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Compose's global arguments, with ours among them.
    pub(super) globals: Vec<OsString>,
    /// COMPOSE_FILE and its separator, where no `-f` was typed.
    pub(super) env: Vec<(OsString, OsString)>,
    /// The file that came on stdin: Compose is asked before it runs, so it is kept.
    pub(super) stdin: Option<(PathBuf, String)>,
    /// The person's own files, absolute, in order.
    pub(super) found: Vec<PathBuf>,
}

/// Finds the files for Compose's global arguments `globals` and puts `ours` behind them.
pub(super) fn find(
    globals: &[OsString],
    walk: &Walk,
    ours: &Path,
    lending: &Lending,
    probe: &mut dyn Probe,
    version: &mut Version<'_>,
) -> Result<Files, BuilderError> {
    let directory = walk.last(&["project-directory", "workdir"]).filter(|value| !value.is_empty());
    let directory = directory.map(|value| absolute(probe, value));
    let mut files = Files { globals: globals.to_vec(), ..Files::default() };
    let mut typed: Vec<OsString> = walk.named(&["file", "f"]).filter_map(|flag| flag.value.clone()).collect();
    let by_flag = !typed.is_empty();
    if !by_flag {
        let start = directory.clone().unwrap_or_else(|| probe.cwd().to_owned());
        let searched = searched(&start, probe);
        // A project directory that was typed is where `.env` is, wherever the file was found.
        let beside = searched.first().and_then(|file| Path::new(file).parent()).filter(|_| directory.is_none());
        let named = named_by_variable(walk, &start, beside.unwrap_or(&start), probe, version)?;
        typed = named.unwrap_or(searched);
        if typed.is_empty() {
            return Ok(files);
        }
    }
    if typed.iter().any(|path| path == "-") {
        let kept = lending.folder.join("compose.stdin.yaml");
        // With a file in its place, the folder of the first named one would be the project's.
        if directory.is_none() && typed.first().is_some_and(|path| path == "-") {
            files.globals.extend(["--project-directory".into(), project_directory(&typed, probe)]);
        }
        for flag in walk.named(&["file", "f"]).rev().filter(|flag| flag.value.as_deref() == Some(OsStr::new("-"))) {
            let retyped = flags::retyped(flag, &files.globals, kept.as_os_str());
            files.globals.splice(flag.at..flag.at + flag.width, retyped);
        }
        for path in typed.iter_mut().filter(|path| *path == "-") {
            *path = kept.clone().into_os_string();
        }
        files.stdin = Some((kept, probe.stdin().map_err(BuilderError::Stdin)?));
    }
    files.found = typed.iter().map(|path| absolute(probe, path)).collect();
    if by_flag {
        files.globals.extend(["-f".into(), ours.into()]);
    } else {
        typed.push(ours.into());
        files.env = variable(&typed);
    }
    Ok(files)
}

/// The folder that compose-go takes for the project's: that of the first file that is not stdin.
fn project_directory(typed: &[OsString], probe: &dyn Probe) -> OsString {
    let first = typed.iter().find(|path| *path != "-").map(|path| absolute(probe, path));
    let folder = first.as_deref().and_then(Path::parent).unwrap_or_else(|| probe.cwd());
    folder.as_os_str().to_owned()
}

/// When a release of Compose reads COMPOSE_FILE in `.env` files. (Read in the sources of 2.6 to
/// 2.40, checked on 2.26 and 2.40.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EnvFilesRead {
    /// Before it searches, where the search begins.
    BeforeTheSearch,
    /// 2.24.6 to 2.27.0 search first, take all variables of the `.env` beside what they found
    /// into their environment, and then begin anew.
    AfterTheSearch,
    /// 2.27.1 does the first half of that.
    Never,
}

impl EnvFilesRead {
    fn by(version: &str) -> Self {
        let mut parts = version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0));
        let mut next = || parts.next().unwrap_or(0);
        let version = (next(), next(), next());
        if version == (2, 27, 1) {
            Self::Never
        } else if ((2, 24, 6)..(2, 27, 1)).contains(&version) {
            Self::AfterTheSearch
        } else {
            Self::BeforeTheSearch
        }
    }
}

/// The paths of COMPOSE_FILE, from the environment or from the `.env` files.
fn named_by_variable(
    walk: &Walk,
    start: &Path,
    found_beside: &Path,
    probe: &mut dyn Probe,
    version: &mut Version<'_>,
) -> Result<Option<Vec<OsString>>, BuilderError> {
    let mut variables = env_files(walk, start, probe)?;
    let beside = env_files(walk, found_beside, probe)?;
    let name_files = |variables: &dotenv::Variables| {
        ["COMPOSE_FILE", "COMPOSE_PATH_SEPARATOR"].iter().any(|name| variables.contains_key(*name))
    };
    if name_files(&variables) || name_files(&beside) {
        match EnvFilesRead::by(&version(probe)?) {
            EnvFilesRead::BeforeTheSearch => {}
            EnvFilesRead::AfterTheSearch => variables = beside,
            EnvFilesRead::Never => variables.clear(),
        }
    }
    let of = |name: &str| probe.var(name).or_else(|| variables.get(name).map(OsString::from));
    let Some(list) = of("COMPOSE_FILE") else {
        return Ok(None);
    };
    let separator = of("COMPOSE_PATH_SEPARATOR").filter(|value| !value.is_empty());
    let separator = separator.unwrap_or_else(|| ":".into());
    let paths = split(list.as_bytes(), separator.as_bytes());
    let named = paths.into_iter().map(|path| {
        let path = OsString::from_vec(path);
        if path == "-" { path } else { absolute(probe, &path).into_os_string() }
    });
    Ok(Some(named.collect()))
}

fn split(list: &[u8], separator: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = vec![Vec::new()];
    let mut at = 0;
    while at < list.len() {
        if list[at..].starts_with(separator) {
            parts.push(Vec::new());
            at += separator.len();
        } else {
            parts.last_mut().into_iter().for_each(|part| part.push(list[at]));
            at += 1;
        }
    }
    parts
}

/// `--env-file`s, else COMPOSE_ENV_FILES, else `.env` in the folder where the search begins.
fn env_files(walk: &Walk, start: &Path, probe: &mut dyn Probe) -> Result<dotenv::Variables, BuilderError> {
    let mut paths: Vec<PathBuf> = walk
        .named(&["env-file"])
        .filter_map(|flag| flag.value.as_deref())
        .map(|value| absolute(probe, value))
        .collect();
    if paths.is_empty() {
        let list = probe.var("COMPOSE_ENV_FILES").unwrap_or_default();
        let parts = split(list.as_bytes(), b",").into_iter().filter(|part| !part.is_empty());
        paths = parts.map(|part| absolute(probe, &OsString::from_vec(part))).collect();
    }
    if paths.is_empty() && !is_true(probe.var("COMPOSE_DISABLE_ENV_FILE")) {
        paths.push(start.join(".env"));
    }
    let mut found = dotenv::Variables::new();
    for path in paths {
        let text = probe.read(&path).map_err(|source| BuilderError::Read { path, source })?;
        let outer = |name: &str| probe.var(name).map(|value| value.to_string_lossy().into_owned());
        dotenv::read(&text.unwrap_or_default(), &outer, &mut found);
    }
    Ok(found)
}

fn is_true(value: Option<OsString>) -> bool {
    value.is_some_and(|value| matches!(value.as_bytes(), b"1" | b"t" | b"T" | b"true" | b"TRUE" | b"True"))
}

/// The default file and its override, in `start` or the nearest folder above it that has one.
fn searched(start: &Path, probe: &mut dyn Probe) -> Vec<OsString> {
    for folder in start.ancestors().take(DEPTH_LIMIT) {
        let mut first = |names: [&str; 4]| names.iter().map(|name| folder.join(name)).find(|path| probe.exists(path));
        if let Some(file) = first(NAMES) {
            let found = std::iter::once(file).chain(first(OVERRIDE_NAMES));
            return found.map(PathBuf::into_os_string).collect();
        }
    }
    Vec::new()
}

/// Whether there is a project, by COMPOSE_FILE or by its files.
pub(super) fn is_there(probe: &mut dyn Probe) -> bool {
    let named = probe.var("COMPOSE_FILE").is_some_and(|value| !value.is_empty());
    let start = probe.cwd().to_owned();
    named || !searched(&start, probe).is_empty()
}

/// COMPOSE_FILE for these paths, and its separator, which a `.env` may have set to another.
fn variable(paths: &[OsString]) -> Vec<(OsString, OsString)> {
    let unused = |separator: &&u8| !paths.iter().any(|path| path.as_bytes().contains(separator));
    let separator = SEPARATORS.iter().find(unused).copied().unwrap_or(b'\n');
    let separator = OsString::from_vec(vec![separator]);
    vec![("COMPOSE_FILE".into(), paths.join(&separator)), ("COMPOSE_PATH_SEPARATOR".into(), separator)]
}

/// Go's `filepath.Abs`: from the working directory, with `.` and `..` taken away as text.
fn absolute(probe: &dyn Probe, path: &OsStr) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in probe.cwd().join(path).components() {
        match part {
            std::path::Component::ParentDir => drop(clean.pop()),
            std::path::Component::CurDir => {}
            part => clean.push(part),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_differ_in_when_they_read_env_files() {
        for (version, read) in [
            ("2.6.0", EnvFilesRead::BeforeTheSearch),
            ("2.24.5", EnvFilesRead::BeforeTheSearch),
            ("2.24.6", EnvFilesRead::AfterTheSearch),
            ("2.26.1-4", EnvFilesRead::AfterTheSearch),
            ("2.27.0", EnvFilesRead::AfterTheSearch),
            ("2.27.1", EnvFilesRead::Never),
            ("2.27.2", EnvFilesRead::BeforeTheSearch),
            ("2.40.3-3", EnvFilesRead::BeforeTheSearch),
            ("5.0.0", EnvFilesRead::BeforeTheSearch),
            ("dev", EnvFilesRead::BeforeTheSearch),
        ] {
            assert_eq!(EnvFilesRead::by(version), read, "{version}");
        }
    }

    #[test]
    fn the_separator_of_compose_file_is_in_none_of_the_paths() {
        for (paths, list) in [(["/a", "/b"], "/a:/b"), (["/a:", "/b"], "/a:|/b"), (["/a:|", "/b;"], "/a:|\n/b;")] {
            let paths = paths.map(OsString::from);
            let env = variable(&paths);
            assert_eq!(env[0].1, list);
            let separator = env[1].1.as_bytes();
            assert_eq!(split(env[0].1.as_bytes(), separator), paths.map(OsString::into_vec));
        }
    }
}
