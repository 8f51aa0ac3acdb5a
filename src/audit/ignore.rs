//! Findings that a person decided to live with: `[[ignore]]` in `valetkey.toml`.
//!
//! An ignored finding is counted and named with its reason, and fails nothing. Refuses to let the
//! very key that was lent be ignored by where it is: only by its fingerprint, that is by somebody
//! who saw which key it is. A build secret that was lent is ignored where its rule is named.

use super::exact::texts;
use super::finding::{Finding, Ignored, Location, Report};

/// The rule of the keys that were lent, or named.
pub const LENT_KEY: &str = "lent-key";
/// The longest glob, in bytes: the longest path of a tar that anyone wants to name.
pub const MAX_GLOB: usize = 4096;

/// A path in a layer, or several: `*` does not cross a `/`, `**` as a whole part stands for any
/// number of parts. What is inside of an archive is `FILE!/PATH`, and is not meant by `FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathGlob(String);

/// Why a text is no glob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GlobError {
    /// Nothing, or more than [`MAX_GLOB`] bytes.
    #[error("it is empty, or longer than {MAX_GLOB} bytes")]
    Length,
    /// `**` in a part with something else.
    #[error("`**` stands for whole folders, as in \"opt/**\" or \"**/testdata/*.pem\"")]
    Stars,
    /// It would match every path.
    #[error("it matches every path, so it says nothing about this finding")]
    Everything,
}

impl std::str::FromStr for PathGlob {
    type Err = GlobError;

    fn from_str(text: &str) -> Result<Self, GlobError> {
        let text = text.strip_prefix('/').unwrap_or(text);
        if text.is_empty() || text.len() > MAX_GLOB {
            return Err(GlobError::Length);
        }
        if text.split('/').any(|part| part.contains("**") && part != "**") {
            return Err(GlobError::Stars);
        }
        if text.bytes().all(|byte| matches!(byte, b'*' | b'/')) {
            return Err(GlobError::Everything);
        }
        Ok(Self(text.to_owned()))
    }
}

impl PathGlob {
    /// Whether the path (no leading slash) is one of these.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let pattern: Vec<_> = self.0.split('/').collect();
        let parts: Vec<_> = path.split('/').collect();
        wild(
            &pattern,
            &parts,
            |part| *part == "**",
            |pattern, part| {
                let (pattern, part): (Vec<_>, Vec<_>) = (pattern.bytes().collect(), part.bytes().collect());
                wild(&pattern, &part, |byte| *byte == b'*', |a, b| a == b)
            },
        )
    }
}

