//! HashiCorp Vault: `.vault-token` holds a token and nothing else.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "vault-token-file",
    kind: "a Vault token",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &[".vault-token"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    let value = super::assignments::trimmed(text, 0..text.len());
    let word = text[value.clone()].iter().all(u8::is_ascii_graphic);
    if word && (20..=500).contains(&value.len()) {
        hit(Hit::at(value));
    }
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            format!("s.{}\n", crate::audit::secrets::made::base62(24, 1)),
            "8b21c4a0-1f6e-7d3b-95ac-e0f2746d1b88".to_owned(),
        ],
        not: vec![
            "".to_owned(),
            "no token here, and so nothing to say\n".to_owned(),
            "s.short\n".to_owned(),
            "x".repeat(26),
        ],
    }
}
