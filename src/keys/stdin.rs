//! `stdin`: a key from standard input, read to its end, once.

use std::io::Read;

use crate::exit::Code;
use crate::ui::Explain;

use super::Secret;

/// Why standard input gave no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StdinError {
    /// Another source has read it to its end.
    #[error("standard input was already read")]
    Twice,
    /// The system's error.
    #[error("standard input cannot be read: {0}")]
    Io(std::io::ErrorKind),
}

impl Explain for StdinError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Twice => "several keys may stand in standard input one after the other; a \
                            passphrase needs a source of its own"
                .to_owned(),
            Self::Io(_) => "pipe the key in: valetkey … --key stdin < key".to_owned(),
        })
    }

    fn code(&self) -> Code {
        Code::Key
    }
}

/// Reads at most one byte more than `limit`, into memory that never moves: moved memory would
/// leave a copy behind that nobody wipes.
pub(super) fn bounded(input: &mut dyn Read, limit: usize) -> std::io::Result<Secret> {
    let mut bytes = zeroize::Zeroizing::new(vec![0; limit.saturating_add(1)]);
    let mut length = 0;
    while let Some(free) = bytes.get_mut(length..).filter(|free| !free.is_empty()) {
        match input.read(free) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Secret::new(bytes.get(..length).unwrap_or_default().to_vec()))
}

pub(super) fn read(input: Option<Box<dyn Read + '_>>, limit: usize) -> Result<Secret, StdinError> {
    let mut input = input.ok_or(StdinError::Twice)?;
    bounded(&mut *input, limit).map_err(|error| StdinError::Io(error.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::SOURCE_LIMIT;

    #[test]
    fn a_source_is_read_to_its_limit_and_one_byte_past_it() {
        for (given, read) in [
            (0, 0),
            (SOURCE_LIMIT, SOURCE_LIMIT),
            (SOURCE_LIMIT + 1, SOURCE_LIMIT + 1),
            (SOURCE_LIMIT + 2, SOURCE_LIMIT + 1),
        ] {
            let input = vec![b'x'; given];
            let secret = bounded(&mut &input[..], SOURCE_LIMIT).expect("memory can be read");
            assert_eq!(secret.expose().len(), read);
        }
    }

    #[test]
    fn an_endless_source_ends() {
        let secret = bounded(&mut std::io::repeat(b'x'), SOURCE_LIMIT).expect("zeros can be read");
        assert_eq!(secret.expose().len(), SOURCE_LIMIT + 1);
    }
}
