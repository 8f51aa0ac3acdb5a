//! MySQL and MariaDB: passwords in option files.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "mysql-password",
    kind: "a database password",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &[".my.cnf", "my.cnf", "debian.cnf"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    super::assignments::named(text, b"=", &["password", "passwd"], hit);
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            "[client]\nuser=root\npassword=hunter22\n".to_owned(),
            "[mysqldump]\npassword = 'hunter22'\n".to_owned(),
        ],
        not: vec!["[client]\n#password = hunter22\npassword\n".to_owned(), "[client]\npassword=\n".to_owned()],
    }
}
