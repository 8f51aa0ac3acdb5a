//! valetkey's agent beside the stock `ssh-agent`, in one run.
//!
//! Starts itself again as the wrapped command of each agent (`client`), because valetkey
//! answers only to descendants; the client measures and prints numbers, this process prints
//! the table. The requests are real logins, alike for both.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use valetkey_integration::Key;

/// How long one measurement lasts.
const LENGTH: Duration = Duration::from_millis(1500);
/// Starts of each agent that are timed, in turns.
const STARTS: usize = 40;
/// Idle connections for the memory reading.
const IDLE: usize = 100;

const KINDS: [(&str, &[&str], u32); 5] = [
    ("ed25519", &["-t", "ed25519"], 0),
    ("P-256", &["-t", "ecdsa", "-b", "256"], 0),
    ("RSA-2048", &["-t", "rsa", "-b", "2048"], 4),
    ("RSA-3072", &["-t", "rsa", "-b", "3072"], 4),
    ("RSA-4096", &["-t", "rsa", "-b", "4096"], 4),
];

fn main() {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some("client") => {
            let connections = args.next().and_then(|text| text.parse().ok()).expect("connections");
            let flags = args.next().and_then(|text| text.parse().ok()).expect("flags");
            client(connections, flags);
        }
        Some("idle") => idle(),
        _ => compare(),
    }
}

#[derive(Clone, Copy)]
struct Figures {
    per_second: f64,
    p99: f64,
}

fn compare() {
    println!(
        "{:<10}{:>5}{:>14}{:>14}{:>8}{:>14}{:>14}{:>8}",
        "key", "conn", "ours/s", "ssh-agent/s", "ratio", "our p99 µs", "stock p99 µs", "ratio"
    );
    for (name, flags, sign_flags) in KINDS {
        let key = Key::made(flags, "bench");
        for connections in [1, 8] {
            let args = ["client".to_owned(), connections.to_string(), sign_flags.to_string()];
            // In turns, and the better of two: the machine has other work too.
            let mut ours = Vec::new();
            let mut stock = Vec::new();
            for _ in 0..2 {
                stock.push(figures(&under_stock(&key, &args)));
                ours.push(figures(&under_valetkey(&key, &args)));
            }
            let (ours, stock) = (best(&ours), best(&stock));
            println!(
                "{name:<10}{connections:>5}{:>14.0}{:>14.0}{:>7.1}×{:>14.0}{:>14.0}{:>7.2}×",
                ours.per_second,
                stock.per_second,
                ours.per_second / stock.per_second,
                ours.p99,
                stock.p99,
                ours.p99 / stock.p99
            );
        }
    }
    let key = Key::ed25519("bench");
    starts(&key);
    println!("resident with {IDLE} idle connections: {}", under_valetkey(&key, &["idle".to_owned()]).trim());
}

fn best(of: &[Figures]) -> Figures {
    Figures {
        per_second: of.iter().map(|figures| figures.per_second).fold(0.0, f64::max),
        p99: of.iter().map(|figures| figures.p99).fold(f64::INFINITY, f64::min),
    }
}

fn valetkey_run(key: &Key) -> Command {
    let mut command = Command::new(valetkey_integration::valetkey());
    command.args(["run", "--quiet", "--no-config", "--max-signatures", "4294967295", "--key", &key.source(), "--"]);
    command
}

