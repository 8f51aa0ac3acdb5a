//! Google Cloud: a user's own login, as `gcloud auth application-default login` leaves it.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "gcloud-credentials",
    kind: "a Google account's refresh token",
    severity: Severity::Error,
    remedy: "revoke it with gcloud auth application-default revoke, and mount credentials as a secret",
    paths: &["application_default_credentials.json", "legacy_credentials//adc.json"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    super::json::named(text, &["refresh_token"], |value| hit(Hit::at(value)));
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            r#"{"client_id": "a", "client_secret": "b", "refresh_token": "1//hunter2hunter2", "type": "authorized_user"}"#.to_owned(),
        ],
        not: vec![
            r#"{"type": "external_account", "token_url": "a"}"#.to_owned(),
            r#"{"refresh_token": ""}"#.to_owned(),
        ],
    }
}
