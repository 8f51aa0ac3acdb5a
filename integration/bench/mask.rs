//! How fast the output of a build goes through the mask, beside `cat` in the same run.
//!
//! Prints megabytes a second of the mask alone, in this process, and of a file through
//! `valetkey run -- cat` with and without it, and the ratio to plain `cat`; asserts nothing.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

use valetkey::child::mask::Mask;
use valetkey_integration::Key;

/// Bytes of output.
const LENGTH: usize = 256 << 20;
/// Times that each is measured, in turns; the best counts.
const ROUNDS: usize = 3;
/// Bytes that the mask is given at once, as by the pipe.
const PIECE: usize = 64 * 1024;

fn main() {
    let key = Key::made(&["-t", "rsa", "-b", "4096"], "bench");
    let text = std::fs::read(key.path()).expect("the key's text");
    let long: Vec<u8> = noise().map(|byte| b'0' + byte % 64).take(500 * 1024).collect();
    for (name, bytes) in
        [("a build's log", log()), ("noise", noise().take(LENGTH).collect()), ("dashes", vec![b'-'; LENGTH])]
    {
        println!("{name}, {} MiB", LENGTH >> 20);
        for (secret, text) in [("an RSA-4096 key", &text), ("a secret of 500 KiB", &long)] {
            println!("  mask alone, {secret:<22}{:>8.0} MB/s", alone(text, &bytes));
        }
        through(&key, &bytes);
    }
}

/// Lines as BuildKit prints them.
fn log() -> Vec<u8> {
    let mut out = Vec::with_capacity(LENGTH + 100);
    let mut number = 0_u64;
    while out.len() < LENGTH {
        number += 1;
        let hash = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        writeln!(
            out,
            "#7 {}.{:03} Downloading package-{hash:016x}.tar.gz (1.{} MB) ----- done",
            number / 1000,
            number % 1000,
            number % 10
        )
        .expect("memory");
    }
    out.truncate(LENGTH);
    out
}

fn noise() -> impl Iterator<Item = u8> {
    let mut state = 1_u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    })
}

fn rate(start: Instant) -> f64 {
    LENGTH as f64 / 1e6 / start.elapsed().as_secs_f64()
}

fn alone(text: &[u8], bytes: &[u8]) -> f64 {
    let (mask, _) = Mask::of_texts([text], &[]);
    let measure = |_| {
        let (mut mask, mut out) = (mask.clone(), Vec::with_capacity(2 * PIECE));
        let start = Instant::now();
        for piece in bytes.chunks(PIECE) {
            out.clear();
            mask.push(piece, &mut out);
        }
        mask.finish(&mut out);
        rate(start)
    };
    (0..ROUNDS).map(measure).fold(0.0, f64::max)
}

fn through(key: &Key, bytes: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("the file is written");
    let path = file.path().to_str().expect("a path in UTF-8");
    let source = key.source();
    let masked = ["run", "--quiet", "--no-config", "--key", &source, "--", "cat", path];
    let plain = ["run", "--quiet", "--no-config", "--no-mask", "--key", &source, "--", "cat", path];
    let mut best = [0.0_f64; 3];
    for _ in 0..ROUNDS {
        best[0] = best[0].max(piped(Command::new("cat").arg(path)));
        best[1] = best[1].max(piped(Command::new(valetkey_integration::valetkey()).args(masked)));
        best[2] = best[2].max(piped(Command::new(valetkey_integration::valetkey()).args(plain)));
    }
    println!("  cat alone                         {:>8.0} MB/s", best[0]);
    println!("  cat in a run, masked              {:>8.0} MB/s, {:.2} of cat", best[1], best[1] / best[0]);
    println!("  cat in a run, --no-mask           {:>8.0} MB/s, {:.2} of cat", best[2], best[2] / best[0]);
}

/// Reads it all from a pipe; starting and ending counts too.
fn piped(command: &mut Command) -> f64 {
    let start = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn().expect("a command");
    let mut out = child.stdout.take().expect("its output");
    let (mut buffer, mut sum) = (vec![0; PIECE], 0);
    while let Ok(count @ 1..) = out.read(&mut buffer) {
        sum += count;
    }
    assert_eq!(sum, LENGTH, "all of it came through");
    assert!(child.wait().expect("its end").success());
    rate(start)
}
