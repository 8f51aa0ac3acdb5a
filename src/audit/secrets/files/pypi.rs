//! Python's uploads: `.pypirc`.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "pypirc-password",
    kind: "a package index's password",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &[".pypirc"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    super::assignments::named(text, b"=:", &["password"], hit);
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            "[pypi]\nusername = joe\npassword = hunter22\n".to_owned(),
            "[corp]\npassword: hunter22\n".to_owned(),
        ],
        not: vec![
            "[pypi]\nusername = __token__\npassword =\n".to_owned(),
            "[pypi]\npassword = <your token>\n".to_owned(),
            "[pypi]\n;password = hunter22\n".to_owned(),
        ],
    }
}
