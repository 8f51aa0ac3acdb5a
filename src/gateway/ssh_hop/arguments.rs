//! How `ssh` is started: nothing of the person's config, environment, keys or agent.
//!
//! Every path is relative to the session's folder, in which it runs: ssh splits and expands paths
//! in its options, and an absolute one may hold anything.

use std::ffi::OsString;
use std::process::{Command, Stdio};

use super::super::route::Route;
use super::super::session::Job;

/// The private agent's socket. Short, because a socket's path is.
pub(super) const SOCKET: &str = "a";
/// The keys that the server may show.
pub(super) const KNOWN_HOSTS: &str = "known_hosts";
/// What ssh itself has to say; its stderr is the server's alone.
pub(super) const LOG: &str = "log";

/// No other source of keys, no other way there, nothing forwarded, nobody asked.
const OPTIONS: [&str; 40] = [
    // An ssh of before 9.1 does not know it; there our own exchange has checked the size.
    "IgnoreUnknown=RequiredRSASize",
    "RequiredRSASize=2048",
    "UserKnownHostsFile=known_hosts",
    "GlobalKnownHostsFile=/dev/null",
    "StrictHostKeyChecking=yes",
    "HostKeyAlgorithms=rsa-sha2-512,rsa-sha2-256",
    "CheckHostIP=no",
    "NoHostAuthenticationForLocalhost=no",
    "VerifyHostKeyDNS=no",
    "UpdateHostKeys=no",
    "HashKnownHosts=no",
    "VisualHostKey=no",
    "CanonicalizeHostname=no",
    "IdentityAgent=a",
    "IdentityFile=none",
    "CertificateFile=none",
    // With `yes` only keys that are named as files would be asked of the agent.
    "IdentitiesOnly=no",
    "PKCS11Provider=none",
    "AddKeysToAgent=no",
    "PreferredAuthentications=publickey",
    "PubkeyAuthentication=yes",
    "PasswordAuthentication=no",
    "KbdInteractiveAuthentication=no",
    "HostbasedAuthentication=no",
    "GSSAPIAuthentication=no",
    "BatchMode=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "ClearAllForwardings=yes",
    "Tunnel=no",
    "PermitLocalCommand=no",
    "ControlMaster=no",
    "ControlPath=none",
    "ProxyCommand=none",
    "RequestTTY=no",
    "EscapeChar=none",
    "Compression=no",
    "LogLevel=ERROR",
    "ServerAliveInterval=30",
    "ServerAliveCountMax=3",
];

/// The command; `alias` is the server's name in [`KNOWN_HOSTS`].
pub(super) fn command(job: &Job, route: &Route, alias: &str) -> Command {
    let mut command = Command::new("ssh");
    command.args(arguments(job, route, alias));
    command.env_clear().current_dir(&job.folder);
    // Where to look for ssh: there is nothing that ssh itself would look for.
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    if let Some(protocol) = &job.session.protocol {
        command.env("GIT_PROTOCOL", protocol);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn arguments(job: &Job, route: &Route, alias: &str) -> Vec<OsString> {
    let mut words: Vec<OsString> = ["-F", "/dev/null", "-E", LOG, "-T", "-a", "-x"].map(Into::into).to_vec();
    let seconds = job.limits.connect.as_secs().max(1);
    let own = [format!("HostKeyAlias={alias}"), format!("ConnectTimeout={seconds}"), "SendEnv=GIT_PROTOCOL".into()];
    for option in OPTIONS.into_iter().map(str::to_owned).chain(own) {
        words.extend(["-o".into(), option.into()]);
    }
    words.extend(["-p".into(), route.connect.port.to_string().into(), "-l".into(), (&job.session.user).into()]);
    words.extend(["--".into(), (&route.connect.host).into(), job.session.exec.command().into()]);
    words
}
