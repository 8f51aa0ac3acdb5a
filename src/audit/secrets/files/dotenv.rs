//! `.env` files, which many frameworks read and `COPY . .` takes along: of the variables with a
//! secret's name, those whose value a generator made. Most are settings for a laptop.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;
use crate::audit::secrets::{name::is_secret, placeholder};

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "dotenv-secret",
    kind: "the value of a variable with the name of a secret",
    severity: Severity::Warning,
    remedy: "name the file in .dockerignore, and give the container its variables when it runs",
    paths: &[".env", "*.env", ".env.local", ".env.production", ".env.prod", ".env.staging", ".env.development"],
    look,
    #[cfg(test)]
    examples,
};

/// Characters of a value that can be told from a word.
const SHORTEST: usize = 16;

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    super::assignments::each(text, b"=", |line| {
        let value = &text[line.value.clone()];
        let word = value.iter().all(|byte| byte.is_ascii_graphic()) && value.iter().any(u8::is_ascii_digit);
        // An address with a password in it has a rule of its own, and a path is none.
        let place = value.contains(&b'/') && (value[0] == b'/' || memchr::memmem::find(value, b"://").is_some());
        if is_secret(line.name) && value.len() >= SHORTEST && word && !place && placeholder::is_random(value) {
            hit(Hit::of(line.value, line.name));
        }
    });
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    use crate::audit::secrets::made;
    crate::audit::secrets::Examples {
        found: vec![
            format!("DEBUG=1\nSTRIPE_SECRET_KEY={}1\n", made::base62(31, 1)),
            format!("export DB_PASSWORD=\"{}1\" # of staging\n", made::base62(19, 2)),
        ],
        not: vec![
            "DB_PASSWORD=postgres\nAPP_SECRET=change-me-please-1234\n".to_owned(),
            "API_TOKEN=\nAPP_SECRET=${APP_SECRET_OF_THE_HOST_1}\n".to_owned(),
            format!("BUILD_ID={}1\n# API_TOKEN={}1\n", made::base62(31, 1), made::base62(31, 1)),
            "PRIVATE_KEY=/etc/app/keys/private-1.pem\n".to_owned(),
        ],
    }
}
