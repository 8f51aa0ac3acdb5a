//! PURE: `ADD git@host:repo /dst` becomes `COPY --from=CONTEXT repo/ /dst`, where CONTEXT holds
//! a clone that was made on this machine, through the gateway.
//!
//! `ADD` of a repository puts the files of its folder into the destination, without `.git`
//! unless `--keep-git-dir` says so; `COPY` of a folder does the same, and takes the other flags
//! (`--chown`, `--chmod`, `--link`, `--exclude`).

use super::git_source::{GitSource, GitSourceError};

/// The folder of the context that holds the repository's own. Not the context's root, where
/// builders look for a `.dockerignore`, which `ADD` of a repository does not know.
const FOLDER: &str = "repo";

/// A repository that an `ADD` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddGit {
    /// Which.
    pub source: GitSource,
    /// `--keep-git-dir`.
    pub keep_git: bool,
    /// `--checksum`: the commit that it must be, in full.
    pub commit: Option<String>,
    /// What to cut out of the instruction, and what to put there.
    edits: Vec<(String, String)>,
}

/// Why an `ADD` of a repository over SSH cannot be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddGitError {
    /// Its address.
    #[error("{0}")]
    Source(#[from] GitSourceError),
    /// `ADD git@… a.txt /dst/`.
    #[error("it has other sources beside it")]
    Mixed,
    /// `--checksum=$SUM`, `--keep-git-dir=$X`.
    #[error("a flag of it has a value that only the builder understands")]
    Flag,
    /// `git@h:r#v1:it's`: without it the rest of the file would read differently.
    #[error("its address has a quote in it, which only the builder understands")]
    Quote,
    /// A word that is split over lines, or is there twice.
    #[error("its words are split over lines, or stand in a comment too")]
    Split,
}

/// Reads what stands behind the word ADD. `None` where no source is a repository over SSH.
pub(super) fn parse(rest: &[u8]) -> Option<Result<AddGit, AddGitError>> {
    let words = words(rest);
    let first = words.iter().position(|word| !word.starts_with("--")).unwrap_or(words.len());
    let (flags, paths) = words.split_at(first);
    let found: Vec<_> = paths.iter().filter_map(|word| Some((word, GitSource::parse(word)?))).collect();
    let (word, source) = match found.as_slice() {
        [] => return None,
        [(word, source)] => ((*word).clone(), source.clone()),
        _ => return Some(Err(AddGitError::Mixed)),
    };
    // The source and the destination.
    if paths.len() != 2 || paths.first() != Some(&word) {
        return Some(Err(AddGitError::Mixed));
    }
    Some(source.map_err(AddGitError::from).and_then(|source| with_flags(source, &word, flags)))
}

fn with_flags(source: GitSource, word: &str, flags: &[String]) -> Result<AddGit, AddGitError> {
    if word.contains(['"', '\'']) {
        return Err(AddGitError::Quote);
    }
    let mut add = AddGit { source, keep_git: false, commit: None, edits: Vec::new() };
    for flag in flags {
        let (name, value) = flag.split_once('=').map_or((flag.as_str(), None), |(name, value)| (name, Some(value)));
        match (name, value) {
            ("--keep-git-dir", None | Some("true" | "1")) => add.keep_git = true,
            ("--keep-git-dir", Some("false" | "0")) => {}
            ("--checksum", Some(commit)) if is_commit(commit) => add.commit = Some(commit.to_owned()),
            ("--keep-git-dir" | "--checksum", _) => return Err(AddGitError::Flag),
            _ => continue,
        }
        add.edits.push((flag.clone(), String::new()));
    }
    let folder = add.source.subfolder.as_ref().map_or_else(String::new, |folder| format!("{folder}/"));
    add.edits.push((word.to_owned(), format!("{FOLDER}/{folder}")));
    Ok(add)
}

/// SHA-1 or SHA-256 in full.
fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The instruction's words: flags and paths, or the strings of its JSON form. Quotes around a
/// whole flag or path are taken off.
fn words(rest: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(rest);
    let text = text.trim();
    let mut words = Vec::new();
    let mut left = text;
    while left.starts_with("--") {
        let end = left.find(char::is_whitespace).unwrap_or(left.len());
        let (flag, behind) = left.split_at(end);
        words.push(flag.to_owned());
        left = behind.trim_start();
    }
    match serde_json::from_str::<Vec<String>>(left) {
        Ok(paths) => words.extend(paths),
        Err(_) => words.extend(left.split_whitespace().map(|word| word.trim_matches(['"', '\'']).to_owned())),
    }
    words
}

