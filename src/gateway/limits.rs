//! How long the steps of a session may take.

use std::time::Duration;

/// How long connecting, the key exchange and the login may take.
pub const CONNECT_TIME: Duration = Duration::from_secs(30);
/// How long nothing may move in either direction while a command runs and the build waits.
pub const MAX_STALL: Duration = Duration::from_secs(300);
/// A guest that asked for nothing for so long is gone; a living one gives a sign every 5 s.
pub const MAX_SILENCE: Duration = Duration::from_secs(30);

/// The three limits, so that a test need not wait for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimits {
    /// See [`CONNECT_TIME`].
    pub connect: Duration,
    /// See [`MAX_STALL`].
    pub stall: Duration,
    /// See [`MAX_SILENCE`].
    pub silence: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self { connect: CONNECT_TIME, stall: MAX_STALL, silence: MAX_SILENCE }
    }
}
