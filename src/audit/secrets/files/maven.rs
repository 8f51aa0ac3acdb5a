//! Maven: passwords of servers in `settings.xml`, unless they are encrypted (`{…}`).

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "maven-password",
    kind: "a password in Maven's settings",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &["settings.xml"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    if memchr::memmem::find(text, b"<server").is_none() && memchr::memmem::find(text, b"<proxy").is_none() {
        return;
    }
    for (open, close) in [(&b"<password>"[..], &b"</password>"[..]), (b"<passphrase>", b"</passphrase>")] {
        for at in memchr::memmem::find_iter(text, open) {
            let start = at + open.len();
            let comment = memchr::memmem::rfind(&text[..at], b"<!--");
            let comment = comment.is_some_and(|open| memchr::memmem::find(&text[open..at], b"-->").is_none());
            if let Some(length) = memchr::memmem::find(&text[start..], close).filter(|_| !comment) {
                hit(Hit::at(super::assignments::trimmed(text, start..start + length)));
            }
        }
    }
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            "<settings><servers><server><id>a</id><password> hunter22 </password></server></servers></settings>"
                .to_owned(),
        ],
        not: vec![
            "<settings><servers><server><password>${env.PASSWORD}</password></server></servers></settings>".to_owned(),
            "<server><password>{COQLCE6DU6GtcS5P=}</password></server>".to_owned(),
            "<server/><!-- <password>hunter22</password> -->".to_owned(),
            "<other><password>hunter22</password></other>".to_owned(),
        ],
    }
}
