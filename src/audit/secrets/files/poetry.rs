//! Poetry: `auth.toml`.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "poetry-credentials",
    kind: "a package index's credential",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &["pypoetry/auth.toml"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    super::assignments::each(text, b"=", |line| {
        let tokens = line.section == b"pypi-token" || line.section.starts_with(b"pypi-token.");
        if line.name == b"password" || tokens {
            hit(Hit::of(line.value, line.section.split(|byte| *byte == b'.').nth(1).unwrap_or(b"")));
        }
    });
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            "[http-basic.corp]\nusername = \"joe\"\npassword = \"hunter22\"\n".to_owned(),
            "[pypi-token]\ncorp = \"hunter2hunter2\"\n".to_owned(),
        ],
        not: vec![
            "[http-basic.corp]\nusername = \"joe\"\npassword = \"\"\n".to_owned(),
            "[certificates.corp]\ncert = \"/a\"\n".to_owned(),
        ],
    }
}
