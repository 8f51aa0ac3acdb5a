//! Tunnel frames: how one command's stdin, stdout, stderr and exit status travel through an
//! agent socket, between the guest in a build step and the gateway on the host.
//!
//! # Carrier
//!
//! Builders forward two messages of the agent protocol and no others: *list* and *sign*. So the
//! gateway lists one pseudo-identity, valid for this lease alone, whose key blob begins with
//! `string` [`KEY_TYPE`]. A request is the data of a sign request with that key; the response is
//! the second `string` of the signature blob, whose first is [`KEY_TYPE`] again. No byte of it
//! is ever signed. A request begins with [`MAGIC`], which no login's signed data can (that
//! begins with the length of a session identifier), and its last byte is the last of its field.
//!
//! # Channels
//!
//! A channel carries one command. The guest names it by a random [`Token`], and any connection
//! of the same socket may continue it: builders close connections (buildah after two seconds)
//! and some share one among all steps. Every request can therefore be sent again after a lost
//! connection, with the same effect as once:
//!
//! | request | answers | sent again |
//! |---|---|---|
//! | [`Request::Open`] | [`Response::Opened`] at once, before the server is asked; [`Response::Refused`] with the reason | the same answer; another command under the same token is refused |
//! | [`Request::Write`] at an offset of stdin | [`Response::Wrote`]: how far stdin has been taken | bytes that were taken already are passed over; a gap is refused |
//! | [`Request::Read`] of the piece of output with a number | [`Response::Data`]: that piece, which is whole chunks, as many as had come when it was first given | the same bytes, until it has been acknowledged |
//! | [`Request::Close`] | [`Response::Closed`] | the same |
//! | [`Request::Ping`] | [`Response::Pong`]: the number of the connection to the host | the same |
//!
//! # Flow
//!
//! Both directions have a bounded buffer at the host; the server is not read while the one is
//! full, and stdin is taken as far as the other has room. Nobody polls in a loop: where nothing
//! can be said, the host holds the answer back, for [`Request::Read`]'s `hold` at most. While
//! output flows, the guest asks for the piece behind the one that it waits for over a second
//! connection ([`MAX_AHEAD`]): an answer is copied from process to process on its way, and one at
//! a time would leave all but one of them idle.
//!
//! Where two connections of a guest turn out to be one at the host (the numbers in two
//! [`Response::Pong`]s), holding one would hold up the other; there the guest asks without
//! holding, in growing intervals.
//!
//! # Version
//!
//! The last byte of [`MAGIC`] and the end of [`KEY_TYPE`]. Host and guest come out of one
//! build, so another version is refused and never negotiated.
//!
//! This file knows `core` alone: the guest, which has no libc and no heap, is built from it too.
//! What only the host does stands in [`super::tunnel_host`].

/// Type of the pseudo-identity, and of the signatures that carry responses.
pub const KEY_TYPE: &[u8] = b"valetkey-tunnel-1";
/// First bytes of a request.
pub const MAGIC: [u8; 4] = *b"vkt1";
/// Names a channel. Chosen at random by the guest, so that no other step can guess it.
pub type Token = [u8; 16];

/// The most bytes of stdin in one request.
pub const MAX_WRITE: usize = 64 * 1024;
/// The most bytes of output in one response, with the heads of its chunks.
pub const MAX_READ: usize = 512 * 1024;
/// How many pieces behind the first that was not acknowledged may be asked for.
pub const MAX_AHEAD: u64 = 1;
/// The longest command, as in a URL's path: 1 MiB paths are refused by their length.
pub const MAX_COMMAND: usize = 8 * 1024;
/// The longest user or host name.
pub const MAX_NAME: usize = 255;
/// The longest `GIT_PROTOCOL`.
pub const MAX_PROTOCOL: usize = 255;
/// The longest text of a refusal.
pub const MAX_REASON: usize = 4 * 1024;
/// The longest that an answer is held back, in milliseconds. buildah closes a connection two
/// seconds after it was opened.
pub const MAX_HOLD: u32 = 1000;
/// Bytes in front of each chunk of output: its kind and its length.
pub const CHUNK_HEAD: usize = 5;

/// The command that a channel is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exec<'a> {
    /// The account.
    pub user: &'a [u8],
    /// The host, as it was typed.
    pub host: &'a [u8],
    /// Its port.
    pub port: u32,
    /// The command, as `ssh` sends it: one string.
    pub command: &'a [u8],
    /// `GIT_PROTOCOL`, or nothing.
    pub protocol: &'a [u8],
}

/// What the guest asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// Opens a channel.
    Open {
        /// Its name from now on.
        token: Token,
        /// For this command.
        exec: Exec<'a>,
    },
    /// Gives bytes of stdin.
    Write {
        /// The channel.
        token: Token,
        /// How many bytes of stdin come before these.
        offset: u64,
        /// Whether stdin ends behind these.
        eof: bool,
        /// At most [`MAX_WRITE`].
        bytes: &'a [u8],
    },
    /// Asks for output.
    Read {
        /// The channel.
        token: Token,
        /// How many pieces have been received: what lies before may be forgotten.
        ack: u64,
        /// Which piece is asked for, counted from 0; at most [`MAX_AHEAD`] past `ack`.
        piece: u64,
        /// How long to hold the answer back where there is none, in milliseconds.
        hold: u32,
    },
    /// Ends a channel.
    Close {
        /// The channel.
        token: Token,
    },
    /// Asks which connection this is at the host.
    Ping,
}

