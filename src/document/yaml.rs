//! YAML 1.2 through saphyr-parser's events. Aliases are what they stand for, and merge keys (`<<`)
//! are followed, within the limit of values: a few lines can stand for billions.

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::{Budget, DocumentError, MAX_DEPTH, Node, Style, Value};

/// The documents of a text.
///
/// # Errors
/// [`DocumentError`].
pub fn yaml(text: &str) -> Result<Vec<Node>, DocumentError> {
    let mut loader = Loader {
        budget: Budget::new(text)?,
        places: Places::new(text),
        open: Vec::new(),
        anchors: HashMap::new(),
        documents: Vec::new(),
    };
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event
            .map_err(|error| DocumentError::Syntax { line: error.marker().line(), message: error.info().to_owned() })?;
        loader.event(event, span.start, span.end)?;
    }
    Ok(loader.documents)
}

/// A list or map that is not at its end.
struct Open {
    start: usize,
    anchor: usize,
    tag: Option<Box<str>>,
    /// Names and values in turn, where it is a map.
    items: Vec<Node>,
    is_map: bool,
}

struct Loader<'a> {
    budget: Budget,
    places: Places<'a>,
    open: Vec<Open>,
    /// By the parser's number: what an alias stands for, and how many values that is.
    anchors: HashMap<usize, (Node, usize)>,
    documents: Vec<Node>,
}

impl Loader<'_> {
    fn event(&mut self, event: Event<'_>, start: Marker, end: Marker) -> Result<(), DocumentError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
                    ScalarStyle::Literal => Style::Literal,
                    ScalarStyle::Folded => Style::Folded,
                };
                let span = self.places.scalar(self.places.byte(start)..self.places.byte(end), style);
                let mut node = Node::new(span, Value::Scalar(text.into_owned(), style));
                node.tag = own(tag.as_deref());
                self.add(node, anchor)?;
            }
            Event::SequenceStart(anchor, tag) => self.begin(start, anchor, own(tag.as_deref()), false)?,
            Event::MappingStart(anchor, tag) => self.begin(start, anchor, own(tag.as_deref()), true)?,
            Event::SequenceEnd | Event::MappingEnd => self.end(end)?,
            Event::Alias(anchor) => {
                let Some((node, size)) = self.anchors.get(&anchor) else {
                    // The parser refuses unknown names; this one is not at its end yet.
                    return Err(DocumentError::Syntax {
                        line: start.line(),
                        message: "an alias stands for what it is in".into(),
                    });
                };
                self.budget.take(*size)?;
                // It brings its own depth along.
                if self.open.len() + depth(node) > MAX_DEPTH + 1 {
                    return Err(DocumentError::Deep { line: start.line() });
                }
                let node = node.clone();
                self.put(node);
            }
            _ => {}
        }
        Ok(())
    }

    fn begin(
        &mut self,
        start: Marker,
        anchor: usize,
        tag: Option<Box<str>>,
        is_map: bool,
    ) -> Result<(), DocumentError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(DocumentError::Deep { line: start.line() });
        }
        self.open.push(Open { start: self.places.byte(start), anchor, tag, items: Vec::new(), is_map });
        Ok(())
    }

    fn end(&mut self, end: Marker) -> Result<(), DocumentError> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let end = open.items.last().map_or_else(|| self.places.byte(end), |last| last.span.end);
        let value = if open.is_map { Value::Map(self.merged(open.items)?) } else { Value::List(open.items) };
        let mut node = Node::new(open.start..end.max(open.start), value);
        node.tag = open.tag;
        self.add(node, open.anchor)
    }

    /// Pairs of names and values, with those of `<<` behind them where they are not there already
    /// (yaml.org/type/merge.html).
    fn merged(&mut self, items: Vec<Node>) -> Result<Vec<(Node, Node)>, DocumentError> {
        let mut pairs = Vec::with_capacity(items.len() / 2);
        let mut merges = Vec::new();
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            if key.value == Value::Scalar("<<".into(), Style::Plain) {
                merges.push(value);
            } else {
                pairs.push((key, value));
            }
        }
        for merge in merges {
            let maps = if merge.items().is_empty() { std::slice::from_ref(&merge) } else { merge.items() };
            for (key, value) in maps.iter().flat_map(Node::entries) {
                let name = key.text();
                self.budget.take(pairs.len())?;
                if name.is_none_or(|name| !pairs.iter().any(|(key, _)| key.text() == Some(name))) {
                    self.budget.take(size(value))?;
                    pairs.push((key.clone(), value.clone()));
                }
            }
        }
        Ok(pairs)
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), DocumentError> {
        self.budget.take(1)?;
        if anchor > 0 {
            let size = size(&node);
            self.budget.take(size)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        self.put(node);
        Ok(())
    }

    fn put(&mut self, node: Node) {
        match self.open.last_mut() {
            Some(open) => open.items.push(node),
            None => self.documents.push(node),
        }
    }
}

fn own(tag: Option<&Tag>) -> Option<Box<str>> {
    tag.filter(|tag| tag.handle == "!").map(|tag| tag.suffix.as_str().into())
}

fn size(node: &Node) -> usize {
    let items: usize = node.items().iter().map(size).sum();
    let entries: usize = node.entries().iter().map(|(key, value)| size(key) + size(value)).sum();
    1 + items + entries
}

/// How deep its values lie: 1 for a scalar.
fn depth(node: &Node) -> usize {
    match &node.value {
        Value::Scalar(..) => 1,
        Value::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Map(entries) => 1 + entries.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
    }
}

/// Bytes up to the closing quote, that included.
fn quoted_length(text: &[u8]) -> usize {
    let Some(&quote) = text.first() else { return 0 };
    let mut at = 1;
    while let Some(&byte) = text.get(at) {
        at += match byte {
            b'\\' if quote == b'"' => 2,
            b'\'' if quote == b'\'' && text.get(at + 1) == Some(&b'\'') => 2,
            byte if byte == quote => return at + 1,
            _ => 1,
        };
    }
    text.len()
}

/// The parser counts characters; spans are bytes.
struct Places<'a> {
    text: &'a str,
    /// The byte at which every [`Places::STEP`]th character begins; empty where each is one byte.
    steps: Vec<usize>,
}

impl<'a> Places<'a> {
    const STEP: usize = 256;

    fn new(text: &'a str) -> Self {
        let steps = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().step_by(Self::STEP).map(|(at, _)| at).collect()
        };
        Self { text, steps }
    }

    fn byte(&self, marker: Marker) -> usize {
        let index = marker.index();
        if self.steps.is_empty() {
            return index.min(self.text.len());
        }
        let Some(&from) = self.steps.get(index / Self::STEP) else { return self.text.len() };
        let rest = self.text.get(from..).unwrap_or_default();
        rest.char_indices().nth(index % Self::STEP).map_or(self.text.len(), |(at, _)| from + at)
    }

    /// The parser has the comment behind a scalar in its range.
    fn scalar(&self, range: Range<usize>, style: Style) -> Range<usize> {
        let text = self.text.get(range.clone()).unwrap_or_default();
        let length = match style {
            Style::Quoted => quoted_length(text.as_bytes()),
            Style::Plain => text.find(" #").map_or(text, |at| text.get(..at).unwrap_or(text)).trim_end().len(),
            _ => text.len(),
        };
        range.start..range.start + length
    }
}
