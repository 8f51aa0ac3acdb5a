//! Terraform: `.terraformrc` and `credentials.tfrc.json`.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "terraform-credentials",
    kind: "a Terraform host's token",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &[".terraformrc", "terraform.rc", "credentials.tfrc.json"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    super::json::named(text, &["token"], |value| hit(Hit::at(value)));
    super::assignments::named(text, b"=", &["token"], hit);
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            r#"{"credentials": {"app.corp": {"token": "hunter2hunter2"}}}"#.to_owned(),
            "credentials \"app.corp\" {\n  token = \"hunter2hunter2\"\n}\n".to_owned(),
        ],
        not: vec![
            r#"{"credentials": {"app.corp": {"token": ""}}}"#.to_owned(),
            "credentials \"app.corp\" {\n  # token = \"hunter2\"\n}\n".to_owned(),
        ],
    }
}
