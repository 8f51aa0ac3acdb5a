//! Large numbers, as far as a recogniser needs them: sizes, order, and whether `n = p * q`.

use zeroize::Zeroizing;

use crate::signer::blob::trimmed;
use crate::signer::exponent;

const LIMB: usize = 8;

/// Bits of a big-endian number.
pub(super) fn bits(number: &[u8]) -> usize {
    let number = trimmed(number);
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

/// Whether `a < b`.
pub(super) fn less(a: &[u8], b: &[u8]) -> bool {
    let (a, b) = (trimmed(a), trimmed(b));
    (a.len(), a) < (b.len(), b)
}

pub(super) fn odd(number: &[u8]) -> bool {
    number.last().is_some_and(|last| last & 1 == 1)
}

/// Whether `n` is the product of `factors`, each of them above 1. At most as much work as
/// multiplying numbers of the size of `n` takes.
pub(super) fn is_product(n: &[u8], factors: &[&[u8]]) -> bool {
    let n = trimmed(n);
    let all: usize = factors.iter().map(|factor| bits(factor)).sum();
    if factors.iter().any(|factor| bits(factor) < 2) || bits(n) > all || bits(n) + factors.len() <= all {
        return false;
    }
    // The lowest limbs tell nearly all strangers apart.
    let lowest = factors.iter().fold(1_u64, |product, factor| product.wrapping_mul(limbs(factor)[0]));
    if limbs(n)[0] != lowest {
        return false;
    }
    let mut product = Zeroizing::new(vec![1_u64]);
    for factor in factors {
        product = times(&product, &limbs(factor));
    }
    let n = limbs(n);
    let (low, high) = product.split_at(n.len().min(product.len()));
    low == n.as_slice() && high.iter().all(|limb| *limb == 0)
}

/// Whether `e * d` is 1 modulo `p - 1`, as for every prime `p` of an RSA key. Costs a division
/// bit by bit, and so comes last.
pub(super) fn are_inverse(e: &[u8], d: &[u8], p: &[u8]) -> bool {
    let d = exponent::reduced(d, p);
    let product = times(&limbs(e), &limbs(&d));
    let mut bytes = Zeroizing::new(Vec::with_capacity(product.len() * LIMB));
    for limb in product.iter().rev() {
        bytes.extend_from_slice(&limb.to_be_bytes());
    }
    trimmed(&exponent::reduced(&bytes, p)) == [1]
}

fn times(a: &[u64], b: &[u64]) -> Zeroizing<Vec<u64>> {
    let mut out = Zeroizing::new(vec![0_u64; a.len() + b.len()]);
    for (i, x) in a.iter().enumerate() {
        let mut carry = 0_u128;
        for (j, y) in b.iter().enumerate() {
            let sum = u128::from(*x) * u128::from(*y) + u128::from(out[i + j]) + carry;
            out[i + j] = sum as u64;
            carry = sum >> 64;
        }
        out[i + b.len()] = carry as u64;
    }
    out
}

/// Little-endian limbs, at least one.
fn limbs(number: &[u8]) -> Zeroizing<Vec<u64>> {
    let number = trimmed(number);
    let mut out = Zeroizing::new(Vec::with_capacity(number.len() / LIMB + 1));
    for chunk in number.rchunks(LIMB) {
        out.push(chunk.iter().fold(0, |limb, byte| limb << 8 | u64::from(*byte)));
    }
    if out.is_empty() {
        out.push(0);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_exact_at_every_size() {
        let be = |number: u128| number.to_be_bytes().to_vec();
        for (p, q) in [(3_u128, 5), (255, 257), (u128::from(u64::MAX), 3), (u128::from(u64::MAX), u128::from(u64::MAX))]
        {
            assert!(is_product(&be(p * q), &[&be(p), &be(q)]), "{p} {q}");
            assert!(!is_product(&be(p * q - 2), &[&be(p), &be(q)]), "{p} {q}");
            assert!(!is_product(&be(p * q + (1 << 64)), &[&be(p), &be(q)]), "{p} {q}");
        }
        assert!(is_product(&be(105), &[&[3], &[5], &[7]]));
        assert!(!is_product(&be(15), &[&[1], &[15]]), "one is no prime");
        assert!(!is_product(&[], &[&[], &[]]));
        // (2^128 - 1)^2
        let mut square = vec![255; 15];
        square.push(254);
        square.extend([0; 15]);
        square.push(1);
        assert!(is_product(&square, &[&[255; 16], &[255; 16]]));
    }

    #[test]
    fn inverses_are_told_from_others() {
        // 3 * 7 = 21 = 1 modulo 10.
        assert!(are_inverse(&[3], &[7], &[11]));
        assert!(are_inverse(&[3], &[27], &[11]));
        assert!(!are_inverse(&[3], &[9], &[11]));
        assert!(!are_inverse(&[3], &[7], &[]));
    }

    #[test]
    fn order_does_not_depend_on_leading_zeros() {
        assert!(less(&[0, 0, 1], &[2]));
        assert!(!less(&[2], &[2]));
        assert!(less(&[0xff], &[1, 0]));
    }
}
