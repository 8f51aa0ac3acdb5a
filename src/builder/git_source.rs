//! PURE: addresses of repositories that a builder would fetch itself over SSH: in `ADD`, as a
//! build context, as a named context. They cannot use the guest, so they are cloned on this
//! machine, through the gateway, and given to the build as folders ([`super::checkout`]).
//!
//! Read as BuildKit reads them (`util/gitutil`): `git@host:path` and `user@host:path`,
//! `ssh://[user@]host[:port]/path`, each with `#reference:subfolder` behind it.

/// The longest reference or subfolder, in bytes (Git's own limit for a reference in a file system).
const MAX_PART: usize = 255;

/// A repository, what of it, and where in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GitSource {
    /// What `git fetch` is given.
    pub url: String,
    /// A branch, a tag, a commit or a full reference; the server's HEAD where none is named.
    pub reference: Option<String>,
    /// The folder that is meant, relative to the repository's own; never above it.
    pub subfolder: Option<String>,
}

/// Why an address over SSH is not one that can be cloned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitSourceError {
    /// `$BRANCH`.
    #[error("its address has a variable in it, whose value only the builder knows")]
    Variable,
    /// `?branch=…`.
    #[error("its address has a query, which only the builder understands")]
    Query,
    /// A reference that Git itself would refuse, or take for an option.
    #[error("its reference is none")]
    Reference,
    /// `..`, or too long.
    #[error("its subfolder is outside of the repository")]
    Subfolder,
    /// Control bytes, blanks, a leading dash.
    #[error("its address is none that Git would take")]
    Address,
}

impl GitSource {
    /// Reads an address. `None` where it is not a repository over SSH: a file, a folder, or what
    /// comes over another protocol.
    #[must_use]
    pub fn parse(text: &str) -> Option<Result<Self, GitSourceError>> {
        is_git_over_ssh(text).then(|| parse(text))
    }
}

/// Whether the builder would fetch this over SSH.
fn is_git_over_ssh(text: &str) -> bool {
    if text.starts_with("ssh://") {
        return true;
    }
    let name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let short = text.split_once('@').and_then(|(user, rest)| Some((user, rest.split_once(':')?)));
    short.is_some_and(|(user, (host, path))| {
        !user.is_empty()
            && user.chars().all(name)
            && !host.is_empty()
            // `git@host:path`, but not `a@b/c:d`, which is a file.
            && host.chars().all(|c| name(c) || "[]:".contains(c))
            && !path.is_empty()
    })
}

fn parse(text: &str) -> Result<GitSource, GitSourceError> {
    let (url, fragment) = text.split_once('#').unwrap_or((text, ""));
    if text.contains('$') {
        return Err(GitSourceError::Variable);
    }
    if url.contains('?') {
        return Err(GitSourceError::Query);
    }
    let host = url.strip_prefix("ssh://").unwrap_or(url);
    let dashed = host.starts_with('-') || host.contains("@-");
    if dashed || url.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(GitSourceError::Address);
    }
    let (reference, subfolder) = fragment.split_once(':').unwrap_or((fragment, ""));
    let reference = (!reference.is_empty()).then(|| reference.to_owned());
    if reference.as_deref().is_some_and(|reference| !is_reference(reference)) {
        return Err(GitSourceError::Reference);
    }
    let subfolder = inside(subfolder).ok_or(GitSourceError::Subfolder)?;
    Ok(GitSource { url: url.to_owned(), reference, subfolder })
}

/// Whether Git could have a reference of this name (git-check-ref-format(1)), or a commit.
fn is_reference(text: &str) -> bool {
    let refused = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c);
    text.len() <= MAX_PART
        && !text.starts_with(['-', '+', '/'])
        && !text.contains("..")
        && !text.contains("@{")
        && !text.contains(refused)
}

/// A path below the repository's folder; `Some(None)` is that folder itself.
#[expect(clippy::option_option, reason = "no subfolder is not the same as none that is allowed")]
fn inside(path: &str) -> Option<Option<String>> {
    if path.len() > MAX_PART || path.contains('\\') || path.chars().any(char::is_control) {
        return None;
    }
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." | ".git" => return None,
            part => parts.push(part),
        }
    }
    Some((!parts.is_empty()).then(|| parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(url: &str, reference: Option<&str>, subfolder: Option<&str>) -> GitSource {
        GitSource { url: url.into(), reference: reference.map(Into::into), subfolder: subfolder.map(Into::into) }
    }

    #[test]
    fn every_form_over_ssh_is_read_with_its_reference_and_subfolder() {
        for (text, expected) in [
            ("git@github.com:o/r.git", source("git@github.com:o/r.git", None, None)),
            ("deploy@example.com:r#main", source("deploy@example.com:r", Some("main"), None)),
            ("ssh://git@h:2222/o/r.git#v1:a/b", source("ssh://git@h:2222/o/r.git", Some("v1"), Some("a/b"))),
            ("ssh://h/r.git#:/a//./b/", source("ssh://h/r.git", None, Some("a/b"))),
            ("ssh://h/r.git#refs/tags/v1:.", source("ssh://h/r.git", Some("refs/tags/v1"), None)),
            ("git@[::1]:o/r.git", source("git@[::1]:o/r.git", None, None)),
        ] {
            assert_eq!(GitSource::parse(text), Some(Ok(expected)), "{text}");
        }
    }

    #[test]
    fn files_and_other_protocols_are_left_alone() {
        for text in
            ["", ".", "a.txt", "a@b", "a@b/c:d", "https://h/r.git", "git://h/r", "@h:p", "C:\\x", "http://u@h:80/x"]
        {
            assert_eq!(GitSource::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_git_would_misread_or_only_the_builder_knows_is_refused() {
        use GitSourceError::{Address, Query, Reference, Subfolder, Variable};
        for (text, error) in [
            ("git@h:o/r.git#$REF", Variable),
            ("ssh://h/${R}.git", Variable),
            ("ssh://h/r.git?ref=main", Query),
            ("git@h:r#-upload-pack=x", Reference),
            ("git@h:r#a..b", Reference),
            ("git@h:r#a b", Reference),
            ("git@h:r#+a", Reference),
            ("git@h:r#main:../x", Subfolder),
            ("git@h:r#main:a/../../x", Subfolder),
            ("git@h:r#main:.git/hooks", Subfolder),
            ("ssh://-oProxyCommand=x/r", Address),
            ("ssh://git@-oProxyCommand=x/r", Address),
            ("git@h:a b", Address),
            ("git@h:a\u{7}b", Address),
        ] {
            assert_eq!(GitSource::parse(text), Some(Err(error)), "{text}");
        }
    }

    #[test]
    fn a_part_at_the_limit_is_taken_and_one_past_it_is_refused() {
        let at = "x".repeat(MAX_PART);
        assert!(matches!(GitSource::parse(&format!("git@h:r#{at}:{at}")), Some(Ok(_))));
        assert_eq!(GitSource::parse(&format!("git@h:r#{at}x")), Some(Err(GitSourceError::Reference)));
        assert_eq!(GitSource::parse(&format!("git@h:r#m:{at}x")), Some(Err(GitSourceError::Subfolder)));
    }
}
