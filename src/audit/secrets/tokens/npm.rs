//! npm since 2021: `npm_`, 30 random characters and the checksum of those.
//! <https://github.blog/changelog/2021-09-23-npm-has-a-new-access-token-format/>

use super::super::characters::{base62, exactly};
use super::super::checksum::base62_holds;
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "npm-token",
    kind: "an npm access token",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: &["npm_"],
    place: Place::Anywhere,
    check,
    #[cfg(test)]
    examples,
};

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    let body = exactly(bytes, at + 4, 36, base62)?;
    (base62_holds(body) && is_random(body)).then_some(40)
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![made::checked("npm_", 1), made::checked("npm_", 2)],
        not: vec![
            format!("npm_{}", made::base62(36, 1)),
            format!("npm_{}", "x".repeat(36)),
            "npm_config_registry_of_the_whole_company".to_owned(),
            format!("{}A", made::checked("npm_", 1)),
        ],
    }
}
