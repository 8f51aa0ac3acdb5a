//! `context-with-keys`: `COPY . .` where keys or credentials lie in the folder.

use crate::check::dockerfile::Instruction;
use crate::check::file::File;
use crate::check::finding::{Found, Severity};
use crate::check::ignore_file::Ignored;
use crate::check::key_files;
use crate::check::rule::{Example, Rule};
use crate::check::scripts::layer;
use crate::check::variables;
use crate::wire::text::shown;

pub(super) const RULE: Rule = Rule {
    id: "context-with-keys",
    about: "a COPY of a folder in which keys or credentials lie",
    why: "a build sends every file of its folder that no ignore file names, and COPY puts all of them into a layer.",
    remedy: "name the files in .dockerignore, and copy the folders that the image needs one by one",
    severity: Severity::Error,
    check,
    examples: &[
        Example::new("Dockerfile", "FROM a\nCOPY «.» .\n").beside(&[("id_rsa", ""), ("src/main.c", "")]),
        Example::new("Dockerfile", "FROM a\nADD «./» /app\nCOPY --exclude=**/.npmrc «web» /web\n").beside(&[
            ("web/.env", "API_TOKEN=hunter2\n"),
            ("web/.npmrc", "//npm.corp/:_authToken=hunter2\n"),
            (".dockerignore", ".env\n"),
        ]),
        Example::new("Dockerfile", "FROM a\nCOPY «*» /app/\n")
            .beside(&[(".netrc", "machine a login b password c\n"), (".dockerignore", "*\n!.netrc\n")]),
        Example::new("Dockerfile", "FROM a\nCOPY . .\n").beside(&[
            ("id_rsa", ""),
            ("a/.netrc", ""),
            (".dockerignore", "id_rsa\n**/.netrc\n"),
        ]),
        Example::new("app.Dockerfile", "FROM a\nCOPY . .\n").beside(&[
            ("id_rsa", ""),
            ("app.Dockerfile.dockerignore", "id_*\n"),
            (".dockerignore", "x\n"),
        ]),
        Example::new("Dockerfile", "FROM a\nCOPY src /src\nCOPY --from=b . .\nADD https://files.example.com/a /a\n")
            .beside(&[("id_rsa", "")]),
        Example::new("Dockerfile", "FROM a\nCOPY . .\n").beside(&[
            (".env", "DEBUG=1\n"),
            (".npmrc", "registry=https://npm.example.com/\n"),
            ("node_modules/ssh2/test/fixtures/id_rsa", ""),
            ("tests/fixtures/id_rsa", ""),
            ("certs/ca.pem", "-----BEGIN CERTIFICATE-----\n"),
        ]),
    ],
};

/// Files that a message names.
const MAX_NAMED: usize = 3;
/// Files with keys that are counted.
const MAX_HELD: usize = 1_000;
/// COPYs of folders of one file that are looked at.
const MAX_COPIES: usize = 100;
/// Folders of what others wrote, and of keys that are there to be tried.
const APART: [&str; 14] = [
    "node_modules",
    "bower_components",
    "vendor",
    "site-packages",
    ".venv",
    "venv",
    ".git",
    "target",
    "test",
    "tests",
    "testdata",
    "fixtures",
    "__tests__",
    "spec",
];

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    let mut held: Option<Vec<&str>> = None;
    let mut copies = 0;
    variables::each(&file.dockerfile, |_, stage, instruction, variables| {
        if !matches!(instruction.keyword.as_str(), "COPY" | "ADD") || instruction.flag("from").is_some() {
            return;
        }
        let sources = instruction.words.split_last().map_or(&[][..], |(_, sources)| sources);
        for source in sources {
            let path = variables.expand(&source.text);
            let Some(folder) = std::str::from_utf8(&path).ok().and_then(folder) else { continue };
            copies += 1;
            if copies > MAX_COPIES {
                return file.cut();
            }
            let held = held.get_or_insert_with(|| files_with_keys(file));
            let held: Vec<&str> =
                held.iter().copied().filter(|path| is_in(path, folder) && !is_excluded(instruction, path)).collect();
            if !held.is_empty() && !key_files::is_folder(&path) {
                let named: Vec<String> = held.iter().take(MAX_NAMED).map(|path| shown(path.as_bytes())).collect();
                let more = held.len().saturating_sub(MAX_NAMED);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let message =
                    format!("this copies {}{more}, and all of it stays in {}", named.join(", "), layer(stage));
                found.push(Found::new(source.span.clone(), message));
            }
        }
    });
}

