//! The process of a lease that `start` left in the background: it opens, says so, and waits for
//! its end.

use std::io::Write as _;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags};
use serde::Serialize;
use signal_hook::consts::signal::{SIGHUP, SIGINT, SIGTERM};

use super::StartArgs;
use super::given::{Given, Process, Socket};
use super::offered::Offered;
use super::output;
use super::until::{self, Until};
use crate::agent::peer::{Peers, Relative};
use crate::cli::lend::{Lendings, Opened, Settings};
use crate::exit::Code;
use crate::lease::control::{self, Asked, Question};
use crate::lease::{EndedBy, FILE, keep_ended};
use crate::receipt::Receipt;
use crate::secret::Way;
use crate::ui::{self, Failure};

/// Its name in the process list.
pub(in crate::cli) const NAME: &str = "valetkey-lease";

/// What is said in a GitLab job.
const GITLAB: &str = "GitLab hides in the log what is the value of a variable with \"Mask variable\": one line of 8 or more letters, digits and a few signs, so no key and no file; what `valetkey run` passes on is masked by valetkey itself";

/// What can happen to it.
enum Event {
    /// A signal that ends a process.
    Signal,
    /// The process that it lasts for has ended.
    Job,
    /// Somebody asks.
    Asked(Asked),
}

/// What is said of a lease to `status` and `stop`, and kept where it ends by itself.
#[derive(Serialize)]
struct Said<'a> {
    given: &'a Given,
    summary: Vec<String>,
    receipt: Receipt,
}

/// Opens the lease, says what it gives, and stays until it ends.
///
/// # Errors
/// [`Failure`] before it has said so; afterwards nobody listens.
pub(in crate::cli) fn run(args: &StartArgs) -> Result<u8, Failure> {
    let _ = rustix::thread::set_name(c"valetkey-lease");
    super::super::harden()?;
    // What its own programs leave behind is the system's to reap, as for any daemon.
    let _ = rustix::process::set_child_subreaper(None);
    let until = until(args)?;
    let (sender, events) = mpsc::channel();
    watch(&until, sender.clone())?;

    let mut settings = Settings::new(&args.lend)?;
    let mut lendings = Lendings::load(&mut settings, args.lend.max_identities(), None, args.github_env)?;
    let masks = output::masks(&std::mem::take(&mut lendings.texts));
    // Who will read secrets is not known, and everyone can read a file.
    let mut opened = Opened::new(&args.lend, &settings, lendings, until.peers, Way::File)?;
    let offered = Offered::new(args, &settings, &opened)?;
    let given = given(&until, &settings, &opened, &offered);
    if !args.quiet {
        let warnings = settings.warnings.iter().chain(opened.warnings()).chain(&offered.warnings);
        warnings.for_each(|text| ui::warning(text));
        offered.notes.iter().chain(&until.weaker).for_each(|text| ui::note(text));
        if std::env::var_os("GITLAB_CI").is_some() {
            ui::note(GITLAB);
        }
    }
    let document = json(&given)?;
    opened.lease.write(&given.lease.join(FILE), &document)?;
    listen(&given.lease, sender)?;
    say(&document, &masks)?;
    drop(masks);

    let (ended_by, asked) = wait(&events, &given, &opened);
    opened.close();
    let receipt = opened.receipt("start".into(), Some(ended_by), None);
    // Nobody is there to be told: the step that started it is long over.
    let _ = opened.write(&receipt);
    let said = json(&Said { given: &given, summary: receipt.summary(), receipt }).unwrap_or_default();
    if asked.is_none() {
        // Before its folder goes: whoever asks meanwhile finds the one or the other.
        let _ = keep_ended(&given.lease, &said);
    }
    opened.end();
    if let Some(asked) = asked {
        asked.answer(&said);
    }
    Ok(0)
}

/// The process that the lease lasts for: typed, or one above the `start` that is our parent.
fn until(args: &StartArgs) -> Result<Until, Failure> {
    if let Some(pid) = args.until_exit {
        return until::typed(pid, args.peers);
    }
    let start = rustix::process::getppid().and_then(|parent| Relative::of(parent.as_raw_nonzero().get()));
    let above = start.and_then(|start| Pid::from_raw(start.parent)).map(until::ancestors).unwrap_or_default();
    let github = std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
    until::choose(&above, github, args.peers).ok_or_else(|| {
        Failure::new(Code::Usage, "it cannot be told which process the lease is to last for")
            .with_hint("name it with --until-exit PID, such as the $$ of a shell")
    })
}

