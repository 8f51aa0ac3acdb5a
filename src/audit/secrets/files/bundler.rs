//! Bundler: a host's `user:password` in `.bundle/config`.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;
use crate::audit::secrets::placeholder;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "bundler-credentials",
    kind: "a gem server's credential",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &[".bundle/config", "bundle/config"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    super::assignments::each(text, b":", |line| {
        let value = &text[line.value.clone()];
        let Some(host) = line.name.strip_prefix(b"BUNDLE_") else { return };
        // `GEMS__CORP`: a host's dots are written so, and no option has two underscores but these.
        let option = [&b"MIRROR"[..], b"BUILD", b"LOCAL", b"PLUGINS"].iter().any(|option| host.starts_with(option));
        let login = value.iter().position(|byte| *byte == b':').is_some_and(|at| !placeholder::is(&value[at + 1..]));
        let words = value.contains(&b' ') || memchr::memmem::find(value, b"//").is_some();
        let token = value.len() >= 20 && placeholder::is_random(value);
        if memchr::memmem::find(host, b"__").is_some() && !option && !words && (login || token) {
            hit(Hit::at(line.value));
        }
    });
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            "---\nBUNDLE_GEMS__CORP: \"joe:hunter22\"\n".to_owned(),
            format!("BUNDLE_GITHUB__COM: {}\n", crate::audit::secrets::made::base62(40, 1)),
        ],
        not: vec![
            "BUNDLE_PATH: \"vendor/bundle\"\nBUNDLE_WITHOUT: \"development:test\"\n".to_owned(),
            "BUNDLE_BUILD__NOKOGIRI: \"--use-system-libraries\"\n".to_owned(),
            "BUNDLE_MIRROR__GEMS__CORP: \"a:b\"\n".to_owned(),
            "BUNDLE_GEMS__CORP: \"joe:${PASSWORD}\"\n".to_owned(),
        ],
    }
}
