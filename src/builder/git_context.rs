//! PURE: build contexts and named contexts that are repositories over SSH. The builder would
//! fetch them itself, past the guest; a clone takes their place.

use std::path::{Path, PathBuf};

use super::checkout::CheckoutError;
use super::git_source::GitSource;
use super::{BuilderError, Lending, Plan, Probe, guest_mount};

/// A context's clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cloned {
    /// The folder that was asked for.
    pub(super) files: PathBuf,
    /// The repository's own folder, which nothing of the context may lead out of.
    root: PathBuf,
}

impl Cloned {
    /// The text of the clone as one word of a command or file.
    pub(super) fn text(&self) -> Result<&str, BuilderError> {
        self.files.to_str().ok_or_else(|| BuilderError::Path(self.files.clone()))
    }

    /// The path of a Dockerfile in it. That and its own ignore file must lie in the repository
    /// after links were followed: a link to a file of this machine would be read and given to the
    /// builder.
    pub(super) fn file(&self, place: &str, name: &Path, probe: &mut dyn Probe) -> Result<PathBuf, BuilderError> {
        let path = self.files.join(name);
        for path in [&path, &guest_mount::ignore_path(&path)] {
            if probe.exists(path) && !probe.is_within(path, &self.root) {
                let name = path.strip_prefix(&self.root).unwrap_or(path);
                return Err(BuilderError::Outside { place: format!("{place}, {}", name.display()) });
            }
        }
        Ok(path)
    }
}

/// The clone of a context; `None` where it is no repository over SSH, or one that is left to the
/// builder because the lent keys are.
pub(super) fn cloned(
    place: &str,
    context: &str,
    keep_git: bool,
    lending: &Lending,
    plan: &mut Plan,
    probe: &mut dyn Probe,
) -> Result<Option<Cloned>, BuilderError> {
    let Some(source) = GitSource::parse(context) else { return Ok(None) };
    if probe.exists(&probe.cwd().join(context)) {
        return Ok(None);
    }
    if lending.git.is_none() {
        plan.warnings.push(left(place, "its context"));
        return Ok(None);
    }
    let source = source.map_err(|why| BuilderError::Git { place: place.to_owned(), why })?;
    let (root, files) = checkout(place, &source, keep_git, None, plan, probe)?;
    if !probe.exists(&root) {
        let (place, url) = (place.to_owned(), source.url);
        return Err(BuilderError::Checkout { place, url, why: CheckoutError::DryRun });
    }
    // A subfolder may be a link; a folder that is not there is left for the builder to name.
    if probe.exists(&files) && !probe.is_within(&files, &root) {
        return Err(BuilderError::Outside { place: format!("{place}, {}", source.url) });
    }
    Ok(Some(Cloned { files, root }))
}

/// What a person is told of a repository that the builder fetches with a lent key.
pub(super) fn left(place: &str, what: &str) -> String {
    format!(
        "{place}: {what} is a Git repository that the builder fetches itself, with the key that is lent by agent as \"default\", and trusting whatever host key it is shown"
    )
}

/// Clones, checks the commit where one is asked for, and says so. Returns the repository's own
/// folder and the folder that is meant.
pub(super) fn checkout(
    place: &str,
    source: &GitSource,
    keep_git: bool,
    commit: Option<&str>,
    plan: &mut Plan,
    probe: &mut dyn Probe,
) -> Result<(PathBuf, PathBuf), BuilderError> {
    let checkout = probe.checkout(source, keep_git).map_err(|why| BuilderError::Checkout {
        place: place.to_owned(),
        url: source.url.clone(),
        why,
    })?;
    let found = checkout.commit.as_deref();
    if let (Some(expected), Some(found)) = (commit, found)
        && !expected.eq_ignore_ascii_case(found)
    {
        let (expected, found) = (expected.to_owned(), found.to_owned());
        return Err(BuilderError::Commit { place: place.to_owned(), expected, found });
    }
    let at = found.map_or_else(String::new, |found| format!(" at {found}"));
    plan.notes.push(format!(
        "{place}: cloned {}{at} through the gateway on this machine, because the builder would fetch it past the guest",
        source.url
    ));
    Ok((checkout.root(), checkout.files(source)))
}
