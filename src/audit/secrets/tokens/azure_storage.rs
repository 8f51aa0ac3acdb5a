//! Azure Storage: `AccountKey=` and base64 of 64 bytes in a connection string.

use super::super::characters::{base64, exactly};
use super::super::placeholder::is_random;
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "azure-storage-key",
    kind: "a key of an Azure Storage account",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: &["AccountKey="],
    place: Place::Word,
    check,
    #[cfg(test)]
    examples,
};

/// How the key begins that Microsoft's emulators (Azurite) are documented to have.
const EMULATOR: &[u8] = b"Eby8vdM02xNOcqFlqUwJ";

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    let body = exactly(bytes, at + 11, 86, base64)?;
    let padded = bytes.get(at + 97..at + 99) == Some(b"==");
    (padded && !body.starts_with(EMULATOR) && is_random(body)).then_some(99)
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    super::super::Examples {
        found: vec![format!(
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={}==;EndpointSuffix=b",
            made::base62(86, 1)
        )],
        not: vec![
            format!("AccountKey={}==", made::base62(85, 1)),
            format!("AccountKey={}", made::base62(86, 1)),
            format!("AccountKey={}{}==", "Eby8vdM02xNOcqFlqUwJ", made::base62(66, 1)),
            format!("AccountKey={}==", "x".repeat(86)),
        ],
    }
}
