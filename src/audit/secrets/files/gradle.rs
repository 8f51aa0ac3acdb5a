//! Gradle: passwords and tokens in `gradle.properties`.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;
use crate::audit::secrets::name::is_secret;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "gradle-password",
    kind: "a password among Gradle's properties",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &["gradle.properties"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    super::assignments::each(text, b"=:", |line| {
        if is_secret(line.name) {
            hit(Hit::of(line.value, line.name));
        }
    });
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec!["corpUser=ci\ncorpPassword=hunter22\n".to_owned(), "signing.password : hunter22\n".to_owned()],
        not: vec![
            "org.gradle.jvmargs=-Xmx2g\nkotlin.code.style=official\n".to_owned(),
            "corpPassword=\n#corpPassword=hunter2\ntoken=${TOKEN}\n".to_owned(),
        ],
    }
}
