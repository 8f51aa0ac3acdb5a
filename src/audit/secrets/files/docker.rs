//! Docker, podman and Helm: logins to registries in `config.json`, `auth.json`, `.dockercfg`.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;
use crate::audit::secrets::placeholder;
use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "docker-login",
    kind: "a registry's login",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &[
        ".docker/config.json",
        ".dockercfg",
        ".dockerconfigjson",
        "containers/auth.json",
        "registry/config.json",
        ".buildkit/config.json",
        "kaniko/.docker/config.json",
    ],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    let mut host: &[u8] = b"";
    super::json::each(text, |name, value| match name {
        _ if value.is_empty() && text.get(value.start) == Some(&b'{') => host = name,
        b"auth" if has_password(&text[value.clone()]) => hit(Hit::of(value, host)),
        b"identitytoken" | b"registrytoken" => hit(Hit::of(value, host)),
        _ => {}
    });
}

/// Whether it is base64 of a user, `:` and a password that is no placeholder.
fn has_password(auth: &[u8]) -> bool {
    let Some(text) = std::str::from_utf8(auth).ok().map(str::trim) else { return false };
    let Ok(login) = Base64::decode_vec(text).map(Zeroizing::new) else { return false };
    let Some(colon) = login.iter().position(|byte| *byte == b':') else { return false };
    !placeholder::is(&login[colon + 1..])
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            format!(r#"{{"auths": {{"r.corp": {{"auth": "{}"}}}}}}"#, Base64::encode_string(b"joe:hunter22")),
            r#"{"auths": {"r.corp": {"identitytoken": "hunter2hunter2"}}}"#.to_owned(),
            format!(r#"{{"r.corp": {{"auth": "{}", "email": ""}}}}"#, Base64::encode_string(b"joe:hunter22")),
        ],
        not: vec![
            r#"{"auths": {"r.corp": {}}, "credsStore": "secretservice"}"#.to_owned(),
            r#"{"auths": {"r.corp": {"auth": ""}}}"#.to_owned(),
            format!(r#"{{"auths": {{"r.corp": {{"auth": "{}"}}}}}}"#, Base64::encode_string(b"joe:")),
            r#"{"auths": {"r.corp": {"auth": "not base64!"}}}"#.to_owned(),
            format!(r#"{{"auths": {{"r.corp": {{"auth": "{}"}}}}}}"#, Base64::encode_string(b"joe:${PASSWORD}")),
        ],
    }
}
