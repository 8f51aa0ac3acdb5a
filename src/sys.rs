//! The only `unsafe` of this crate, and what the system is asked for that no library wraps.
//! Each block has its SAFETY comment; what can be had from `rustix` safely is not here.
#![expect(unsafe_code, reason = "the one place that is allowed to")]

#[cfg(target_os = "linux")]
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, PoisonError};

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

/// Surveys blocks of bytes for the audit with AVX2, where the processor has it; gives whether it
/// did.
#[cfg(target_arch = "x86_64")]
pub(crate) fn survey_with_avx2(
    bytes: &[[u8; crate::audit::scan::survey::BLOCK]],
    blocks: &mut Vec<crate::audit::scan::survey::Kinds>,
) -> bool {
    let has = std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("popcnt");
    if has {
        // SAFETY: AVX2 and POPCNT are all that the function asks of the processor, which was asked
        // for both of them above.
        unsafe { crate::audit::scan::survey::avx2::survey(bytes, blocks) };
    }
    has
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

/// Has the kernel kill the child when the thread that starts it ends, however that ends, and
/// lets it write no file longer than `max_file` bytes, where that is given.
pub fn dies_with_this_thread(command: &mut Command, max_file: Option<u64>) {
    use rustix::process::{Resource, Rlimit, Signal, getpid, getppid, set_parent_process_death_signal, setrlimit};
    let ours = getpid();
    // SAFETY: between fork and exec only prctl, getppid and setrlimit are called, which are
    // async-signal-safe and allocate nothing.
    unsafe {
        command.pre_exec(move || {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // Gone already: then nobody is left to be told.
            if getppid() != Some(ours) {
                return Err(std::io::Error::from_raw_os_error(libc::ESRCH));
            }
            if max_file.is_some() {
                setrlimit(Resource::Fsize, Rlimit { current: max_file, maximum: max_file })?;
            }
            Ok(())
        });
    }
}

/// Lets the child have no descriptor of ours but its three: what a shell or CI runner left open in
/// us would else stay open for as long as the child lives, and whoever waits for its end with it.
pub fn with_three_descriptors(command: &mut Command) {
    /// Descriptors that are closed one by one where the kernel has no call for all (before 5.11).
    const FEW: libc::c_int = 1024;
    // SAFETY: between fork and exec only close_range and fcntl are called, which are
    // async-signal-safe and allocate nothing; descriptors are marked to be closed by exec, so that
    // none is closed that this process still uses in between.
    unsafe {
        command.pre_exec(|| {
            if libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) != 0 {
                for fd in 3..FEW {
                    libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
                }
            }
            Ok(())
        });
    }
}

/// Lets the child inherit these descriptors, under the numbers that they have here.
pub fn inherits(command: &mut Command, descriptors: Vec<std::os::fd::RawFd>) {
    // SAFETY: between fork and exec only fcntl is called, which is async-signal-safe. The caller
    // holds the descriptors until the child was started; nothing is allocated or freed.
    unsafe {
        command.pre_exec(move || {
            for &descriptor in &descriptors {
                if libc::fcntl(descriptor, libc::F_SETFD, 0) != 0 {
                    return Err(std::io::Error::last_os_error());
                }
            }
            Ok(())
        });
    }
}

/// Whether this process ignores a signal.
#[must_use]
pub fn is_ignored(number: i32) -> bool {
    // SAFETY: `sigaction` is plain data for which all zeroes are valid; with a null new action
    // the call only writes the present one to it.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(number, std::ptr::null(), &raw mut action) == 0 && action.sa_sigaction == libc::SIG_IGN
    }
}

/// Lets this process write to the terminal and take it back while another process group has it:
/// the kernel would stop it by SIGTTOU. Until it is dropped.
#[derive(Debug)]
pub struct InBackground(libc::sighandler_t);

