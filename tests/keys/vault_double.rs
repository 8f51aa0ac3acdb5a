//! A double of a Vault server, for answers that a real one never gives: it checks every request to
//! the letter and gives the answer that it was told to. The real server is asked in
//! `integration/e2e`.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a request may take to come; without it the test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request that is expected, and what it is answered.
pub(crate) struct Exchange {
    /// `GET /v1/…`
    request: String,
    headers: Vec<(String, String)>,
    body: String,
    answer: Box<dyn FnOnce(&mut TcpStream) + Send>,
}

impl Exchange {
    pub(crate) fn get(path: &str, token: &str) -> Self {
        let headers = vec![("x-vault-token".to_owned(), token.to_owned())];
        Self { request: format!("GET /v1/{path}"), headers, body: String::new(), answer: Box::new(|_| ()) }
    }

    pub(crate) fn post(path: &str, body: &str) -> Self {
        let headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("content-length".to_owned(), body.len().to_string()),
        ];
        Self { request: format!("POST /v1/{path}"), headers, body: body.to_owned(), answer: Box::new(|_| ()) }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Answers with a status and JSON.
    pub(crate) fn gives(self, status: u16, json: &str) -> Self {
        self.says(&format!(
            "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{json}",
            json.len()
        ))
    }

    /// Answers with these very bytes.
    pub(crate) fn says(self, bytes: &str) -> Self {
        let bytes = bytes.to_owned();
        self.does(move |stream| stream.write_all(bytes.as_bytes()).expect("sent"))
    }

    /// Answers with whatever this does.
    pub(crate) fn does(mut self, answer: impl FnOnce(&mut TcpStream) + Send + 'static) -> Self {
        self.answer = Box::new(answer);
        self
    }
}

/// What a secret of these fields looks like, newest version.
pub(crate) fn secret(fields: &serde_json::Value) -> String {
    let metadata = serde_json::json!({
        "created_time": "2026-01-01T00:00:00Z", "custom_metadata": null, "deletion_time": "", "destroyed": false, "version": 3,
    });
    serde_json::json!({
        "request_id": "0", "lease_id": "", "renewable": false, "lease_duration": 0, "wrap_info": null, "warnings": null,
        "auth": null, "data": { "data": fields, "metadata": metadata },
    })
    .to_string()
}

/// The double, on a port of its own.
pub(crate) struct Double {
    port: u16,
    thread: JoinHandle<TcpListener>,
}

impl Double {
    /// One that expects these requests, each on a connection of its own.
    pub(crate) fn expecting(exchanges: Vec<Exchange>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        listener.set_nonblocking(true).expect("a listener that does not wait");
        let port = listener.local_addr().expect("an address").port();
        let thread = std::thread::spawn(move || {
            for exchange in exchanges {
                let mut stream = accept(&listener, &exchange.request);
                check(&stream, &exchange, port);
                (exchange.answer)(&mut stream);
            }
            listener
        });
        Self { port, thread }
    }

    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Every request came, as it was expected, and no other. Then it is gone.
    #[track_caller]
    pub(crate) fn was_asked(self) {
        match self.thread.join() {
            Ok(listener) => {
                let came = listener.accept().expect_err("nobody else");
                assert_eq!(came.kind(), ErrorKind::WouldBlock);
            }
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

fn accept(listener: &TcpListener, what: &str) -> TcpStream {
    let give_up = Instant::now() + PATIENCE;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).expect("a stream that waits");
                stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
                return stream;
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}"),
        }
        assert!(Instant::now() < give_up, "nobody came for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Method, path, every header and the body.
fn check(stream: &TcpStream, expected: &Exchange, port: u16) {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        line.strip_suffix("\r\n").expect("a whole line").to_owned()
    };
    assert_eq!(line(), format!("{} HTTP/1.1", expected.request));
    let mut headers = Vec::new();
    loop {
        let line = line();
        let Some((name, value)) = line.split_once(": ") else {
            assert_eq!(line, "");
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    headers.retain(|(name, _)| !["user-agent", "accept"].contains(&name.as_str()));
    headers.sort();
    let mut wanted = expected.headers.clone();
    wanted.push(("host".to_owned(), format!("127.0.0.1:{port}")));
    wanted.push(("x-vault-request".to_owned(), "true".to_owned()));
    wanted.sort();
    assert_eq!(headers, wanted, "{}", expected.request);
    let mut body = vec![0; expected.body.len()];
    reader.read_exact(&mut body).expect("a body");
    assert_eq!(String::from_utf8_lossy(&body), expected.body);
}
