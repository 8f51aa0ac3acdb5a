//! Which host keys a server shows, and whether it binds logins.
//!
//! One connection for each type of key: russh makes those for ed25519 and ECDSA and checks that
//! the server owns the key; [`super::transport`] makes the one for RSA and for the server's
//! extensions, neither of which russh can do here. Every connection has a time limit. Nothing
//! is trusted by this module, and nothing of the user's is sent.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use russh::client;
use russh::keys::{Algorithm, EcdsaCurve, PublicKeyOrCertificate};

use super::Binds;
use super::name::HostName;
use super::transport::{self, Exchanged, TransportError};
use crate::exit::Code;
use crate::ui::Explain;
use crate::wire::key_type;

/// How long looking up the name, and connecting to all of its addresses, may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one key exchange may take.
pub const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(10);

/// What a server showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probed {
    /// Raw blobs of its host keys, ed25519 first. The server proved that it owns each.
    pub keys: Vec<Vec<u8>>,
    /// Whether it announces hostbound logins, by the connection on which it showed
    /// [`Self::binds_by`].
    pub binds: Binds,
    /// The host key of that connection: what `binds` says is worth what this key is.
    pub binds_by: Option<Vec<u8>>,
}

/// Why a server showed no key.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The name, or no connection.
    #[error("failed to connect to {0}")]
    Connect(String, #[source] io::Error),
    /// Connected, and no exchange succeeded; the last failure.
    #[error("failed to get a host key from {0}")]
    Exchange(String, #[source] TransportError),
    /// The system.
    #[error("failed to start the connection")]
    Runtime(#[source] io::Error),
}

impl Explain for ProbeError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Connect(name, _) => Some(format!(
                "check the name and the port, and that this machine reaches it: ssh-keyscan {}",
                keyscan(name)
            )),
            Self::Exchange(name, _) => Some(format!("check that {name} is an SSH server: ssh -v {}", keyscan(name))),
            Self::Runtime(_) => None,
        }
    }

    fn code(&self) -> Code {
        Code::Host
    }
}

/// `[host]:port` as ssh and ssh-keyscan take it.
fn keyscan(shown: &str) -> String {
    match shown.parse::<HostName>() {
        Ok(name) if name.port != super::name::SSH_PORT => format!("-p {} {}", name.port, name.host),
        Ok(name) => name.host,
        Err(_) => shown.into(),
    }
}

/// Connects once for each type of host key.
///
/// # Errors
/// When the server cannot be reached, stalls, or shows no key at all.
pub fn probe(name: &HostName) -> Result<Probed, ProbeError> {
    probe_within(name, EXCHANGE_TIMEOUT)
}

/// [`probe`] with another time limit for one key exchange. The first that takes longer ends it.
///
/// # Errors
/// As [`probe`].
pub fn probe_within(name: &HostName, limit: Duration) -> Result<Probed, ProbeError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ProbeError::Runtime)?;
    let mut probed = Probed::default();
    for algorithm in elliptic() {
        let key = runtime.block_on(exchange_by_russh(connect(name)?, algorithm, limit));
        probed.keys.extend(key.map_err(|error| ProbeError::Exchange(name.to_string(), error.into()))?);
    }
    runtime.shutdown_background();
    match exchange(name, None, limit) {
        Ok(exchanged) => {
            probed.binds = exchanged.binds;
            probed.binds_by = Some(exchanged.host_key.clone());
            if !probed.keys.contains(&exchanged.host_key) {
                probed.keys.push(exchanged.host_key);
            }
        }
        // With a key from russh the server is one that this exchange has nothing in common with.
        Err(_) if !probed.keys.is_empty() => {}
        Err(error) => return Err(error),
    }
    Ok(probed)
}

/// Whether the server binds logins, as said by the owner of this host key; `Unknown` where it
/// does not show this key.
#[must_use]
pub fn binds_as(name: &HostName, key: &[u8]) -> Binds {
    match exchange(name, key_type(key), EXCHANGE_TIMEOUT) {
        Ok(exchanged) if exchanged.host_key == key => exchanged.binds,
        _ => Binds::Unknown,
    }
}

