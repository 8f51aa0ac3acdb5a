//! One connection to the agent socket, over which tunnel requests go as sign requests.
//!
//! Knows when an answer is complete, and when the connection is lost: builders close
//! connections as they like, and whoever asked then asks again on a new one.

use crate::start::{self, Errno};
use crate::tunnel::{KEY_TYPE, MAX_READ, MAX_WRITE, Request, Response};

/// Room for the longest answer with all that is around it.
pub(crate) const ROOM: usize = MAX_READ + 512;
/// Room for the longest request with all that is around it.
const MESSAGE: usize = MAX_WRITE + 512;
/// Times that a connection may be lost in a row before it is given up.
const MAX_FAILURES: u32 = 10;
/// The pause after the second loss in a row, in milliseconds; doubled for each further one.
const FIRST_PAUSE: u64 = 10;
/// Bytes in front of an answer's own: a length, a type, the signature's length, and its two fields' heads.
const HEAD: usize = 4 + 1 + 4 + 4 + KEY_TYPE.len() + 4;

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

/// The connection is gone; what was asked has to be asked again.
pub(crate) struct Lost;

/// The key blob of the pseudo-identity.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    bytes: [u8; 128],
    length: usize,
}

impl Key {
    fn blob(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

pub(crate) struct Line<'b> {
    path: &'static [u8],
    pub(crate) fd: i32,
    buffer: &'b mut [u8],
    filled: usize,
    /// Whether an answer is still to come.
    pub(crate) waiting: bool,
    failures: u32,
}

impl<'b> Line<'b> {
    pub(crate) fn new(path: &'static [u8], buffer: &'b mut [u8]) -> Self {
        Self { path, fd: -1, buffer, filled: 0, waiting: false, failures: 0 }
    }

    /// Whether it was lost so often that the lease must be over.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.failures >= MAX_FAILURES
    }

    fn lost(&mut self) -> Lost {
        if self.fd >= 0 {
            start::close(self.fd);
        }
        self.fd = -1;
        self.waiting = false;
        self.failures += 1;
        if self.failures > 1 {
            let _ = start::poll(&mut [], Some(FIRST_PAUSE << (self.failures - 2).min(6)));
        }
        Lost
    }

    fn send(&mut self, mut bytes: &[u8]) -> Result<(), Lost> {
        while !bytes.is_empty() {
            match start::send(self.fd, bytes) {
                Ok(count) => bytes = &bytes[count.min(bytes.len())..],
                Err(start::EINTR) => {}
                Err(_) => return Err(self.lost()),
            }
        }
        Ok(())
    }

    fn connect(&mut self) -> Result<(), Lost> {
        if self.fd < 0 {
            self.fd = start::connect(self.path).map_err(|_: Errno| self.lost())?;
        }
        self.filled = 0;
        Ok(())
    }

    /// Sends a request. Its answer comes out of [`Line::receive`].
    pub(crate) fn ask(&mut self, key: &Key, request: &Request<'_>) -> Result<(), Lost> {
        self.connect()?;
        let mut length = 0;
        request.write(&mut |bytes| length += bytes.len());
        // One message: every further one is a write and a wake-up more in each process on the way.
        let mut message = [0u8; MESSAGE];
        let mut filled = 0;
        let mut put = |bytes: &[u8]| {
            message[filled..filled + bytes.len()].copy_from_slice(bytes);
            filled += bytes.len();
        };
        let blob = key.blob();
        put(&((1 + 4 + blob.len() + 4 + length + 4) as u32).to_be_bytes());
        put(&[SIGN_REQUEST]);
        put(&(blob.len() as u32).to_be_bytes());
        put(blob);
        put(&(length as u32).to_be_bytes());
        request.write(&mut put);
        put(&0u32.to_be_bytes());
        self.send(&message[..filled])?;
        self.waiting = true;
        Ok(())
    }

