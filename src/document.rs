//! PURE: YAML, JSON, TOML and HCL as one kind of tree, in which every value knows its bytes.
//!
//! Well-kept parsers read each format; here their results get one shape and one set of limits, so
//! that whoever looks through a lock file or a compose file can say where it found what it found.
//! Nothing is evaluated: a variable, an interpolation or an expression is its own text.

use std::ops::Range;

mod hcl;
mod json;
mod toml;
mod yaml;

pub use hcl::hcl;
pub use json::json;
pub use toml::toml;
pub use yaml::yaml;

/// Bytes of the largest text that is read: lock files of large projects have some MiB.
pub const MAX_SIZE: usize = 32 << 20;
/// How deep values lie in values.
pub const MAX_DEPTH: usize = 64;
/// Values of one text, what YAML's aliases stand for counted each time.
pub const MAX_NODES: usize = 4_000_000;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its bytes in the text. Those of a quoted text hold its quotes, those of a block begin with
    /// what it says; what an alias of YAML's stands for has the place where it was written, not the
    /// alias. A list or map ends with its last value, not with its bracket.
    pub span: Range<usize>,
    /// What it is.
    pub value: Value,
    /// A tag of YAML's own application, as `!reference`; without the exclamation mark.
    pub tag: Option<Box<str>>,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text, a number, a truth value, nothing: what it says, and how it was written.
    Scalar(String, Style),
    /// Values in order.
    List(Vec<Node>),
    /// Names and values in order. Names may come twice; blocks of HCL do.
    Map(Vec<(Node, Node)>),
}

/// How a scalar was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As it is: a number, `true`, a text of YAML's without quotes.
    Plain,
    /// In quotes.
    Quoted,
    /// A block that keeps its lines: YAML's `|`.
    Literal,
    /// A block whose lines are folded (YAML's `>`), or a heredoc of HCL's.
    Folded,
    /// An expression or template of HCL's, whose value only its program knows.
    Expression,
}

/// Why a text was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// More than [`MAX_SIZE`] bytes.
    #[error("it is larger than {MAX_SIZE} bytes")]
    Large,
    /// More than [`MAX_DEPTH`] levels.
    #[error("line {line}: values lie more than {MAX_DEPTH} levels deep")]
    Deep {
        /// Where, counted from 1.
        line: usize,
    },
    /// More than [`MAX_NODES`] values.
    #[error("it stands for more than {MAX_NODES} values")]
    Many,
    /// It is not of its format.
    #[error("line {line}: {message}")]
    Syntax {
        /// Where, counted from 1.
        line: usize,
        /// What the parser says. Those in use repeat a character of the text at most.
        message: String,
    },
}

impl Node {
    fn new(span: Range<usize>, value: Value) -> Self {
        Self { span, value, tag: None }
    }

    /// The value of this name, the last where there are several; `None` where this is no map.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.entries().iter().rev().find(|(key, _)| key.text() == Some(name)).map(|(_, value)| value)
    }

    /// Every value of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.entries().iter().filter(move |(key, _)| key.text() == Some(name)).map(|(_, value)| value)
    }

    /// The value at the end of these names.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, name| node.get(name))
    }

    /// Names and values; none where this is no map.
    #[must_use]
    pub fn entries(&self) -> &[(Node, Node)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The values of a list; none where this is no list.
    #[must_use]
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// What a scalar says.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// What the scalar of this name says.
    #[must_use]
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Node::text)
    }
}

/// The number of the line at this byte, from 1.
#[must_use]
pub fn line_at(text: &str, at: usize) -> usize {
    text.as_bytes().get(..at).unwrap_or(text.as_bytes()).iter().filter(|&&byte| byte == b'\n').count() + 1
}

/// Counts what is made of one text.
struct Budget {
    left: usize,
}

impl Budget {
    fn new(text: &str) -> Result<Self, DocumentError> {
        if text.len() > MAX_SIZE {
            return Err(DocumentError::Large);
        }
        Ok(Self { left: MAX_NODES })
    }

    fn take(&mut self, nodes: usize) -> Result<(), DocumentError> {
        self.left = self.left.checked_sub(nodes).ok_or(DocumentError::Many)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
