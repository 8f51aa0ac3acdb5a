//! A client of the agent that says what no real one would, a byte at a time if need be. It runs
//! in the wrapped command, which is the test itself once more.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use crate::hosts::keys::Key;
use crate::hosts::keys::Keys;
use valetkey::wire::agent::{FAILURE, IDENTITIES_ANSWER, REQUEST_IDENTITIES, SIGN_REQUEST, SIGN_RESPONSE};
use valetkey::wire::{Fields, put_string};

use super::lending::Lending;

/// Set where a test runs as the wrapped command.
pub(crate) const INSIDE: &str = "VALETKEY_TEST_INSIDE";
/// How long an answer may take; a hang is a failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether this is the wrapped command.
pub(crate) fn inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Lends one key, for logins to `forge`, which has a pinned key and is no server at all.
pub(crate) fn lending() -> (Keys, Lending) {
    let keys = Keys::new();
    keys.ed25519("key");
    let host = keys.ed25519("host");
    let known_hosts = keys.write("known_hosts", &format!("forge {}\n", host.text));
    let lending = Lending::of(&keys.path("key")).flags(["--host", "forge", "--known-hosts"]).flags([known_hosts]);
    (keys, lending)
}

/// The process of valetkey: the parent of the wrapped command.
pub(crate) fn valetkey() -> i32 {
    rustix::process::Pid::as_raw(rustix::process::getppid())
}

/// Its resident memory in KiB.
pub(crate) fn resident() -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", valetkey())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// What we use of the processor ourselves, in hundredths of a second, to see that valetkey does not.
const WORK: u64 = 50;

/// Processor time that a process has used, in hundredths of a second (proc(5): utime and stime).
fn used(process: i32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// valetkey must not use the processor now. The clock is our own work: whoever spins beside it
/// gets as much of the processor.
pub(crate) fn expect_rest() {
    let own = std::process::id().cast_signed();
    let (before, begun) = (used(valetkey()), used(own));
    while used(own) < begun + WORK {}
    let used = used(valetkey()) - before;
    assert!(used <= WORK / 5, "{used} hundredths of a second, while we used {WORK}");
}

pub(crate) struct Client(pub(crate) UnixStream);

impl Client {
    pub(crate) fn connect() -> Self {
        Self::try_connect().unwrap()
    }

    pub(crate) fn try_connect() -> std::io::Result<Self> {
        let stream = UnixStream::connect(PathBuf::from(std::env::var_os("SSH_AUTH_SOCK").unwrap()))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self(stream))
    }

    /// Sends bytes as they are. An agent that has closed already is no matter here.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes);
    }

    /// One reply without its length; `None` where the agent has closed.
    pub(crate) fn reply(&mut self) -> Option<Vec<u8>> {
        let mut length = [0; 4];
        self.read(&mut length)?;
        let mut body = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
        self.read(&mut body)?;
        Some(body)
    }

    fn read(&mut self, buffer: &mut [u8]) -> Option<()> {
        use std::io::ErrorKind::{ConnectionReset, UnexpectedEof};
        match self.0.read_exact(buffer) {
            Ok(()) => Some(()),
            Err(error) if matches!(error.kind(), ConnectionReset | UnexpectedEof) => None,
            Err(error) => panic!("no answer: {error}"),
        }
    }

    pub(crate) fn ask(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        self.send(&frame(body));
        self.reply()
    }

    /// The blobs that are listed.
    pub(crate) fn list(&mut self) -> Option<Vec<Vec<u8>>> {
        let reply = self.ask(&[REQUEST_IDENTITIES])?;
        let mut fields = Fields::new(&reply);
        assert_eq!(fields.byte(), Ok(IDENTITIES_ANSWER));
        let count = fields.uint32().unwrap();
        let blob = |_| {
            let blob = fields.string().unwrap().to_vec();
            fields.string().unwrap();
            blob
        };
        Some((0..count).map(blob).collect())
    }

    /// Asks for one login; whether it was signed.
    pub(crate) fn log_in(&mut self) -> bool {
        let reply = self.ask(&login()).unwrap();
        assert!([FAILURE, SIGN_RESPONSE].contains(&reply[0]));
        reply[0] == SIGN_RESPONSE
    }
}

/// A body with its length in front.
pub(crate) fn frame(body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    put_string(&mut frame, body);
    frame
}

/// A sign request.
pub(crate) fn sign(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut body = vec![SIGN_REQUEST];
    put_string(&mut body, key);
    put_string(&mut body, data);
    body.extend([0; 4]);
    body
}

/// The signed data of a login, field by field: what is not forged is in order.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) session: Vec<u8>,
    pub(crate) message: u8,
    pub(crate) user: Vec<u8>,
    pub(crate) service: Vec<u8>,
    pub(crate) method: Vec<u8>,
    pub(crate) signed: u8,
    pub(crate) algorithm: Vec<u8>,
    pub(crate) key: Vec<u8>,
    pub(crate) host_key: Option<Vec<u8>>,
    pub(crate) rest: Vec<u8>,
}

impl Login {
    /// A login as git with the lent key, bound to the one host that [`lending`] grants.
    pub(crate) fn granted() -> Self {
        let known_hosts = std::env::var_os("VALETKEY_KNOWN_HOSTS").unwrap();
        let pins = std::fs::read_to_string(known_hosts).unwrap();
        let host = Key::parse(pins.lines().find_map(|line| line.strip_prefix("forge ")).unwrap());
        Self {
            session: vec![9; 32],
            message: 50,
            user: b"git".to_vec(),
            service: b"ssh-connection".to_vec(),
            method: b"publickey-hostbound-v00@openssh.com".to_vec(),
            signed: 1,
            algorithm: b"ssh-ed25519".to_vec(),
            key: Client::connect().list().unwrap().remove(0),
            host_key: Some(host.blob),
            rest: Vec::new(),
        }
    }

    pub(crate) fn data(&self) -> Vec<u8> {
        let mut data = Vec::new();
        put_string(&mut data, &self.session);
        data.push(self.message);
        for field in [&self.user, &self.service, &self.method] {
            put_string(&mut data, field);
        }
        data.push(self.signed);
        for field in [&self.algorithm, &self.key].into_iter().chain(&self.host_key) {
            put_string(&mut data, field);
        }
        [data, self.rest.clone()].concat()
    }
}

/// A sign request for the granted login.
pub(crate) fn login() -> Vec<u8> {
    let login = Login::granted();
    sign(&login.key, &login.data())
}
