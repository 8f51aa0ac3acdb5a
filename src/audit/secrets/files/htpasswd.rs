//! Apache's and nginx's password files: a hash is worth as much as the password is weak.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "htpasswd-hash",
    kind: "hashes of passwords",
    severity: Severity::Note,
    remedy: "keep the file out of the image where the passwords open anything else",
    paths: &[".htpasswd", "htpasswd"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    let hashes: [&[u8]; 7] = [b"$apr1$", b"$2y$", b"$2a$", b"$2b$", b"$5$", b"$6$", b"{SHA}"];
    for line in super::assignments::lines(text) {
        let Some(colon) = text[line.clone()].iter().position(|byte| *byte == b':') else { continue };
        let value = line.start + colon + 1..line.end;
        if value.len() > 20 && hashes.iter().any(|hash| text[value.clone()].starts_with(hash)) {
            // One says enough of the file.
            return hit(Hit::at(value));
        }
    }
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            format!(
                "joe:$apr1$12345678${}\nsue:$apr1$12345678${}\n",
                crate::audit::secrets::made::base62(16, 1),
                crate::audit::secrets::made::base62(16, 1)
            ),
            format!("joe:{{SHA}}{}=\n", crate::audit::secrets::made::base62(27, 1)),
        ],
        not: vec!["joe:hunter22\n".to_owned(), "joe:$apr1$\n".to_owned(), "# htpasswd\n".to_owned()],
    }
}
