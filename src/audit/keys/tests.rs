//! Every kind of key made by its own tool, found with the fingerprint that another tool prints;
//! and what is no key, however much it looks like one.

mod kinds;
mod made;
mod mutated;
mod refused;
mod wrapped;

use super::*;

/// What a buffer is found to hold.
fn all(bytes: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    recognise(bytes, &mut found);
    found
}

/// The same, as a scan of the file would tell it.
fn scanned(bytes: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    let text = Text { bytes, name: b"", depth: 0 };
    crate::audit::scan::Scanner::new(vec![Box::new(Keys)]).scan(&text, 0..bytes.len(), &mut found);
    found
}

/// The fingerprint of the only key in a buffer.
fn one(bytes: &[u8]) -> Option<String> {
    let found = all(bytes);
    assert!(found.len() < 2, "{found:?}");
    found.into_iter().next().and_then(|found| found.key?.fingerprint)
}
