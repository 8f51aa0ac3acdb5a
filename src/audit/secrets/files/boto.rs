//! Boto and s3cmd: `.boto`, `.s3cfg`.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "boto-secret",
    kind: "the secret of an object store's account",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &[".boto", "etc/boto.cfg", ".s3cfg"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    super::assignments::named(
        text,
        b"=",
        &[
            "aws_secret_access_key",
            "gs_secret_access_key",
            "gs_oauth2_refresh_token",
            "secret_key",
            "gpg_passphrase",
            "access_token",
        ],
        hit,
    );
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            format!("[Credentials]\naws_secret_access_key = {}\n", crate::audit::secrets::made::base62(40, 1)),
            format!("[default]\nsecret_key = {}\n", crate::audit::secrets::made::base62(40, 1)),
        ],
        not: vec![
            "[default]\nsecret_key =\naccess_key = abc\ngpg_passphrase = \n".to_owned(),
            "secret_key = your_secret_key\n".to_owned(),
        ],
    }
}
