//! Where a granted host is reached: what the person's `~/.ssh/config` says about it, as `ssh -G`
//! tells. HostName, Port and HostKeyAlias are honoured; a jump or a proxy is refused openly,
//! because the gateway's own connection would go another way than the person's.

use std::ffi::OsString;
use std::process::{Command, Stdio};

use crate::hosts::HostName;

/// The most bytes of `ssh -G` that are read.
const MAX_OUTPUT: u64 = 1 << 20;

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
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Route::direct(host)),
        Err(_) => return Err(RouteError::Unreadable),
    };
    let mut printed = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        // Cut short it lacks settings; a config of a megabyte is nobody's.
        let _ = std::io::Read::read_to_end(&mut std::io::Read::take(stdout, MAX_OUTPUT), &mut printed);
    }
    match child.wait() {
        Ok(status) if status.success() => parse(host, &String::from_utf8_lossy(&printed)),
        // A way that is not known may be one through a jump host.
        _ => Err(RouteError::Unreadable),
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
