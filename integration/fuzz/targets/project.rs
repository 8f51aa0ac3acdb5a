//! A file of a project: the first byte chooses its name, and so its format; the rest is its text.
//! What is read names repositories that a grant can name, in words that a terminal can show, and no
//! more of anything than its limit.

use valetkey::policy::RepoPattern;
use valetkey::project::{Address, Files, Over, read_from};
use valetkey::wire::text::is_harmless;

/// A name of each format, chosen by the first byte from `A` on.
const NAMES: [&str; 36] = [
    "Cargo.toml",
    "Cargo.lock",
    ".cargo/config.toml",
    "go.mod",
    "go.sum",
    "Gemfile",
    "Gemfile.lock",
    "composer.json",
    "composer.lock",
    ".gitmodules",
    ".git/config",
    "main.tf",
    "main.tf.json",
    "compose.yaml",
    "docker-bake.hcl",
    "docker-bake.json",
    "Dockerfile",
    ".github/workflows/ci.yml",
    ".gitlab-ci.yml",
    ".env",
    "poetry.lock",
    "pyproject.toml",
    "uv.lock",
    "pylock.toml",
    "requirements.txt",
    "Pipfile",
    "Pipfile.lock",
    "setup.cfg",
    "package.json",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "go.work",
    "gems.locked",
    "terragrunt.hcl",
    "Makefile",
];
/// The most of each kind that is kept (`src/project/reading.rs`).
const MAX_NEEDS: usize = 20_000;
const MAX_SAID: usize = 1_000;

/// A project of this file, and one that says which modules are private and what Git rewrites, or
/// half of the text would be passed over.
struct One<'a> {
    name: &'static str,
    bytes: &'a [u8],
}

impl Files for One<'_> {
    fn list(&self, folder: &str) -> std::io::Result<Vec<(String, bool)>> {
        let below = if folder.is_empty() {
            Some(self.name)
        } else {
            self.name.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'))
        };
        let mut names = Vec::new();
        if let Some(rest) = below {
            let (first, is_folder) = rest.split_once('/').map_or((rest, false), |(first, _)| (first, true));
            names.push((first.to_owned(), is_folder));
        }
        if folder.is_empty() {
            names.push((".env.private".to_owned(), false));
        }
        Ok(names)
    }

    fn read(&self, file: &str, max: usize) -> std::io::Result<Option<Vec<u8>>> {
        if file == ".env.private" {
            return Ok(Some(b"GOPRIVATE=*\n".to_vec()));
        }
        Ok((file == self.name).then(|| self.bytes.get(..max + 1).unwrap_or(self.bytes).to_vec()))
    }
}

pub(crate) fn check(data: &[u8]) {
    let Some((first, bytes)) = data.split_first() else { return };
    let name = NAMES[usize::from(first.wrapping_sub(b'A')) % NAMES.len()];
    let reading = read_from(&One { name, bytes }).expect("the folder can be listed");
    assert!(reading.needs.len() <= MAX_NEEDS);
    assert!(reading.undecided.len() <= MAX_SAID && reading.unread.len() <= MAX_SAID);
    let lines = bytes.iter().filter(|&&byte| byte == b'\n').count() + 1;
    for need in &reading.needs {
        let address = &need.address;
        assert!(address.over != Over::File, "a folder needs no key");
        assert!(address.repository.parse::<RepoPattern>().is_ok(), "{address}");
        let again = Address::parse(&address.to_string()).expect("what is shown is understood");
        assert_eq!(again.same(), address.same(), "{address}");
        assert!((1..=lines).contains(&need.place.line), "line {} of {lines}", need.place.line);
        assert!(need.what.chars().all(is_harmless) && address.to_string().chars().all(is_harmless));
    }
    for said in reading.undecided.iter().chain(&reading.unread) {
        assert!(said.why.chars().all(is_harmless), "{:?}", said.why);
        assert!(said.place.line >= 1);
    }
}
