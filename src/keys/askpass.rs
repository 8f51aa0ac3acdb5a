//! `SSH_ASKPASS`: another program that asks for the passphrase.
//!
//! Owns when it is used (as `read_passphrase` in OpenSSH's `readpass.c`), its time limit and
//! how much it may answer. One difference: without a terminal it is used even where `DISPLAY`
//! is not set, because somebody set `SSH_ASKPASS` and there is no other way to ask.

use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use zeroize::{Zeroize as _, Zeroizing};

use super::Secret;
use super::passphrase::AskError;
use super::prompt::MAX_PASSPHRASE;

/// How long the program may take: long enough for a person to type.
pub const TIME_LIMIT: Duration = Duration::from_secs(120);
/// What OpenSSH runs when `SSH_ASKPASS_REQUIRE=force` and nothing is named.
const DEFAULT: &str = "/usr/bin/ssh-askpass";

/// The program to run, if one is to be run: `SSH_ASKPASS_REQUIRE` is `never`, `prefer`,
/// `force`, or nothing, which means "without a terminal".
#[must_use]
pub fn wanted(program: Option<OsString>, require: Option<&OsStr>, terminal: bool) -> Option<OsString> {
    let require = require.map(|require| require.to_string_lossy().to_ascii_lowercase());
    match require.as_deref() {
        Some("never") => None,
        Some("force") => Some(program.unwrap_or_else(|| DEFAULT.into())),
        Some("prefer") => program,
        _ if terminal => None,
        _ => program,
    }
}

/// Runs the program and takes the first line of what it prints.
pub(super) fn run(program: &OsStr, prompt: &str, limit: Duration) -> Result<Secret, AskError> {
    let mut child = Command::new(program)
        .arg(prompt)
        .env_remove("SSH_ASKPASS_PROMPT")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| AskError::AskpassMissing(error.kind()))?;
    let until = Instant::now() + limit;
    let answer = answer(&mut child, until);
    // What has had its time, or answers without end, is not waited for.
    let status = if answer.is_ok() { ended(&mut child, until) } else { None };
    let Some(status) = status else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(answer.err().unwrap_or(AskError::AskpassSilent));
    };
    let answer = answer?;
    // `ssh-askpass` says "cancelled" by its exit status.
    if status.success() { Ok(answer) } else { Err(AskError::Cancelled) }
}

/// The exit status, if there is one in time. The answer is complete by now, so that this is
/// only ever a moment.
fn ended(child: &mut std::process::Child, until: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(None) if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(5));
            }
            ended => return ended.ok().flatten(),
        }
    }
}

/// All of the output until its end, cut at the first line's end.
fn answer(child: &mut std::process::Child, until: Instant) -> Result<Secret, AskError> {
    let mut pipe = child.stdout.take().ok_or(AskError::Cancelled)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_PASSPHRASE + 2));
    let mut part = Zeroizing::new([0; 256]);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(AskError::AskpassSilent);
        }
        let timeout = Timespec::try_from(left).ok();
        match poll(&mut [PollFd::new(&pipe, PollFlags::IN)], timeout.as_ref()) {
            Ok(0) => return Err(AskError::AskpassSilent),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => {
                return Err(AskError::Terminal(std::io::Error::from(error).kind()));
            }
        }
        match pipe.read(&mut *part) {
            Ok(0) => break,
            // Room for a line's end that does not count.
            Ok(count) if bytes.len() + count > MAX_PASSPHRASE + 2 => return Err(AskError::TooLong),
            Ok(count) => bytes.extend_from_slice(&part[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(AskError::Terminal(error.kind())),
        }
        part.zeroize();
    }
    let line = bytes.split(|byte| b"\r\n".contains(byte)).next().unwrap_or_default();
    if line.len() > MAX_PASSPHRASE {
        return Err(AskError::TooLong);
    }
    Ok(Secret::new(line.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(program: Option<&str>, require: Option<&str>, terminal: bool) -> Option<String> {
        wanted(program.map(Into::into), require.map(OsStr::new), terminal)
            .map(|program| program.to_string_lossy().into_owned())
    }

    #[test]
    fn askpass_is_used_when_ssh_add_would_use_it() {
        let ask = Some("ask");
        assert_eq!(choice(ask, None, true), None);
        assert_eq!(choice(ask, None, false).as_deref(), ask);
        assert_eq!(choice(ask, Some("never"), false), None);
        assert_eq!(choice(ask, Some("prefer"), true).as_deref(), ask);
        assert_eq!(choice(None, Some("prefer"), true), None);
        assert_eq!(choice(ask, Some("FORCE"), true).as_deref(), ask);
        assert_eq!(choice(None, Some("force"), true).as_deref(), Some(DEFAULT));
        assert_eq!(choice(None, None, false), None);
    }

    fn script(text: &str, limit: Duration) -> Result<Secret, AskError> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ask");
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o700).open(&path).expect("a file");
        std::io::Write::write_all(&mut file, format!("#!/bin/sh\n{text}\n").as_bytes()).expect("a script");
        drop(file);
        // Another test's child may hold the script open for writing while it starts.
        loop {
            match run(path.as_os_str(), "the prompt", limit) {
                Err(AskError::AskpassMissing(std::io::ErrorKind::ExecutableFileBusy)) => {}
                answer => return answer,
            }
        }
    }

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn the_first_line_is_the_answer_and_the_prompt_is_the_argument() {
        let answer = script(r#"printf '%s\r\nmore\n' "$1""#, LONG).expect("an answer");
        assert_eq!(answer.expose(), b"the prompt");
    }

    #[test]
    fn a_cancelled_dialogue_gives_nothing() {
        assert_eq!(script("echo half; exit 1", LONG).expect_err("cancelled"), AskError::Cancelled);
    }

    #[test]
    fn a_program_that_never_answers_ends_with_its_time() {
        let error = script("exec sleep 600", Duration::from_millis(50)).expect_err("silence");
        assert_eq!(error, AskError::AskpassSilent);
    }

    #[test]
    fn an_answer_ends_at_its_limit() {
        let exact = script(&format!("printf %{MAX_PASSPHRASE}s x"), LONG).expect("an answer");
        assert_eq!(exact.expose().len(), MAX_PASSPHRASE);
        let more = format!("printf %{}s x", MAX_PASSPHRASE + 1);
        assert_eq!(script(&more, LONG).expect_err("too long"), AskError::TooLong);
        assert_eq!(script("exec yes", LONG).expect_err("endless"), AskError::TooLong);
    }

    #[test]
    fn a_missing_program_is_named_as_such() {
        let error = run(OsStr::new("/nowhere/ask"), "", LONG).expect_err("no program");
        assert_eq!(error, AskError::AskpassMissing(std::io::ErrorKind::NotFound));
    }
}
