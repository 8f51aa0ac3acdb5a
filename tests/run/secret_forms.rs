//! The files that are made of secrets, read by the programs that they are for: Git and Cargo,
//! each at a server on loopback that writes down what it is told.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use valetkey::keys::Secret;
use valetkey::secret::Form;

use super::place::{Place, ran};

/// A token with what the form can carry and shells, TOML, JSON and URLs know.
const TOKEN: &str = "glpat-aZ09_~!$%^&*()#;:@/?{}[]|<>,.+=`";
/// How long a program may take to ask the server.
const PATIENCE: Duration = Duration::from_secs(30);

fn file(form: &Form, secret: &str) -> Vec<u8> {
    form.file(&Secret::new(secret.as_bytes().to_vec())).unwrap().expose().to_vec()
}

/// A server that answers each path by `answer`, and gives the credentials that it was shown. It
/// asks for them first where it answers nothing.
fn server(answer: fn(&str, u16) -> Option<String>) -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = mpsc::channel();
    // Ends with the test's process; every connection serves one request.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let request = lines.next().and_then(Result::ok).unwrap_or_default();
            let path = request.split(' ').nth(1).unwrap_or_default();
            let mut shown = None;
            for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
                if let Some((name, value)) = line.split_once(": ")
                    && name.eq_ignore_ascii_case("authorization")
                {
                    shown = Some(value.to_owned());
                }
            }
            let response = match (answer(path, port), shown) {
                (Some(body), _) => format!("200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
                (None, None) => {
                    "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n".into()
                }
                (None, Some(shown)) => {
                    sender.send(shown).unwrap();
                    "404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned()
                }
            };
            let _ = stream.write_all(
                format!("HTTP/1.1 {}", response.replacen("\r\n", "\r\nConnection: close\r\n", 1)).as_bytes(),
            );
        }
    });
    (port, receiver)
}

#[test]
fn git_logs_in_with_the_netrc() {
    let place = Place::new();
    let (port, shown) = server(|_, _| None);
    let form = Form::Netrc { host: "127.0.0.1".into(), login: "ci".into() };
    std::fs::write(place.at(".netrc"), file(&form, TOKEN)).unwrap();
    let mut git = place.command("git");
    git.args(["ls-remote", &format!("http://127.0.0.1:{port}/x.git")]).env("GIT_TERMINAL_PROMPT", "0");
    let ran = ran(git.env("GIT_CONFIG_NOSYSTEM", "1"));
    let shown = shown.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("git showed nothing: {ran:?}"));
    let shown = Base64::decode_vec(shown.strip_prefix("Basic ").unwrap()).unwrap();
    assert_eq!(String::from_utf8(shown).unwrap(), format!("ci:{TOKEN}"));
}

#[test]
fn cargo_shows_a_registry_the_token_of_the_credentials() {
    let place = Place::new();
    let (port, shown) = server(|path, port| {
        (path == "/index/config.json")
            .then(|| format!("{{\"dl\":\"http://127.0.0.1:{port}/dl\",\"api\":\"http://127.0.0.1:{port}\"}}"))
    });
    let home = place.at("cargo");
    std::fs::create_dir(&home).unwrap();
    let form = Form::Cargo { registry: "private".into() };
    // What is no header's is refused by Cargo itself.
    let token = "Bearer aZ09_~!$%^&*()#;:@/?{}[]|<>,.+=`\"\\'";
    std::fs::write(home.join("credentials.toml"), file(&form, token)).unwrap();
    let config = format!("[registries.private]\nindex = \"sparse+http://127.0.0.1:{port}/index/\"\n");
    std::fs::write(home.join("config.toml"), config).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["owner", "--list", "--registry", "private", "some-crate"]).env("CARGO_HOME", &home);
    let ran = ran(cargo.current_dir(place.project()).stdin(std::process::Stdio::null()));
    let shown = shown.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("cargo showed nothing: {ran:?}"));
    assert_eq!(shown, token);
}
