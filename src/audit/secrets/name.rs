//! Names that say that their value is a secret: of variables, build arguments, settings.

/// How such names end, each part of a name in lower case and behind `_`.
const ENDINGS: [&str; 22] = [
    "token",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "secret_key",
    "secretkey",
    "private_key",
    "privatekey",
    "api_key",
    "apikey",
    "access_key",
    "deploy_key",
    "ssh_key",
    "auth_key",
    "credentials",
    "ssh_private",
    "id_rsa",
    "id_ed25519",
    "client_secret",
    "pat",
    "netrc",
];

/// The longest name that is looked at: no setting has a longer one.
const LONGEST: usize = 128;

/// Whether a value under that name is meant to be a secret. `camelCase`, `-` and `.` separate
/// words as `_` does.
#[must_use]
pub(crate) fn is_secret(name: &[u8]) -> bool {
    if name.len() > LONGEST {
        return false;
    }
    let mut words = Vec::with_capacity(name.len() + 8);
    for (index, byte) in name.iter().enumerate() {
        let before = index.checked_sub(1).map_or(b'_', |before| name[before]);
        if byte.is_ascii_uppercase() && before.is_ascii_lowercase() {
            words.push(b'_');
        }
        words.push(if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'_' });
    }
    ENDINGS.iter().any(|ending| {
        words.strip_suffix(ending.as_bytes()).is_some_and(|before| before.is_empty() || before.ends_with(b"_"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_end_like_a_secret_are_taken_for_one() {
        for name in [
            "NPM_TOKEN",
            "password",
            "DB_PASSWORD",
            "SSH_PRIVATE_KEY",
            "clientSecret",
            "signing.password",
            "aws_secret_access_key",
            "GITHUB_PAT",
        ] {
            assert!(is_secret(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn names_that_only_contain_one_are_not() {
        for name in [
            "TOKEN_URL",
            "PASSWORD_FILE",
            "GPG_KEY",
            "PYTHON_SHA256",
            "tokenizer",
            "PATH",
            "compat",
            "SECRETS_DIR",
            "KEY",
            "",
        ] {
            assert!(!is_secret(name.as_bytes()), "{name}");
        }
        assert!(!is_secret(&[b'_'; LONGEST + 1]));
    }
}
