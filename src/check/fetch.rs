//! PURE: which commands fetch from Git repositories, and what names these: an address among their
//! words, or files that they read.
//!
//! Knows nothing of scripts and Makefiles, and says nothing where a variable names the repository.

use super::script::{Command, Word, base};

/// A command that fetches, or may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetch<'a> {
    /// The tool, whatever it is called through: `pip` for `python -m pip` and `uv pip`.
    pub tool: &'static str,
    /// What it is told to do: `install`; empty where nothing is said.
    pub action: &'a [u8],
    /// What is behind that.
    pub args: &'a [Word],
}

/// Tools that fetch dependencies.
const TOOLS: [&str; 17] = [
    "git",
    "pip",
    "pip-sync",
    "pipx",
    "poetry",
    "uv",
    "pdm",
    "pipenv",
    "npm",
    "yarn",
    "pnpm",
    "bun",
    "go",
    "cargo",
    "bundle",
    "composer",
    "terraform",
];
/// Options in front of the action that have a value of their own.
const VALUED: [&[u8]; 10] = [
    b"-C",
    b"-c",
    b"--prefix",
    b"--cwd",
    b"--dir",
    b"--git-dir",
    b"--work-tree",
    b"--project",
    b"--directory",
    b"--working-dir",
];
/// Options with which nothing is fetched.
const OFFLINE: [&[u8]; 7] =
    [b"--offline", b"-mod=vendor", b"--version", b"--help", b"--dry-run", b"--lockfile-only", b"-h"];

/// The tool of a command, and what it is told.
#[must_use]
pub fn of(command: &Command) -> Option<Fetch<'_>> {
    let mut words = command.own();
    // `python -m pip`, `uv pip`, `corepack yarn`.
    let text = |at: usize, words: &[Word]| words.get(at).map(|word| word.text.clone()).unwrap_or_default();
    let first = text(0, words);
    let first = base(&first);
    if first.starts_with(b"python") && text(1, words) == b"-m" {
        words = words.get(2..)?;
    } else if (first == b"uv" && text(1, words) == b"pip") || first == b"corepack" {
        words = words.get(1..)?;
    }
    let (program, args) = words.split_first()?;
    let name = base(&program.text);
    let name: &[u8] = match name {
        b"bundler" => b"bundle",
        b"tofu" => b"terraform",
        name if name.starts_with(b"pip3") => b"pip",
        name => name,
    };
    let tool = *TOOLS.iter().find(|tool| tool.as_bytes() == name)?;
    if args.iter().any(|word| OFFLINE.contains(&word.text.as_slice())) {
        return None;
    }
    let mut at = 0;
    while let Some(word) = args.get(at).filter(|word| word.text.starts_with(b"-") || word.text.starts_with(b"+")) {
        at += if VALUED.contains(&word.text.as_slice()) { 2 } else { 1 };
    }
    // Yarn and Bundler install where they are told nothing; their options are then those of that.
    let (action, args) = match args.get(at) {
        Some(word) => (word.text.as_slice(), args.get(at + 1..).unwrap_or_default()),
        None => (&b""[..], args),
    };
    Some(Fetch { tool, action, args })
}

impl<'a> Fetch<'a> {
    /// Whether it fetches what is named among its words.
    fn takes_addresses(&self) -> bool {
        match self.tool {
            "git" => matches!(self.action, b"clone" | b"fetch" | b"pull" | b"ls-remote" | b"submodule"),
            "pip" | "pipx" => matches!(self.action, b"install" | b"download" | b"wheel"),
            "poetry" | "pdm" => self.action == b"add",
            "uv" => matches!(self.action, b"add" | b"tool"),
            "pipenv" => self.action == b"install",
            "npm" | "pnpm" | "bun" => matches!(self.action, b"install" | b"i" | b"add"),
            "yarn" => matches!(self.action, b"add" | b"global"),
            "cargo" => matches!(self.action, b"install" | b"add"),
            _ => false,
        }
    }

