//! `valetkey doctor --last` after a build: a folder of its own for the record.

use serde_json::Value;
use tempfile::TempDir;

use crate::{Engine, Finished, Run};

/// How the one line of a run ends that failed for want of access.
pub const SAYS_MORE: &str = "; \"valetkey doctor --last\" says more";

/// Where the record of the last lease is written, and who reads it.
pub struct Doctor {
    state: TempDir,
    engine: Engine,
}

impl Doctor {
    /// One of this engine's.
    #[must_use]
    pub fn of(engine: &Engine) -> Self {
        let state = tempfile::Builder::new().prefix("valetkey-state.").tempdir().expect("a temp folder");
        Self { state, engine: engine.clone() }
    }

    /// The run, which is recorded.
    #[must_use]
    pub fn recording(&self, run: Run) -> Run {
        run.env("XDG_STATE_HOME", self.state.path())
    }

    /// `valetkey doctor --last`.
    #[must_use]
    pub fn last(&self, more: &[&str]) -> Run {
        self.recording(self.engine.valetkey(&["doctor", "--last"]).args(more))
    }

    /// Runs a build that has to fail. The first diagnosis has to be this one, as certain as that, and
    /// the one line of the run has to begin with what it says; gives that.
    #[track_caller]
    pub fn explains(&self, run: Run, id: &str, certainty: &str) -> String {
        let finished = self.recording(run).finish().expect_failure();
        let says = self.is_told(&finished, id, certainty);
        let perhaps = if certainty == "possible" { "perhaps " } else { "" };
        finished.expect(&format!("valetkey: {perhaps}{says}{SAYS_MORE}"));
        says
    }

    /// The first diagnosis has to be this one, as certain as that; gives what it says.
    #[track_caller]
    pub fn is_told(&self, after: &Finished, id: &str, certainty: &str) -> String {
        let told = self.last(&["--json"]).succeed();
        let json: Value = serde_json::from_str(&told.stdout).expect("JSON");
        let first = &json["diagnoses"][0];
        assert!(
            first["id"] == id && first["certainty"] == certainty,
            "expected {id}, {certainty}, of {json:#}\n{}",
            after.report()
        );
        let says = first["says"].as_str().expect("a sentence").to_owned();
        self.last(&[]).succeed().expect(&says).expect(&format!("({certainty}, {id})")).expect("  do: ");
        says
    }
}
