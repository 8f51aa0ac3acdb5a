//! Client of the user's own agent (RFC 9987): lists its identities and forwards sign requests.
//!
//! Owns the bounds on what that agent may answer and how long it may take. Key blobs are opaque
//! and never decoded, so every kind of key works, security keys included. Refuses to talk to
//! this very process.

use std::ffi::OsString;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::exit::Code;
use crate::signer::{self, Identity, SignError, Signer};
use crate::ui::Explain;

/// The longest answer, in bytes, as in OpenSSH's own client.
pub const MAX_FRAME: usize = 256 * 1024;
/// The most identities in an answer, as in OpenSSH's own client.
pub const MAX_IDENTITIES: u32 = 2048;
/// How long the agent may take to list its identities.
pub const LIST_TIME_LIMIT: Duration = Duration::from_secs(10);
/// How long the agent may take to sign: a person may have to find and touch a security key, or
/// to confirm (`ssh-add -c`).
pub const SIGN_TIME_LIMIT: Duration = Duration::from_secs(120);
/// How long to wait before the next try where the agent's queue of connections is full.
const RETRY: Duration = Duration::from_millis(10);

// RFC 9987 section 6.1.
const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

/// Why the user's own agent was of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// `SSH_AUTH_SOCK` is not set.
    #[error("no ssh-agent is known: SSH_AUTH_SOCK is not set")]
    NotSet,
    /// `SSH_AUTH_SOCK` leads nowhere.
    #[error("no ssh-agent answers at SSH_AUTH_SOCK: {0}")]
    Unreachable(ErrorKind),
    /// `SSH_AUTH_SOCK` leads back here.
    #[error("SSH_AUTH_SOCK is the socket of this very valetkey")]
    Ourselves,
    /// The agent holds nothing, or is locked.
    #[error("the ssh-agent holds no keys, or is locked")]
    Empty,
    /// Nothing with this fingerprint among so many.
    #[error("none of the {0} keys in the ssh-agent has this fingerprint")]
    NoSuchFingerprint(usize),
    /// Nothing with this comment among so many.
    #[error("none of the {0} keys in the ssh-agent has this comment")]
    NoSuchComment(usize),
    /// It answered "failure".
    #[error("the ssh-agent refused")]
    Refused,
    /// It answered something that is no answer, or too much.
    #[error("the ssh-agent gave an answer that cannot be understood")]
    Garbled,
    /// It did not answer in time (seconds).
    #[error("the ssh-agent gave no answer in {0} seconds")]
    Silent(u64),
}

impl Explain for UpstreamError {
    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::NotSet => "start one: eval \"$(ssh-agent)\" && ssh-add",
                Self::Unreachable(_) => {
                    "the agent behind SSH_AUTH_SOCK is gone: log in again, or start a new one with \
                 eval \"$(ssh-agent)\" && ssh-add"
                }
                Self::Ourselves => "set SSH_AUTH_SOCK to the agent that holds your keys",
                Self::Empty => "add a key with ssh-add, or unlock the agent with ssh-add -X",
                Self::NoSuchFingerprint(_) | Self::NoSuchComment(_) => {
                    "ssh-add -l shows the fingerprint and the comment of each key"
                }
                Self::Refused => {
                    "a key may need a touch or a confirmation, or be limited to certain hosts \
                 (ssh-add -h), which an agent that is lent to a build cannot show"
                }
                Self::Garbled => "check what listens at SSH_AUTH_SOCK",
                Self::Silent(_) => "check whether the agent waits for a touch, a PIN or a prompt",
            }
            .to_owned(),
        )
    }

    fn code(&self) -> Code {
        Code::Key
    }
}

/// The user's own agent. Every request has a connection of its own.
#[derive(Clone, Debug)]
pub struct Upstream {
    path: PathBuf,
    list_limit: Duration,
    sign_limit: Duration,
}

impl Upstream {
    /// The agent at the value of `SSH_AUTH_SOCK`. Nothing is connected yet.
    #[must_use]
    pub fn new(socket: OsString) -> Self {
        // A later change of the working directory must not lead elsewhere.
        let path = PathBuf::from(socket);
        Self {
            path: std::path::absolute(&path).unwrap_or(path),
            list_limit: LIST_TIME_LIMIT,
            sign_limit: SIGN_TIME_LIMIT,
        }
    }

