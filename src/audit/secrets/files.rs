//! One file for each kind of credential file.
//!
//! Which files are shown is said by the end of their paths; what they are, by their structure:
//! many programs have a `config.json`.

mod assignments;
mod aws;
mod boto;
mod bundler;
mod cargo;
mod composer;
mod docker;
mod gcloud;
mod gem;
mod git_config;
mod git_credentials;
mod github_cli;
mod gradle;
mod htpasswd;
mod json;
mod kubeconfig;
mod maven;
mod mysql;
mod netrc;
mod npm;
mod nuget;
mod pgpass;
mod pip;
mod poetry;
mod pypi;
mod terraform;
mod vault;
mod web;
mod yarn;

use std::ops::Range;

use crate::audit::finding::{Found, Severity};
use crate::wire::text::shown;

/// A kind of credential file.
pub(super) struct CredentialFile {
    /// The rule's id.
    pub(super) id: &'static str,
    /// What is in it, with an article: the message.
    pub(super) kind: &'static str,
    pub(super) severity: Severity,
    pub(super) remedy: &'static str,
    /// How the paths of such files end, folders included, in any case. `*` before it: within a
    /// name, too. `a//b`: ends with `b`, somewhere below a folder `a`.
    pub(super) paths: &'static [&'static str],
    /// Says where each secret value is. It may be a placeholder: who calls looks.
    pub(super) look: fn(&[u8], &mut dyn FnMut(Hit)),
    #[cfg(test)]
    pub(super) examples: fn() -> super::Examples,
}

/// Where a secret is.
pub(super) struct Hit {
    /// The value.
    pub(super) range: Range<usize>,
    /// Whose it is: a host, a section. Never a part of the secret.
    pub(super) of: Option<Vec<u8>>,
}

impl Hit {
    fn at(range: Range<usize>) -> Self {
        Self { range, of: None }
    }

    fn of(range: Range<usize>, of: &[u8]) -> Self {
        Self { range, of: (!of.is_empty()).then(|| of.to_vec()) }
    }
}

/// What most files call for.
const MOUNT: &str = "mount it as a secret for the step that needs it, and change what was in it";

pub(super) const FILES: [&CredentialFile; 28] = [
    &aws::FILE,
    &boto::FILE,
    &bundler::FILE,
    &cargo::FILE,
    &composer::FILE,
    &docker::FILE,
    &gcloud::FILE,
    &gem::FILE,
    &git_config::FILE,
    &git_credentials::FILE,
    &github_cli::FILE,
    &gradle::FILE,
    &htpasswd::FILE,
    &kubeconfig::FILE,
    &maven::FILE,
    &mysql::FILE,
    &netrc::FILE,
    &npm::FILE,
    &nuget::FILE,
    &pgpass::FILE,
    &pip::FILE,
    &poetry::FILE,
    &pypi::FILE,
    &terraform::FILE,
    &vault::FILE,
    &web::CURL,
    &web::WGET,
    &yarn::FILE,
];

impl CredentialFile {
    /// Whether a file at that path may be one.
    pub(super) fn is_at(&self, path: &[u8]) -> bool {
        self.paths.iter().any(|pattern| matches(pattern.as_bytes(), path))
    }

    /// Whether a file with that name, in some folder, may be one.
    pub(super) fn may_be_named(&self, name: &[u8]) -> bool {
        self.paths.iter().any(|pattern| {
            let end = pattern.rsplit('/').next().unwrap_or(pattern);
            matches(end.as_bytes(), name)
        })
    }

    pub(super) fn found(&self, hit: &Hit) -> Found {
        let of = hit.of.as_deref().map_or_else(String::new, |of| format!(" of {}", shown(of)));
        Found {
            rule: self.id,
            severity: self.severity,
            message: format!("{}{of}", self.kind),
            remedy: self.remedy,
            at: hit.range.start,
            length: hit.range.len(),
            wrapped: Vec::new(),
            key: None,
        }
    }
}

fn matches(pattern: &[u8], path: &[u8]) -> bool {
    if let Some(end) = pattern.strip_prefix(b"*") {
        return ends_with(path, end);
    }
    if let Some(middle) = memchr::memmem::find(pattern, b"//") {
        let (folder, end) = (&pattern[..=middle], &pattern[middle + 2..]);
        // The end first: most paths fail it at once.
        return matches(end, path)
            && (path.starts_with(folder)
                || path.windows(folder.len() + 1).any(|at| at[0] == b'/' && at[1..] == *folder));
    }
    ends_with(path, pattern) && (path.len() == pattern.len() || path[path.len() - pattern.len() - 1] == b'/')
}

fn ends_with(path: &[u8], end: &[u8]) -> bool {
    path.len().checked_sub(end.len()).is_some_and(|start| path[start..].eq_ignore_ascii_case(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_by_whole_names_unless_its_pattern_says_otherwise() {
        for (pattern, path, is) in [
            (".netrc", "root/.netrc", true),
            (".netrc", ".netrc", true),
            (".netrc", "root/x.netrc", false),
            (".netrc", "root/.netrc/x", false),
            (".docker/config.json", "root/.docker/config.json", true),
            (".docker/config.json", "config.json", false),
            ("nuget.config", "src/NuGet.Config", true),
            ("*.kubeconfig", "etc/a.kubeconfig", true),
            (".git//config", "src/.git/config", true),
            (".git//config", ".git/modules/a/config", true),
            (".git//config", "src/x.git/config", false),
            (".git//config", "src/git/config", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), path.as_bytes()), is, "{pattern} {path}");
        }
    }
}
