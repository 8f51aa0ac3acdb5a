//! What docker and podman keep for a registry: `auths` in config.json and auth.json
//! (containers-auth.json(5)), or a credential helper that the file names (docker's credential
//! helper protocol, `docker-credential-NAME get`).

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::child::ask::{Limits, ask};

/// Bytes of config.json, and of a helper's answer.
const MAX_CONFIG: u64 = 1 << 20;
/// How long a helper may take: it may ask a person for a passphrase.
const HELPER: Limits = Limits { time: Duration::from_secs(60), output: MAX_CONFIG };

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

/// The value of an Authorization header for a registry, if docker or podman has one.
pub(super) fn of(host: &str) -> Option<Zeroizing<String>> {
    let var = |name: &str| std::env::var_os(name).map(PathBuf::from);
    files(var).iter().find_map(|file| in_file(file, host))
}

/// The files, in the order in which they are asked: docker's, then podman's.
fn files(var: impl Fn(&str) -> Option<PathBuf>) -> Vec<PathBuf> {
    let home = var("HOME");
    let docker = var("DOCKER_CONFIG").or_else(|| Some(home.as_ref()?.join(".docker")));
    let config = var("XDG_CONFIG_HOME").or_else(|| Some(home?.join(".config")));
    [
        docker.map(|folder| folder.join("config.json")),
        var("REGISTRY_AUTH_FILE"),
        var("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json")),
        config.map(|folder| folder.join("containers/auth.json")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn in_file(file: &Path, host: &str) -> Option<Zeroizing<String>> {
    let mut text = Zeroizing::new(Vec::new());
    std::fs::File::open(file).ok()?.take(MAX_CONFIG).read_to_end(&mut text).ok()?;
    let config: Config = serde_json::from_slice(&text).ok()?;
    // Docker Hub's entry has the name of its first API.
    let names = match host {
        "docker.io" | "registry-1.docker.io" => vec!["https://index.docker.io/v1/".to_owned()],
        host => vec![host.to_owned(), format!("https://{host}")],
    };
    for name in &names {
        if let Some(helper) = config.cred_helpers.get(name).or(config.creds_store.as_ref())
            && let Some(basic) = of_helper(helper, name)
        {
            return Some(basic);
        }
        if let Some(auth) = config.auths.get(name).filter(|auth| !auth.auth.is_empty()) {
            return Some(Zeroizing::new(format!("Basic {}", auth.auth.as_str())));
        }
    }
    None
}

fn of_helper(helper: &str, name: &str) -> Option<Zeroizing<String>> {
    // A name, as docker takes it: never a path.
    if helper.is_empty() || helper.contains('/') {
        return None;
    }
    answer(Command::new(format!("docker-credential-{helper}")).arg("get"), name, HELPER)
}

fn answer(command: &mut Command, name: &str, limits: Limits) -> Option<Zeroizing<String>> {
    let output = ask(command, name, limits).ok()?;
    let text = Zeroizing::new(output.stdout);
    if !output.success {
        return None;
    }
    let answer: Answer = serde_json::from_slice(&text).ok()?;
    let both = Zeroizing::new(format!("{}:{}", answer.username, answer.secret.as_str()));
    Some(Zeroizing::new(format!("Basic {}", Zeroizing::new(Base64::encode_string(both.as_bytes())).as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_script(script: &str, milliseconds: u64) -> Option<String> {
        let limits = Limits { time: Duration::from_millis(milliseconds), output: 1_000 };
        let mut command = Command::new("sh");
        answer(command.args(["-c", script]), "registry.test", limits).map(|basic| basic.to_string())
    }

    #[test]
    fn a_helper_is_asked_for_the_registry_and_answers_within_its_limits_or_not_at_all() {
        const PATIENT: u64 = 60_000;
        let script = r#"read -r name || :; printf '{"ServerURL":"%s","Username":"%s","Secret":"s"}' x "$name""#;
        let basic = format!("Basic {}", Base64::encode_string(b"registry.test:s"));
        assert_eq!(of_script(script, PATIENT), Some(basic));
        for (script, limit) in [
            ("exec tail -f /dev/null", 100),
            ("exec tail -f /dev/null >&-", 100),
            ("yes", PATIENT),
            ("echo no", PATIENT),
            (r#"echo '{"Username":"u","Secret":"s"}'; exit 1"#, PATIENT),
        ] {
            assert_eq!(of_script(script, limit), None, "{script}");
        }
    }

    #[test]
    fn dockers_file_is_asked_first_and_then_podmans() {
        let all = |name: &str| Some(PathBuf::from(format!("/{name}")));
        let expected = [
            "/DOCKER_CONFIG/config.json",
            "/REGISTRY_AUTH_FILE",
            "/XDG_RUNTIME_DIR/containers/auth.json",
            "/XDG_CONFIG_HOME/containers/auth.json",
        ];
        assert_eq!(files(all), expected.map(PathBuf::from));
        let home = |name: &str| (name == "HOME").then(|| PathBuf::from("/home/a"));
        let expected = ["/home/a/.docker/config.json", "/home/a/.config/containers/auth.json"];
        assert_eq!(files(home), expected.map(PathBuf::from));
        assert_eq!(files(|_| None), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_login_is_found_by_the_registrys_name_alone_and_the_next_file_is_asked_where_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("auth.json");
        std::fs::write(&file, r#"{"auths":{"a.test":{"auth":"YTpi"},"https://b.test":{"auth":"Yjpj"}}}"#).unwrap();
        let of = |host: &str| in_file(&file, host).map(|basic| basic.to_string());
        assert_eq!(of("a.test").as_deref(), Some("Basic YTpi"));
        assert_eq!(of("b.test").as_deref(), Some("Basic Yjpj"));
        assert_eq!(of("c.test"), None);
        std::fs::write(&file, "no JSON").unwrap();
        assert_eq!(of("a.test"), None);
    }
}
