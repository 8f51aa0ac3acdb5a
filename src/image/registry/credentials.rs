//! What docker keeps for a registry: `auths` in its config.json, or a credential helper that the
//! file names (docker's credential helper protocol, `docker-credential-NAME get`).

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64ct::{Base64, Encoding as _};
use serde::Deserialize;
use zeroize::Zeroizing;

/// Bytes of config.json, and of a helper's answer.
const MAX_CONFIG: u64 = 1 << 20;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    auths: BTreeMap<String, Auth>,
    creds_store: Option<String>,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth: Zeroizing<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: Zeroizing<String>,
}

/// The value of an Authorization header for a registry, if docker has one.
pub(super) fn of(host: &str) -> Option<Zeroizing<String>> {
    let folder = std::env::var_os("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".docker")))?;
    let mut text = Zeroizing::new(Vec::new());
    std::fs::File::open(folder.join("config.json")).ok()?.take(MAX_CONFIG).read_to_end(&mut text).ok()?;
    let config: Config = serde_json::from_slice(&text).ok()?;
    // Docker Hub's entry has the name of its first API.
    let names = match host {
        "docker.io" | "registry-1.docker.io" => vec!["https://index.docker.io/v1/".to_owned()],
        host => vec![host.to_owned(), format!("https://{host}")],
    };
    for name in &names {
        if let Some(helper) = config.cred_helpers.get(name).or(config.creds_store.as_ref())
            && let Some(basic) = ask(helper, name)
        {
            return Some(basic);
        }
        if let Some(auth) = config.auths.get(name).filter(|auth| !auth.auth.is_empty()) {
            return Some(Zeroizing::new(format!("Basic {}", auth.auth.as_str())));
        }
    }
    None
}

fn ask(helper: &str, name: &str) -> Option<Zeroizing<String>> {
    // A name, as docker takes it: never a path.
    if helper.is_empty() || helper.contains('/') {
        return None;
    }
    let mut command = Command::new(format!("docker-credential-{helper}"));
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    // A helper that does not read is one that gives nothing.
    let _ = child.stdin.take()?.write_all(name.as_bytes());
    let mut text = Zeroizing::new(Vec::new());
    let read = child.stdout.take().map(|output| output.take(MAX_CONFIG).read_to_end(&mut text));
    let ended = child.wait().ok()?;
    read?.ok()?;
    if !ended.success() {
        return None;
    }
    let answer: Answer = serde_json::from_slice(&text).ok()?;
    let both = Zeroizing::new(format!("{}:{}", answer.username, answer.secret.as_str()));
    Some(Zeroizing::new(format!("Basic {}", Zeroizing::new(Base64::encode_string(both.as_bytes())).as_str())))
}
