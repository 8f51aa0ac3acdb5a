//! The guest: the program that is `ssh` inside a build step.
//!
//! Static, without libc and without a heap, so that it runs in every Linux image. Carries one
//! command through SSH_AUTH_SOCK to valetkey's gateway and holds no key; where no gateway is
//! behind the socket it hands over to the image's own ssh, or says what is missing. Built by
//! `build.rs` and embedded; not a part of the library, which shares `args` and `tunnel` with it.
#![no_std]
#![no_main]
#![deny(unsafe_code)]

mod args;
mod line;
#[expect(unsafe_code, reason = "the start-up: no libc does it for us")]
mod start;
mod step;
#[path = "../wire/tunnel.rs"]
mod tunnel;

use args::{Mode, Parsed, Unserved};
use start::Process;
use step::Failed;

/// What ssh exits with when it fails itself (ssh(1), EXIT STATUS).
const FAILURE: u8 = 255;
/// How long an agent may take to list its identities, in milliseconds.
const LIST_TIME: u64 = 10_000;
/// Where programs are where PATH is not set.
const DEFAULT_PATH: &[u8] = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    say(&[b"valetkey: ssh (the guest) failed: this is a bug"]);
    start::exit(FAILURE)
}

fn say(parts: &[&[u8]]) {
    for part in parts {
        let _ = start::write(2, part);
    }
    let _ = start::write(2, b"\n");
}

fn run(process: Process) -> u8 {
    let count = process.count().saturating_sub(1);
    let at = |n: usize| process.arg(n + 1);
    let parsed = match args::parse(count, at) {
        Ok(parsed) => parsed,
        Err(unserved) => return refuse(&unserved),
    };
    match parsed.mode {
        Mode::Version => {
            say(&[b"valetkey ", env!("VALETKEY_VERSION").as_bytes(), b", ssh for build steps (the guest)"]);
            return 0;
        }
        Mode::Config => return print_config(&parsed),
        Mode::Run => {}
    }
    let Some(socket) = process.variable(b"SSH_AUTH_SOCK").filter(|path| !path.is_empty()) else {
        hand_over(process);
        say(&[b"valetkey: SSH_AUTH_SOCK is not set in this step: give its RUN --mount=type=ssh"]);
        return FAILURE;
    };
    let (mut first, mut second, mut spare, mut small) =
        ([0u8; line::ROOM], [0u8; line::ROOM], [0u8; line::ROOM], [0u8; 8 * 1024]);
    let mut reader = line::Line::new(socket, &mut first);
    let ahead = line::Line::new(socket, &mut second);
    let writer = line::Line::new(socket, &mut small);
    let key = loop {
        match reader.find_key(LIST_TIME) {
            Ok(Some(key)) => break key,
            Ok(None) => {
                hand_over(process);
                say(&[b"valetkey: no gateway is behind this step's agent socket, and the image has no ssh: \
                    run the build with `valetkey run --lend gateway`"]);
                return FAILURE;
            }
            Err(_) if reader.is_hopeless() => {
                hand_over(process);
                say(&[
                    b"valetkey: nobody answers at ",
                    socket,
                    b": run the build with `valetkey run`; in a step \
                    with USER, mount the socket for that user: --mount=type=ssh,uid=...",
                ]);
                return FAILURE;
            }
            Err(_) => {}
        }
    };
    let mut command = [0u8; tunnel::MAX_COMMAND];
    let Some(length) = join(&parsed, count, at, &mut command) else {
        say(&[b"valetkey: the command is too long to be a Git command"]);
        return FAILURE;
    };
    let protocol = parsed.set_protocol.or(process.variable(b"GIT_PROTOCOL")).unwrap_or_default();
    let exec = tunnel::Exec {
        user: parsed.user.unwrap_or(b"git"),
        host: parsed.host,
        port: parsed.port,
        command: &command[..length],
        protocol,
    };
    if exec.user.len() > tunnel::MAX_NAME || exec.host.len() > tunnel::MAX_NAME || protocol.len() > tunnel::MAX_PROTOCOL
    {
        say(&[b"valetkey: the user, the host or GIT_PROTOCOL is too long"]);
        return FAILURE;
    }
    let mut reason = [0u8; tunnel::MAX_REASON];
    match step::carry([reader, ahead], writer, &mut spare, &key, exec, parsed.no_stdin, &mut reason) {
        Ok(status) => status,
        Err(failed) => {
            match failed {
                Failed::Refused(text) => say(&[b"valetkey: ", text]),
                Failed::Lost => say(&[
                    b"valetkey: the connection to the gateway was lost: the lease is over, or valetkey was stopped",
                ]),
                Failed::System => say(&[b"valetkey: the system gave no random bytes, or no way to wait"]),
            }
            FAILURE
        }
    }
}

