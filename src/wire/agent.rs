//! Requests and replies of the SSH agent protocol (RFC 9987).

use super::{Fields, Malformed, put_string, put_string_of};

/// `SSH_AGENTC_REQUEST_IDENTITIES` (RFC 9987 section 3.2).
pub const REQUEST_IDENTITIES: u8 = 11;
/// `SSH_AGENTC_SIGN_REQUEST` (RFC 9987 section 3.6).
pub const SIGN_REQUEST: u8 = 13;
/// `SSH_AGENTC_EXTENSION` (RFC 9987 section 3.8).
pub const EXTENSION: u8 = 27;
/// `SSH_AGENT_FAILURE`.
pub const FAILURE: u8 = 5;
/// `SSH_AGENT_IDENTITIES_ANSWER`.
pub const IDENTITIES_ANSWER: u8 = 12;
/// `SSH_AGENT_SIGN_RESPONSE`.
pub const SIGN_RESPONSE: u8 = 14;

/// What a client asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// List the identities.
    Identities,
    /// Sign `data` with the key of this blob.
    Sign(SignRequest<'a>),
    /// An extension, by name; every one is refused.
    Extension(&'a [u8]),
    /// Any other message: add, remove, lock, unlock, smart card keys, unknown numbers.
    Other(u8),
}

/// A sign request (RFC 9987 section 3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignRequest<'a> {
    /// The key blob or certificate blob, as it was listed.
    pub key: &'a [u8],
    /// The signed data: what the signature is over.
    pub data: &'a [u8],
    /// Flags; see [`crate::signer::RSA_SHA2_256`].
    pub flags: u32,
}

impl<'a> Request<'a> {
    /// Parses one frame.
    ///
    /// # Errors
    /// [`Malformed`] when the two messages that are answered are not exactly as specified.
    pub fn parse(frame: &'a [u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::new(frame);
        match fields.byte()? {
            REQUEST_IDENTITIES => {
                fields.end()?;
                Ok(Self::Identities)
            }
            SIGN_REQUEST => {
                let request = SignRequest { key: fields.string()?, data: fields.string()?, flags: fields.uint32()? };
                fields.end()?;
                Ok(Self::Sign(request))
            }
            EXTENSION => Ok(Self::Extension(fields.string()?)),
            other => Ok(Self::Other(other)),
        }
    }
}

/// Writes the length in front of what `body` appends to `out`.
fn framed(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    out.clear();
    put_string_of(out, body);
}

/// The reply to everything that is refused. The protocol has no room for a reason: that goes
/// to the decision log and the summary.
pub fn failure(out: &mut Vec<u8>) {
    framed(out, |out| out.push(FAILURE));
}

/// The reply to a list request: key blob and comment of each identity.
pub fn identities_answer<'a>(out: &mut Vec<u8>, identities: impl Iterator<Item = (&'a [u8], &'a str)> + Clone) {
    framed(out, |out| {
        out.push(IDENTITIES_ANSWER);
        let count = u32::try_from(identities.clone().count()).unwrap_or(u32::MAX);
        out.extend_from_slice(&count.to_be_bytes());
        for (blob, comment) in identities {
            put_string(out, blob);
            put_string(out, comment.as_bytes());
        }
    });
}

/// The reply to a sign request that was allowed.
pub fn sign_response(out: &mut Vec<u8>, signature: &[u8]) {
    sign_response_of(out, |out| out.extend_from_slice(signature));
}

/// The same with a signature blob that `signature` appends, which spares a large one a copy.
pub fn sign_response_of(out: &mut Vec<u8>, signature: impl FnOnce(&mut Vec<u8>)) {
    framed(out, |out| {
        out.push(SIGN_RESPONSE);
        put_string_of(out, signature);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign_request() -> Vec<u8> {
        let mut frame = vec![SIGN_REQUEST];
        put_string(&mut frame, b"key");
        put_string(&mut frame, b"data");
        frame.extend_from_slice(&4u32.to_be_bytes());
        frame
    }

    #[test]
    fn a_sign_request_is_read_field_by_field() {
        let frame = sign_request();
        let expected = SignRequest { key: b"key", data: b"data", flags: 4 };
        assert_eq!(Request::parse(&frame), Ok(Request::Sign(expected)));
    }

    #[test]
    fn a_sign_request_cut_anywhere_or_with_one_byte_more_is_malformed() {
        let frame = sign_request();
        for length in 0..frame.len() {
            assert_eq!(Request::parse(&frame[..length]), Err(Malformed::Truncated));
        }
        let longer = [frame, vec![0]].concat();
        assert_eq!(Request::parse(&longer), Err(Malformed::Trailing));
        assert_eq!(Request::parse(&[REQUEST_IDENTITIES, 0]), Err(Malformed::Trailing));
    }

    #[test]
    fn every_other_message_number_is_other() {
        for number in (0..=255).filter(|n| ![REQUEST_IDENTITIES, SIGN_REQUEST, EXTENSION].contains(n)) {
            assert_eq!(Request::parse(&[number, 1, 2, 3]), Ok(Request::Other(number)));
        }
    }

    #[test]
    fn a_failure_is_five_bytes() {
        let mut out = vec![9; 30];
        failure(&mut out);
        assert_eq!(out, [0, 0, 0, 1, FAILURE]);
    }
}
