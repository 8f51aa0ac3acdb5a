//! RubyGems: `~/.gem/credentials`.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "gem-credentials",
    kind: "a gem server's API key",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &[".gem/credentials", "gem/credentials"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    super::assignments::each(text, b" ", |line| {
        // `:rubygems_api_key: …`, `https://gems.corp: …`.
        let key = line.name.strip_suffix(b":");
        if let Some(key) = key.filter(|key| key.ends_with(b"_api_key") || memchr::memmem::find(key, b"://").is_some()) {
            hit(Hit::of(line.value, key.strip_prefix(b":").unwrap_or(key)));
        }
    });
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            format!("---\n:rubygems_api_key: {}\n", crate::audit::secrets::made::base62(40, 1)),
            "---\nhttps://gems.corp: hunter22\n".to_owned(),
        ],
        not: vec![
            "---\n:rubygems_api_key:\n".to_owned(),
            ":verbose: true\n:sources:\n- https://gems.corp\n".to_owned(),
        ],
    }
}
