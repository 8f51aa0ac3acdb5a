//! What `doctor --last` will go by: the Dockerfiles before the build, the rest after it; and the
//! one line that a command that failed ends with.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::builder::{Plan, RecipeAt, steps};
use crate::child::output;
use crate::decision_log::Tally;
use crate::diagnosis::{self, Around, Facts, MAX_RECIPES, Recipe, Signs, Watched};
use crate::receipt::Receipt;
use crate::{last_lease, ui};

/// Bytes of a Dockerfile that are read; of a longer one the build itself will tell.
const MAX_DOCKERFILE: u64 = 1 << 20;

/// What is known of a command before it runs.
pub(super) struct Before {
    folder: String,
    lends: bool,
    recipes: Vec<Recipe>,
}

impl Before {
    /// Reads the Dockerfiles of the plan: they may be others, or gone, when the command has ended.
    pub(super) fn new(plan: &Plan) -> Self {
        let folder = std::env::current_dir().unwrap_or_default();
        let recipes = plan.recipes.iter().take(MAX_RECIPES).filter_map(|at| recipe(at, &folder));
        Self {
            recipes: recipes.collect(),
            folder: folder.to_string_lossy().into_owned(),
            // A builder's command that builds nothing is the one that is neither.
            lends: plan.tool != "other" || plan.agent_in_env,
        }
    }

    /// Writes the record of a lease that has ended, and gives what a person is told.
    pub(super) fn ended(self, receipt: &Receipt, tally: &Tally, signs: Signs, no_mask: bool) -> Option<String> {
        let watched = match (output::terminals(), no_mask) {
            (2, _) => Watched::Terminal,
            (_, true) => Watched::NotMasked,
            (1, false) => Watched::Part,
            (_, false) => Watched::All,
        };
        let Self { folder, lends, recipes } = self;
        let facts = Facts::new(receipt, tally, Around { folder, lends, recipes, watched, signs });
        last_lease::write(&facts);
        diagnosis::line(&facts)
    }
}

/// Reads one. What is no plain file is the builder's alone: a pipe can be read only once.
fn recipe(at: &RecipeAt, folder: &Path) -> Option<Recipe> {
    let path = at.paths.iter().find(|path| path.metadata().is_ok_and(|about| about.is_file()))?;
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path).ok()?;
    let mut text = Vec::new();
    file.take(MAX_DOCKERFILE + 1).read_to_end(&mut text).ok()?;
    let shown = path.strip_prefix(folder).unwrap_or(path).to_string_lossy();
    let steps = (text.len() as u64 <= MAX_DOCKERFILE).then(|| steps::steps(&text))?;
    Some(Recipe { path: ui::one_line(&shown), target: at.target.clone(), steps })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dockerfile_at_the_limit_is_read_and_one_past_it_or_a_pipe_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("Dockerfile");
        let at = RecipeAt { target: None, paths: vec![dir.path().join("missing"), path.clone()] };
        let limit = usize::try_from(MAX_DOCKERFILE).unwrap();
        let text = format!("FROM x\nRUN a\n{}", "#".repeat(limit - 13));
        std::fs::write(&path, &text).unwrap();
        assert_eq!(recipe(&at, dir.path()).unwrap().path, "Dockerfile");
        std::fs::write(&path, text + "#").unwrap();
        assert_eq!(recipe(&at, dir.path()), None);
        std::fs::remove_file(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert_eq!(recipe(&at, dir.path()), None);
    }
}
