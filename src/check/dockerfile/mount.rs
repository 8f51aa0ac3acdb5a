//! What a `--mount=` says (BuildKit's `parseMount`, which reads it as one line of CSV).

use std::ops::Range;

use super::Argument;

/// A mount.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mount {
    /// The bytes of the whole flag.
    pub span: Range<usize>,
    /// Its fields, in order.
    pub fields: Vec<Field>,
}

/// A field of a mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in lower case.
    pub name: String,
    /// What is behind the equals sign, where there is one.
    pub value: Option<String>,
    /// Its bytes; those of the whole flag where quotes or a continued line lie between.
    pub span: Range<usize>,
}

impl Mount {
    /// The mount of a flag, where it is one.
    #[must_use]
    pub fn of(flag: &Argument) -> Option<Self> {
        let text = flag.text.strip_prefix(b"--mount=")?;
        let is_exact = flag.span.len() == flag.text.len();
        let mut at = flag.span.end - text.len().min(flag.span.len());
        let field = |field: &[u8]| {
            let span = if is_exact { at..at + field.len() } else { flag.span.clone() };
            at += field.len() + 1;
            let field = String::from_utf8_lossy(field);
            let (name, value) = field.split_once('=').map_or((&*field, None), |(name, value)| (name, Some(value)));
            Field { name: name.to_ascii_lowercase(), value: value.map(ToOwned::to_owned), span }
        };
        Some(Self { span: flag.span.clone(), fields: text.split(|&byte| byte == b',').map(field).collect() })
    }

    /// Its type; `bind` where it names none.
    #[must_use]
    pub fn kind(&self) -> String {
        self.value(&["type"]).unwrap_or("bind").to_ascii_lowercase()
    }

    /// The value of the last field of one of these names.
    #[must_use]
    pub fn value(&self, names: &[&str]) -> Option<&str> {
        let field = self.fields.iter().rev().find(|field| names.contains(&field.name.as_str()))?;
        field.value.as_deref()
    }

    /// Whether one of its fields has this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }

    /// Where another field is put in: behind the last one, before a quote that ends the flag.
    #[must_use]
    pub fn end(&self, text: &[u8]) -> usize {
        let last = self.span.end.saturating_sub(1);
        if matches!(text.get(last), Some(b'"' | b'\'')) { last } else { self.span.end }
    }

    /// Whether it is required: `required`, `required=true`.
    #[must_use]
    pub fn is_required(&self) -> bool {
        let value = |field: &Field| {
            field.value.as_deref().is_none_or(|value| matches!(value, "true" | "1" | "TRUE" | "True" | "t" | "T"))
        };
        self.fields.iter().rev().find(|field| field.name == "required").is_some_and(value)
    }
}
