//! Who is connected: the same user, and a descendant of the wrapped command or of the job that a
//! lease was started for. Nobody else gets an answer.
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

/// `PF_FORKNOEXEC` of Linux's `include/linux/sched.h`, in the flags of a process.
const FORKED: u64 = 0x40;

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
    /// A process of the same user that does not descend from the job's.
    #[error("a process outside of the job ({0})")]
    OutsideOfJob(String),
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
            Self::OutsideOfJob(_) => Some(
                "what descends from the process that the lease lasts for is answered: name another one with --until-exit PID",
            ),
            Self::OtherUser { .. } | Self::NotOurSsh(_) | Self::Unknown | Self::NotLookedAt => None,
        }
    }
}

/// One line of `/proc/PID/stat`, as far as it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stat {
    name: String,
    parent: i32,
    forked: bool,
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
    // Fields 3 (state), 4 (ppid), 9 (flags) and 22 (starttime).
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    let parent = fields.next()?.parse().ok()?;
    let flags: u64 = fields.nth(4)?.parse().ok()?;
    let start_time = fields.nth(12)?.parse().ok()?;
    Some(Stat { name, parent, forked: flags & FORKED != 0, start_time })
}

/// A process and when it started, in clock ticks since the system did: no other process has both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    start_time: u64,
}

/// What is told of a process to a person who has to choose or recognise one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relative {
    /// Which it is.
    pub process: Process,
    /// Its name, as `ps -o comm` shows it.
    pub name: String,
    /// Whether it was forked and has started no program of its own since, as a shell's subshell.
    pub forked: bool,
    /// Its parent's number; 0 where that is out of sight.
    pub parent: i32,
}

impl Relative {
    /// What `/proc` says of a process that lives.
    #[must_use]
    pub fn of(pid: i32) -> Option<Self> {
        let stat = Proc::default().stat(pid)?;
        let process = Process { pid, start_time: stat.start_time };
        Some(Self { process, name: stat.name, forked: stat.forked, parent: stat.parent })
    }
}

/// Whose processes are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peers {
    /// Descendants of this process: the wrapped command.
    Command,
    /// A job's process and its descendants as well.
    Job(Process),
    /// Every process of this user: where it cannot be told which of them are the job's.
    User,
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

