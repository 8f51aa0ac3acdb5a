//! The command lines of GitHub and GitLab: `gh/hosts.yml`, `hub`, `glab-cli/config.yml`.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "forge-cli-token",
    kind: "a forge's token, of its command line",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &["gh/hosts.yml", ".config/hub", "glab-cli/config.yml"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    super::assignments::named(text, b":", &["oauth_token", "token"], hit);
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            format!("forge.corp:\n    user: joe\n    oauth_token: {}\n", crate::audit::secrets::made::base62(40, 1)),
            format!("hosts:\n    forge.corp:\n        token: {}\n", crate::audit::secrets::made::base62(40, 1)),
        ],
        not: vec![
            "forge.corp:\n    user: joe\n    git_protocol: https\n".to_owned(),
            "forge.corp:\n    oauth_token: \n".to_owned(),
        ],
    }
}
