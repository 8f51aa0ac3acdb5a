//! The YAML files that users copy, read as their systems read them.

use std::path::Path;

use saphyr::{LoadableYamlNode as _, YamlOwned};

/// A document.
pub struct Yaml(YamlOwned);

impl Yaml {
    /// A file of one document.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        Self::parse(&std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// One document.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut documents = YamlOwned::load_from_str(text).expect("YAML");
        assert_eq!(documents.len(), 1, "one document");
        Self(documents.remove(0))
    }

    /// What stands below these keys; a number is a place in a list.
    #[must_use]
    pub fn get(&self, keys: &[&str]) -> Option<Self> {
        let below = |node: &YamlOwned, key: &&str| match key.parse() {
            Ok(at) => node.as_sequence_get(at).cloned(),
            Err(_) => node.as_mapping_get(key).cloned(),
        };
        keys.iter().try_fold(self.0.clone(), |node, key| below(&node, key)).map(Self)
    }

    /// A text below these keys, as the system that reads the file would have it.
    #[must_use]
    pub fn text(&self, keys: &[&str]) -> Option<String> {
        let node = self.get(keys)?.0;
        let text = node.as_str().map(str::to_owned);
        text.or_else(|| node.as_bool().map(|value| value.to_string()))
            .or_else(|| node.as_integer().map(|value| value.to_string()))
    }

    /// The entries of a list below these keys; none where there is no list.
    #[must_use]
    pub fn list(&self, keys: &[&str]) -> Vec<Self> {
        let node = self.get(keys);
        node.and_then(|node| node.0.as_sequence().cloned()).unwrap_or_default().into_iter().map(Self).collect()
    }

    /// The names and texts of a mapping below these keys; none where there is no mapping.
    #[must_use]
    pub fn pairs(&self, keys: &[&str]) -> Vec<(String, String)> {
        let Some(node) = self.get(keys) else { return Vec::new() };
        let names = node.names();
        names.into_iter().map(|name| (name.clone(), node.text(&[&name]).unwrap_or_default())).collect()
    }

    /// The keys of this mapping.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let keys = self.0.as_mapping().into_iter().flatten().filter_map(|(key, _)| key.as_str());
        keys.map(str::to_owned).collect()
    }

    /// This text, where it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        self.0.as_str()
    }
}
