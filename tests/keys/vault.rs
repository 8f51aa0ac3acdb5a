//! `vault:` asks a server and believes little: against a double that says what no real one would.
//! The real server is asked in `integration/e2e`.

use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::json;

use super::made::{self, Kind};
use super::vault_double::{Double, Exchange, secret};
use super::world::{World, blobs, said};
use crate::run::place::{Place, ran};
use valetkey::keys::TimeLimits;

const SOURCE: &str = "vault:secret/ci/deploy#key";
const PATH: &str = "secret/data/ci/deploy";
const TOKEN: &str = "hvs.a-token-for-tests";

/// A world that asks this server with a token.
fn world(double: &Double) -> World {
    let mut world = World::default();
    world.variables.insert("VAULT_ADDR", double.address().into());
    world.variables.insert("VAULT_TOKEN", TOKEN.into());
    world
}

fn key() -> String {
    secret(&json!({ "key": made::key(Kind::Ed25519).text, "other": 5 }))
}

/// What is said where the double answers like this. The token is never in it.
fn error(exchange: Exchange) -> String {
    let double = Double::expecting(vec![exchange]);
    let said = said(&world(&double).load(SOURCE).expect_err("no key"));
    double.was_asked();
    assert!(!said.contains("a-token-for-tests") && !said.contains("hunter2"), "{said}");
    said
}

fn get() -> Exchange {
    Exchange::get(PATH, TOKEN)
}

#[test]
fn a_double_that_has_the_field_gives_the_key() {
    let double = Double::expecting(vec![get().gives(200, &key())]);
    let loaded = world(&double).load(SOURCE).expect("a key");
    assert_eq!(blobs(&loaded), [&made::key(Kind::Ed25519).blob[..]]);
    double.was_asked();
}

#[test]
fn a_double_gets_the_namespace_and_the_path_escaped() {
    let exchange = Exchange::get("secret/data/a%20b/%3Fc%23d", TOKEN).with("x-vault-namespace", "team/ci");
    let double = Double::expecting(vec![exchange.gives(200, &key())]);
    let mut world = world(&double);
    world.variables.insert("VAULT_NAMESPACE", "team/ci".into());
    // The last number sign is that of the field.
    world.load("vault:secret/a b/?c#d#key").expect("a key");
    double.was_asked();
}

