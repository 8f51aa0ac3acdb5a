//! NuGet: passwords in clear text. The other kind is encrypted for one user of one Windows machine.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "nuget-password",
    kind: "a package source's password",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &["nuget.config"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    for at in memchr::memmem::find_iter(text, b"\"ClearTextPassword\"") {
        let rest = &text[at..];
        let end = rest.iter().position(|byte| *byte == b'>').unwrap_or(rest.len());
        if let Some(value) = memchr::memmem::find(&rest[..end], b"value=\"") {
            let start = at + value + 7;
            let length = text[start..].iter().position(|byte| *byte == b'"').unwrap_or(0);
            hit(Hit::at(start..start + length));
        }
    }
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            r#"<corp><add key="Username" value="ci" /><add key="ClearTextPassword" value="hunter22" /></corp>"#
                .to_owned(),
        ],
        not: vec![
            r#"<add key="ClearTextPassword" value="%NUGET_TOKEN%" />"#.to_owned(),
            r#"<add key="Password" value="encrypted" /><add key="ClearTextPassword" />"#.to_owned(),
        ],
    }
}
