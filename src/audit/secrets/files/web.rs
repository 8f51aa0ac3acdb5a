//! curl and wget: logins in `.curlrc` and `.wgetrc`.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;
use crate::audit::secrets::placeholder;

pub(super) const CURL: CredentialFile = CredentialFile {
    id: "curlrc-password",
    kind: "a password for curl",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &[".curlrc", "_curlrc", "etc/curlrc"],
    look: curl,
    #[cfg(test)]
    examples: curl_examples,
};

pub(super) const WGET: CredentialFile = CredentialFile {
    id: "wgetrc-password",
    kind: "a password for wget",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &[".wgetrc", "etc/wgetrc"],
    look: wget,
    #[cfg(test)]
    examples: wget_examples,
};

fn curl(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    super::assignments::each(text, b"=: ", |line| {
        let name = line.name.strip_prefix(b"--").or_else(|| line.name.strip_prefix(b"-")).unwrap_or(line.name);
        // `name = value`, where the first separator is a space.
        let value = text[line.value.clone()].iter().take_while(|byte| matches!(byte, b'=' | b':' | b' ')).count();
        let value = super::assignments::unquoted(text, line.value.start + value..line.value.end);
        match name {
            b"user" | b"u" | b"proxy-user" | b"U" => {
                let colon = text[value.clone()].iter().position(|byte| *byte == b':');
                if let Some(password) = colon.map(|colon| value.start + colon + 1..value.end) {
                    hit(Hit::at(password));
                }
            }
            b"oauth2-bearer" | b"pass" | b"proxy-pass" => hit(Hit::at(value)),
            b"header" | b"H" => {
                let header = &text[value.clone()];
                let authorization = header.len() > 14 && header[..14].eq_ignore_ascii_case(b"authorization:");
                let word =
                    header.iter().rposition(|byte| *byte == b' ').map(|space| value.start + space + 1..value.end);
                if let Some(word) = word.filter(|word| authorization && !placeholder::is(&text[word.clone()])) {
                    hit(Hit::at(word));
                }
            }
            _ => {}
        }
    });
}

fn wget(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    let names = ["password", "http_password", "ftp_password", "proxy_password", "httppassword", "proxypassword"];
    super::assignments::named(text, b"=", &names, hit);
}

#[cfg(test)]
fn curl_examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            "user = \"joe:hunter22\"\n".to_owned(),
            "-u joe:hunter22\n".to_owned(),
            "--oauth2-bearer hunter2hunter2\n".to_owned(),
            "header = \"Authorization: token hunter2hunter2\"\n".to_owned(),
        ],
        not: vec![
            "user = \"joe\"\n".to_owned(),
            "# user = \"joe:hunter22\"\n".to_owned(),
            "user = \"joe:$PASSWORD\"\n".to_owned(),
            "header = \"Accept: text/plain\"\nuser-agent = \"a:b\"\n".to_owned(),
        ],
    }
}

#[cfg(test)]
fn wget_examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec!["user = joe\npassword = hunter22\n".to_owned(), "http_password=hunter22\n".to_owned()],
        not: vec!["#http_password = hunter22\n".to_owned(), "passive_ftp = on\n".to_owned()],
    }
}
