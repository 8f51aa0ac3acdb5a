//! pip: addresses with a password in `pip.conf`.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "pip-password",
    kind: "a package index's password",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &["pip.conf", "pip.ini", ".pip/pip.conf"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    super::assignments::each(text, b"=", |line| super::git_credentials::addresses(text, line.value, hit));
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            "[global]\nindex-url = https://joe:hunter22@pypi.corp/simple\n".to_owned(),
            "[global]\nextra-index-url =https://a.corp/\nindex-url= https://__token__:hunter22@pypi.corp/\n".to_owned(),
        ],
        not: vec![
            "[global]\nindex-url = https://pypi.corp/simple\n".to_owned(),
            "[global]\nindex-url = https://joe:${PASSWORD}@pypi.corp/simple\n".to_owned(),
            "# index-url = https://joe:hunter22@pypi.corp/\n".to_owned(),
        ],
    }
}