/// The words of the command with spaces between them, as ssh sends them.
fn join<'a>(parsed: &Parsed<'_>, count: usize, at: impl Fn(usize) -> &'a [u8], command: &mut [u8]) -> Option<usize> {
    let mut length = 0;
    for n in parsed.command..count {
        let space: &[u8] = if n > parsed.command { b" " } else { b"" };
        for part in [space, at(n)] {
            command.get_mut(length..length + part.len())?.copy_from_slice(part);
            length += part.len();
        }
    }
    Some(length)
}

fn refuse(unserved: &Unserved<'_>) -> u8 {
    match unserved {
        Unserved::NoHost => say(&[b"valetkey: usage: ssh [options] [user@]host command"]),
        Unserved::NoValue(letter) => say(&[b"valetkey: ssh -", &[*letter], b" needs a value"]),
        Unserved::Unknown(letter) => say(&[b"valetkey: ssh knows no option -", &[*letter]]),
        Unserved::Option(letter) => {
            say(&[b"valetkey: ssh -", &[*letter], b" is not carried: a build step may run Git commands only"]);
        }
        Unserved::Setting(name) => {
            say(&[b"valetkey: ssh -o ", name, b" is not carried: a build step may run Git commands only"]);
        }
        Unserved::Port => say(&[b"valetkey: the port is not a number from 1 to 65535"]),
        Unserved::Name => say(&[b"valetkey: the host or the user is empty or begins with a dash"]),
    }
    FAILURE
}

/// `ssh -G`: what decides where a command goes.
fn print_config(parsed: &Parsed<'_>) -> u8 {
    let mut digits = [0u8; 5];
    let mut at = digits.len();
    let mut port = parsed.port;
    while port > 0 && at > 0 {
        at -= 1;
        digits[at] = b'0' + (port % 10) as u8;
        port /= 10;
    }
    for (name, value) in
        [(&b"user "[..], parsed.user.unwrap_or(b"git")), (b"hostname ", parsed.host), (b"port ", &digits[at..])]
    {
        for part in [name, value, b"\n"] {
            let _ = start::write(1, part);
        }
    }
    0
}

/// Becomes the image's own ssh: the first in PATH that is neither this very file nor, by its
/// size, a copy of it, because two copies would hand over to each other for ever.
fn hand_over(process: Process) {
    // Without /proc we cannot tell ourselves apart, and handing over to ourselves never ends.
    let Some(own) = start::file(b"/proc/self/exe\0") else { return };
    let path = process.variable(b"PATH").unwrap_or(DEFAULT_PATH);
    for folder in path.split(|&b| b == b':') {
        let mut candidate = [0u8; 4096];
        let name: &[u8] = b"/ssh\0";
        let length = folder.len() + name.len();
        if folder.is_empty() || length > candidate.len() {
            continue;
        }
        candidate[..folder.len()].copy_from_slice(folder);
        candidate[folder.len()..length].copy_from_slice(name);
        let Some(found) = start::file(&candidate[..length]) else { continue };
        if found.place != own.place && found.size != own.size && found.mode & 0o111 != 0 {
            start::become_program(process, &candidate[..length]);
        }
    }
}