#[test]
fn a_double_of_the_logins_gets_exactly_what_they_need_and_its_token_is_used() {
    let logged_in = r#"{"auth":{"client_token":"s.fresh"}}"#;
    for (variables, path, body) in [
        (
            &[("VAULT_ROLE_ID", "role\"1"), ("VAULT_SECRET_ID", "hunter2")][..],
            "auth/approle/login",
            r#"{"role_id":"role\"1","secret_id":"hunter2"}"#,
        ),
        (&[("VAULT_JWT_ROLE", "ci"), ("VAULT_JWT", "a.b.c\n")], "auth/jwt/login", r#"{"role":"ci","jwt":"a.b.c"}"#),
        (
            &[("VAULT_JWT_ROLE", "ci"), ("VAULT_JWT", "a.b.c"), ("VAULT_AUTH_PATH", "auth/my ci/")],
            "auth/my%20ci/login",
            r#"{"role":"ci","jwt":"a.b.c"}"#,
        ),
    ] {
        let login = Exchange::post(path, body).gives(200, logged_in);
        let double = Double::expecting(vec![login, Exchange::get(PATH, "s.fresh").gives(200, &key())]);
        let mut world = world(&double);
        world.variables.remove("VAULT_TOKEN");
        world.variables.extend(variables.iter().map(|(name, value)| (*name, (*value).into())));
        world.load(SOURCE).expect("a key");
        double.was_asked();
    }
}

#[test]
fn a_token_is_looked_for_in_the_environment_before_the_home_folder() {
    let home = made::folder();
    let path = made::write(home.path(), ".vault-token", format!("{TOKEN}\n"));
    let double = Double::expecting(vec![get().gives(200, &key())]);
    let mut world = world(&double);
    world.home = Some(home.path().to_owned());
    world.variables.remove("VAULT_TOKEN");
    world.load(SOURCE).expect("a key");
    double.was_asked();

    let double = Double::expecting(vec![get().gives(200, &key())]);
    made::write(home.path(), ".vault-token", "s.another");
    let mut world = self::world(&double);
    world.home = Some(home.path().to_owned());
    world.load(SOURCE).expect("a key");
    double.was_asked();

    // A file that others can read is refused, as a key is.
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    let double = Double::expecting(Vec::new());
    let mut world = self::world(&double);
    world.home = Some(home.path().to_owned());
    world.variables.remove("VAULT_TOKEN");
    assert!(said(&world.load(SOURCE).expect_err("no key")).contains("others can read or write it"));
    double.was_asked();
}

#[test]
fn a_token_of_a_file_at_the_limit_is_sent_and_a_longer_one_is_not() {
    let home = made::folder();
    for (length, sent) in [(8 * 1024, true), (8 * 1024 + 1, false)] {
        let token = "t".repeat(length);
        made::write(home.path(), ".vault-token", &token);
        let exchange = sent.then(|| Exchange::get(PATH, &token).gives(200, &key()));
        let double = Double::expecting(exchange.into_iter().collect());
        let mut world = world(&double);
        world.home = Some(home.path().to_owned());
        world.variables.remove("VAULT_TOKEN");
        match world.load(SOURCE) {
            Ok(_) => assert!(sent),
            Err(error) => assert!(!sent && said(&error).contains("longer than 8 KiB"), "{}", said(&error)),
        }
        double.was_asked();
    }
}

#[test]
fn nobody_is_asked_where_the_environment_is_not_enough() {
    let double = Double::expecting(Vec::new());
    let error = |change: &[(&'static str, Option<&str>)]| {
        let mut world = world(&double);
        for (name, value) in change {
            match value {
                Some(value) => world.variables.insert(name, value.into()),
                None => world.variables.remove(name),
            };
        }
        said(&world.load(SOURCE).expect_err("no key"))
    };
    for (change, words) in [
        (&[("VAULT_ADDR", None)][..], "VAULT_ADDR is not set"),
        (&[("VAULT_ADDR", Some("vault.example.com"))], "not of the form"),
        (&[("VAULT_ADDR", Some("http://192.0.2.1:8200"))], "would show the token to the network"),
        (&[("VAULT_TOKEN", None)], "there is nothing to log in with"),
        (&[("VAULT_TOKEN", Some(""))], "there is nothing to log in with"),
        (&[("VAULT_TOKEN", Some("hunter2\r\nx-evil: 1"))], "VAULT_TOKEN holds characters that cannot be sent"),
        (&[("VAULT_NAMESPACE", Some("a\nb"))], "VAULT_NAMESPACE holds characters that cannot be sent"),
        (&[("VAULT_TOKEN", None), ("VAULT_ROLE_ID", Some("r"))], "VAULT_ROLE_ID is set, and VAULT_SECRET_ID is not"),
        (&[("VAULT_TOKEN", None), ("VAULT_JWT", Some("hunter2"))], "VAULT_JWT is set, and VAULT_JWT_ROLE is not"),
        (&[("VAULT_CACERT", Some("/nowhere"))], "VAULT_CACERT names no file with PEM certificates"),
    ] {
        let said = error(change);
        assert!(said.contains(words) && !said.contains("hunter2"), "{said}");
    }
    for auth in ["../sys", "auth//a", "a//b", "a/../b"] {
        let said = error(&[
            ("VAULT_TOKEN", None),
            ("VAULT_ROLE_ID", Some("a")),
            ("VAULT_SECRET_ID", Some("b")),
            ("VAULT_AUTH_PATH", Some(auth)),
        ]);
        assert!(said.contains("VAULT_AUTH_PATH"), "{said}");
    }
    double.was_asked();
}

#[test]
fn each_answer_of_a_double_has_its_own_words() {
    for (status, json, words) in [
        (503, r#"{"errors":["Vault is sealed"]}"#, "the server is sealed"),
        (403, r#"{"errors":["permission denied"]}"#, "the server denies it (403)"),
        (404, r#"{"errors":[]}"#, "the server has no secret at this path"),
        (500, r#"{"errors":["hunter2"]}"#, "the server answers with status 500"),
        (200, r#"{"data":{"hunter2":1}}"#, "not that of a KV engine of version 2"),
        (200, "hunter2", "not that of a KV engine of version 2"),
        (200, "", "not that of a KV engine of version 2"),
    ] {
        let said = error(get().gives(status, json));
        assert!(said.contains(words), "{json}: {said}");
    }
    assert!(error(get().gives(200, &secret(&json!({ "a": "hunter2" })))).contains("the secret has no such field"));
    assert!(error(get().gives(200, &secret(&json!({ "key": ["hunter2"] })))).contains("the field is no text"));
    assert!(error(get().gives(200, &secret(&json!({ "key": "hunter2" })))).contains("it is no private key"));
    let deleted = r#"{"data":{"data":null,"metadata":{"deletion_time":"2026-01-01T00:00:00Z","destroyed":false}}}"#;
    assert!(error(get().gives(404, deleted)).contains("the newest version of this secret is deleted"));
    assert!(error(get().says("hunter2\r\n\r\n")).contains("cannot be reached"));
    assert!(error(get()).contains("cannot be reached"));
}

#[test]
fn a_login_that_a_double_refuses_is_told_from_a_secret_that_it_denies() {
    for (status, json, words) in [
        (400, r#"{"errors":["invalid role or secret ID"]}"#, "the server refuses the login (status 400)"),
        (403, r#"{"errors":["permission denied"]}"#, "the server refuses the login (status 403)"),
        (503, "{}", "the server is sealed"),
        (200, r#"{"auth":null}"#, "not that of a KV engine"),
    ] {
        let body = r#"{"role_id":"r","secret_id":"hunter2"}"#;
        let double = Double::expecting(vec![Exchange::post("auth/approle/login", body).gives(status, json)]);
        let mut world = world(&double);
        world.variables.remove("VAULT_TOKEN");
        world.variables.extend([("VAULT_ROLE_ID", "r".into()), ("VAULT_SECRET_ID", "hunter2".into())]);
        let said = said(&world.load(SOURCE).expect_err("no key"));
        assert!(said.contains(words) && !said.contains("hunter2"), "{said}");
        double.was_asked();
    }
}

#[test]
fn a_redirect_of_a_double_is_not_followed_with_the_token_or_without() {
    for status in [301, 302, 303, 307, 308] {
        let other = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).expect("a port");
        other.set_nonblocking(true).expect("a listener that does not wait");
        let place = format!("http://{}/v1/{PATH}", other.local_addr().expect("an address"));
        let said = error(get().says(&format!(
            "HTTP/1.1 {status} x\r\nlocation: {place}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )));
        assert!(said.contains("sends us to another place"), "{said}");
        let came = other.accept().expect_err("nobody");
        assert_eq!(came.kind(), std::io::ErrorKind::WouldBlock);
    }
}

/// Writes until the other end has had enough; how much that was.
fn flood(stream: &mut std::net::TcpStream, total: usize) -> usize {
    let piece = [b'x'; 64 * 1024];
    let mut sent = 0;
    while sent < total && stream.write_all(&piece).is_ok() {
        sent += piece.len();
    }
    sent
}

#[test]
fn a_hundred_megabytes_of_a_double_are_not_read() {
    const TOTAL: usize = 100 << 20;
    for head in ["content-length: 104857600", "transfer-encoding: identity"] {
        let (sender, sent) = std::sync::mpsc::channel();
        let said = error(get().does(move |stream| {
            write!(stream, "HTTP/1.1 200 x\r\n{head}\r\n\r\n").expect("sent");
            sender.send(flood(stream, TOTAL)).expect("a test");
        }));
        assert!(said.contains("the server's answer is longer than 4 MiB"), "{head}: {said}");
        assert!(sent.recv().expect("a count") < TOTAL / 2);
    }
    // A head without an end is no answer either.
    let said = error(get().does(|stream| {
        write!(stream, "HTTP/1.1 200 x\r\nx-long: ").expect("sent");
        assert!(flood(stream, TOTAL) < TOTAL / 2);
    }));
    assert!(said.contains("cannot be reached"), "{said}");
}

#[test]
fn an_answer_that_a_double_drips_ends_with_the_time() {
    for head in ["HTTP/1.1 200 x\r\ncontent-length: 1000000\r\n\r\n", "HTTP/1.1 200 x\r\nx-slow: "] {
        let double = Double::expecting(vec![get().does(move |stream| {
            stream.write_all(head.as_bytes()).expect("sent");
            while stream.write_all(b"x").is_ok() {
                std::thread::sleep(Duration::from_millis(10));
            }
        })]);
        let mut world = world(&double);
        world.time_limits = TimeLimits { vault: Duration::from_millis(500), ..TimeLimits::default() };
        let began = Instant::now();
        let said = said(&world.load(SOURCE).expect_err("silence"));
        assert!(said.contains("gave no whole answer in 0 seconds"), "{said}");
        assert!(began.elapsed() < Duration::from_secs(10));
        double.was_asked();
    }
}

#[test]
fn a_server_that_is_not_there_is_named_as_such() {
    let double = Double::expecting(Vec::new());
    let mut world = world(&double);
    double.was_asked();
    let said = said(&world.load(SOURCE).expect_err("nobody"));
    assert!(said.contains("the server cannot be reached") && !said.contains("a-token-for-tests"), "{said}");
}

#[test]
fn what_opens_the_server_is_not_in_the_wrapped_commands_environment() {
    let place = Place::new();
    let variables = [
        ("VAULT_TOKEN", TOKEN),
        ("VAULT_SECRET_ID", "hunter2"),
        ("VAULT_JWT", "hunter2"),
        ("VAULT_NAMESPACE", "ci"),
        ("http_proxy", "http://127.0.0.1:1"),
    ];
    let double = Double::expecting(vec![get().with("x-vault-namespace", "ci").gives(200, &key())]);
    let mut valetkey = place.valetkey(&["run", "--key", SOURCE, "--", "sh", "-c", "env; ssh-add -l"]);
    let ran = ran(valetkey.envs(variables).env("VAULT_ADDR", double.address()));
    ran.is(0).shows(&[made::COMMENT, "VAULT_NAMESPACE=ci", "VAULT_ADDR="]);
    ran.never_says(&[TOKEN, "hunter2", "VAULT_TOKEN", "VAULT_SECRET_ID", "VAULT_JWT"]);
    double.was_asked();
    // The control: they are there where the key comes from elsewhere.
    let mut valetkey = place.valetkey(&["run", "--key", "env:KEY", "--", "env"]);
    crate::run::place::ran(valetkey.envs(variables)).is(0).shows(&["VAULT_TOKEN=", "VAULT_SECRET_ID=", "VAULT_JWT="]);
}
