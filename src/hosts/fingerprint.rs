//! SHA-256 fingerprints of key blobs, as `ssh-keygen -l` prints them.

use std::str::FromStr;

use aws_lc_rs::digest;
use base64ct::{Base64Unpadded, Encoding as _};

use crate::exit::Code;
use crate::ui::Explain;

/// SHA-256 over a raw key blob.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

/// The text is not `SHA256:` and 43 characters of base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the fingerprint is not of the form SHA256:… with 43 characters of base64")]
pub struct FingerprintError;

impl Explain for FingerprintError {
    fn hint(&self) -> Option<String> {
        Some("copy the whole of what `ssh-keygen -l -f KEY.pub` or the host's own page shows, SHA256: included (MD5 fingerprints are not taken)".into())
    }

    fn code(&self) -> Code {
        Code::Usage
    }
}

impl Fingerprint {
    /// The fingerprint of a raw key blob.
    #[must_use]
    pub fn of(blob: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, blob).as_ref());
        Self(bytes)
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let text = text.strip_prefix("SHA256:").ok_or(FingerprintError)?;
        // ssh prints no padding; some web pages do.
        let text = text.strip_suffix('=').unwrap_or(text);
        let mut bytes = [0; 32];
        match Base64Unpadded::decode(text, &mut bytes) {
            Ok(decoded) if decoded.len() == 32 => Ok(Self(bytes)),
            _ => Err(FingerprintError),
        }
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SHA256:{}", Base64Unpadded::encode_string(&self.0))
    }
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GITHUB: &str = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU";

    #[test]
    fn a_fingerprint_reads_back_with_and_without_padding() {
        let fingerprint: Fingerprint = GITHUB.parse().unwrap();
        assert_eq!(fingerprint.to_string(), GITHUB);
        assert_eq!(format!("{GITHUB}=").parse(), Ok(fingerprint));
    }

    #[test]
    fn anything_else_is_refused() {
        let long = format!("{GITHUB}A");
        for text in ["", "SHA256:", "MD5:aa:bb", &GITHUB[7..], &GITHUB[..GITHUB.len() - 1], &long, "SHA256:!!!!"] {
            assert_eq!(text.parse::<Fingerprint>(), Err(FingerprintError), "{text:?}");
        }
    }
}
