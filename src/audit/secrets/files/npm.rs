//! npm: tokens and passwords in `.npmrc`, by registry.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "npmrc-token",
    kind: "a registry's credential",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &[".npmrc", "etc/npmrc"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    super::assignments::each(text, b"=", |line| {
        let (registry, key) = match line.name.iter().rposition(|byte| *byte == b':') {
            Some(at) => line.name.split_at(at + 1),
            None => (&b""[..], line.name),
        };
        if matches!(key, b"_authToken" | b"_auth" | b"_password" | b"keytext") {
            let host =
                registry.strip_prefix(b"//").and_then(|rest| rest.split(|byte| matches!(byte, b'/' | b':')).next());
            hit(Hit::of(line.value, host.unwrap_or(b"")));
        }
    });
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            "//npm.corp/:_authToken=hunter2hunter2\n".to_owned(),
            "_auth = am9lOmh1bnRlcjI=\n".to_owned(),
            "//npm.corp/a/:_password=\"aHVudGVyMg==\"\n//npm.corp/a/:username=joe\n".to_owned(),
        ],
        not: vec![
            "//npm.corp/:_authToken=${NPM_TOKEN}\n".to_owned(),
            "registry=https://npm.corp/\n; _auth=am9l\n".to_owned(),
            "//npm.corp/:_authToken=\n".to_owned(),
            "//npm.corp/:_authToken=$NPM_TOKEN\n".to_owned(),
        ],
    }
}
