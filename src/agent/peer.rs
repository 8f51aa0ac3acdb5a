//! Who is connected: the same user, and a descendant of the wrapped command. Nobody else gets
//! an answer.
//!
//! The walk goes from the peer up through `/proc/PID/stat` to this process, whose
//! children are the wrapped command and the witness of its signals (our own program, closed to
//! others); as a child subreaper we also adopt what the command leaves behind. Process
//! numbers are reused, so every process on the way must have the same start time after the
//! walk as before, and the peer itself is held by a pidfd where the kernel gives one.

use std::cell::Cell;
use std::os::unix::net::UnixStream;

use rustix::process::Pid;

/// How many parents are followed at most. A build is about five deep.
pub const MAX_DEPTH: usize = 64;

/// Why a peer gets no answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Stranger {
    /// Another user, by number.
    #[error("a process of another user (uid {uid}, {name})")]
    OtherUser {
        /// Its user.
        uid: u32,
        /// Its name and number.
        name: String,
    },
    /// A process of the same user that is no descendant of the wrapped command.
    #[error("a process outside of the wrapped command ({0})")]
    Unrelated(String),
    /// Whoever asks at the socket that valetkey opened for an `ssh` of its own.
    #[error("a process at the socket that is for valetkey's own ssh alone ({0})")]
    NotOurSsh(String),
    /// It could not be found out, so it is refused.
    #[error("a process that could not be identified")]
    Unknown,
    /// The system had no descriptor or memory to look at it. Not its fault: it may be asked
    /// about again.
    #[error("a process that could not be looked at")]
    NotLookedAt,
}

impl Stranger {
    /// What a person can do about it, where the stranger may be their own build.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::OtherUser { uid: 0, .. } => {
                Some("if the build itself runs as root, put sudo in front of valetkey and not behind it")
            }
            Self::Unrelated(_) => Some("only what valetkey started is answered: put the command that asks behind `--`"),
            Self::OtherUser { .. } | Self::NotOurSsh(_) | Self::Unknown | Self::NotLookedAt => None,
        }
    }
}

/// One line of `/proc/PID/stat`, as far as it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stat {
    name: String,
    parent: i32,
    start_time: u64,
}

/// Parses `/proc/PID/stat` (proc(5)). The name stands in parentheses and may contain any
/// byte, parentheses and spaces included: the last `)` ends it.
fn parse_stat(text: &[u8]) -> Option<Stat> {
    let open = text.iter().position(|&b| b == b'(')?;
    let close = text.iter().rposition(|&b| b == b')')?;
    let name = crate::wire::text::shown(text.get(open + 1..close)?);
    let rest = std::str::from_utf8(text.get(close + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    // Fields 3 (state), 4 (ppid) and 22 (starttime).
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    let parent = fields.next()?.parse().ok()?;
    let start_time = fields.nth(17)?.parse().ok()?;
    Some(Stat { name, parent, start_time })
}

/// Where the facts about processes come from: `/proc`, or a table in a test.
trait Processes {
    fn stat(&self, pid: i32) -> Option<Stat>;
}

#[derive(Default)]
struct Proc {
    /// Whether something could not be read for want of a descriptor or of memory.
    starved: Cell<bool>,
}

impl Processes for Proc {
    fn stat(&self, pid: i32) -> Option<Stat> {
        use rustix::io::Errno;
        let read = std::fs::read(format!("/proc/{pid}/stat"));
        let errno = read.as_ref().err().and_then(Errno::from_io_error);
        if matches!(errno, Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM)) {
            self.starved.set(true);
        }
        parse_stat(&read.ok()?)
    }
}

/// Whether `pid` is a descendant of `ancestor`. `None` where a process on the way vanished or
/// changed, which is refused as well.
fn descends(processes: &dyn Processes, pid: i32, ancestor: i32) -> Option<bool> {
    let mut way: Vec<(i32, u64, i32)> = Vec::new();
    let mut at = pid;
    let found = loop {
        if at == ancestor {
            // The ancestor itself is no descendant: valetkey does not speak to its own socket.
            break !way.is_empty();
        }
        if at <= 1 || way.len() == MAX_DEPTH {
            break false;
        }
        let stat = processes.stat(at)?;
        way.push((at, stat.start_time, stat.parent));
        at = stat.parent;
    };
    // Read again: a number that was reused in between has another start time. A parent may
    // have changed only by an exit above it, and then the walk was not one moment's truth.
    for (pid, start_time, parent) in way {
        let again = processes.stat(pid)?;
        if again.start_time != start_time || again.parent != parent {
            return None;
        }
    }
    Some(found)
}

/// Whether the process behind the pidfd is still alive. Readable means that it has ended.
fn is_alive(pidfd: &std::os::fd::OwnedFd) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut fds = [PollFd::new(pidfd, PollFlags::IN)];
    matches!(poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(0))
}

/// Looks at who connected, and says why where it is nobody to answer.
///
/// # Errors
/// [`Stranger`] for everyone but a living descendant of the wrapped command with our user.
pub fn check(stream: &UnixStream) -> Result<(), Stranger> {
    // Retried once: a parent that ends during the walk (a shell that finishes while its child
    // connects) is no reason to refuse the child, whose new parent is known the second time.
    match check_once(stream) {
        Err(Stranger::Unknown) => check_once(stream),
        result => result,
    }
}

