//! Keys that packages ship on purpose: test suites, examples, self-tests.
//!
//! Known by the fingerprint of their public half, never by where they lie; a key whose public
//! half is not to be had (an encrypted one) by the digest of its very bytes. The list is made by
//! `integration/known-keys` out of the packages themselves.

use std::collections::HashMap;
use std::sync::OnceLock;

const LIST: &str = include_str!("known.tsv");

/// The package and version that ships the key with this fingerprint or digest.
pub(super) fn package(identity: &str) -> Option<&'static str> {
    static KNOWN: OnceLock<HashMap<&'static str, &'static str>> = OnceLock::new();
    KNOWN.get_or_init(|| entries().collect()).get(identity).copied()
}

fn entries() -> impl Iterator<Item = (&'static str, &'static str)> {
    LIST.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_list_is_a_fingerprint_and_a_package() {
        let lines: Vec<_> = LIST.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(lines.len(), entries().count());
        for (fingerprint, package) in entries() {
            assert!(fingerprint.len() >= 40 && fingerprint.is_ascii(), "{fingerprint}");
            assert!(package.contains(' '), "{package}");
        }
        assert!(lines.is_sorted(), "made in order, so that its changes can be read");
        let mut unique: Vec<_> = entries().map(|(fingerprint, _)| fingerprint).collect();
        unique.dedup();
        assert_eq!(unique.len(), lines.len());
        assert_eq!(package(""), None);
    }
}
