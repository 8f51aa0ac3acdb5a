//! RSA and DSA numbers: whether they are one private key.

use super::number::{are_inverse, bits, is_product, less, odd};
use super::seen::{Public, is_zero};

/// The fewest bits of a modulus that is reported: less is no key of anything.
pub(super) const MIN_BITS: usize = 512;
/// The most bits of a modulus, and of a DSA prime.
pub(super) const MAX_BITS: usize = 16_384;
/// The most primes (RFC 8017 §3.2).
pub(super) const MAX_PRIMES: usize = 8;
/// Bits of a DSA subgroup (FIPS 186-4 §4.2).
const SUBGROUPS: [usize; 3] = [160, 224, 256];

/// The public half, if `n` is the product of the primes and the exponents are possible ones.
/// Without primes their sizes must do.
pub(super) fn public(n: &[u8], e: &[u8], d: &[u8], primes: &[&[u8]]) -> Option<Public> {
    let fits = (MIN_BITS..=MAX_BITS).contains(&bits(n))
        && odd(n)
        && odd(e)
        && bits(e) > 1
        && less(e, n)
        && odd(d)
        && less(d, n)
        // d is about as long as n; one that is far shorter would be broken, and is an accident.
        && bits(d) * 2 > bits(n);
    if !fits {
        return None;
    }
    let belongs = match primes {
        [] => true,
        [first, ..] => (2..=MAX_PRIMES).contains(&primes.len()) && is_product(n, primes) && are_inverse(e, d, first),
    };
    belongs.then(|| Public::rsa(n, e))
}

/// Whether these are a DSA group and a secret of it.
pub(super) fn is_dsa(p: &[u8], q: &[u8], g: &[u8], x: &[u8]) -> bool {
    (MIN_BITS..=MAX_BITS).contains(&bits(p))
        && SUBGROUPS.contains(&bits(q))
        && odd(p)
        && odd(q)
        && bits(g) > 1
        && less(g, p)
        && !is_zero(x)
        && less(x, q)
}
