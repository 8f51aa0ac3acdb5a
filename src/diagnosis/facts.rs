//! What is known of the last lease: what a diagnosis goes by, and what is written down between
//! `run` and `doctor --last`.
//!
//! Holds no key, no argument of the command, nothing of its environment and nothing of its output
//! but [`Sign`]s.

use serde::{Deserialize, Serialize};

use super::sign::{MAX_SIGNS, Sign};
use super::watch::Signs;
use crate::builder::steps::Steps;
use crate::decision_log::{Cause, Tally};
use crate::receipt::Receipt;

/// Name and version of the form; a field that is added does not change it.
pub const FORMAT: &str = "valetkey-last/1";
/// Bytes of one record.
pub const MAX_RECORD: usize = 1 << 20;
/// Dockerfiles of one build that are kept.
pub const MAX_RECIPES: usize = 32;
/// Characters of a text that are kept.
const MAX_TEXT: usize = 500;

/// One lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// [`FORMAT`].
    pub format: String,
    /// The version that wrote it.
    pub valetkey: String,
    /// The tool and its sub-command.
    pub tool: String,
    /// The working directory.
    pub folder: String,
    /// Start of the lease, seconds since 1970.
    pub started: u64,
    /// Its length.
    pub duration_ms: u64,
    /// `agent`, `gateway`, `both` or `none`.
    pub lending: String,
    /// Whether the command was one that is lent keys at all.
    pub lends: bool,
    /// What ended the lease, as receipts have it.
    pub ended_by: Option<String>,
    /// What the command ended with.
    pub exit_code: Option<u8>,
    /// The ssh id of each identity.
    pub ids: Vec<String>,
    /// How often a client asked what there is.
    pub asked: u64,
    /// Logins that were signed.
    pub logins: u64,
    /// Commands that the gateway carried.
    pub carried: u64,
    /// Those of them that did not end with 0.
    pub carried_in_vain: u64,
    /// What was refused.
    pub refusals: Vec<Refused>,
    /// The Dockerfiles.
    pub recipes: Vec<Recipe>,
    /// What was seen of the output.
    pub watched: Watched,
    /// What was found in it.
    pub signs: Vec<Sign>,
}

/// One kind of refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// What it comes down to.
    pub cause: Cause,
    /// What and why.
    pub reason: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// How often.
    pub count: u64,
}

impl Refused {
    /// What was seen, for a person.
    #[must_use]
    pub fn seen(&self) -> String {
        match self.count {
            0 | 1 => format!("refused: {}", self.reason),
            count => format!("refused {count} times: {}", self.reason),
        }
    }
}

/// A Dockerfile that was built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    /// Its path, relative where it lies below the working directory.
    pub path: String,
    /// The service or target that it is for, where there are several.
    pub target: Option<String>,
    /// What was read of it.
    #[serde(flatten)]
    pub steps: Steps,
}

/// How much of the command's output was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Watched {
    /// All of it.
    All,
    /// One of its two streams went to a terminal.
    Part,
    /// None: it went to a terminal.
    Terminal,
    /// None: it was not masked either (`--no-mask`).
    NotMasked,
    /// None: valetkey did not start the command.
    Elsewhere,
}

/// Why a record cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// No JSON, or not of this form.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// Of another version.
    #[error("it is of the form {0:?}, and this version of valetkey reads {FORMAT:?}")]
    Format(String),
}

/// What [`Facts::new`] cannot know from a receipt.
#[derive(Clone, Debug)]
pub struct Around {
    /// See [`Facts::folder`].
    pub folder: String,
    /// See [`Facts::lends`].
    pub lends: bool,
    /// See [`Facts::recipes`].
    pub recipes: Vec<Recipe>,
    /// See [`Facts::watched`].
    pub watched: Watched,
    /// See [`Facts::signs`].
    pub signs: Signs,
}

