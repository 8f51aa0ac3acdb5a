//! A server on loopback that lets nobody in without the right credentials: in front of a package
//! index, or with answers of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::Run;

/// What is answered to a path: a content type and a body; none for what is not there.
pub type Answer = Box<dyn Fn(&str) -> Option<(String, Vec<u8>)> + Send>;

/// What a user shows in `Authorization`.
#[must_use]
pub fn basic(user: &str, password: &str) -> String {
    let script = "printf %s \"$0\" | base64 -w0";
    format!("Basic {}", Run::new("sh").args(["-c", script, &format!("{user}:{password}")]).succeed().stdout)
}

/// A running one. Its thread ends with the test's process.
pub struct Gate {
    /// `127.0.0.1:PORT`.
    pub host: String,
    refused: Arc<Mutex<Vec<String>>>,
}

impl Gate {
    /// Lets in who shows exactly this in `Authorization`.
    #[must_use]
    pub fn up(wanted: String, answer: impl FnOnce(&str) -> Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let host = listener.local_addr().expect("an address").to_string();
        let answer = answer(&host);
        let refused = Arc::<Mutex<Vec<String>>>::default();
        let of_thread = Arc::clone(&refused);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &wanted, &answer, &of_thread);
            }
        });
        Self { host, refused }
    }

    /// In front of the server with this address: `http://127.0.0.1:PORT/…`.
    #[must_use]
    pub fn before(wanted: String, address: &str) -> Self {
        let host = address.trim_start_matches("http://").split('/').next().expect("a host").to_owned();
        Self::up(wanted, |_| Box::new(move |path| fetch(&host, path)))
    }

    /// What was shown by those who were not let in; empty where nothing was.
    #[must_use]
    pub fn refused(&self) -> Vec<String> {
        self.refused.lock().expect("no thread has panicked").clone()
    }
}

fn serve(mut stream: TcpStream, wanted: &str, answer: &Answer, refused: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream.try_clone().expect("a socket")).lines().map_while(Result::ok);
    let request = lines.next().unwrap_or_default();
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let shown = headers.iter().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("authorization").then(|| value.to_owned())
    });
    let (status, kind, body) = if shown.as_deref() == Some(wanted) {
        match answer(&path) {
            Some((kind, body)) => ("200 OK", kind, body),
            None => ("404 Not Found", "text/plain".into(), Vec::new()),
        }
    } else {
        refused.lock().expect("no thread has panicked").push(shown.unwrap_or_default());
        ("401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"gate\"", "text/plain".into(), Vec::new())
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // Who asked may be gone.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

fn fetch(host: &str, path: &str) -> Option<(String, Vec<u8>)> {
    let mut stream = TcpStream::connect(host).expect("the server behind the gate");
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").expect("a request");
    let mut response = Vec::new();
    stream.read_to_end(&mut response).expect("a response");
    let end = response.windows(4).position(|four| four == b"\r\n\r\n").expect("headers");
    let head = String::from_utf8_lossy(&response[..end]).into_owned();
    let kind = head.lines().find_map(|line| line.strip_prefix("Content-type: ")).unwrap_or("text/plain").to_owned();
    head.lines().next().is_some_and(|line| line.contains(" 200 ")).then(|| (kind, response[end + 4..].to_vec()))
}
