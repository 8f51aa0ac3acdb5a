//! Every rule, in the order of the page that lists them (docs/rules.md). One file a rule.

use super::rule::Rule;

mod ssh_keyscan;

/// All rules.
pub const RULES: [&Rule; 1] = [&ssh_keyscan::RULE];

#[cfg(test)]
mod tests;
