//! The CRT exponents that OpenSSH's key format leaves out: `d mod (p - 1)`.
//!
//! Owns one long division. It takes the same steps whatever the bits are, and wipes what it
//! worked with. Whether the result is right is checked by the crypto library, which refuses a
//! key whose exponents do not fit.

use zeroize::{Zeroize as _, Zeroizing};

const LIMB: usize = 8;

/// `d mod (p - 1)`, big-endian, as long as `p` rounded up to eight bytes.
pub(crate) fn reduced(d: &[u8], p: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut modulus = limbs(p, p.len().div_ceil(LIMB) + 1);
    minus_one(&mut modulus);
    let mut rest = Zeroizing::new(vec![0_u64; modulus.len()]);
    let mut lowered = Zeroizing::new(vec![0_u64; modulus.len()]);
    for byte in d {
        for bit in (0..8).rev() {
            let mut carry = u64::from(byte >> bit & 1);
            for limb in rest.iter_mut() {
                let next = *limb >> 63;
                *limb = *limb << 1 | carry;
                carry = next;
            }
            let mut borrow = false;
            for ((low, limb), m) in lowered.iter_mut().zip(rest.iter()).zip(modulus.iter()) {
                let (first, one) = limb.overflowing_sub(*m);
                let (second, two) = first.overflowing_sub(u64::from(borrow));
                *low = second;
                borrow = one | two;
            }
            // All ones where the subtraction went below zero: then the old value stays.
            let keep = u64::from(borrow).wrapping_neg();
            for (limb, low) in rest.iter_mut().zip(lowered.iter()) {
                *limb = (*limb & keep) | (*low & !keep);
            }
        }
    }
    let mut out = Zeroizing::new(Vec::with_capacity(rest.len() * LIMB));
    for limb in rest.iter().rev().skip(1) {
        let mut bytes = limb.to_be_bytes();
        out.extend_from_slice(&bytes);
        bytes.zeroize();
    }
    out
}

/// Little-endian limbs of a big-endian number, filled up to `count`.
fn limbs(bytes: &[u8], count: usize) -> Zeroizing<Vec<u64>> {
    let mut out = Zeroizing::new(Vec::with_capacity(count));
    for chunk in bytes.rchunks(LIMB) {
        out.push(chunk.iter().fold(0, |limb, byte| limb << 8 | u64::from(*byte)));
    }
    out.resize(count, 0);
    out
}

fn minus_one(limbs: &mut [u64]) {
    for limb in limbs {
        let (less, borrow) = limb.overflowing_sub(1);
        *limb = less;
        if !borrow {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(d: u64, p: u64) -> u64 {
        let out = reduced(&d.to_be_bytes(), &p.to_be_bytes());
        u64::from_be_bytes(out.as_slice().try_into().expect("eight bytes"))
    }

    #[test]
    fn small_numbers_are_reduced_as_the_processor_does_it() {
        for (d, p) in [(0, 2), (17, 5), (u64::MAX, 3), (u64::MAX, u64::MAX), (12, 13), (13, 13)] {
            assert_eq!(small(d, p), d % (p - 1), "{d} mod ({p} - 1)");
        }
    }

    #[test]
    fn a_number_longer_than_the_modulus_is_reduced_as_well() {
        // 2^128 mod (2^64 - 1) is 1.
        let mut d = vec![0; 17];
        d[0] = 1;
        let out = reduced(&d, &[1, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(out.last(), Some(&1));
        assert!(out[..out.len() - 1].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn nonsense_ends_without_a_panic() {
        assert!(reduced(&[], &[]).is_empty());
        let _ = reduced(&[255; 40], &[1]);
        let _ = reduced(&[255; 40], &[0]);
    }
}
