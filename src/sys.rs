//! The only `unsafe` of this crate, and what the system is asked for that no library wraps.
//! Each block has its SAFETY comment; what can be had from `rustix` safely is not here.
#![expect(unsafe_code, reason = "the one place that is allowed to")]

#[cfg(target_os = "linux")]
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// A handle on the very process that connected (`SO_PEERPIDFD`, Linux 6.5), so that its
/// number cannot be reused by another process while it is looked at. `None` where the kernel
/// has none.
#[cfg(target_os = "linux")]
#[must_use]
pub fn peer_pidfd(stream: &UnixStream) -> Option<OwnedFd> {
    const SO_PEERPIDFD: libc::c_int = 77;
    let mut fd: libc::c_int = -1;
    let mut length = libc::socklen_t::try_from(size_of::<libc::c_int>()).ok()?;
    // SAFETY: the option writes one int to `fd`, whose size `length` says; both outlive the call.
    let result = unsafe {
        libc::getsockopt(stream.as_raw_fd(), libc::SOL_SOCKET, SO_PEERPIDFD, (&raw mut fd).cast(), &raw mut length)
    };
    if result != 0 || fd < 0 {
        return None;
    }
    // SAFETY: the kernel made this descriptor for us in the call above; nobody else owns it.
    Some(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Lets the child start with the limit on core dumps that valetkey was started with: ours is
/// zero, and a child's crash is its own affair.
pub fn with_core_limit(command: &mut Command, limit: Option<rustix::process::Rlimit>) {
    let Some(limit) = limit else { return };
    // SAFETY: between fork and exec only `setrlimit` is called, which is async-signal-safe and
    // allocates nothing.
    unsafe {
        command.pre_exec(move || {
            rustix::process::setrlimit(rustix::process::Resource::Core, rustix::process::Rlimit { ..limit })?;
            Ok(())
        });
    }
}
