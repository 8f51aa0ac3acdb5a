//! A line of progress on a terminal, for what takes more than a second. Elsewhere, nothing.

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// What takes less is not worth a line.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the line changes.
const STEP: Duration = Duration::from_millis(200);
/// Characters of the bar.
const BAR: usize = 24;

/// How far something is; counted from any thread.
#[derive(Debug, Default)]
pub struct Done {
    /// Bytes that were read.
    pub bytes: AtomicU64,
    /// Layers and other blobs that were read to their end.
    pub blobs: AtomicU64,
}

/// Does the work, and shows on stderr how far it is. `total` is all bytes, where they are known.
pub fn during<T>(label: &str, total: Option<u64>, done: &Done, work: impl FnOnce() -> T) -> T {
    let is_terminal = std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
    if !is_terminal {
        return work();
    }
    std::thread::scope(|scope| {
        let (ended, waiting) = channel::<()>();
        scope.spawn(move || {
            let started = Instant::now();
            let mut next = PATIENCE;
            let mut shown = false;
            while waiting.recv_timeout(next) == Err(RecvTimeoutError::Timeout) {
                next = STEP;
                shown = true;
                let (bytes, blobs) = (done.bytes.load(Ordering::Relaxed), done.blobs.load(Ordering::Relaxed));
                let text = line(&super::one_line(label), bytes, blobs, total, started.elapsed());
                let _ = write!(std::io::stderr(), "\r\x1b[2K{text}");
            }
            if shown {
                let _ = write!(std::io::stderr(), "\r\x1b[2K");
            }
        });
        let result = work();
        drop(ended);
        result
    })
}

/// `app  [########----------------]  412 MB of 1240 MB, 3 blobs, 389 MB/s`.
fn line(label: &str, bytes: u64, blobs: u64, total: Option<u64>, elapsed: Duration) -> String {
    let megabytes = |bytes: u64| bytes / 1_000_000;
    let speed = u64::try_from(u128::from(bytes) * 1000 / elapsed.as_millis().max(1)).unwrap_or(u64::MAX);
    let label: String = label.chars().take(40).collect();
    let (bar, of) = match total.filter(|total| *total > 0) {
        None => (String::new(), String::new()),
        Some(total) => {
            let full = usize::try_from(bytes.min(total).saturating_mul(BAR as u64) / total).unwrap_or(BAR);
            (format!("  [{}{}]", "#".repeat(full), "-".repeat(BAR - full)), format!(" of {} MB", megabytes(total)))
        }
    };
    let blobs = if blobs == 1 { "1 blob".to_owned() } else { format!("{blobs} blobs") };
    format!("{label}{bar}  {} MB{of}, {blobs}, {} MB/s", megabytes(bytes), megabytes(speed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_it_is() {
        let second = Duration::from_secs(1);
        assert_eq!(
            line("app", 50_000_000, 3, Some(200_000_000), second),
            "app  [######------------------]  50 MB of 200 MB, 3 blobs, 50 MB/s"
        );
        assert_eq!(line("-", 1_500_000, 1, None, second), "-  1 MB, 1 blob, 1 MB/s");
        let more = line("app", 300, 1, Some(200), second);
        assert!(more.contains("[########################]"), "more than was said: {more}");
        assert!(line("app", 1, 1, Some(0), Duration::ZERO).starts_with("app  0 MB"));
    }
}
