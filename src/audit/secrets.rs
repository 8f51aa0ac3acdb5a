//! Credential files, and tokens with a form that can be checked.
//!
//! [`tokens`] has one file for each kind of token, found wherever it stands; [`files`] one for
//! each credential file, found by name and believed by its structure; [`url`] finds passwords in
//! addresses. Each file has examples that must be found and near misses that must not, and one
//! test here runs them all. Nothing is said of placeholders, variables or the examples of manuals,
//! nor twice of one secret. The steps to add one: `docs/adding-a-rule.md`.

mod characters;
mod checksum;
mod files;
#[cfg(test)]
pub(crate) mod made;
pub(crate) mod name;
pub(crate) mod placeholder;
mod tokens;
pub(crate) mod url;

use std::ops::Range;

use super::finding::{Found, RuleInfo, Severity};
use super::rule::{Family, Text};

/// All rules for tokens, credential files and addresses with a password.
#[derive(Clone, Copy, Debug)]
pub struct Secrets;

impl Family for Secrets {
    fn rules(&self) -> Vec<RuleInfo> {
        let tokens = tokens::TOKENS.iter().map(|token| (token.id, token.kind, token.remedy, token.severity));
        let files = files::FILES.iter().map(|file| (file.id, file.kind, file.remedy, file.severity));
        let url = (url::ID, url::KIND, url::REMEDY, Severity::Error);
        tokens.chain(files).chain([url]).map(|(id, kind, fix, worst)| RuleInfo::new(id, kind, fix, worst)).collect()
    }

    fn literals(&self) -> &[&[u8]] {
        &[url::LITERAL]
    }

    fn at_literal(&self, _index: usize, at: usize, text: &Text<'_>, found: &mut Vec<Found>) {
        if let Some(password) = url::strong(text.bytes, at)
            && !is_token(text.bytes, password.secret.start)
        {
            found.push(url::found(&password, text.bytes));
        }
    }

    fn at_run(&self, run: Range<usize>, text: &Text<'_>, found: &mut Vec<Found>) {
        tokens::each(text.bytes, run, |token, at, length| {
            found.push(Found {
                rule: token.id,
                severity: token.severity,
                message: token.kind.to_owned(),
                remedy: token.remedy,
                at,
                length,
                wrapped: Vec::new(),
                key: None,
            });
        });
    }

    fn names(&self, path: &[u8]) -> bool {
        is_credential_file(path)
    }

    fn at_file(&self, text: &Text<'_>, found: &mut Vec<Found>) {
        for file in files::FILES.iter().filter(|file| file.may_be_named(text.name)) {
            (file.look)(text.bytes, &mut |hit| {
                let value = &text.bytes[hit.range.clone()];
                let said = is_token(text.bytes, hit.range.start) || url::says(text.bytes, &hit.range);
                if !said && !placeholder::is(value) {
                    found.push(file.found(&hit));
                }
            });
        }
    }
}

/// Whether a file of that path (no leading slash) is one of those that hold credentials, by its name.
#[must_use]
pub(crate) fn is_credential_file(path: &[u8]) -> bool {
    files::FILES.iter().any(|file| file.is_at(path))
}

/// Whether a token with a form that was checked begins there: [`Secrets::at_run`] finds it.
#[must_use]
pub(crate) fn is_token(bytes: &[u8], at: usize) -> bool {
    tokens::at(bytes, at)
}

/// Examples of a rule: what must be found, once, and what must not.
#[cfg(test)]
pub(crate) struct Examples {
    pub(crate) found: Vec<String>,
    pub(crate) not: Vec<String>,
}

/// What most tokens call for.
const REVOKE: &str = "revoke it where it was made, and give the build a new one by a secret mount";

#[cfg(test)]
mod tests;
