//! PURE: Git's `url.BASE.insteadOf` (git-config(1)), as it changes an address before a fetch.

/// One rule: an address that begins with `instead_of` begins with `base` instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rewrite {
    pub(super) base: String,
    pub(super) instead_of: String,
}

/// The address that Git would fetch from: the longest rule that applies, once.
pub(super) fn rewritten(address: &str, rules: &[Rewrite]) -> Option<String> {
    let fits = |rule: &&Rewrite| !rule.instead_of.is_empty() && address.starts_with(&rule.instead_of);
    let rule = rules.iter().filter(fits).max_by_key(|rule| rule.instead_of.len())?;
    Some(format!("{}{}", rule.base, address.get(rule.instead_of.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(base: &str, instead_of: &str) -> Rewrite {
        Rewrite { base: base.into(), instead_of: instead_of.into() }
    }

    #[test]
    fn the_longest_rule_that_fits_is_applied_once() {
        let rules = [
            rule("https://b.example/", "https://a.example/"),
            rule("ssh://git@a.example/", "https://a.example/org/"),
            rule("x:", ""),
        ];
        assert_eq!(rewritten("https://a.example/org/r", &rules).unwrap(), "ssh://git@a.example/r");
        assert_eq!(rewritten("https://a.example/other/r", &rules).unwrap(), "https://b.example/other/r");
        assert_eq!(rewritten("https://c.example/r", &rules), None);
    }
}
