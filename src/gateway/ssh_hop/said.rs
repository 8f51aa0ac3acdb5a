//! What `ssh` said about its own failure, as one of ours.

use std::io::Read as _;
use std::path::Path;

use super::super::host_key;
use super::super::login::MAX_TRIES;
use super::super::route::Route;
use super::super::session::Job;
use super::super::upstream_error::UpstreamError;
use crate::hosts::Fingerprint;
use crate::signer::fingerprint;

/// Bytes of its log that are read.
const MAX_SAID: u64 = 16 * 1024;
/// Characters of a line that are passed on.
const MAX_LINE: usize = 200;

/// Its log; empty where it has none.
pub(super) fn read(path: &Path) -> String {
    let mut said = Vec::new();
    if let Ok(file) = std::fs::File::open(path) {
        let _ = file.take(MAX_SAID).read_to_end(&mut said);
    }
    String::from_utf8_lossy(&said).trim().to_owned()
}

/// Why the session failed. Where it was the host key, the one that ssh saw goes into `host_key`.
pub(super) fn why(said: &str, job: &Job, route: &Route, host_key: &mut Option<String>) -> UpstreamError {
    let host = job.session.host.to_string();
    if said.contains("Host key verification failed") {
        let seen = seen(said).unwrap_or_else(|| "another key than before".into());
        *host_key = Some(seen.clone());
        return UpstreamError::Changed(host, seen, host_key::pinned(&job.hosts, &job.session.host, route));
    }
    if said.contains("Permission denied (") {
        let tried = job.identities.iter().take(MAX_TRIES).map(|identity| fingerprint(&identity.blob));
        let tried: Vec<String> = tried.collect();
        return UpstreamError::Login(host, job.session.exec.repository.clone(), tried.join(", "));
    }
    UpstreamError::Broken(host, last_line(said))
}

/// The fingerprint in ssh's warning.
fn seen(said: &str) -> Option<String> {
    let words = said.split_whitespace().map(|word| word.trim_end_matches('.'));
    words.filter(|word| word.starts_with("SHA256:")).find(|word| word.parse::<Fingerprint>().is_ok()).map(str::to_owned)
}

fn last_line(said: &str) -> String {
    match said.lines().map(str::trim).rfind(|line| !line.is_empty()) {
        // Some of it may be the server's words: nothing that a terminal would act on.
        Some(line) => line.chars().take(MAX_LINE).map(|c| if c.is_control() { '?' } else { c }).collect(),
        None => "ssh ended before the login".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_stands_at_the_end_of_a_sentence_in_sshs_warning() {
        let key = "SHA256:uNiVztksCsDhcc0u9e8BujQXVUpKZIDTMczCvj3tD2s";
        let said = format!("@@@\nThe fingerprint for the RSA key sent by the remote host is\n{key}.\nPlease contact");
        assert_eq!(seen(&said).as_deref(), Some(key));
        assert_eq!(seen("SHA256:short. nothing"), None);
    }

    #[test]
    fn the_last_line_is_cut_at_its_limit() {
        assert_eq!(last_line("a\nb\n\n"), "b");
        assert_eq!(last_line("a\x1b[2Jb"), "a?[2Jb");
        assert_eq!(last_line(""), "ssh ended before the login");
        for (length, left) in [(MAX_LINE, MAX_LINE), (MAX_LINE + 1, MAX_LINE)] {
            assert_eq!(last_line(&"x".repeat(length)).len(), left);
        }
    }
}