impl AddGit {
    /// The instruction as a `COPY` from this context. `instruction` is all of its physical
    /// lines, from its first word.
    pub(super) fn copy(&self, instruction: &[u8], context: &str) -> Result<Vec<u8>, AddGitError> {
        let text = instruction.get("ADD".len()..).unwrap_or_default().to_vec();
        if !instruction.get(.."ADD".len()).is_some_and(|word| word.eq_ignore_ascii_case(b"ADD")) {
            return Err(AddGitError::Split);
        }
        let mut text = text;
        for (from, to) in &self.edits {
            let found: Vec<usize> = positions(&text, from.as_bytes());
            let [at] = found.as_slice() else { return Err(AddGitError::Split) };
            text.splice(*at..at + from.len(), to.bytes());
        }
        let mut copy = format!("COPY --from={context}").into_bytes();
        copy.append(&mut text);
        Ok(copy)
    }
}

fn positions(text: &[u8], part: &[u8]) -> Vec<usize> {
    text.windows(part.len().max(1)).enumerate().filter(|(_, window)| *window == part).map(|(at, _)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn copied(text: &str) -> String {
        let add = parse(&text.as_bytes()[3..]).expect("a repository").expect("one that can be served");
        String::from_utf8(add.copy(text.as_bytes(), "ctx").expect("a copy")).expect("text")
    }

    #[test]
    fn an_add_of_a_repository_becomes_a_copy_and_keeps_its_other_flags() {
        for (add, copy) in [
            ("ADD git@h:o/r.git /src", "COPY --from=ctx repo/ /src"),
            ("add  ssh://git@h:22/r.git#v1:sub /src/\r", "COPY --from=ctx  repo/sub/ /src/\r"),
            ("ADD --link --chown=1:1 git@h:r /a", "COPY --from=ctx --link --chown=1:1 repo/ /a"),
            ("ADD --keep-git-dir=true git@h:r /a", "COPY --from=ctx  repo/ /a"),
            ("ADD [\"git@h:r\", \"/a b\"]", "COPY --from=ctx [\"repo/\", \"/a b\"]"),
            ("ADD \\\n  # why\n  git@h:r \\\n  /a", "COPY --from=ctx \\\n  # why\n  repo/ \\\n  /a"),
        ] {
            // A logical line is what a continuation joins.
            let logical = add.replace("\\\n  # why\n", "").replace("\\\n", "");
            let parsed = parse(&logical.as_bytes()[3..]).expect("a repository").expect("can be served");
            let out = parsed.copy(add.as_bytes(), "ctx").expect("a copy");
            assert_eq!(String::from_utf8(out).expect("text"), copy);
        }
        let sum = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(copied(&format!("ADD --checksum={sum} git@h:r /a")), "COPY --from=ctx  repo/ /a");
    }

    #[test]
    fn flags_of_the_repository_are_read() {
        let sum = "0123456789abcdef0123456789abcdef01234567";
        let add = |text: &str| parse(text.as_bytes()).expect("a repository");
        let kept = add(&format!(" --keep-git-dir --checksum={sum} git@h:r#main /a")).expect("can be served");
        assert_eq!((kept.keep_git, kept.commit.as_deref()), (true, Some(sum)));
        assert!(!add(" --keep-git-dir=false git@h:r /a").expect("can be served").keep_git);
        assert_eq!(add(" --checksum=$SUM git@h:r /a"), Err(AddGitError::Flag));
        assert_eq!(add(" --keep-git-dir=$KEEP git@h:r /a"), Err(AddGitError::Flag));
    }

    #[test]
    fn what_cannot_be_a_copy_says_why() {
        let add = |text: &str| parse(text.as_bytes());
        assert_eq!(add(" a.txt https://h/r.git /a"), None);
        assert_eq!(add(" a.txt git@h:r /a/"), Some(Err(AddGitError::Mixed)));
        assert_eq!(add(" git@h:r git@h:q /a/"), Some(Err(AddGitError::Mixed)));
        assert_eq!(add(" git@h:r#$REF /a"), Some(Err(AddGitError::Source(GitSourceError::Variable))));
        for address in ["git@h:r#v1:it's", "git@h:r\"#v1", "'git@h:a'#v1:a'b'"] {
            assert_eq!(add(&format!(" {address} /a")), Some(Err(AddGitError::Quote)), "{address}");
        }
        let split = add(" git@h:r /a").expect("a repository").expect("can be served");
        assert_eq!(split.copy(b"ADD git@\\\nh:r /a", "ctx"), Err(AddGitError::Split));
        assert_eq!(split.copy(b"ADD \\\n# git@h:r\ngit@h:r /a", "ctx"), Err(AddGitError::Split));
        assert_eq!(split.copy(b"A\\\nDD git@h:r /a", "ctx"), Err(AddGitError::Split));
    }
}
