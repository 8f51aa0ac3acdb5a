//! What a text is, when it is not a private key that can be used.
//!
//! Owns every message about the content of a source. Refuses to carry any of the content:
//! variants hold numbers and fixed words only.

use crate::exit::Code;
use crate::signer::PartsError;
use crate::ui::Explain;

/// Where a key was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// There is a body and no BEGIN line.
    Begin,
    /// There is no END line.
    End,
    /// Nothing between the BEGIN and the END line.
    Body,
    /// The body stops before the key does.
    Inside,
}

/// Why a text gives no usable private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// Nothing, or blanks only.
    #[error("it is empty")]
    Empty,
    /// Asterisks, or another mask.
    #[error("it is a mask that a CI system shows instead of the secret, not the secret")]
    Masked,
    /// `$NAME`, `${NAME}`, `%NAME%`, `{{ name }}` or `$(command)`.
    #[error("it is the name of a variable or a template that nobody expanded")]
    Unexpanded,
    /// A path where a key should be.
    #[error("it is a path, not a key")]
    Path,
    /// A public key, in whatever form.
    #[error("it is a public key, not a private one")]
    PublicKey,
    /// Several public keys, or one with options.
    #[error("it is an authorized_keys file: public keys only")]
    AuthorizedKeys,
    /// Lines of host names and host keys.
    #[error("it is a known_hosts file: public keys of hosts only")]
    KnownHosts,
    /// An SSH certificate without its key.
    #[error("it is an SSH certificate without its private key")]
    Certificate,
    /// An X.509 certificate, or a request for one.
    #[error("it is an X.509 certificate, not an SSH key")]
    X509,
    /// A PuTTY private key.
    #[error("it is a PuTTY key (.ppk)")]
    Putty,
    /// A private key of ssh.com's SSH.
    #[error("it is a private key in the format of ssh.com's SSH2")]
    SshCom,
    /// A DSA key.
    #[error("it is a DSA key, which no current SSH server accepts")]
    Dsa,
    /// Less than 2048 bits.
    #[error("it is an RSA key of {0} bits, which is too short to be safe (2048 are the least)")]
    RsaTooShort(usize),
    /// More than 8192 bits.
    #[error("it is an RSA key of {0} bits, and more than 8192 are not supported")]
    RsaTooLong(usize),
    /// A key that lives on a security key.
    #[error("it is the handle of a security key (sk-), and signing needs the device")]
    SecurityKey,
    /// An age identity or file.
    #[error("it is an age key or file, not an SSH key")]
    Age,
    /// A PGP key or message.
    #[error("it is a PGP (GnuPG) key or message, not an SSH key")]
    Pgp,
    /// A PKCS#12 container.
    #[error("it is a PKCS#12 (.p12, .pfx) container, not an SSH key")]
    Pkcs12,
    /// A key in DER form without PEM around it.
    #[error("it is in binary (DER) form, without BEGIN and END lines")]
    Der,
    /// A private key with a part missing.
    #[error("it is a private key that was cut: {}", match .0 {
        Cut::Begin => "the BEGIN line is missing",
        Cut::End => "the END line is missing",
        Cut::Body => "nothing stands between its BEGIN and END lines",
        Cut::Inside => "its body ends too early",
    })]
    Truncated(Cut),
    /// A private key whose body is not what its BEGIN line says.
    #[error("it is a private key whose body is damaged")]
    Damaged,
    /// A private key whose public half belongs to another.
    #[error("it is a private key whose parts do not belong together")]
    Inconsistent,
    /// A kind of key that SSH or valetkey has no use for.
    #[error("it is a private key of a kind that cannot sign SSH logins here ({0})")]
    Kind(&'static str),
    /// An encryption that is not supported.
    #[error("it is encrypted in a way that is not supported")]
    Cipher,
    /// A key derivation that would take minutes or gigabytes.
    #[error("it is encrypted with a cost that is too high")]
    Cost,
    /// The passphrase does not open it.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// More than [`super::parse::MAX_KEYS`] keys.
    #[error("it holds more than {} keys", super::parse::MAX_KEYS)]
    TooMany,
    /// More than [`super::SOURCE_LIMIT`] bytes.
    #[error("it is longer than {} KiB, and no key is", super::SOURCE_LIMIT / 1024)]
    TooLong,
    /// Nothing that is known.
    #[error("it is no private key, nor anything else that is known here")]
    Unknown,
}

impl From<PartsError> for Rejected {
    fn from(error: PartsError) -> Self {
        match error {
            PartsError::Inconsistent => Self::Inconsistent,
            PartsError::RsaTooShort(bits) => Self::RsaTooShort(bits),
            PartsError::RsaTooLong(bits) => Self::RsaTooLong(bits),
        }
    }
}

const WHOLE: &str = "copy the whole file again, from -----BEGIN to the last dash of -----END";

impl Explain for Rejected {
    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Empty => {
                    "check that the secret is set for this job (CI systems leave secrets empty \
                     on pull requests from forks)"
                }
                Self::Masked => "store the key itself in the secret, not what a log shows of it",
                Self::Unexpanded => "set the value itself; single quotes and YAML keep a shell from expanding it",
                Self::Path => "use file:PATH; for a variable that holds a path: file:\"$NAME\"",
                Self::PublicKey => {
                    "use the private key: the file of the same name without .pub, or the other \
                     half of the pair in the secret store"
                }
                Self::AuthorizedKeys | Self::KnownHosts => "use the file of a private key, such as ~/.ssh/id_ed25519",
                Self::Certificate => "use file: with the private key; NAME-cert.pub beside it is offered too",
                Self::X509 | Self::Age | Self::Pgp => {
                    "use an SSH key; ssh-keygen -t ed25519 makes one (a PGP key with an \
                     authentication subkey works through gpg-agent and agent)"
                }
                Self::Putty => "convert it: puttygen key.ppk -O private-openssh -o key",
                Self::SshCom => "convert it: ssh-keygen -i -f key > key.openssh",
                Self::Dsa => "make a new key: ssh-keygen -t ed25519",
                Self::RsaTooShort(_) | Self::RsaTooLong(_) => {
                    "make a new key: ssh-keygen -t ed25519, or ssh-keygen -t rsa -b 4096"
                }
                Self::SecurityKey => "load it with ssh-add and use agent: (agent, agent:SHA256:… or agent:COMMENT)",
                Self::Pkcs12 => "take the key out: openssl pkcs12 -in FILE -nocerts -nodes -out key",
                Self::Der => "convert it: openssl pkey -inform DER -in FILE -out key",
                Self::Truncated(_) | Self::Damaged | Self::Inconsistent => WHOLE,
                Self::Kind(_) => "use an Ed25519, ECDSA (P-256, P-384, P-521) or RSA key",
                Self::Cipher | Self::Cost => "encrypt it again as OpenSSH does by default: ssh-keygen -p -f key",
                Self::WrongPassphrase => "check it with ssh-keygen -y -f key, which asks for the same passphrase",
                Self::TooMany => "name the keys one by one",
                Self::TooLong | Self::Unknown => {
                    "use a private key in OpenSSH, PKCS#8, PKCS#1 or SEC1 form: it starts with \
                     -----BEGIN … PRIVATE KEY-----"
                }
            }
            .to_owned(),
        )
    }

    fn code(&self) -> Code {
        Code::Key
    }
}