/// Whether `pid` is a descendant of `ours`, or is `job` or a descendant of it. `None` where a
/// process on the way vanished or changed, which is refused as well.
fn descends(processes: &dyn Processes, pid: i32, ours: i32, job: Option<Process>) -> Option<bool> {
    let mut way: Vec<(i32, u64, i32)> = Vec::new();
    let mut at = pid;
    let found = loop {
        if at == ours {
            // We ourselves are no descendant: valetkey does not speak to its own socket.
            break !way.is_empty();
        }
        let is_job = job.is_some_and(|job| job.pid == at);
        if !is_job && (at <= 1 || way.len() == MAX_DEPTH) {
            break false;
        }
        let stat = processes.stat(at)?;
        way.push((at, stat.start_time, stat.parent));
        if is_job {
            // Where it has ended, its number may be another process's.
            break job.is_some_and(|job| job.start_time == stat.start_time);
        }
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
/// [`Stranger`] for everyone but a living process of our user that is one of `peers`.
pub fn check(stream: &UnixStream, peers: &Peers) -> Result<(), Stranger> {
    // Retried once: a parent that ends during the walk (a shell that finishes while its child
    // connects) is no reason to refuse the child, whose new parent is known the second time.
    match check_once(stream, peers) {
        Err(Stranger::Unknown) => check_once(stream, peers),
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

fn check_once(stream: &UnixStream, peers: &Peers) -> Result<(), Stranger> {
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
    let related = match peers {
        Peers::Command => descends(&proc, pid, ours, None),
        Peers::Job(job) => descends(&proc, pid, ours, Some(*job)),
        Peers::User => Some(pid != ours),
    };
    if pidfd.is_some_and(|pidfd| !is_alive(&pidfd)) {
        return Err(Stranger::Unknown);
    }
    match related {
        Some(true) => Ok(()),
        Some(false) if matches!(peers, Peers::Job(_)) => Err(Stranger::OutsideOfJob(name())),
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
            Some(Stat { name: String::new(), parent, forked: false, start_time })
        }
    }

    #[test]
    fn a_name_with_parentheses_and_spaces_cannot_forge_a_parent() {
        let line = b"42 (a) S 7 (b) S 1 1 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 999 0 0\n";
        assert_eq!(parse_stat(line).unwrap().parent, 1);
        let line = b"42 (sh) S 7 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 999 0 0\n";
        let stat = parse_stat(line).unwrap();
        assert_eq!((stat.parent, stat.start_time, stat.name.as_str(), stat.forked), (7, 999, "sh", false));
        let line = b"42 (sh) S 7 1 1 0 -1 4194368 0 0 0 0 0 0 0 0 20 0 1 0 999 0 0\n";
        assert!(parse_stat(line).unwrap().forked);
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
        assert_eq!(descends(&table, 30, 10, None), Some(true));
        assert_eq!(descends(&table, 20, 10, None), Some(true));
        assert_eq!(descends(&table, 11, 10, None), Some(false));
        assert_eq!(descends(&table, 5, 10, None), Some(false));
        assert_eq!(descends(&table, 10, 10, None), Some(false));
    }

    #[test]
    fn a_process_without_a_visible_parent_does_not_descend() {
        // A process of another pid namespace has parent 0.
        assert_eq!(descends(&Table::of(&[(30, 0)]), 30, 10, None), Some(false));
        assert_eq!(descends(&Table::of(&[]), 30, 10, None), None);
    }

    #[test]
    fn a_number_that_was_reused_during_the_walk_is_refused() {
        // Looks: 30, 20, then 30 again with another start time.
        let table = Table { change: Some((3, 30, (20, 6))), ..Table::of(&[(30, 20), (20, 10)]) };
        assert_eq!(descends(&table, 30, 10, None), None);
    }

    #[test]
    fn a_parent_that_changed_during_the_walk_is_refused() {
        let table = Table { change: Some((3, 30, (1, 5))), ..Table::of(&[(30, 20), (20, 10)]) };
        assert_eq!(descends(&table, 30, 10, None), None);
    }

    #[test]
    fn a_chain_at_the_depth_limit_descends_and_a_longer_one_is_refused() {
        let depth = i32::try_from(MAX_DEPTH).unwrap();
        let chain: Vec<(i32, i32)> = (11..12 + depth).map(|pid| (pid, pid - 1)).collect();
        let table = Table::of(&chain);
        assert_eq!(descends(&table, 10 + depth, 10, None), Some(true));
        assert_eq!(descends(&table, 11 + depth, 10, None), Some(false));
    }

    #[test]
    fn the_jobs_process_and_its_descendants_are_known_and_its_parent_and_brother_are_not() {
        let table = Table::of(&[(40, 30), (30, 20), (20, 5), (21, 5), (5, 1), (10, 1)]);
        let job = Some(Process { pid: 20, start_time: 5 });
        for (pid, known) in [(40, true), (30, true), (20, true), (21, false), (5, false), (10, false)] {
            assert_eq!(descends(&table, pid, 10, job), Some(known), "{pid}");
        }
        assert_eq!(descends(&Table::of(&[(11, 10), (10, 1)]), 11, 10, job), Some(true), "what we started ourselves");
    }

    #[test]
    fn another_process_with_the_number_of_the_job_that_has_ended_is_refused() {
        let table = Table::of(&[(30, 20), (20, 1)]);
        assert_eq!(descends(&table, 30, 10, Some(Process { pid: 20, start_time: 4 })), Some(false));
    }

    #[test]
    fn a_job_may_be_the_first_process_of_a_container() {
        let table = Table::of(&[(30, 1), (1, 0), (31, 0)]);
        let job = Some(Process { pid: 1, start_time: 5 });
        assert_eq!(descends(&table, 30, 10, job), Some(true));
        assert_eq!(descends(&table, 31, 10, job), Some(false));
    }
}
