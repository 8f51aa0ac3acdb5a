//! TOML 1.1 through the `toml` crate.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Budget, DocumentError, MAX_DEPTH, Node, Style, Value};

/// The table of a text.
///
/// # Errors
/// [`DocumentError`].
pub fn toml(text: &str) -> Result<Node, DocumentError> {
    let mut budget = Budget::new(text)?;
    let table = DeTable::parse(text).map_err(|error| DocumentError::Syntax {
        line: error.span().map_or(1, |span| super::line_at(text, span.start)),
        message: error.message().lines().next().unwrap_or_default().to_owned(),
    })?;
    Ok(Node::new(0..text.len(), map(text, table.get_ref(), 0, &mut budget)?))
}

fn map(text: &str, table: &DeTable<'_>, depth: usize, budget: &mut Budget) -> Result<Value, DocumentError> {
    let mut entries = Vec::with_capacity(table.len());
    for (key, value) in table {
        budget.take(1)?;
        let name = Node::new(key.span(), Value::Scalar(key.get_ref().to_string(), Style::Plain));
        entries.push((name, node(text, value, depth + 1, budget)?));
    }
    // The crate's tables are sorted by name; a person reads from the top.
    entries.sort_by_key(|(key, _)| key.span.start);
    Ok(Value::Map(entries))
}

fn node(text: &str, value: &Spanned<DeValue<'_>>, depth: usize, budget: &mut Budget) -> Result<Node, DocumentError> {
    let span: Range<usize> = value.span();
    if depth > MAX_DEPTH {
        return Err(DocumentError::Deep { line: super::line_at(text, span.start) });
    }
    budget.take(1)?;
    let raw = || text.get(span.clone()).unwrap_or_default().to_owned();
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Scalar(text.to_string(), Style::Quoted),
        DeValue::Array(items) => {
            let items: Result<_, _> = items.iter().map(|item| node(text, item, depth + 1, budget)).collect();
            Value::List(items?)
        }
        DeValue::Table(table) => map(text, table, depth, budget)?,
        DeValue::Boolean(truth) => Value::Scalar(truth.to_string(), Style::Plain),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) => Value::Scalar(raw(), Style::Plain),
    };
    Ok(Node::new(span, value))
}
