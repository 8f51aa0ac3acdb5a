//! `.netrc` (FTP, curl, git, pip, Heroku) and apt's `auth.conf`, which has its form.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "netrc-password",
    kind: "a password",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &[".netrc", "_netrc", "netrc", "etc/apt/auth.conf", "auth.conf.d//*.conf"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    let mut machine: Option<&[u8]> = None;
    let mut words = words(text);
    while let Some(word) = words.next() {
        match &text[word] {
            b"machine" => machine = words.next().map(|word| &text[word]),
            b"default" => machine = Some(b"any machine"),
            b"password" => {
                if let (Some(machine), Some(password)) = (machine, words.next()) {
                    hit(Hit::of(super::assignments::unquoted(text, password), machine));
                }
            }
            // Their values could be one of these words.
            b"login" | b"account" | b"macdef" => {
                words.next();
            }
            _ => {}
        }
    }
}

/// Every word outside of comments.
fn words(text: &[u8]) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
    super::assignments::lines(text).filter(|line| !text[line.clone()].starts_with(b"#")).flat_map(move |line| {
        let mut at = line.start;
        std::iter::from_fn(move || {
            let gap = text[at..line.end].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let start = at + gap;
            let rest = &text[start..line.end];
            let length = match rest {
                [] => return None,
                [b'"', rest @ ..] if rest.contains(&b'"') => 2 + rest.iter().take_while(|byte| **byte != b'"').count(),
                _ => rest.iter().take_while(|byte| !byte.is_ascii_whitespace()).count(),
            };
            at = start + length;
            Some(start..at)
        })
    })
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            "machine forge.corp login joe password hunter22\n".to_owned(),
            "machine a.corp\n  login password\n  password hunter22\n".to_owned(),
            "default login joe password \"hunter2 2\"\n".to_owned(),
            "machine a.corp login b password ${X} \nmachine c.corp password hunter22".to_owned(),
        ],
        not: vec![
            "# machine forge.corp login joe password hunter22\n".to_owned(),
            "machine forge.corp login joe password ${TOKEN}\n".to_owned(),
            "machine forge.corp login joe\n".to_owned(),
            "the password is what the machine wants\n".to_owned(),
            "machine forge.corp login joe password <password>\n".to_owned(),
        ],
    }
}