    /// The same agent, with another time limit for each request.
    #[must_use]
    pub fn with_time_limit(self, limit: Duration) -> Self {
        Self { list_limit: limit, sign_limit: limit, ..self }
    }

    /// What the agent lists, in its order. An empty list is no error here.
    ///
    /// # Errors
    /// When the agent does not answer, or not with a list of identities within the limits.
    pub fn identities(&self) -> Result<Vec<Identity>, UpstreamError> {
        let answer = self.ask(&[&[REQUEST_IDENTITIES]], self.list_limit)?;
        let mut answer = match answer.split_first() {
            Some((&IDENTITIES_ANSWER, rest)) => Reader(rest),
            Some((&FAILURE, _)) => return Err(UpstreamError::Refused),
            _ => return Err(UpstreamError::Garbled),
        };
        let count = answer.u32()?;
        if count > MAX_IDENTITIES {
            return Err(UpstreamError::Garbled);
        }
        let mut identities = Vec::new();
        for _ in 0..count {
            let blob = answer.string()?.to_vec();
            let comment = String::from_utf8_lossy(answer.string()?).into_owned();
            let signer = Arc::new(UpstreamKey { upstream: self.clone(), blob: blob.clone() });
            identities.push(Identity { blob, comment, signer });
        }
        Ok(identities)
    }

    /// Has the agent sign, and returns the signature blob.
    ///
    /// # Errors
    /// When the agent refuses, is gone, or takes longer than [`SIGN_TIME_LIMIT`].
    pub fn sign(&self, blob: &[u8], data: &[u8], flags: u32) -> Result<Vec<u8>, UpstreamError> {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).map(u32::to_be_bytes);
        let blob_length = length(blob).map_err(|_| UpstreamError::Garbled)?;
        let data_length = length(data).map_err(|_| UpstreamError::Garbled)?;
        let flags = flags.to_be_bytes();
        let parts = [&[SIGN_REQUEST], &blob_length[..], blob, &data_length, data, &flags];
        let answer = self.ask(&parts, self.sign_limit)?;
        match answer.split_first() {
            Some((&SIGN_RESPONSE, rest)) => {
                let mut answer = Reader(rest);
                let signature = answer.string()?.to_vec();
                if answer.0.is_empty() { Ok(signature) } else { Err(UpstreamError::Garbled) }
            }
            Some((&FAILURE, _)) => Err(UpstreamError::Refused),
            _ => Err(UpstreamError::Garbled),
        }
    }

    /// One request, one answer, one connection, all within `limit`.
    fn ask(&self, request: &[&[u8]], limit: Duration) -> Result<Vec<u8>, UpstreamError> {
        let deadline = Deadline { at: Instant::now() + limit, limit };
        let mut stream = self.connect(&deadline)?;
        let length: usize = request.iter().map(|part| part.len()).sum();
        let length_bytes = u32::try_from(length).map_err(|_| UpstreamError::Garbled)?;
        let mut frame = Vec::with_capacity(4 + length);
        frame.extend_from_slice(&length_bytes.to_be_bytes());
        request.iter().for_each(|part| frame.extend_from_slice(part));
        write_all(&mut stream, &frame, &deadline)?;
        let mut header = [0; 4];
        read_exact(&mut stream, &mut header, &deadline)?;
        let length = usize::try_from(u32::from_be_bytes(header)).unwrap_or(usize::MAX);
        if length == 0 || length > MAX_FRAME {
            return Err(UpstreamError::Garbled);
        }
        let mut answer = vec![0; length];
        read_exact(&mut stream, &mut answer, &deadline)?;
        Ok(answer)
    }

    /// Connects without blocking: a full queue of a hanging agent would block for ever.
    fn connect(&self, deadline: &Deadline) -> Result<UnixStream, UpstreamError> {
        use rustix::net::SocketAddrUnix;
        let unreachable = |error: rustix::io::Errno| UpstreamError::Unreachable(std::io::Error::from(error).kind());
        let address = SocketAddrUnix::new(&self.path).map_err(unreachable)?;
        let socket = socket().map_err(unreachable)?;
        loop {
            match rustix::net::connect(&socket, &address) {
                Ok(()) => break,
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {
                    deadline.left()?;
                    std::thread::sleep(RETRY);
                }
                Err(error) => return Err(unreachable(error)),
            }
        }
        let stream = UnixStream::from(socket);
        stream.set_nonblocking(false).map_err(|error| deadline.error(&error))?;
        if super::socket::is_ours(&self.path) {
            return Err(UpstreamError::Ourselves);
        }
        Ok(stream)
    }
}

