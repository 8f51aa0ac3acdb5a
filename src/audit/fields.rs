//! The strings of a JSON document, each with the name of its field: configs, manifests and
//! attestations are looked at string by string, so that nothing hides behind JSON's escapes.

use std::collections::HashSet;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// A document in which no object has a key twice: of two, a parser keeps one, and what the other
/// holds would be seen by nobody.
pub struct NoKeyTwice;

impl<'de> Deserialize<'de> for NoKeyTwice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for NoKeyTwice {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self, A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = fields.next_key::<String>()? {
            // Not the key itself: it came out of the document.
            if !seen.insert(key) {
                return Err(de::Error::custom("an object has a key twice"));
            }
            fields.next_value::<Self>()?;
        }
        Ok(self)
    }
}

/// Calls `each` with every string and every key, and the path of its field.
/// `Env` entries are named by their variable: `Env.NAME`. Depth is bounded by the parser's 128.
pub fn strings(value: &Value, each: &mut dyn FnMut(&str, &str)) {
    // The config's own part of a config is what everybody names its fields by.
    if let Value::Object(fields) = value {
        for (name, value) in fields {
            if name == "config" && !value.get("mediaType").is_some_and(Value::is_string) {
                strings(value, each);
            } else {
                each(name, name);
                walk(value, name, each);
            }
        }
    } else {
        walk(value, "", each);
    }
}

fn walk(value: &Value, path: &str, each: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::String(text) => each(path, text),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                match (path, item.as_str().and_then(|text| text.split_once('='))) {
                    ("Env", Some((name, value))) => each(&format!("Env.{name}"), value),
                    _ => walk(item, &format!("{path}[{index}]"), each),
                }
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                each(&path, name);
                walk(value, &path, each);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_comes_twice_is_told_at_any_depth() {
        let twice = |text: &str| serde_json::from_str::<NoKeyTwice>(text).is_err();
        for document in [r#"{"a":1,"a":2}"#, r#"[{"x":{"b":[],"b":null}}]"#, r#"{"a":1,"\u0061":2}"#] {
            assert!(twice(document), "{document}");
        }
        for document in [r#"{"a":{"a":1.5},"b":[{"a":-1},{"a":true}],"c":"a","d":null}"#, "[]", "18446744073709551615"]
        {
            assert!(!twice(document), "{document}");
        }
    }

    #[test]
    fn every_string_is_named_as_people_name_it() {
        let document = serde_json::json!({
            "architecture": "amd64",
            "config": { "Env": ["PATH=/bin", "odd"], "Labels": { "a.b": "c" } },
            "history": [{ "created_by": "RUN x", "empty_layer": true }],
            "rootfs": { "diff_ids": ["sha256:0"] },
        });
        let mut seen = Vec::new();
        strings(&document, &mut |path, text| seen.push(format!("{path}: {text}")));
        for expected in [
            "architecture: amd64",
            "Env.PATH: /bin",
            "Env[1]: odd",
            "Labels.a.b: c",
            "Labels.a.b: a.b",
            "history[0].created_by: RUN x",
            "rootfs.diff_ids[0]: sha256:0",
        ] {
            assert!(seen.iter().any(|line| line == expected), "{expected} is not in {seen:#?}");
        }
    }
}