/// Whether it is this very child of ours that connected. The child must not have been waited for:
/// until then its number is nobody else's.
///
/// # Errors
/// [`Stranger`] for everyone else.
pub fn check_child(stream: &UnixStream, child: Pid) -> Result<(), Stranger> {
    let peer = rustix::net::sockopt::socket_peercred(stream).map_err(|_| Stranger::Unknown)?;
    let (pid, uid) = (peer.pid.as_raw_nonzero().get(), peer.uid.as_raw());
    let name =
        || Proc::default().stat(pid).map_or_else(|| format!("process {pid}"), |stat| format!("{} {pid}", stat.name));
    if uid != rustix::process::geteuid().as_raw() {
        return Err(Stranger::OtherUser { uid, name: name() });
    }
    if peer.pid == child { Ok(()) } else { Err(Stranger::NotOurSsh(name())) }
}

fn check_once(stream: &UnixStream) -> Result<(), Stranger> {
    let pidfd = crate::sys::peer_pidfd(stream);
    let peer = rustix::net::sockopt::socket_peercred(stream).map_err(|_| Stranger::Unknown)?;
    let pid = peer.pid.as_raw_nonzero().get();
    let proc = Proc::default();
    let name = || proc.stat(pid).map_or_else(|| format!("process {pid}"), |stat| format!("{} {pid}", stat.name));
    let uid = peer.uid.as_raw();
    if uid != rustix::process::geteuid().as_raw() {
        return Err(Stranger::OtherUser { uid, name: name() });
    }
    let ours = Pid::as_raw(Some(rustix::process::getpid()));
    let related = descends(&proc, pid, ours);
    if pidfd.is_some_and(|pidfd| !is_alive(&pidfd)) {
        return Err(Stranger::Unknown);
    }
    match related {
        Some(true) => Ok(()),
        Some(false) => Err(Stranger::Unrelated(name())),
        None if proc.starved.get() => Err(Stranger::NotLookedAt),
        None => Err(Stranger::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::HashMap;

    use super::*;

    /// `pid → parent`, and what changes at the n-th look.
    struct Table {
        parents: RefCell<HashMap<i32, (i32, u64)>>,
        looks: RefCell<usize>,
        change: Option<(usize, i32, (i32, u64))>,
    }

    impl Table {
        fn of(pairs: &[(i32, i32)]) -> Self {
            let parents = pairs.iter().map(|&(pid, parent)| (pid, (parent, 5))).collect();
            Self { parents: RefCell::new(parents), looks: RefCell::new(0), change: None }
        }
    }

    impl Processes for Table {
        fn stat(&self, pid: i32) -> Option<Stat> {
            *self.looks.borrow_mut() += 1;
            if let Some((at, pid, value)) = self.change
                && *self.looks.borrow() == at
            {
                self.parents.borrow_mut().insert(pid, value);
            }
            let (parent, start_time) = *self.parents.borrow().get(&pid)?;
            Some(Stat { name: String::new(), parent, start_time })
        }
    }

    #[test]
    fn a_name_with_parentheses_and_spaces_cannot_forge_a_parent() {
        let line = b"42 (a) S 7 (b) S 1 1 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 999 0 0\n";
        assert_eq!(parse_stat(line).unwrap().parent, 1);
        let line = b"42 (sh) S 7 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 999 0 0\n";
        let stat = parse_stat(line).unwrap();
        assert_eq!((stat.parent, stat.start_time, stat.name.as_str()), (7, 999, "sh"));
    }

    #[test]
    fn a_zombie_is_nobody() {
        assert_eq!(parse_stat(b"42 (sh) Z 7 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 999 0 0\n"), None);
    }

    #[test]
    fn our_own_line_in_proc_is_understood() {
        let stat = Proc::default().stat(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert_eq!(stat.parent, Pid::as_raw(rustix::process::getppid()));
        assert!(stat.start_time > 0);
    }

    #[test]
    fn a_grandchild_descends_and_a_sibling_an_ancestor_and_oneself_do_not() {
        let table = Table::of(&[(30, 20), (20, 10), (10, 5), (11, 5), (5, 1)]);
        assert_eq!(descends(&table, 30, 10), Some(true));
        assert_eq!(descends(&table, 20, 10), Some(true));
        assert_eq!(descends(&table, 11, 10), Some(false));
        assert_eq!(descends(&table, 5, 10), Some(false));
        assert_eq!(descends(&table, 10, 10), Some(false));
    }

    #[test]
    fn a_process_without_a_visible_parent_does_not_descend() {
        // A process of another pid namespace has parent 0.
        assert_eq!(descends(&Table::of(&[(30, 0)]), 30, 10), Some(false));
        assert_eq!(descends(&Table::of(&[]), 30, 10), None);
    }

    #[test]
    fn a_number_that_was_reused_during_the_walk_is_refused() {
        // Looks: 30, 20, then 30 again with another start time.
        let table = Table { change: Some((3, 30, (20, 6))), ..Table::of(&[(30, 20), (20, 10)]) };
        assert_eq!(descends(&table, 30, 10), None);
    }

    #[test]
    fn a_parent_that_changed_during_the_walk_is_refused() {
        let table = Table { change: Some((3, 30, (1, 5))), ..Table::of(&[(30, 20), (20, 10)]) };
        assert_eq!(descends(&table, 30, 10), None);
    }

    #[test]
    fn a_chain_at_the_depth_limit_descends_and_a_longer_one_is_refused() {
        let depth = i32::try_from(MAX_DEPTH).unwrap();
        let chain: Vec<(i32, i32)> = (11..12 + depth).map(|pid| (pid, pid - 1)).collect();
        let table = Table::of(&chain);
        assert_eq!(descends(&table, 10 + depth, 10), Some(true));
        assert_eq!(descends(&table, 11 + depth, 10), Some(false));
    }
}
