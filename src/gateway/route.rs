//! Where a granted host is reached: what the person's `~/.ssh/config` says about it, as `ssh -G`
//! tells. HostName, Port and HostKeyAlias are honoured; a jump or a proxy is refused openly,
//! because the gateway's own connection would go another way than the person's.

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal};

use crate::hosts::HostName;

/// The most bytes of `ssh -G` that are read.
const MAX_OUTPUT: usize = 1 << 20;
/// How long `ssh -G` may take: a `Match exec` of the config runs whatever it says.
pub const MAX_ASK: Duration = Duration::from_secs(10);
/// How often its end is looked for, once it has said everything.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Where to connect, and what else the host key may be pinned for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Name or address and port.
    pub connect: HostName,
    /// The name that ssh would look the host key up by.
    pub pinned_as: HostName,
}

impl Route {
    /// Straight to the host.
    #[must_use]
    pub fn direct(host: &HostName) -> Self {
        Self { connect: host.clone(), pinned_as: host.clone() }
    }
}

/// A setting that the gateway does not follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum RouteError {
    /// `ProxyJump`.
    #[error("~/.ssh/config reaches it through a jump host (ProxyJump)")]
    Jump,
    /// `ProxyCommand`.
    #[error("~/.ssh/config reaches it through a command (ProxyCommand)")]
    Command,
    /// A HostName or Port that is none.
    #[error("~/.ssh/config gives it a HostName or Port that is none")]
    Name,
    /// ssh fails on it, so that what it says is not known.
    #[error("~/.ssh/config is not one that ssh can read (see `ssh -G`)")]
    Unreadable,
    /// ssh does not come to an end on it.
    #[error("~/.ssh/config keeps ssh busy for longer than {} seconds (see `ssh -G`)", MAX_ASK.as_secs())]
    Slow,
}

/// PURE: reads what `ssh -G` printed for this host.
///
/// # Errors
/// [`RouteError`] for a way that the gateway does not go.
pub fn parse(host: &HostName, printed: &str) -> Result<Route, RouteError> {
    let of = |name: &str| {
        let value =
            printed.lines().filter_map(|line| line.split_once(' ')).find(|(key, _)| key.eq_ignore_ascii_case(name));
        value.map(|(_, value)| value.trim()).filter(|value| !value.is_empty() && !value.eq_ignore_ascii_case("none"))
    };
    if of("proxyjump").is_some() {
        return Err(RouteError::Jump);
    }
    if of("proxycommand").is_some() {
        return Err(RouteError::Command);
    }
    let port = of("port").map_or(Ok(host.port), str::parse).map_err(|_| RouteError::Name)?;
    let connect = HostName::new(of("hostname").unwrap_or(&host.host), port).map_err(|_| RouteError::Name)?;
    let pinned_as = match of("hostkeyalias") {
        Some(alias) => HostName::new(alias, 22).map_err(|_| RouteError::Name)?,
        None => connect.clone(),
    };
    Ok(Route { connect, pinned_as })
}

/// Asks the system's ssh. Without one there is no config to follow.
///
/// # Errors
/// As [`parse`].
pub fn ask(host: &HostName, user: &str, hidden: &[OsString]) -> Result<Route, RouteError> {
    let mut command = Command::new("ssh");
    command.args(["-G", "-l", user]);
    // A port that was typed wins over the config; 22 is what is meant where none was typed.
    if host.port != 22 {
        command.args(["-p", &host.port.to_string()]);
    }
    command.arg("--").arg(&host.host).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    for name in hidden {
        command.env_remove(name);
    }
    // A group of its own, so that what a `Match exec` started ends with it.
    command.process_group(0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Route::direct(host)),
        Err(_) => return Err(RouteError::Unreadable),
    };
    match answer(&mut child, Instant::now() + MAX_ASK) {
        Ok(Some(printed)) => parse(host, &String::from_utf8_lossy(&printed)),
        // A way that is not known may be one through a jump host.
        Ok(None) => Err(RouteError::Unreadable),
        Err(error) => {
            let _ = rustix::process::kill_process_group(Pid::from_child(&child), Signal::KILL);
            let _ = child.wait();
            Err(if error.kind() == io::ErrorKind::TimedOut { RouteError::Slow } else { RouteError::Unreadable })
        }
    }
}

/// What the child prints until it ends well; `None` where it fails, an error past `until`.
fn answer(child: &mut Child, until: Instant) -> io::Result<Option<Vec<u8>>> {
    let mut stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let (mut printed, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        if poll(&mut [PollFd::new(&stdout, PollFlags::IN)], Some(&left))? == 0 {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let count = stdout.read(&mut chunk)?;
        if count == 0 {
            break;
        }
        printed.extend_from_slice(chunk.get(..count).unwrap_or_default());
        // Cut short it lacks settings; a config of a megabyte is nobody's.
        if printed.len() > MAX_OUTPUT {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    loop {
        match child.try_wait()? {
            Some(status) => return Ok(status.success().then_some(printed)),
            None if Instant::now() >= until => return Err(io::ErrorKind::TimedOut.into()),
            None => std::thread::sleep(LOOK_EVERY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str) -> HostName {
        name.parse().unwrap()
    }

    #[test]
    fn host_name_port_and_alias_are_followed() {
        let forge = host("forge");
        assert_eq!(parse(&forge, "user git\nhostname forge\nport 22\n"), Ok(Route::direct(&forge)));
        assert_eq!(parse(&forge, ""), Ok(Route::direct(&forge)));
        let route = parse(&forge, "hostname real.example\nport 443\nproxycommand none\nproxyusefdpass no\n").unwrap();
        assert_eq!((route.connect, route.pinned_as), (host("[real.example]:443"), host("[real.example]:443")));
        let route = parse(&forge, "hostname 10.0.0.1\nport 22\nhostkeyalias forge.internal\n").unwrap();
        assert_eq!((route.connect, route.pinned_as), (host("10.0.0.1"), host("forge.internal")));
    }

    #[test]
    fn a_jump_a_proxy_and_nonsense_are_refused() {
        for (printed, error) in [
            ("proxyjump bastion\n", RouteError::Jump),
            ("proxycommand nc %h %p\n", RouteError::Command),
            ("port x\n", RouteError::Name),
            ("hostname a b\n", RouteError::Name),
        ] {
            assert_eq!(parse(&host("forge"), printed), Err(error), "{printed}");
        }
    }
}
