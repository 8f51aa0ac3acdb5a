//! Google Cloud: the JSON file of a service account's key, by its last field: all of its fields
//! are there, and the private key has a key's length. The key itself is found as one, too.

use super::super::characters::{base64, exactly, hex};
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "gcp-service-account",
    kind: "the key file of a Google Cloud service account",
    severity: Severity::Error,
    remedy: "delete the key in the project's console, and use workload identity instead of a key",
    prefixes: &["client_x509_cert_url"],
    place: Place::Word,
    check,
    #[cfg(test)]
    examples,
};

/// Bytes before its last field in which the others are: such a file has 2,400.
const FILE: usize = 4_000;
/// Characters of base64 in a private RSA key of 1,024 bits: none is smaller.
const KEY: usize = 700;

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    let file = &bytes[at.saturating_sub(FILE)..at];
    let file = &file[file.iter().rposition(|byte| *byte == 0).map_or(0, |nul| nul + 1)..];
    memchr::memmem::rfind(file, b"\"service_account\"")?;
    let id = value(file, b"\"private_key_id\"")?;
    let key = value(file, b"\"private_key\"")?;
    let begun = file[key..].starts_with(b"-----BEGIN ");
    let length = file[key..].iter().take_while(|byte| **byte != b'"').filter(|byte| base64(**byte)).count();
    (begun && length >= KEY && is_random(exactly(file, id, 40, hex)?)).then_some(20)
}

/// Where the string begins that the last such name has.
fn value(file: &[u8], name: &[u8]) -> Option<usize> {
    let behind = memchr::memmem::rfind(file, name)? + name.len();
    let quote = file[behind..].iter().take(8).position(|byte| *byte == b'"')?;
    Some(behind + quote + 1)
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    let file = |kind: &str, id: usize, key: usize| {
        format!(
            "{{\"type\": \"{kind}\",\n  \"private_key_id\": \"{}\",\n  \"private_key\": \"-----BEGIN {} KEY-----\\n{}\\n\",\n  \
             \"client_email\": \"a@b.iam.gserviceaccount.com\",\n  \"client_x509_cert_url\": \"c\"}}",
            made::hex(id, 1),
            "PRIVATE",
            made::base62(key, 2)
        )
    };
    super::super::Examples {
        found: vec![file("service_account", 40, 1600)],
        not: vec![
            file("authorized_user", 40, 1600),
            file("service_account", 39, 1600),
            file("service_account", 40, 60),
            "see client_x509_cert_url of a \"service_account\"".to_owned(),
        ],
    }
}
