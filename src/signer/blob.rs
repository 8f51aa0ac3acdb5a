//! Writes the SSH encodings that a signer needs: public key blobs and signature blobs.
//!
//! Owns `string` and `mpint` on the way out (RFC 4251 section 5). Reads nothing.

use crate::wire::put_string;

/// Appends the unsigned big-endian number `bytes` as an SSH `mpint`: no leading zeros, and
/// one zero byte in front where the top bit is set.
pub(crate) fn put_mpint(out: &mut Vec<u8>, bytes: &[u8]) {
    let bytes = trimmed(bytes);
    let sign = bytes.first().is_some_and(|first| first & 0x80 != 0);
    let length = u32::try_from(bytes.len() + usize::from(sign)).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    if sign {
        out.push(0);
    }
    out.extend_from_slice(bytes);
}

/// The number without its leading zero bytes.
pub(crate) fn trimmed(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// A blob of strings one after the other.
pub(crate) fn of_strings(strings: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(strings.iter().map(|string| string.len() + 4).sum());
    for string in strings {
        put_string(&mut out, string);
    }
    out
}

/// The fingerprint of a key blob as `ssh-add -l` prints it: `SHA256:` and unpadded base64.
#[must_use]
pub fn fingerprint(blob: &[u8]) -> String {
    use base64ct::{Base64Unpadded, Encoding as _};
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, blob);
    format!("SHA256:{}", Base64Unpadded::encode_string(digest.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mpint(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        put_mpint(&mut out, bytes);
        out
    }

    #[test]
    fn an_mpint_has_no_leading_zeros_and_is_never_negative() {
        assert_eq!(mpint(&[]), [0, 0, 0, 0]);
        assert_eq!(mpint(&[0, 0]), [0, 0, 0, 0]);
        assert_eq!(mpint(&[0, 0, 0x7f]), [0, 0, 0, 1, 0x7f]);
        assert_eq!(mpint(&[0x80]), [0, 0, 0, 2, 0, 0x80]);
    }

    #[test]
    fn a_fingerprint_is_written_as_ssh_add_writes_it() {
        // SHA-256 of nothing, from FIPS 180-4's examples.
        assert_eq!(fingerprint(b""), "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU");
    }
}
