//! Git's configuration: passwords in remotes' addresses and in headers, where CI leaves its token.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "git-config-password",
    kind: "a password",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &[".git//config", ".gitconfig", "git/config", "etc/gitconfig", ".git/config", ".gitmodules"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    super::assignments::each(text, b"=", |line| {
        super::git_credentials::addresses(text, line.value.clone(), hit);
        if line.name.eq_ignore_ascii_case(b"extraheader") {
            // `AUTHORIZATION: basic …`
            let mut words = text[line.value.clone()].split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            let header = words.next().is_some_and(|word| word.eq_ignore_ascii_case(b"authorization:"));
            if let (true, Some(_), Some(secret)) = (header, words.next(), words.next()) {
                let start = line.value.end - secret.len();
                hit(Hit::at(start..line.value.end));
            }
        }
    });
    for line in super::assignments::lines(text).filter(|line| text[line.clone()].starts_with(b"[url ")) {
        super::git_credentials::addresses(text, line, hit);
    }
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            "[remote \"origin\"]\n\turl = https://joe:hunter22@forge.corp/a.git\n".to_owned(),
            "[http \"https://forge.corp/\"]\n\textraheader = AUTHORIZATION: basic eDpodW50ZXIyaHVudGVyMg==\n"
                .to_owned(),
            "[url \"https://joe:hunter22@forge.corp/\"]\n\tinsteadOf = git@forge.corp:\n".to_owned(),
        ],
        not: vec![
            "[remote \"origin\"]\n\turl = https://joe@forge.corp/a.git\n".to_owned(),
            "[remote \"origin\"]\n\turl = git@forge.corp:a.git\n".to_owned(),
            "[http]\n\textraheader = AUTHORIZATION: basic ***\n".to_owned(),
            "[url \"https://joe:${TOKEN}@forge.corp/\"]\n".to_owned(),
            "# url = https://joe:hunter22@forge.corp/\n".to_owned(),
        ],
    }
}
