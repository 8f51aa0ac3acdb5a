//! Git's plain store of credentials: one address a line. <https://git-scm.com/docs/git-credential-store>

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;
use crate::audit::secrets::url;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "git-credentials",
    kind: "a stored password",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &[".git-credentials", "git/credentials"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    for line in super::assignments::lines(text) {
        addresses(text, line, hit);
    }
}

/// The secrets of all addresses in that range.
pub(super) fn addresses(text: &[u8], range: std::ops::Range<usize>, hit: &mut dyn FnMut(Hit)) {
    for at in memchr::memmem::find_iter(&text[range.clone()], url::LITERAL) {
        if let Some(address) = url::given(text, range.start + at).filter(|address| address.whole.end <= range.end) {
            hit(Hit::of(address.secret, &text[address.host]));
        }
    }
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            "https://joe:hunter22@forge.corp\n".to_owned(),
            "https://joe:hunter22@forge.corp%3a8080\n".to_owned(),
        ],
        not: vec!["https://joe@forge.corp\n".to_owned(), "https://joe:<token>@forge.corp\n".to_owned(), "".to_owned()],
    }
}
