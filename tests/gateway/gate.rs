//! A port in front of a server, for what no server does: it counts who comes, and lets them wait.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long anything may take; a hang is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Gate {
    pub(crate) port: u16,
    came: Arc<AtomicUsize>,
}

impl Gate {
    /// The first connections go to these ports on loopback, one after another, and all later ones
    /// to the last. From number `held` on they wait until the file is there.
    pub(crate) fn new(ports: Vec<u16>, held: usize, until: PathBuf) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let came = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&came);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let number = counter.fetch_add(1, Ordering::SeqCst);
                let (to, until) = (*ports.get(number).unwrap_or(ports.last().unwrap()), until.clone());
                std::thread::spawn(move || {
                    if number >= held && !comes(&until) {
                        return;
                    }
                    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).unwrap();
                    let (client2, server2) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                    std::thread::spawn(move || pass_on(&client2, &server2));
                    pass_on(&server, &client);
                });
            }
        });
        Self { port, came }
    }

    /// How many connections there were.
    pub(crate) fn came(&self) -> usize {
        self.came.load(Ordering::SeqCst)
    }
}

/// Whether the file comes to be there.
fn comes(file: &Path) -> bool {
    let give_up = Instant::now() + PATIENCE;
    while !file.exists() {
        if Instant::now() > give_up {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

fn pass_on(mut from: &TcpStream, mut to: &TcpStream) {
    let mut chunk = [0; 16 * 1024];
    while let Ok(count) = from.read(&mut chunk) {
        if count == 0 || to.write_all(&chunk[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}