/// Matches with wildcards for any number of items: greedy, with one place to come back to, so
/// that nothing takes longer than pattern times text.
fn wild<T>(pattern: &[T], text: &[T], any: impl Fn(&T) -> bool, fits: impl Fn(&T, &T) -> bool) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while let Some(item) = text.get(t) {
        match pattern.get(p) {
            Some(wildcard) if any(wildcard) => {
                back = Some((p + 1, t));
                p += 1;
            }
            Some(wanted) if fits(wanted, item) => {
                p += 1;
                t += 1;
            }
            _ => match &mut back {
                Some((behind, from)) => {
                    *from += 1;
                    p = *behind;
                    t = *from;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(any)
}

/// One entry: findings that fit everything it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// The rule's id.
    pub rule: Option<String>,
    /// Where it is.
    pub path: Option<PathGlob>,
    /// The key's fingerprint, as reports write it.
    pub fingerprint: Option<String>,
    /// Why, in the words of whoever decided it.
    pub reason: String,
}

impl Ignore {
    /// Whether the entry is about this finding.
    #[must_use]
    pub fn matches(&self, finding: &Finding) -> bool {
        // An entry that names nothing means nothing, and not everything.
        if self.rule.is_none() && self.path.is_none() && self.fingerprint.is_none() {
            return false;
        }
        if finding.rule == LENT_KEY && self.fingerprint.is_none() {
            return false;
        }
        // What was lent is ignored by its name alone.
        if finding.rule == texts::RULE && self.rule.as_deref() != Some(texts::RULE) {
            return false;
        }
        let key = finding.key.as_ref().and_then(|key| key.fingerprint.as_deref());
        self.rule.as_ref().is_none_or(|rule| *rule == finding.rule)
            && self.path.as_ref().is_none_or(|glob| path(&finding.location).is_some_and(|path| glob.matches(&path)))
            && self.fingerprint.as_deref().is_none_or(|fingerprint| key == Some(fingerprint))
    }

    /// What it names, for a warning.
    fn names(&self) -> String {
        let path = self.path.as_ref().map(|glob| glob.0.as_str());
        let parts = [("rule", self.rule.as_deref()), ("path", path), ("fingerprint", self.fingerprint.as_deref())];
        let parts = parts.into_iter().filter_map(|(name, value)| Some(format!("{name} \"{}\"", value?)));
        parts.collect::<Vec<_>>().join(", ")
    }
}

/// Path in the layer, and what follows in archives.
fn path(location: &Location) -> Option<String> {
    let path = location.path.as_ref()?;
    Some(match &location.inner {
        Some(inner) => format!("{path}!/{inner}"),
        None => path.clone(),
    })
}

/// Takes the findings that are ignored out of the report, and counts and keeps them beside it.
/// Returns a warning for each entry that was about nothing: the finding is gone, or was never
/// what the entry says.
pub fn apply(report: &mut Report, ignores: &[Ignore]) -> Vec<String> {
    let mut used = vec![false; ignores.len()];
    let looked_for = &report.looked_for;
    // Whichever rule saw it: a lent key is one by its fingerprint.
    let is_lent = |finding: &Finding| {
        let key = finding.key.as_ref().and_then(|key| key.fingerprint.as_ref());
        key.is_some_and(|fingerprint| looked_for.contains(fingerprint))
    };
    let mut kept = Vec::with_capacity(report.findings.len());
    for finding in std::mem::take(&mut report.findings) {
        // Each entry that fits was of use, not only the first.
        let mut first = None;
        let lent = is_lent(&finding);
        for (ignore, used) in ignores.iter().zip(&mut used) {
            if ignore.matches(&finding) && (!lent || ignore.fingerprint.is_some()) {
                *used = true;
                first = first.or(Some(ignore));
            }
        }
        match first {
            Some(ignore) => report.ignored_findings.push(Ignored { finding, reason: ignore.reason.clone() }),
            None => kept.push(finding),
        }
    }
    report.findings = kept;
    report.ignored = report.ignored_findings.len() as u64;
    let unused = ignores.iter().enumerate().zip(&used).filter(|(_, used)| !**used);
    unused.map(|((at, ignore), _)| format!("[[ignore]] {} matched no finding: {}", at + 1, ignore.names())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(glob: &str, path: &str) -> bool {
        glob.parse::<PathGlob>().unwrap().matches(path)
    }

    #[test]
    fn a_path_is_itself_and_nothing_longer_or_shorter() {
        assert!(matches("root/.ssh/id", "root/.ssh/id") && matches("/root/.ssh/id", "root/.ssh/id"));
        for other in ["root/.ssh/id2", "root/.ssh/i", "root/.ssh", "root/.ssh/id/x", "xroot/.ssh/id", "root/.ssh/id!/x"]
        {
            assert!(!matches("root/.ssh/id", other), "{other}");
        }
    }

    #[test]
    fn a_star_does_not_cross_a_slash_and_two_stand_for_any_folders() {
        assert!(matches("opt/*/key.pem", "opt/a/key.pem") && !matches("opt/*/key.pem", "opt/a/b/key.pem"));
        assert!(matches("opt/**", "opt/a/b/key.pem") && !matches("opt/**", "optional/a"));
        assert!(matches("**/testdata/*.pem", "a/b/testdata/x.pem") && matches("**/testdata/*.pem", "testdata/x.pem"));
        assert!(!matches("**/testdata/*.pem", "a/testdata/b/x.pem"));
        assert!(matches("a/**/m/**/z", "a/m/x/m/y/z") && !matches("a/**/m/**/z", "a/x/y/z"));
        assert!(matches("a.jar!/**", "a.jar!/b/c") && !matches("*.jar", "a.jar!/b"));
    }

    #[test]
    fn a_glob_that_takes_long_to_match_does_not() {
        let glob = "*a".repeat(1000) + "/" + &"**/".repeat(300) + "x";
        assert!(!matches(&glob, &("a".repeat(4000) + &"/a".repeat(4000))));
    }

    #[test]
    fn a_glob_for_everything_an_empty_one_and_one_past_the_limit_are_refused() {
        for (text, error) in [
            ("", GlobError::Length),
            ("/", GlobError::Length),
            ("**", GlobError::Everything),
            ("*", GlobError::Everything),
            ("**/*", GlobError::Everything),
            ("a**", GlobError::Stars),
            ("***", GlobError::Stars),
        ] {
            assert_eq!(text.parse::<PathGlob>(), Err(error), "{text}");
        }
        assert!("a".repeat(MAX_GLOB).parse::<PathGlob>().is_ok());
        assert_eq!("a".repeat(MAX_GLOB + 1).parse::<PathGlob>(), Err(GlobError::Length));
    }
}
