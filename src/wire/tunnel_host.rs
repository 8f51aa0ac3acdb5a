//! The host's half of the tunnel's codec ([`super::tunnel`]): requests are read, responses are
//! written. The guest is built without it.

use super::tunnel::{
    CHUNK_HEAD, Exec, Fields, Kind, MAGIC, MAX_COMMAND, MAX_NAME, MAX_PROTOCOL, MAX_REASON, MAX_WRITE, Malformed, Put,
    Request, Response,
};

impl<'a> Request<'a> {
    /// Parses the data of a sign request, from its first to its last byte.
    ///
    /// # Errors
    /// [`Malformed`] for all that is not exactly a request within the limits.
    pub fn parse(data: &'a [u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::new(data);
        if fields.take()? != MAGIC {
            return Err(Malformed);
        }
        let request = match fields.byte()? {
            1 => Self::Open {
                token: fields.take()?,
                exec: Exec {
                    user: fields.string(MAX_NAME)?,
                    host: fields.string(MAX_NAME)?,
                    port: fields.uint32()?,
                    command: fields.string(MAX_COMMAND)?,
                    protocol: fields.string(MAX_PROTOCOL)?,
                },
            },
            2 => Self::Write {
                token: fields.take()?,
                offset: fields.uint64()?,
                eof: match fields.byte()? {
                    0 => false,
                    1 => true,
                    _ => return Err(Malformed),
                },
                bytes: fields.rest(MAX_WRITE)?,
            },
            3 => Self::Read {
                token: fields.take()?,
                ack: fields.uint64()?,
                piece: fields.uint64()?,
                hold: fields.uint32()?,
            },
            4 => Self::Close { token: fields.take()? },
            5 => Self::Ping,
            _ => return Err(Malformed),
        };
        if fields.is_empty() { Ok(request) } else { Err(Malformed) }
    }
}

impl Response<'_> {
    /// Writes the response.
    pub fn write(&self, put: Put<'_>) {
        match self {
            Self::Opened => put(&[1]),
            Self::Refused(reason) => {
                put(&[2]);
                put(reason.get(..MAX_REASON).unwrap_or(reason));
            }
            Self::Wrote(offset) => {
                put(&[3]);
                put(&offset.to_be_bytes());
            }
            Self::Data { piece, chunks } => {
                put(&[4]);
                put(&piece.to_be_bytes());
                put(chunks);
            }
            Self::Closed => put(&[5]),
            Self::Pong(number) => {
                put(&[6]);
                put(&number.to_be_bytes());
            }
        }
    }
}

/// The head of a chunk with `length` bytes.
#[must_use]
pub fn chunk_head(kind: Kind, length: u32) -> [u8; CHUNK_HEAD] {
    let [a, b, c, d] = length.to_be_bytes();
    let kind = match kind {
        Kind::Stdout => 1,
        Kind::Stderr => 2,
        Kind::Exit => 3,
    };
    [kind, a, b, c, d]
}