    /// Takes in what has arrived; the answer once it is complete.
    pub(crate) fn receive(&mut self) -> Result<Option<Response<'_>>, Lost> {
        if !self.fill()? {
            return Ok(None);
        }
        self.waiting = false;
        if Self::payload(&self.buffer[..self.filled]).and_then(|bytes| Response::parse(bytes).ok()).is_none() {
            return Err(self.lost());
        }
        self.failures = 0;
        let payload = Self::payload(&self.buffer[..self.filled]).unwrap_or_default();
        Response::parse(payload).map(Some).map_err(|_| Lost)
    }

    /// Reads until the frame is complete or nothing more is there. True when complete.
    fn fill(&mut self) -> Result<bool, Lost> {
        loop {
            let wanted = match self.buffer[..self.filled].first_chunk::<4>() {
                None => 4,
                Some(length) => 4 + u32::from_be_bytes(*length) as usize,
            };
            if wanted > self.buffer.len() || wanted == 4 && self.filled >= 4 {
                return Err(self.lost());
            }
            if self.filled == wanted {
                return Ok(true);
            }
            match start::receive(self.fd, &mut self.buffer[self.filled..wanted]) {
                Ok(0) => return Err(self.lost()),
                Ok(count) => self.filled += count,
                Err(start::EAGAIN) => return Ok(false),
                Err(start::EINTR) => {}
                Err(_) => return Err(self.lost()),
            }
        }
    }

    /// The second field of the signature in a sign response.
    fn payload(frame: &[u8]) -> Option<&[u8]> {
        let (head, payload) = frame.split_at_checked(HEAD)?;
        let signature = u32::from_be_bytes(*head[5..].first_chunk()?) as usize;
        let own = u32::from_be_bytes(*head[HEAD - 4..].first_chunk()?) as usize;
        let fits = head[4] == SIGN_RESPONSE
            && signature == frame.len() - 9
            && head[9..13] == (KEY_TYPE.len() as u32).to_be_bytes()
            && &head[13..13 + KEY_TYPE.len()] == KEY_TYPE
            && own == payload.len();
        fits.then_some(payload)
    }

    /// Waits for the answer to [`Line::ask`], for so many milliseconds at most each time that
    /// nothing comes.
    pub(crate) fn wait(&mut self, milliseconds: u64) -> Result<(), Lost> {
        while !self.fill()? {
            let mut fds = [start::Poll { fd: self.fd, events: start::POLLIN, happened: 0 }];
            match start::poll(&mut fds, Some(milliseconds)) {
                Ok(0) => return Err(self.lost()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Asks for the identities, and takes the gateway's. `None` where an agent answers without one.
    pub(crate) fn find_key(&mut self, milliseconds: u64) -> Result<Option<Key>, Lost> {
        self.connect()?;
        self.send(&[0, 0, 0, 1, REQUEST_IDENTITIES])?;
        self.wait(milliseconds)?;
        let frame = &self.buffer[4..self.filled];
        let Some((&IDENTITIES_ANSWER, mut rest)) = frame.split_first() else { return Ok(None) };
        let mut field = |fixed: Option<usize>| -> Option<&[u8]> {
            let length = match fixed {
                Some(length) => length,
                None => {
                    let (length, behind) = rest.split_first_chunk::<4>()?;
                    rest = behind;
                    u32::from_be_bytes(*length) as usize
                }
            };
            let (field, behind) = rest.split_at_checked(length)?;
            rest = behind;
            Some(field)
        };
        let Some(count) = field(Some(4)).and_then(|bytes| bytes.first_chunk::<4>()) else { return Ok(None) };
        for _ in 0..u32::from_be_bytes(*count) {
            let (Some(blob), Some(_comment)) = (field(None), field(None)) else { return Ok(None) };
            let kind = blob.split_first_chunk::<4>().map(|(_, kind)| kind);
            if kind.is_some_and(|kind| kind.starts_with(KEY_TYPE)) && blob.len() <= 128 {
                let mut key = Key { bytes: [0; 128], length: blob.len() };
                key.bytes[..blob.len()].copy_from_slice(blob);
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    /// Gives the answer's buffer away for another one. What it holds stays readable as output
    /// between these two places.
    pub(crate) fn exchange(&mut self, other: &mut &'b mut [u8]) -> (usize, usize) {
        core::mem::swap(&mut self.buffer, other);
        // Behind the kind and the number of `Response::Data`.
        (HEAD + 1 + 8, self.filled)
    }
}