    /// The word that names a repository over SSH.
    #[must_use]
    pub fn ssh_address(&self) -> Option<&'a Word> {
        self.args.iter().filter(|_| self.takes_addresses()).find(|word| address(&word.text).is_some())
    }

    /// The names of files in which it finds what to fetch, the lock file first; a path where one is
    /// said.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let says = |actions: &[&[u8]]| actions.contains(&self.action);
        let is_global = self.args.iter().any(|word| matches!(&*word.text, b"-g" | b"--global"));
        let named = self.args.iter().filter(|word| !word.text.starts_with(b"-")).count();
        match self.tool {
            "pip" if says(&[b"install", b"download", b"wheel"]) => self.requirements(),
            "pip-sync" if self.action.is_empty() => names(&["requirements.txt"]),
            "pip-sync" => vec![String::from_utf8_lossy(self.action).into_owned()],
            "poetry" if says(&[b"install", b"sync", b"update", b"lock"]) => names(&["poetry.lock", "pyproject.toml"]),
            "uv" if says(&[b"sync", b"lock", b"run"]) => names(&["uv.lock", "pyproject.toml"]),
            "pdm" if says(&[b"install", b"sync", b"update"]) => names(&["pdm.lock", "pyproject.toml"]),
            "pipenv" if says(&[b"install", b"sync", b"update"]) && named == 0 => names(&["Pipfile.lock", "Pipfile"]),
            "npm" if says(&[b"ci", b"clean-install", b"install", b"i", b"update"]) && !is_global && named == 0 => {
                names(&["package-lock.json", "npm-shrinkwrap.json", "package.json"])
            }
            "yarn" if says(&[b"", b"install"]) => names(&["yarn.lock", "package.json"]),
            "pnpm" if says(&[b"install", b"i", b"fetch"]) && !is_global && named == 0 => {
                names(&["pnpm-lock.yaml", "package.json"])
            }
            "bun" if says(&[b"install", b"i"]) && !is_global && named == 0 => names(&["bun.lock", "package.json"]),
            "go" if says(&[b"mod"])
                && !self.args.first().is_some_and(|word| matches!(&*word.text, b"download" | b"tidy" | b"vendor")) =>
            {
                Vec::new()
            }
            "go" if says(&[b"mod", b"get", b"build", b"install", b"test", b"run"]) => names(&["go.mod"]),
            "cargo" if says(&[b"build", b"b", b"fetch", b"test", b"check", b"run", b"vendor", b"update"]) => {
                names(&["Cargo.lock", "Cargo.toml"])
            }
            "cargo" if says(&[b"install"]) && self.args.iter().any(|word| word.text == b"--path") => {
                names(&["Cargo.lock", "Cargo.toml"])
            }
            "bundle" if says(&[b"", b"install", b"package", b"update"]) => names(&["Gemfile.lock", "Gemfile"]),
            "composer" if says(&[b"install", b"update"]) => names(&["composer.lock", "composer.json"]),
            "terraform" if says(&[b"init", b"get"]) => names(&["*.tf"]),
            "git" if says(&[b"submodule"]) && self.args.first().is_some_and(|word| word.text == b"update") => {
                names(&[".gitmodules"])
            }
            _ => Vec::new(),
        }
    }

    /// What pip is told to read: `-r FILE`, `-c FILE`, and the manifests of a folder.
    fn requirements(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut takes = false;
        for word in self.args {
            let text = String::from_utf8_lossy(&word.text);
            let is_option = matches!(&*text, "-r" | "--requirement" | "-c" | "--constraint");
            let joined =
                ["--requirement=", "--constraint=", "-r", "-c"].iter().find_map(|name| text.strip_prefix(name));
            if takes {
                found.push(text.trim_start_matches("./").to_owned());
            } else if let Some(path) =
                joined.filter(|path| !path.is_empty() && !is_option && !text.starts_with("--con"))
            {
                found.push(path.trim_start_matches("./").to_owned());
            } else if text == "." || text.starts_with(".[") {
                found.extend(["pyproject.toml", "setup.cfg"].map(ToOwned::to_owned));
            }
            takes = is_option;
        }
        found
    }
}

/// Whether the tool finds in this file what exactly to fetch.
#[must_use]
pub fn is_lock(name: &str) -> bool {
    name.ends_with(".lock") || matches!(name, "package-lock.json" | "npm-shrinkwrap.json" | "pnpm-lock.yaml")
}

/// The address of a Git repository over SSH in a word: `git@host:org/repo.git`, `ssh://…`,
/// `name @ git+ssh://…`, `--git=ssh://…`.
#[must_use]
pub fn address(word: &[u8]) -> Option<&[u8]> {
    let from = |mark: &[u8]| memchr::memmem::find(word, mark).and_then(|at| word.get(at..));
    if let Some(address) = from(b"git+ssh://").or_else(|| from(b"ssh://")) {
        return Some(address);
    }
    if memchr::memmem::find(word, b"://").is_some() {
        return None;
    }
    let word = word.strip_prefix(b"git+").unwrap_or(word);
    let (user, rest) = word.split_at(word.iter().position(|byte| *byte == b'@')?);
    let (host, path) = rest.split_at(rest.iter().position(|byte| *byte == b':')?);
    let is_name = |name: &[u8]| {
        !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-${}".contains(byte))
    };
    (is_name(user) && is_name(host.get(1..)?) && path.len() > 1).then_some(word)
}

#[cfg(test)]
mod tests;
