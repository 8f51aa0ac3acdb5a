//! PyPI: `pypi-` and base64url of a macaroon (libmacaroons' format, version 2) of that index, or
//! of the one for tests: its first field is the index's host, so a token's first characters are
//! always the same.
//! <https://github.com/rescrv/libmacaroons/blob/master/doc/format.txt>

use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use super::super::characters::{base64url, between};
use super::{Place, Token};
use crate::audit::finding::Severity;

pub(super) const TOKEN: Token = Token {
    id: "pypi-token",
    kind: "a PyPI API token",
    severity: Severity::Error,
    remedy: super::super::REVOKE,
    prefixes: &[INDEX, TEST_INDEX],
    place: Place::Word,
    check,
    #[cfg(test)]
    examples,
};

/// Version 2, a location of 8 bytes, and the host of the index.
const INDEX: &str = "pypi-AgEIcHlwaS5vcmc";
/// The same with a location of 13 bytes: the host of the index for tests.
const TEST_INDEX: &str = "pypi-AgENdGVzdC5weXBpLm9yZw";

/// Field types of version 2.
const END: u8 = 0;
const LOCATION: u8 = 1;
const IDENTIFIER: u8 = 2;
const SIGNATURE: u8 = 6;

fn check(bytes: &[u8], at: usize) -> Option<usize> {
    let body = between(bytes, at + 5, 100, 2_000, base64url)?;
    let text = std::str::from_utf8(body).ok()?;
    let macaroon = Zeroizing::new(Base64UrlUnpadded::decode_vec(text).ok()?);
    is_macaroon(&macaroon).then_some(5 + body.len())
}

fn is_macaroon(bytes: &[u8]) -> bool {
    let Some(mut rest) = bytes.strip_prefix(&[2]) else { return false };
    let mut location = false;
    loop {
        let Some((kind, value)) = field(&mut rest) else { return false };
        match kind {
            // Whose it is, the prefix has told.
            LOCATION if !location => location = true,
            // The signature is the one field that has a fixed length, and the last.
            SIGNATURE => return location && value.len() == 32 && rest.is_empty(),
            END | IDENTIFIER => {}
            _ => return false,
        }
    }
}

/// The next field: a type, and, unless it is the end of a section, a length (here below 2^14, as
/// a varint) and that many bytes.
fn field<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (kind, behind) = rest.split_first()?;
    if *kind == END {
        *rest = behind;
        return Some((END, &[]));
    }
    let (length, behind) = match behind {
        [low, behind @ ..] if *low < 0x80 => (usize::from(*low), behind),
        [low, high, behind @ ..] if *high < 0x80 => (usize::from(low & 0x7f) | usize::from(*high) << 7, behind),
        _ => return None,
    };
    let (value, behind) = behind.split_at_checked(length)?;
    *rest = behind;
    Some((*kind, value))
}

#[cfg(test)]
fn examples() -> super::super::Examples {
    use super::super::made;
    // What follows the location, which a prefix is or is not.
    let behind = |mut macaroon: Vec<u8>, signature: u8| {
        macaroon.extend([IDENTIFIER, 36]);
        macaroon.extend(made::hex(36, 1).bytes());
        macaroon.push(END);
        macaroon.extend([IDENTIFIER, 44]);
        macaroon.extend(made::hex(44, 2).bytes());
        macaroon.extend([END, END, SIGNATURE, signature]);
        macaroon.extend(made::base62(usize::from(signature), 3).bytes());
        format!("pypi-{}", Base64UrlUnpadded::encode_string(&macaroon))
    };
    let of = |prefix: &str, signature| {
        let start = Base64UrlUnpadded::decode_vec(prefix.trim_start_matches("pypi-")).expect("base64url");
        behind(start, signature)
    };
    let elsewhere = [&[2, LOCATION, 12][..], b"pypi.example"].concat();
    super::super::Examples {
        found: vec![of(INDEX, 32), of(TEST_INDEX, 32)],
        not: vec![
            behind(elsewhere, 32),
            of(INDEX, 31),
            format!("{}AA", of(INDEX, 32)),
            format!("{INDEX}{}", made::base64url(150, 1)),
            format!("{INDEX}{}", "x".repeat(150)),
        ],
    }
}
