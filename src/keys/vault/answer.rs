//! PURE: what a Vault server's JSON says.
//!
//! Owns the texts in it: other fields of the secret than the one that was asked for are not kept,
//! and the parser's own words, which could repeat a part of one, go nowhere.

use std::collections::HashMap;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::{Secret, Text, VaultError};

/// A value: a text, or something else that does not matter.
enum Value {
    Text(Text),
    Other,
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(Zeroizing::new(text.to_owned())))
    }
    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Other)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Other)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Other)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Other)
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Other)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
}

#[derive(Deserialize)]
struct Read {
    data: Option<Version>,
}

#[derive(Deserialize)]
struct Version {
    data: Option<HashMap<String, Value>>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    deletion_time: String,
    #[serde(default)]
    destroyed: bool,
}

impl Metadata {
    fn is_deleted(&self) -> bool {
        self.destroyed || !self.deletion_time.is_empty()
    }
}

#[derive(Deserialize)]
struct Login {
    auth: Option<Auth>,
}

#[derive(Deserialize)]
struct Auth {
    client_token: Text,
}

/// The text of a field.
pub(super) fn field(answer: &[u8], name: &str) -> Result<Secret, VaultError> {
    let read: Read = serde_json::from_slice(answer).map_err(|_| VaultError::Garbled)?;
    let version = read.data.ok_or(VaultError::Garbled)?;
    let Some(mut fields) = version.data else {
        let deleted = version.metadata.is_some_and(|metadata| metadata.is_deleted());
        return Err(if deleted { VaultError::Deleted } else { VaultError::Garbled });
    };
    // An engine of version 1 has whatever fields were written, and one of them may be `data`.
    if version.metadata.is_none() {
        return Err(VaultError::Garbled);
    }
    match fields.remove(name) {
        Some(Value::Text(text)) => Ok(Secret::new(text.as_bytes().to_vec())),
        Some(Value::Other) => Err(VaultError::NoText),
        None => Err(VaultError::NoField),
    }
}

/// Why a path has no secret: nothing was ever there, or its newest version is gone.
pub(super) fn missing(answer: &[u8]) -> VaultError {
    let read: Option<Read> = serde_json::from_slice(answer).ok();
    let metadata = read.and_then(|read| read.data).and_then(|version| version.metadata);
    if metadata.is_some_and(|metadata| metadata.is_deleted()) { VaultError::Deleted } else { VaultError::NoPath }
}

/// The token that a login gave.
pub(super) fn token(answer: &[u8]) -> Result<Text, VaultError> {
    let login: Login = serde_json::from_slice(answer).map_err(|_| VaultError::Garbled)?;
    login.auth.map(|auth| auth.client_token).filter(|token| !token.is_empty()).ok_or(VaultError::Garbled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(answer: &str) -> Result<String, VaultError> {
        field(answer.as_bytes(), "key").map(|text| String::from_utf8_lossy(text.expose()).into_owned())
    }

    #[test]
    fn a_field_is_a_text_or_a_reason_of_its_own() {
        let meta = r#""metadata":{"deletion_time":"","destroyed":false,"version":2}"#;
        let of = |fields: &str| format!(r#"{{"request_id":"x","data":{{"data":{fields},{meta}}},"auth":null}}"#);
        assert_eq!(said(&of(r#"{"a":1,"key":"one\ntwo \u00e9"}"#)), Ok("one\ntwo é".into()));
        assert_eq!(said(&of(r#"{"Key":"x"}"#)), Err(VaultError::NoField));
        for other in ["5", "1.5", "-1", "true", "null", "[\"x\"]", "{\"x\":{}}"] {
            assert_eq!(said(&of(&format!("{{\"key\":{other}}}"))), Err(VaultError::NoText), "{other}");
        }
        let deleted = r#"{"data":{"data":null,"metadata":{"deletion_time":"2026-01-01T00:00:00Z","destroyed":false}}}"#;
        assert_eq!(said(deleted), Err(VaultError::Deleted));
        assert_eq!(missing(deleted.as_bytes()), VaultError::Deleted);
        let destroyed = r#"{"data":{"data":null,"metadata":{"deletion_time":"","destroyed":true}}}"#;
        assert_eq!(missing(destroyed.as_bytes()), VaultError::Deleted);
        assert_eq!(missing(br#"{"errors":[]}"#), VaultError::NoPath);
        assert_eq!(missing(b"<html>"), VaultError::NoPath);
    }

    #[test]
    fn what_is_no_answer_of_version_2_is_not_understood_and_not_repeated() {
        for answer in [
            "",
            "{",
            "[]",
            "null",
            "\"key\"",
            r#"{"data":null}"#,
            r#"{"data":{"key":"hunter2"}}"#,
            r#"{"data":{"data":{"key":"hunter2"}}}"#,
            r#"{"data":{"data":"hunter2","metadata":{}}}"#,
            r#"{"data":{"data":{"key":"hunter2","metadata":{}}"#,
        ] {
            let error = said(answer).expect_err(answer);
            assert_eq!(error, VaultError::Garbled, "{answer}");
            assert!(!format!("{error}{error:?}").contains("hunter2"));
        }
        // Deep nesting ends at the parser's own limit.
        assert_eq!(said(&"[".repeat(100_000)), Err(VaultError::Garbled));
        assert_eq!(said(&format!("{{\"data\":{}", "{\"data\":".repeat(100_000))), Err(VaultError::Garbled));
    }

    #[test]
    fn a_login_gives_a_token_or_is_not_understood() {
        let given = token(br#"{"auth":{"client_token":"s.x","policies":["a"]}}"#).expect("a token");
        assert_eq!(given.as_str(), "s.x");
        for answer in [
            "{}",
            r#"{"auth":null}"#,
            r#"{"auth":{}}"#,
            r#"{"auth":{"client_token":""}}"#,
            r#"{"auth":{"client_token":5}}"#,
        ] {
            assert_eq!(token(answer.as_bytes()), Err(VaultError::Garbled), "{answer}");
        }
    }
}