impl InBackground {
    /// From now on.
    #[must_use]
    pub fn new() -> Self {
        // SAFETY: ignoring a signal runs no code of ours.
        Self(unsafe { libc::signal(libc::SIGTTOU, libc::SIG_IGN) })
    }
}

impl Default for InBackground {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for InBackground {
    fn drop(&mut self) {
        if self.0 != libc::SIG_ERR {
            // SAFETY: the action is the one that was in force before.
            unsafe { libc::signal(libc::SIGTTOU, self.0) };
        }
    }
}

/// Signals that would end us while the terminal is in a mode of ours.
const ENDING: [i32; 4] = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM];
/// The last of them that came while somebody held [`Held`]; 0 for none.
static CAME: AtomicI32 = AtomicI32::new(0);
/// How many hold them, and the actions that were in force before the first.
static ACTIONS: Mutex<(usize, Vec<(i32, libc::sigaction)>)> = Mutex::new((0, Vec::new()));

extern "C" fn note(number: libc::c_int) {
    CAME.store(number, Ordering::SeqCst);
}

/// Holds back the signals that would end us, until it is dropped. Ignored ones stay ignored.
#[derive(Debug)]
pub struct Held(());

impl Held {
    /// Starts to hold them back.
    #[must_use]
    pub fn new() -> Self {
        let mut actions = ACTIONS.lock().unwrap_or_else(PoisonError::into_inner);
        actions.0 += 1;
        if actions.0 == 1 {
            CAME.store(0, Ordering::SeqCst);
            for number in ENDING.into_iter().filter(|&number| !is_ignored(number)) {
                // SAFETY: `sigaction` is plain data for which all zeroes are valid; the handler
                // only stores to an atomic, which is async-signal-safe.
                unsafe {
                    let mut action: libc::sigaction = std::mem::zeroed();
                    let mut before: libc::sigaction = std::mem::zeroed();
                    action.sa_sigaction = note as extern "C" fn(libc::c_int) as libc::sighandler_t;
                    if libc::sigaction(number, &raw const action, &raw mut before) == 0 {
                        actions.1.push((number, before));
                    }
                }
            }
        }
        Self(())
    }

    /// Whether one came.
    #[must_use]
    pub fn came(&self) -> bool {
        CAME.load(Ordering::SeqCst) != 0
    }
}

impl Default for Held {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Held {
    /// Gives the actions back, and lets the signal that came have its effect.
    fn drop(&mut self) {
        let mut actions = ACTIONS.lock().unwrap_or_else(PoisonError::into_inner);
        actions.0 -= 1;
        if actions.0 == 0 {
            for (number, before) in actions.1.drain(..) {
                // SAFETY: `before` is what the same call gave; nothing is written back.
                unsafe { libc::sigaction(number, &raw const before, std::ptr::null_mut()) };
            }
            let number = CAME.swap(0, Ordering::SeqCst);
            if number != 0 {
                // SAFETY: takes a number and touches no memory of ours.
                unsafe { libc::raise(number) };
            }
        }
    }
}

/// What [`harden`] changed and a child must get back.
#[derive(Clone, Copy, Debug)]
pub struct Hardened {
    /// The limit on core dumps as it was.
    pub core_limit: rustix::process::Rlimit,
}

/// Shuts core dumps and tracing by the same user off, and makes us the parent of what the
/// child leaves behind. Comes before the first key is read.
///
/// `PR_SET_DUMPABLE` = 0 closes `/proc/PID/mem`, ptrace and gcore to the same user; root is
/// out of its reach.
///
/// # Errors
/// Of the system: without it no key is read.
pub fn harden() -> std::io::Result<Hardened> {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_child_subreaper, setrlimit};
    let core_limit = getrlimit(Resource::Core);
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: core_limit.maximum })?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    set_child_subreaper(Some(rustix::process::getpid()))?;
    // Where the caller ignored it, the kernel would reap our children and tell us no exit code.
    // SAFETY: the default action runs no code of ours.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
    Ok(Hardened { core_limit })
}
