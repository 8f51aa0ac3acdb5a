//! PostgreSQL: `host:port:database:user:password`.
//! <https://www.postgresql.org/docs/current/libpq-pgpass.html>

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "pgpass-password",
    kind: "a database password",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &[".pgpass", "pgpass.conf"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    for line in super::assignments::lines(text) {
        let mut escaped = false;
        let mut fields = vec![line.start];
        for at in line.clone() {
            match text[at] {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b':' if fields.len() < 5 => fields.push(at + 1),
                _ => {}
            }
        }
        let port = |range: &[u8]| range == b"*" || (!range.is_empty() && range.iter().all(u8::is_ascii_digit));
        if let [host, number, database, _, password] = fields[..]
            && text[host] != b'#'
            && port(&text[number..database - 1])
        {
            hit(Hit::of(password..line.end, &text[host..number - 1]));
        }
    }
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec!["db.corp:5432:app:joe:hunter22\n".to_owned(), "*:*:*:joe:hun:ter2hunter2".to_owned()],
        not: vec![
            "#db.corp:5432:app:joe:hunter22\n".to_owned(),
            "db.corp:5432:app:joe:\n".to_owned(),
            "db.corp:5432:app:joe\n".to_owned(),
            "a:b:c:d:e\n".to_owned(),
        ],
    }
}
