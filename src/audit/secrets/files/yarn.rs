//! Yarn 2 and later: `.yarnrc.yml`.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "yarn-token",
    kind: "a registry's credential",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &[".yarnrc.yml"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    super::assignments::named(text, b":", &["npmAuthToken", "npmAuthIdent"], hit);
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            "npmAuthToken: hunter2hunter2\n".to_owned(),
            "npmRegistries:\n  //npm.corp:\n    npmAuthIdent: \"joe:hunter2\"\n".to_owned(),
        ],
        not: vec![
            "npmAuthToken: ${NPM_TOKEN-none}\n".to_owned(),
            "npmAlwaysAuth: true\n# npmAuthToken: hunter2\n".to_owned(),
        ],
    }
}