fn under_valetkey(key: &Key, args: &[String]) -> String {
    let output =
        valetkey_run(key).arg(std::env::current_exe().expect("this program")).args(args).output().expect("valetkey");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn under_stock(key: &Key, args: &[String]) -> String {
    let program = std::env::current_exe().expect("this program");
    let script = "ssh-add -q \"$1\" 2>/dev/null && shift && exec \"$@\"";
    let output = Command::new("ssh-agent")
        .args(["sh", "-c", script, "sh"])
        .arg(key.path())
        .arg(program)
        .args(args)
        .output()
        .expect("ssh-agent");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn figures(text: &str) -> Figures {
    let mut numbers = text.split_whitespace().map(|number| number.parse().expect("a number"));
    Figures { per_second: numbers.next().expect("a rate"), p99: numbers.next().expect("a latency") }
}

/// `valetkey run -- true` beside `ssh-agent sh -c 'ssh-add K; true'`.
fn starts(key: &Key) {
    let mut ours = Vec::new();
    let mut stock = Vec::new();
    for _ in 0..STARTS {
        let mut command = Command::new("ssh-agent");
        command.args(["sh", "-c", "ssh-add -q \"$1\" 2>/dev/null; true", "sh"]).arg(key.path());
        stock.push(timed(&mut command));
        ours.push(timed(valetkey_run(key).arg("true")));
    }
    ours.sort();
    stock.sort();
    let (ours, stock) = (ours[STARTS / 2].as_secs_f64() * 1e3, stock[STARTS / 2].as_secs_f64() * 1e3);
    println!(
        "start and end, median of {STARTS}: ours {ours:.1} ms, ssh-agent and ssh-add {stock:.1} ms, ratio {:.2}×",
        ours / stock
    );
}

fn timed(command: &mut Command) -> Duration {
    let start = Instant::now();
    assert!(command.status().expect("a command").success());
    start.elapsed()
}

fn connect() -> UnixStream {
    UnixStream::connect(std::env::var_os("SSH_AUTH_SOCK").expect("SSH_AUTH_SOCK")).expect("the agent")
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u32::try_from(bytes.len()).expect("small").to_be_bytes());
    out.extend_from_slice(bytes);
}

fn ask(stream: &mut UnixStream, request: &[u8]) -> Vec<u8> {
    stream.write_all(request).expect("a request");
    let mut header = [0; 4];
    stream.read_exact(&mut header).expect("a reply");
    let mut reply = vec![0; u32::from_be_bytes(header) as usize];
    stream.read_exact(&mut reply).expect("a reply");
    reply
}

fn framed(body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    put(&mut frame, body);
    frame
}

/// A sign request for a login as `git` with the agent's first key.
fn request(flags: u32) -> Vec<u8> {
    let listed = ask(&mut connect(), &framed(&[11]));
    let length = u32::from_be_bytes(listed[5..9].try_into().expect("a length")) as usize;
    let key = &listed[9..9 + length];
    let kind = &key[4..4 + u32::from_be_bytes(key[..4].try_into().expect("a length")) as usize];
    let mut data = Vec::new();
    put(&mut data, &[7; 32]);
    data.push(50);
    put(&mut data, b"git");
    put(&mut data, b"ssh-connection");
    put(&mut data, b"publickey");
    data.push(1);
    put(&mut data, if kind == b"ssh-rsa" { b"rsa-sha2-512" } else { kind });
    put(&mut data, key);
    let mut body = vec![13];
    put(&mut body, key);
    put(&mut body, &data);
    body.extend_from_slice(&flags.to_be_bytes());
    framed(&body)
}

fn client(connections: usize, flags: u32) {
    let request = request(flags);
    let barrier = Barrier::new(connections);
    let mut latencies: Vec<Duration> = std::thread::scope(|scope| {
        let worker = || {
            let mut stream = connect();
            assert_eq!(ask(&mut stream, &request)[0], 14, "the agent refused");
            let mut latencies = Vec::new();
            barrier.wait();
            let start = Instant::now();
            while start.elapsed() < LENGTH {
                let at = Instant::now();
                ask(&mut stream, &request);
                latencies.push(at.elapsed());
            }
            latencies
        };
        let workers: Vec<_> = (0..connections).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect()
    });
    latencies.sort();
    let p99 = latencies[latencies.len() * 99 / 100].as_secs_f64() * 1e6;
    println!("{:.1} {:.1}", latencies.len() as f64 / LENGTH.as_secs_f64(), p99);
}

/// Opens connections, has each answered once, and reads the agent's resident memory.
fn idle() {
    let mut streams: Vec<UnixStream> = (0..IDLE).map(|_| connect()).collect();
    for stream in &mut streams {
        ask(stream, &framed(&[11]));
    }
    let parent = std::os::unix::process::parent_id();
    let status = std::fs::read_to_string(format!("/proc/{parent}/status")).expect("the agent's status");
    let resident = status.lines().find(|line| line.starts_with("VmRSS")).expect("VmRSS");
    println!("{}", resident.trim_start_matches("VmRSS:").trim());
}