/// Whether the server binds logins, and its host key (raw blob) on the connection on which it said so:
/// the answer is worth what this key is.
///
/// # Errors
/// As [`probe`].
pub fn binding(name: &HostName, limit: Duration) -> Result<(Binds, Vec<u8>), ProbeError> {
    exchange(name, None, limit).map(|exchanged| (exchanged.binds, exchanged.host_key))
}

/// The RSA host key that a server shows, or its host certificate (raw blob). The server proved
/// that it owns it.
///
/// # Errors
/// As [`probe`].
pub fn rsa_key(name: &HostName, certificate: bool, limit: Duration) -> Result<Vec<u8>, ProbeError> {
    let key_type = if certificate { transport::RSA_CERTIFICATE } else { "ssh-rsa" };
    exchange(name, Some(key_type), limit).map(|exchanged| exchanged.host_key)
}

fn exchange(name: &HostName, key_type: Option<&str>, limit: Duration) -> Result<Exchanged, ProbeError> {
    let timed = Timed { stream: connect(name)?, until: Instant::now() + limit };
    transport::exchange(timed, key_type).map_err(|error| ProbeError::Exchange(name.to_string(), error))
}

fn elliptic() -> [Algorithm; 4] {
    let ecdsa = |curve| Algorithm::Ecdsa { curve };
    [Algorithm::Ed25519, ecdsa(EcdsaCurve::NistP256), ecdsa(EcdsaCurve::NistP384), ecdsa(EcdsaCurve::NistP521)]
}

fn connect(name: &HostName) -> Result<TcpStream, ProbeError> {
    connect_to_any(name).map_err(|error| ProbeError::Connect(name.to_string(), error))
}

/// Tries every address of the name, all within [`CONNECT_TIMEOUT`].
fn connect_to_any(name: &HostName) -> io::Result<TcpStream> {
    let give_up = Instant::now() + CONNECT_TIMEOUT;
    // The system's resolver has time limits of its own, which can add up to a minute: a thread
    // that is left behind ends with the process.
    let (found, addresses) = mpsc::channel();
    let target = (name.host.clone(), name.port);
    std::thread::spawn(move || found.send(target.to_socket_addrs().map(Iterator::collect::<Vec<_>>)));
    let addresses = addresses.recv_timeout(CONNECT_TIMEOUT).map_err(|_| io::ErrorKind::TimedOut)??;
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses {
        let left = give_up.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Takes the key, and goes: returning false ends the connection before anything is sent.
struct TakeKey(Arc<Mutex<Option<Vec<u8>>>>);

impl client::Handler for TakeKey {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        // russh checked the server's signature before this call. Certificates are not offered.
        if let PublicKeyOrCertificate::PublicKey { key, .. } = key {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = key.to_bytes().ok();
        }
        Ok(false)
    }
}

/// The server's key of this type; `None` where it has none, or the exchange fails.
async fn exchange_by_russh(stream: TcpStream, algorithm: Algorithm, limit: Duration) -> io::Result<Option<Vec<u8>>> {
    stream.set_nonblocking(true)?;
    let stream = tokio::net::TcpStream::from_std(stream)?;
    let mut config = client::Config { inactivity_timeout: Some(limit), ..Default::default() };
    // Without russh's `rsa` feature its defaults would still offer ssh-rsa.
    config.preferred.key = vec![algorithm].into();
    let key = Arc::new(Mutex::new(None));
    let handler = TakeKey(Arc::clone(&key));
    let exchange = client::connect_stream(Arc::new(config), stream, handler);
    // Within the limit it always ends in an error, because the handler refuses; the key is what
    // counts.
    let _ = tokio::time::timeout(limit, exchange).await.map_err(|_| io::ErrorKind::TimedOut)?;
    Ok(key.lock().unwrap_or_else(PoisonError::into_inner).take())
}

/// A connection whose reads and writes end at one moment, however slowly the bytes come.
struct Timed {
    stream: TcpStream,
    until: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

/// A socket's own time-out is reported as `WouldBlock`.
fn as_time_out(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { error }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        self.stream.read(buffer).map_err(as_time_out)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write(bytes).map_err(as_time_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
