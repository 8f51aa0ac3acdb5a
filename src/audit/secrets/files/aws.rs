//! AWS: `~/.aws/credentials` and `config`, where no id with a secret near it is found already.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "aws-credentials",
    kind: "an AWS secret access key or session token",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &[".aws/credentials", ".aws/config"],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    super::assignments::named(text, b"=", &["aws_secret_access_key", "aws_session_token"], hit);
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            format!(
                "[ci]\naws_access_key_id = x\naws_secret_access_key = {}\n",
                crate::audit::secrets::made::base62(40, 1)
            ),
            format!("[ci]\naws_session_token={}\n", crate::audit::secrets::made::base62(40, 1)),
        ],
        not: vec![
            "[default]\nregion = eu-central-1\naws_secret_access_key =\n".to_owned(),
            "# aws_secret_access_key = hunter2\n".to_owned(),
            "[a]\naws_secret_access_key = ${SECRET}\n".to_owned(),
        ],
    }
}