/// The files of the folder that hold keys and are sent to the builder.
fn files_with_keys<'a>(file: &File<'a>) -> Vec<&'a str> {
    let files = file.around.files;
    // That of the Dockerfile's own name counts alone, where it is there (BuildKit's dockerui).
    let name = file.path.rsplit('/').next().unwrap_or(file.path);
    let own = files.read(&format!("{name}.dockerignore"));
    let text = own.or_else(|| files.read(".dockerignore")).or_else(|| files.read(".containerignore"));
    let ignored = Ignored::read(&text.unwrap_or_default());
    let is_apart = |path: &str| path.split('/').rev().skip(1).any(|folder| APART.contains(&folder));
    let paths = files.paths().iter().map(String::as_str).filter(|path| !is_apart(path));
    paths.filter(|path| key_files::of_context(path, files).is_some() && !ignored.covers(path)).take(MAX_HELD).collect()
}

/// The folder that a source takes, without slashes around it; the context itself is the empty one.
fn folder(source: &str) -> Option<&str> {
    let source = source.trim_start_matches("./").trim_start_matches('/');
    let source = source.strip_suffix("/*").or_else(|| source.strip_suffix("/.")).unwrap_or(source);
    let source = source.trim_end_matches('/');
    match source {
        "." | "*" | "" => Some(""),
        _ if source.contains(['*', '?', '[', '$', '<', ':']) => None,
        _ => Some(source),
    }
}

/// Whether the file lies below the folder.
fn is_in(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn is_excluded(instruction: &Instruction, path: &str) -> bool {
    let mut excluded = Ignored::default();
    let flags = instruction.flags.iter().filter_map(|flag| flag.text.strip_prefix(b"--exclude="));
    flags.for_each(|pattern| excluded.exclude(pattern));
    excluded.covers(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::around::{Around, Given};
    use crate::check::file::Kind;
    use crate::hosts::pins::Hosts;

    /// What is said of copies of a folder with that many keys.
    fn messages(text: &str, keys: usize) -> Vec<String> {
        let paths: Vec<String> = (0..keys).map(|number| format!("{number}/id_rsa")).collect();
        let beside: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "")).collect();
        let (files, hosts) = (Given::new(&beside), Hosts::builtin());
        let around = Around { files: &files, hosts: &hosts };
        let file = File::read("Dockerfile", text.as_bytes(), Kind::Dockerfile, &around).unwrap();
        let mut found = Vec::new();
        check(&file, &mut found);
        found.into_iter().map(|found| found.message).collect()
    }

    #[test]
    fn a_few_files_are_named_and_the_others_counted() {
        let said = |keys: usize| messages("FROM a\nCOPY . .\n", keys).remove(0);
        assert_eq!(said(1), "this copies 0/id_rsa, and all of it stays in a layer of the image");
        assert!(said(MAX_NAMED).starts_with("this copies 0/id_rsa, 1/id_rsa, 2/id_rsa, and"), "{}", said(MAX_NAMED));
        assert!(said(MAX_NAMED + 1).contains("2/id_rsa and 1 more, and"), "{}", said(MAX_NAMED + 1));
        assert_eq!(said(MAX_HELD + 1), said(MAX_HELD));
    }

    #[test]
    fn copies_are_looked_at_to_the_limit_and_no_further() {
        let count = |copies: usize| messages(&format!("FROM a\n{}", "COPY . .\n".repeat(copies)), 1).len();
        assert_eq!((count(MAX_COPIES), count(MAX_COPIES + 1)), (MAX_COPIES, MAX_COPIES));
    }
}