/// Tells of signals, and of the end of the process that the lease lasts for.
fn watch(until: &Until, sender: Sender<Event>) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::new(Code::Lease, format!("failed to watch for the end of the lease: {error}"));
    let process = until.process.process;
    let pid = Pid::from_raw(process.pid).ok_or_else(|| until::gone(process.pid))?;
    let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty()).map_err(|_| until::gone(process.pid))?;
    // Behind the descriptor is the process that was looked at, or nobody.
    if Relative::of(process.pid).is_none_or(|now| now.process != process) {
        return Err(until::gone(process.pid));
    }
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGHUP]).map_err(failed)?;
    let of_signals = sender.clone();
    let signalled = move || signals.forever().for_each(|_| drop(of_signals.send(Event::Signal)));
    thread::Builder::new().name("signals".into()).spawn(signalled).map_err(failed)?;
    let ended = move || {
        while poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], None) == Err(rustix::io::Errno::INTR) {}
        let _ = sender.send(Event::Job);
    };
    thread::Builder::new().name("until exit".into()).spawn(ended).map_err(failed)?;
    Ok(())
}

fn listen(lease: &Path, sender: Sender<Event>) -> Result<(), Failure> {
    // Whoever asks after its end gets no answer, and sees that it is over.
    let listening = control::listen(lease, move |asked| drop(sender.send(Event::Asked(asked))));
    listening.map_err(|error| Failure::new(Code::Lease, format!("failed to listen in {}: {error}", lease.display())))
}

fn given(until: &Until, settings: &Settings, opened: &Opened, offered: &Offered) -> Given {
    let lending = &opened.lending;
    let sockets = lending.sockets.iter().map(|(id, path)| Socket { id: id.clone(), path: path.clone() });
    let (arguments, process) = (&offered.arguments, &until.process);
    Given {
        lease: lending.folder.clone(),
        pid: std::process::id(),
        started: opened.started,
        time_limit_seconds: opened.time_limit().as_secs(),
        until_exit: Process { pid: process.process.pid, name: crate::wire::text::shown(process.name.as_bytes()) },
        peers: if until.peers == Peers::User { "user" } else { "job" }.to_owned(),
        sockets: sockets.collect(),
        known_hosts: lending.known_hosts.clone(),
        context: lending.guest.clone(),
        build_args: arguments.words(),
        ssh: arguments.ssh.clone(),
        build_contexts: arguments.contexts.clone(),
        secrets: arguments.secrets.clone(),
        bake_args: offered.bake_args.clone(),
        files: offered.files.clone(),
        variables: offered.with_old_values(),
        unset: settings.secret_variables().iter().map(|name| name.to_string_lossy().into_owned()).collect(),
    }
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value).map_err(|error| Failure::new(Code::Internal, format!("failed to write JSON: {error}")))
}

/// Says what the lease gives to the `start` that waits for it, and lets go of its terminal, its
/// pipes and its folder.
fn say(document: &[u8], masks: &[u8]) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::new(Code::Lease, format!("failed to go into the background: {error}"));
    let mut out = std::io::stdout();
    let written = [document, b"\n", masks].iter().try_for_each(|part| out.write_all(part));
    written.and_then(|()| out.flush()).map_err(failed)?;
    let _ = std::env::set_current_dir("/");
    // Not the leader of a group: `start` is.
    rustix::process::setsid().map_err(|error| failed(error.into()))?;
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null").map_err(failed)?;
    rustix::stdio::dup2_stdin(&null)
        .and_then(|()| rustix::stdio::dup2_stderr(&null))
        .and_then(|()| rustix::stdio::dup2_stdout(&null))
        .map_err(|error| failed(error.into()))
}

/// Waits for the end, and says what it is; answers whoever asks meanwhile.
fn wait(events: &Receiver<Event>, given: &Given, opened: &Opened) -> (EndedBy, Option<Asked>) {
    let end = Instant::now() + opened.time_left();
    loop {
        match events.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(Event::Signal) => return (EndedBy::Signal, None),
            Ok(Event::Job) => return (EndedBy::Job, None),
            Ok(Event::Asked(asked)) if asked.question == Question::Stop => return (EndedBy::Stop, Some(asked)),
            Ok(Event::Asked(asked)) => {
                let receipt = opened.receipt("start".into(), None, None);
                let said = json(&Said { given, summary: receipt.summary(), receipt }).unwrap_or_default();
                asked.answer(&said);
            }
            Err(mpsc::RecvTimeoutError::Timeout) => return (EndedBy::TimeLimit, None),
            // Nothing watches any more.
            Err(mpsc::RecvTimeoutError::Disconnected) => return (EndedBy::Signal, None),
        }
    }
}

/// Seconds since 1970.
pub(in crate::cli) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
