//! HCL 2 through hcl-edit. A block `target "app" { … }` is a value of the name `target`: a map with
//! the one name `app`, and so on for each label. What is no plain text, number, list or map is its
//! own text, as [`Style::Expression`].

use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::structure::{Block, BlockLabel, Body, Structure};

use super::{Budget, DocumentError, MAX_DEPTH, Node, Style, Value};

/// The body of a text.
///
/// # Errors
/// [`DocumentError`].
pub fn hcl(text: &str) -> Result<Node, DocumentError> {
    let mut budget = Budget::new(text)?;
    let body = hcl_edit::parser::parse_body(text).map_err(|error| DocumentError::Syntax {
        line: error.location().line(),
        message: error.message().to_owned(),
    })?;
    Ok(Node::new(0..text.len(), Reader { text, budget: &mut budget }.body(&body, 0)?))
}

struct Reader<'a> {
    text: &'a str,
    budget: &'a mut Budget,
}

impl Reader<'_> {
    fn body(&mut self, body: &Body, depth: usize) -> Result<Value, DocumentError> {
        let mut entries = Vec::new();
        for structure in body {
            self.budget.take(1)?;
            entries.push(match structure {
                Structure::Attribute(attribute) => {
                    (name(attribute.key.span(), &attribute.key), self.expression(&attribute.value, depth + 1)?)
                }
                Structure::Block(block) => (name(block.ident.span(), &block.ident), self.block(block, depth + 1)?),
            });
        }
        Ok(Value::Map(entries))
    }

    fn block(&mut self, block: &Block, depth: usize) -> Result<Node, DocumentError> {
        let span = block.span().unwrap_or_default();
        let mut node = self.within(&span, depth).and_then(|()| self.body(&block.body, depth))?;
        for label in block.labels.iter().rev() {
            self.budget.take(2)?;
            let label = match label {
                BlockLabel::Ident(ident) => name(ident.span(), ident),
                BlockLabel::String(text) => name(text.span(), text),
            };
            node = Value::Map(vec![(label, Node::new(span.clone(), node))]);
        }
        Ok(Node::new(span, node))
    }

    fn expression(&mut self, expression: &Expression, depth: usize) -> Result<Node, DocumentError> {
        let span = expression.span().unwrap_or_default();
        self.within(&span, depth)?;
        self.budget.take(1)?;
        let raw = self.text.get(span.clone()).unwrap_or_default();
        let value = match expression {
            Expression::String(text) => Value::Scalar(text.to_string(), Style::Quoted),
            Expression::Null(_) => Value::Scalar(String::new(), Style::Plain),
            Expression::Bool(_) | Expression::Number(_) => Value::Scalar(raw.to_owned(), Style::Plain),
            Expression::Array(array) => {
                let items: Result<_, _> = array.iter().map(|item| self.expression(item, depth + 1)).collect();
                Value::List(items?)
            }
            Expression::Object(object) => {
                let mut entries = Vec::new();
                for (key, value) in object.iter() {
                    let key = match key {
                        ObjectKey::Ident(ident) => name(ident.span(), ident),
                        ObjectKey::Expression(key) => self.expression(key, depth + 1)?,
                    };
                    entries.push((key, self.expression(value.expr(), depth + 1)?));
                }
                Value::Map(entries)
            }
            // Without its quotes: `"${A}-b"`.
            Expression::StringTemplate(_) => Value::Scalar(
                raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')).unwrap_or(raw).to_owned(),
                Style::Expression,
            ),
            Expression::HeredocTemplate(_) => Value::Scalar(raw.to_owned(), Style::Folded),
            _ => Value::Scalar(raw.to_owned(), Style::Expression),
        };
        Ok(Node::new(span, value))
    }

    fn within(&self, span: &Range<usize>, depth: usize) -> Result<(), DocumentError> {
        if depth > MAX_DEPTH {
            return Err(DocumentError::Deep { line: super::line_at(self.text, span.start) });
        }
        Ok(())
    }
}

fn name(span: Option<Range<usize>>, text: &str) -> Node {
    Node::new(span.unwrap_or_default(), Value::Scalar(text.to_owned(), Style::Plain))
}