/// What the host answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response<'a> {
    /// The channel is there.
    Opened,
    /// It is not, or not any more; why, for a person.
    Refused(&'a [u8]),
    /// Stdin has been taken up to this offset.
    Wrote(u64),
    /// Output.
    Data {
        /// Its number.
        piece: u64,
        /// Chunks, to be read with [`Chunks`]; none where nothing came in time.
        chunks: &'a [u8],
    },
    /// The channel is gone.
    Closed,
    /// The number of this connection at the host.
    Pong(u64),
}

/// What a chunk of output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes of stdout.
    Stdout,
    /// Bytes of stderr.
    Stderr,
    /// The end: four bytes, the exit status.
    Exit,
}

/// A frame that is not one. Carries nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl core::fmt::Display for Malformed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("a tunnel frame is damaged, too long or of another version")
    }
}

/// A cursor over the fields of a frame.
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (first, rest) = self.0.split_first_chunk::<N>().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*first)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        let [byte] = self.take()?;
        Ok(byte)
    }

    pub(super) fn uint32(&mut self) -> Result<u32, Malformed> {
        self.take().map(u32::from_be_bytes)
    }

    pub(super) fn uint64(&mut self) -> Result<u64, Malformed> {
        self.take().map(u64::from_be_bytes)
    }

    pub(super) fn string(&mut self, limit: usize) -> Result<&'a [u8], Malformed> {
        let length = self.uint32()? as usize;
        if length > limit || length > self.0.len() {
            return Err(Malformed);
        }
        let (first, rest) = self.0.split_at(length);
        self.0 = rest;
        Ok(first)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn rest(&mut self, limit: usize) -> Result<&'a [u8], Malformed> {
        if self.0.len() > limit { Err(Malformed) } else { Ok(core::mem::take(&mut self.0)) }
    }
}

/// Where the bytes of a frame go: called with one piece after the other.
pub type Put<'p> = &'p mut dyn FnMut(&[u8]);

fn put_string(put: Put<'_>, bytes: &[u8]) {
    // Every field is bounded far below 4 GiB.
    put(&(bytes.len() as u32).to_be_bytes());
    put(bytes);
}

impl Request<'_> {
    /// Writes the request.
    pub fn write(&self, put: Put<'_>) {
        put(&MAGIC);
        match self {
            Self::Open { token, exec } => {
                put(&[1]);
                put(token);
                put_string(put, exec.user);
                put_string(put, exec.host);
                put(&exec.port.to_be_bytes());
                put_string(put, exec.command);
                put_string(put, exec.protocol);
            }
            Self::Write { token, offset, eof, bytes } => {
                put(&[2]);
                put(token);
                put(&offset.to_be_bytes());
                put(&[u8::from(*eof)]);
                put(bytes);
            }
            Self::Read { token, ack, piece, hold } => {
                put(&[3]);
                put(token);
                put(&ack.to_be_bytes());
                put(&piece.to_be_bytes());
                put(&hold.to_be_bytes());
            }
            Self::Close { token } => {
                put(&[4]);
                put(token);
            }
            Self::Ping => put(&[5]),
        }
    }
}

impl<'a> Response<'a> {
    /// Parses the second field of a signature blob.
    ///
    /// # Errors
    /// [`Malformed`] for all that is not exactly a response within the limits.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::new(bytes);
        let response = match fields.byte()? {
            1 => Self::Opened,
            2 => Self::Refused(fields.rest(MAX_REASON)?),
            3 => Self::Wrote(fields.uint64()?),
            4 => Self::Data { piece: fields.uint64()?, chunks: fields.rest(MAX_READ)? },
            5 => Self::Closed,
            6 => Self::Pong(fields.uint64()?),
            _ => return Err(Malformed),
        };
        if fields.is_empty() { Ok(response) } else { Err(Malformed) }
    }
}

/// The chunks of [`Response::Data`]: kind and bytes of each. A damaged one is `Err`, and the last.
#[derive(Clone, Debug)]
pub struct Chunks<'a>(&'a [u8]);

impl<'a> Chunks<'a> {
    /// Starts at the first.
    #[must_use]
    pub fn new(chunks: &'a [u8]) -> Self {
        Self(chunks)
    }

    fn parse(fields: &mut Fields<'a>) -> Result<(Kind, &'a [u8]), Malformed> {
        let kind = match fields.byte()? {
            1 => Kind::Stdout,
            2 => Kind::Stderr,
            3 => Kind::Exit,
            _ => return Err(Malformed),
        };
        let bytes = fields.string(MAX_READ)?;
        if kind == Kind::Exit && bytes.len() != 4 { Err(Malformed) } else { Ok((kind, bytes)) }
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Result<(Kind, &'a [u8]), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let mut fields = Fields::new(self.0);
        let parsed = Self::parse(&mut fields);
        self.0 = if parsed.is_ok() { fields.0 } else { &[] };
        Some(parsed)
    }
}
