//! `RSA PRIVATE KEY`: PKCS#1's `RSAPrivateKey` (RFC 8017 appendix A.1.2).
//!
//! Also owns the outer length of any DER text, which tells a cut key from a damaged one.

use der::asn1::UintRef;
use der::{Decode as _, Reader as _, SliceReader};
use zeroize::Zeroizing;

use super::rejected::{Cut, Rejected};
use crate::signer::{Parts, RsaParts};

/// Checks that `der` is one SEQUENCE that ends where it says.
pub(super) fn whole(der: &[u8]) -> Result<(), Rejected> {
    let cut = Rejected::Truncated(Cut::Inside);
    let (tag, rest) = der.split_first().ok_or(cut)?;
    if *tag != 0x30 {
        return Err(Rejected::Damaged);
    }
    let (first, rest) = rest.split_first().ok_or(cut)?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f)).ok_or(cut)?;
            (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return Err(Rejected::Damaged),
    };
    match rest.len().cmp(&length) {
        std::cmp::Ordering::Less => Err(cut),
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(Rejected::Damaged),
    }
}

pub(super) fn read(der: &[u8]) -> Result<Parts, Rejected> {
    whole(der)?;
    numbers(der).map_err(|_| Rejected::Damaged)
}

fn numbers(der: &[u8]) -> der::Result<Parts> {
    SliceReader::new(der)?.sequence(|reader| {
        let version = u8::decode(reader)?;
        if version != 0 {
            // Version 1 is a key of more than two primes.
            return Err(der::Tag::Integer.value_error().into());
        }
        let mut public = || UintRef::decode(reader).map(|number| number.as_bytes().to_vec());
        let (n, e) = (public()?, public()?);
        let mut secret = || public().map(Zeroizing::new);
        let (d, p, q) = (secret()?, secret()?, secret()?);
        // The exponents are computed again from d: both must be there all the same.
        secret()?;
        secret()?;
        let q_inverse = secret()?;
        Ok(Parts::Rsa(RsaParts { n, e, d, p, q, q_inverse }))
    })
}
