//! Cargo: `credentials.toml`, and `credentials` before 1.39.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "cargo-token",
    kind: "a Cargo registry's token",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &[".cargo/credentials", ".cargo/credentials.toml", "cargo/credentials", "cargo/credentials.toml"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    super::assignments::named(text, b"=", &["token", "secret-key"], hit);
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            "[registry]\ntoken = \"hunter2hunter2\"\n".to_owned(),
            "[registries.corp]\ntoken = \"Bearer hunter2hunter2\"\n".to_owned(),
        ],
        not: vec![
            "[registry]\ntoken = \"\"\n".to_owned(),
            "[registry]\n# token = \"hunter2\"\n".to_owned(),
            "[registries.corp]\ncredential-provider = \"cargo:token\"\n".to_owned(),
        ],
    }
}
