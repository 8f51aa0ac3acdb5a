//! `valetkey doctor` as a person starts it, and its report.

use serde_json::Value;

use crate::run::place::{Place, Ran, ran};

/// A report.
pub(crate) struct Examined {
    pub(crate) ran: Ran,
    pub(crate) report: Value,
}

/// Runs it with a config of this text and these arguments, for machines to read.
#[track_caller]
pub(crate) fn examined(place: &Place, config: &str, args: &[&str]) -> Examined {
    place.write("valetkey.toml", config);
    with_flags(place, args)
}

/// The same without writing a config.
#[track_caller]
pub(crate) fn with_flags(place: &Place, args: &[&str]) -> Examined {
    let ran = ran(&mut place.valetkey(&[&["doctor", "--json"], args].concat()));
    let report = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:#?}"));
    Examined { ran, report }
}

impl Examined {
    /// Every check of this name: its state, sentence and hint.
    pub(crate) fn all(&self, name: &str) -> Vec<(&str, &str, &str)> {
        let checks = self.report["checks"].as_array().unwrap().iter().filter(|check| check["check"] == name);
        checks
            .map(|check| {
                let of = |field: &str| check[field].as_str().unwrap_or_default();
                (of("state"), of("said"), of("hint"))
            })
            .collect()
    }

    /// The checks of these names stand so, and in this order, and there are no others of them.
    #[track_caller]
    pub(crate) fn stands(&self, expected: &[(&str, &str)]) -> &Self {
        let names: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
        let checks = self.report["checks"].as_array().unwrap().iter();
        let found = checks.map(|check| (check["check"].as_str().unwrap(), check["state"].as_str().unwrap()));
        let found: Vec<_> = found.filter(|(name, _)| names.contains(name)).collect();
        assert_eq!(found, expected, "{:#?}", self.report);
        self
    }

    /// One check of this name says and hints all these words.
    #[track_caller]
    pub(crate) fn says(&self, name: &str, words: &[&str]) -> &Self {
        let all = self.all(name);
        let fits =
            |(_, said, hint): &(&str, &str, &str)| words.iter().all(|word| said.contains(word) || hint.contains(word));
        assert!(all.iter().any(fits), "{words:?} in {name}: {:#?}", self.report);
        self
    }

    /// There is no check of this name.
    #[track_caller]
    pub(crate) fn lacks(&self, name: &str) -> &Self {
        assert!(self.all(name).is_empty(), "{name}: {:#?}", self.report);
        self
    }

    /// It ended so, and says so.
    #[track_caller]
    pub(crate) fn is(&self, code: i32) -> &Self {
        self.ran.is(code);
        assert_eq!(self.report["exit_code"], code, "{:#?}", self.report);
        self
    }
}