impl Facts {
    /// Of a lease that has ended.
    #[must_use]
    pub fn new(receipt: &Receipt, tally: &Tally, around: Around) -> Self {
        let refusals = tally.refusals.iter().map(|refusal| Refused {
            cause: refusal.cause,
            reason: cut(&refusal.text),
            hint: refusal.hint.as_deref().map(cut),
            count: refusal.count,
        });
        Self {
            format: FORMAT.into(),
            valetkey: receipt.valetkey.into(),
            tool: cut(&receipt.tool),
            folder: around.folder,
            started: receipt.started,
            duration_ms: receipt.duration_ms,
            lending: receipt.lending.into(),
            lends: around.lends && !receipt.identities.is_empty(),
            ended_by: receipt.ended_by.map(str::to_owned),
            exit_code: receipt.exit_code,
            ids: receipt.identities.iter().map(|lent| lent.id.clone()).collect(),
            asked: tally.asked,
            logins: tally.logins.values().sum(),
            carried: tally.carried.len() as u64 + tally.more_carried,
            carried_in_vain: tally.carried.iter().filter(|one| one.exit != Some(0)).count() as u64,
            refusals: refusals.collect(),
            recipes: around.recipes,
            watched: around.watched,
            signs: around.signs.all,
        }
    }

    /// With signs from a log that was saved.
    #[must_use]
    pub fn with_signs(mut self, more: Signs) -> Self {
        let mut signs = Signs::from(self.signs);
        signs.add(more);
        self.signs = signs.all;
        self
    }

    /// As it is written down; `None` where it is larger than what is read.
    #[must_use]
    pub fn to_json(&self) -> Option<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self).ok()?;
        bytes.push(b'\n');
        (bytes.len() <= MAX_RECORD).then_some(bytes)
    }

    /// Reads what was written down.
    ///
    /// # Errors
    /// [`FactsError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FactsError> {
        #[derive(Deserialize)]
        struct Form {
            format: String,
        }
        // What it says of a place stays; what it repeats of the content does not.
        let damaged =
            |error: serde_json::Error| FactsError::Damaged(format!("line {}, column {}", error.line(), error.column()));
        let Form { format } = serde_json::from_slice(bytes).map_err(damaged)?;
        if format != FORMAT {
            return Err(FactsError::Format(cut(&format)));
        }
        let mut facts: Self = serde_json::from_slice(bytes).map_err(damaged)?;
        facts.signs.truncate(MAX_SIGNS);
        facts.recipes.truncate(MAX_RECIPES);
        Ok(facts)
    }

    /// Whether the command failed.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.exit_code.is_some_and(|code| code != 0)
    }

    /// Whether the lease was over before the command was.
    #[must_use]
    pub fn ended_early(&self) -> bool {
        self.ended_by.as_deref() == Some("time-limit")
    }

    /// Whether nothing logged in with what was lent.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.logins + self.carried == 0
    }
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A failed `docker build` by agent of this Dockerfile, in which nothing happened.
    pub(in super::super) fn facts(dockerfile: &str) -> Facts {
        let recipe = Recipe {
            path: "Dockerfile".into(),
            target: None,
            steps: crate::builder::steps::steps(dockerfile.as_bytes()),
        };
        Facts {
            format: FORMAT.into(),
            valetkey: "0".into(),
            tool: "docker build".into(),
            folder: "/project".into(),
            started: 1,
            duration_ms: 1,
            lending: "agent".into(),
            lends: true,
            ended_by: Some("command".into()),
            exit_code: Some(1),
            ids: vec!["default".into()],
            asked: 0,
            logins: 0,
            carried: 0,
            carried_in_vain: 0,
            refusals: Vec::new(),
            recipes: vec![recipe],
            watched: Watched::All,
            signs: Vec::new(),
        }
    }

    #[test]
    fn what_was_written_is_read_and_what_is_damaged_or_newer_is_refused() {
        let facts = facts("FROM x\nRUN --mount=type=ssh git clone x\n");
        let json = facts.to_json().unwrap();
        assert_eq!(Facts::parse(&json).unwrap(), facts);
        for end in 0..json.len() - 2 {
            assert!(matches!(Facts::parse(&json[..end]), Err(FactsError::Damaged(_))), "{end}");
        }
        let newer = String::from_utf8(json).unwrap().replace(FORMAT, "valetkey-last/2");
        let error = Facts::parse(newer.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("\"valetkey-last/2\""), "{error}");
    }

    #[test]
    fn an_error_repeats_nothing_of_what_it_read() {
        let error = Facts::parse(br#"{"format": "valetkey-last/1", "tool": {"s3cret": 1}}"#).unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }

    #[test]
    fn a_record_at_the_limit_is_written_and_one_past_it_is_not() {
        let mut facts = facts("");
        let length = facts.to_json().unwrap().len();
        facts.folder.push_str(&"x".repeat(MAX_RECORD - length));
        assert_eq!(facts.to_json().unwrap().len(), MAX_RECORD);
        facts.folder.push('x');
        assert_eq!(facts.to_json(), None);
    }
}
