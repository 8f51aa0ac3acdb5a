//! JSON (RFC 8259) through jsonc-parser, which gives every value its place. A trailing comma and
//! comments are allowed: tools that write JSON read those too.

use jsonc_parser::ast::{Object, ObjectPropName, Value as Ast};
use jsonc_parser::common::Ranged as _;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::{Budget, DocumentError, MAX_DEPTH, Node, Style, Value};

/// The value of a text.
///
/// # Errors
/// [`DocumentError`].
pub fn json(text: &str) -> Result<Node, DocumentError> {
    let mut budget = Budget::new(text)?;
    let options = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options)
        .map_err(|error| DocumentError::Syntax { line: error.line_display(), message: error.kind().to_string() })?;
    let value = parsed.value.ok_or(DocumentError::Syntax { line: 1, message: "there is no value".into() })?;
    node(text, &value, 0, &mut budget)
}

fn node(text: &str, value: &Ast<'_>, depth: usize, budget: &mut Budget) -> Result<Node, DocumentError> {
    let range = value.range();
    if depth > MAX_DEPTH {
        return Err(DocumentError::Deep { line: super::line_at(text, range.start) });
    }
    budget.take(1)?;
    let value = match value {
        Ast::StringLit(literal) => Value::Scalar(literal.value.to_string(), Style::Quoted),
        Ast::NumberLit(literal) => Value::Scalar(literal.value.to_owned(), Style::Plain),
        Ast::BooleanLit(literal) => Value::Scalar(literal.value.to_string(), Style::Plain),
        Ast::NullKeyword(_) => Value::Scalar(String::new(), Style::Plain),
        Ast::Array(array) => {
            let items: Result<_, _> = array.elements.iter().map(|item| node(text, item, depth + 1, budget)).collect();
            Value::List(items?)
        }
        Ast::Object(object) => Value::Map(entries(text, object, depth, budget)?),
    };
    Ok(Node::new(range.start..range.end, value))
}

fn entries(
    text: &str,
    object: &Object<'_>,
    depth: usize,
    budget: &mut Budget,
) -> Result<Vec<(Node, Node)>, DocumentError> {
    let entry = |property: &jsonc_parser::ast::ObjectProp<'_>| {
        budget.take(1)?;
        let (name, range) = match &property.name {
            ObjectPropName::String(literal) => (literal.value.to_string(), literal.range),
            ObjectPropName::Word(word) => (word.value.to_owned(), word.range),
        };
        let key = Node::new(range.start..range.end, Value::Scalar(name, Style::Quoted));
        Ok((key, node(text, &property.value, depth + 1, budget)?))
    };
    object.properties.iter().map(entry).collect()
}
