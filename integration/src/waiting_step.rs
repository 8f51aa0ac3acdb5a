//! A build step that says when it runs, and waits: the test is the server that it connects to.
//!
//! Steps use the host's network, so that loopback is the test's too. Nobody sleeps.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// How long a step may take to say something.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked whether the step has connected.
const POLL: Duration = Duration::from_millis(10);

/// Where a step is waited for.
pub struct WaitingStep(TcpListener);

/// A step that runs.
pub struct Arrived {
    stream: BufReader<TcpStream>,
    /// The identities that it saw first, or `none`.
    pub identities: String,
}

impl Default for WaitingStep {
    fn default() -> Self {
        Self::new()
    }
}

impl WaitingStep {
    /// A place to connect to.
    #[must_use]
    pub fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").expect("a port"))
    }

    /// The command of the step: says which identities it sees, waits for a line, and says it again.
    #[must_use]
    pub fn command(&self) -> String {
        self.saying("{ ssh-add -L 2>/dev/null || echo none; } >&3")
    }

    /// The same for a step in which an agent is not asked: it says `none`.
    #[must_use]
    pub fn bare_command(&self) -> String {
        self.saying("echo none >&3")
    }

    fn saying(&self, say: &str) -> String {
        let port = self.0.local_addr().expect("an address").port();
        format!("bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; {say}; read -r <&3 && {say}'")
    }

    /// Waits until the step runs.
    #[must_use]
    pub fn arrived(&self) -> Arrived {
        self.0.set_nonblocking(true).expect("a socket");
        let end = Instant::now() + PATIENCE;
        let stream = loop {
            match self.0.accept() {
                Ok((stream, _)) => break stream,
                Err(_) if Instant::now() < end => std::thread::sleep(POLL),
                Err(error) => panic!("the step did not begin: {error}"),
            }
        };
        stream.set_nonblocking(false).expect("a socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let mut arrived = Arrived { stream: BufReader::new(stream), identities: String::new() };
        arrived.identities = arrived.line();
        arrived
    }
}

impl Arrived {
    fn line(&mut self) -> String {
        let mut line = String::new();
        // A step that was killed resets the connection, which is its end as well.
        match self.stream.read_line(&mut line) {
            Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => panic!("the step hangs: {error}"),
            _ => line,
        }
    }

    /// Lets it go on, and returns the identities that it sees now.
    pub fn go_on(&mut self) -> String {
        self.stream.get_mut().write_all(b"go on\n").expect("a step that waits");
        self.line()
    }

    /// It has ended, or goes on now and sees no identity.
    pub fn expect_no_identity(&mut self) {
        // Nobody reads where it has ended.
        let _ = self.stream.get_mut().write_all(b"go on\n");
        let line = self.line();
        assert!(line.is_empty() || line == "none\n", "the step still sees {line}");
    }

    /// Waits until it has ended without going on.
    pub fn expect_end(&mut self) {
        assert_eq!(self.line(), "", "the step went on");
    }
}