/// A socket that no child inherits and whose `connect` does not wait.
fn socket() -> Result<std::os::fd::OwnedFd, rustix::io::Errno> {
    use rustix::net::{AddressFamily, SocketType};
    #[cfg(target_os = "linux")]
    let socket = {
        // In one step: another thread may be starting a child.
        let flags = rustix::net::SocketFlags::CLOEXEC;
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?
    };
    #[cfg(not(target_os = "linux"))]
    let socket = {
        let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
        rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
        socket
    };
    rustix::io::ioctl_fionbio(&socket, true)?;
    Ok(socket)
}

struct Deadline {
    at: Instant,
    limit: Duration,
}

impl Deadline {
    /// What is left, never zero.
    fn left(&self) -> Result<Duration, UpstreamError> {
        let left = self.at.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(self.silent()) } else { Ok(left) }
    }

    fn silent(&self) -> UpstreamError {
        UpstreamError::Silent(self.limit.as_secs())
    }

    fn error(&self, error: &std::io::Error) -> UpstreamError {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => self.silent(),
            kind => UpstreamError::Unreachable(kind),
        }
    }
}

fn read_exact(stream: &mut UnixStream, mut buffer: &mut [u8], deadline: &Deadline) -> Result<(), UpstreamError> {
    while !buffer.is_empty() {
        let left = deadline.left()?;
        stream.set_read_timeout(Some(left)).map_err(|error| deadline.error(&error))?;
        match stream.read(buffer) {
            // OpenSSH's agent closes the connection on what it cannot parse.
            Ok(0) => return Err(UpstreamError::Unreachable(ErrorKind::UnexpectedEof)),
            Ok(count) => buffer = buffer.get_mut(count..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(deadline.error(&error)),
        }
    }
    Ok(())
}

fn write_all(stream: &mut UnixStream, mut buffer: &[u8], deadline: &Deadline) -> Result<(), UpstreamError> {
    while !buffer.is_empty() {
        let left = deadline.left()?;
        stream.set_write_timeout(Some(left)).map_err(|error| deadline.error(&error))?;
        match stream.write(buffer) {
            Ok(0) => return Err(UpstreamError::Unreachable(ErrorKind::WriteZero)),
            Ok(count) => buffer = buffer.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(deadline.error(&error)),
        }
    }
    Ok(())
}

/// Reads what the agent answered, inside its bounds.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn u32(&mut self) -> Result<u32, UpstreamError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(UpstreamError::Garbled)?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*head))
    }

    fn string(&mut self) -> Result<&'a [u8], UpstreamError> {
        let length = usize::try_from(self.u32()?).map_err(|_| UpstreamError::Garbled)?;
        let (head, rest) = self.0.split_at_checked(length).ok_or(UpstreamError::Garbled)?;
        self.0 = rest;
        Ok(head)
    }
}

/// One key that stays in the user's own agent.
struct UpstreamKey {
    upstream: Upstream,
    blob: Vec<u8>,
}

impl Signer for UpstreamKey {
    fn sign(&self, data: &[u8], flags: u32) -> Result<Vec<u8>, SignError> {
        signer::known_flags(flags)?;
        let rsa = [&b"ssh-rsa"[..], b"ssh-rsa-cert-v01@openssh.com"]
            .contains(&Reader(&self.blob).string().unwrap_or_default());
        if rsa && flags == 0 {
            return Err(SignError::Sha1);
        }
        let signature =
            self.upstream.sign(&self.blob, data, flags).map_err(|error| SignError::Upstream(error.to_string()))?;
        // An agent from before RFC 8332 does not know the flags and signs with SHA-1.
        if Reader(&signature).string() == Ok(b"ssh-rsa") {
            return Err(SignError::Sha1);
        }
        Ok(signature)
    }
}
