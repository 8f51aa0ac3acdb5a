//! `credential:NAME`: a file that a service manager or an engine provides: systemd's
//! `LoadCredential=`, the secrets of Docker and Kubernetes.
//!
//! Owns the order of the places. Their files are often open to all who are let in there, or
//! root's, so the rule for the mode of a key file is not theirs.

use std::ffi::OsString;
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::exit::Code;
use crate::ui::Explain;

use super::{Secret, stdin};

/// Where Docker has the secrets of a service, and Kubernetes by custom.
pub const SECRETS_FOLDER: &str = "/run/secrets";

/// Why a credential gave no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// In none of the places.
    #[error("there is no such credential in CREDENTIALS_DIRECTORY or {}", .0.display())]
    Missing(PathBuf),
    /// It may not be read.
    #[error("permission to read {} is denied", .0.display())]
    Denied(PathBuf),
    /// A folder, a pipe or a device.
    #[error("{} is no file", .0.display())]
    NoFile(PathBuf),
    /// The system's error.
    #[error("{path} cannot be read: {1}", path = .0.display())]
    Io(PathBuf, ErrorKind),
}

impl Explain for CredentialError {
    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Missing(_) => {
                    "provide it: LoadCredential=NAME:PATH in the unit, secrets: of a Compose service, or a secret \
                     volume at /run/secrets"
                }
                Self::Denied(_) => "let this user read it: mode: of the secret in Compose, defaultMode: in Kubernetes",
                Self::NoFile(_) => "name the file itself",
                Self::Io(..) => "check the mount",
            }
            .to_owned(),
        )
    }

    fn code(&self) -> Code {
        Code::Key
    }
}

/// The credential in the first place that has one of this name: a source's name, so one
/// component of a path.
pub(super) fn read(
    name: &str,
    directory: Option<OsString>,
    folder: &Path,
    limit: usize,
) -> Result<Secret, CredentialError> {
    // A relative one is nobody's but the working directory's.
    let directory = directory.map(PathBuf::from).filter(|directory| directory.is_absolute());
    for place in directory.iter().map(PathBuf::as_path).chain([folder]) {
        if let Some(secret) = read_file(&place.join(name), limit)? {
            return Ok(secret);
        }
    }
    Err(CredentialError::Missing(folder.to_owned()))
}

/// The text of a file; `None` where there is none. Links are followed: Kubernetes makes them.
fn read_file(path: &Path, limit: usize) -> Result<Option<Secret>, CredentialError> {
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::PermissionDenied => CredentialError::Denied(path.to_owned()),
        ErrorKind::IsADirectory => CredentialError::NoFile(path.to_owned()),
        kind => CredentialError::Io(path.to_owned(), kind),
    };
    // A pipe would wait for somebody who writes.
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = match File::options().read(true).custom_flags(flags).open(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        file => file.map_err(failed)?,
    };
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(CredentialError::NoFile(path.to_owned()));
    }
    stdin::bounded(&mut &file, limit).map(Some).map_err(failed)
}
