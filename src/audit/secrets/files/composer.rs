//! Composer: `auth.json`.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "composer-credentials",
    kind: "a forge's or repository's credential",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &["auth.json"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    let mut kind: &[u8] = b"";
    super::json::each(text, |name, value| {
        if value.is_empty() && text.get(value.start) == Some(&b'{') {
            if name.contains(&b'.') {
                return;
            }
            kind = name;
        } else if match kind {
            b"github-oauth" | b"gitlab-oauth" | b"gitlab-token" | b"bearer" => name != b"username",
            b"http-basic" | b"bitbucket-oauth" => matches!(name, b"password" | b"consumer-secret"),
            _ => false,
        } {
            hit(Hit::at(value));
        }
    });
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            r#"{"github-oauth": {"github.com": "hunter2hunter2"}}"#.to_owned(),
            r#"{"http-basic": {"repo.corp": {"username": "joe", "password": "hunter22"}}}"#.to_owned(),
        ],
        not: vec![
            r#"{"http-basic": {"repo.corp": {"username": "joe", "password": ""}}}"#.to_owned(),
            r#"{"http-basic": {}, "other": {"a.corp": "b", "password": "hunter22"}}"#.to_owned(),
        ],
    }
}
