//! An audit whose report is read as a program reads it: `--format json`.

use serde_json::Value;

use crate::Finished;

/// A finished `valetkey audit --format json`, and its report.
pub struct Audited {
    run: Finished,
    report: Value,
}

impl Audited {
    /// What a finished audit said.
    ///
    /// # Panics
    /// When it printed no report.
    #[must_use]
    pub fn of(run: Finished) -> Self {
        let report = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}\n{}", run.report()));
        Self { run, report }
    }

    /// Its exit code must be this.
    #[track_caller]
    #[must_use]
    pub fn expect_code(self, code: i32) -> Self {
        Self { run: self.run.expect_code(code), ..self }
    }

    /// It must have read everything.
    #[track_caller]
    #[must_use]
    pub fn expect_complete(self) -> Self {
        assert!(self.report["complete"] == true, "not read: {:#}", self.report["unread"]);
        self
    }

    /// All findings.
    #[must_use]
    pub fn findings(&self) -> &[Value] {
        self.report["findings"].as_array().map_or(&[], Vec::as_slice)
    }

    /// Those that count: all but notes.
    #[must_use]
    pub fn secrets(&self) -> Vec<&Value> {
        self.findings().iter().filter(|finding| finding["severity"] != "note").collect()
    }

    /// The images that were read.
    #[must_use]
    pub fn images(&self) -> &[Value] {
        self.report["images"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The findings of the key with this fingerprint.
    #[must_use]
    pub fn of_key(&self, fingerprint: &str) -> Vec<&Value> {
        self.findings().iter().filter(|finding| finding["key"]["fingerprint"] == fingerprint).collect()
    }

    /// The platforms in whose images the key with this fingerprint is, as they are told: an empty
    /// text where an image has none.
    #[must_use]
    pub fn platforms_of(&self, fingerprint: &str) -> Vec<&str> {
        let mut all: Vec<_> =
            self.of_key(fingerprint).iter().map(|finding| finding["platform"].as_str().unwrap_or_default()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The whole report.
    #[must_use]
    pub fn report(&self) -> &Value {
        &self.report
    }
}
