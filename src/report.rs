//! How an audit is shown: `fn(&Report, …) -> bytes`, and nothing else.
//!
//! Reports see findings only: no image, no file, no clock, no terminal. Whether there is colour
//! and how wide a line may be is the caller's to say. Every text that came out of an image is
//! escaped for the form that it goes into, because whoever made the image chose it; instructions lose
//! the values that may be secret.

pub mod attestation;
mod by_image;
pub mod check;
mod colours;
mod html;
mod json;
mod plain;
mod redact;
mod sarif;
pub mod signers;
mod words;

use crate::audit::finding::Report;

pub use json::{SCHEMA, VERSION};
pub use redact::lent as take_out;
pub use words::verdict;

/// The narrowest line that the table is written for, in characters.
pub const MIN_WIDTH: usize = 40;
/// The width where nobody knows it: in a pipe, in a file.
pub const DEFAULT_WIDTH: usize = 100;

/// A form of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A table for a person at a terminal.
    #[default]
    Table,
    /// JSON, as docs/audit.schema.json describes it.
    Json,
    /// SARIF 2.1.0, as code scanning takes it.
    Sarif,
    /// One page that needs nothing else.
    Html,
}

/// How it is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Whether the table has colours. The caller knows about terminals and `NO_COLOR`.
    pub colour: bool,
    /// Characters in a line of the table; less than [`MIN_WIDTH`] is taken as that.
    pub width: usize,
}

impl Default for View {
    fn default() -> Self {
        Self { colour: false, width: DEFAULT_WIDTH }
    }
}

/// The whole report in that form, ready to be written out; it ends with a line feed.
#[must_use]
pub fn render(format: Format, report: &Report, view: &View) -> Vec<u8> {
    let report = &redact::redact(report);
    match format {
        Format::Table => plain::render(report, view).into_bytes(),
        Format::Json => json::render(report).into_bytes(),
        Format::Sarif => sarif::render(report).into_bytes(),
        Format::Html => html::render(report).into_bytes(),
    }
}
