//! The receipt for a machine: a JSON file that is opened before the build and put in its place
//! after it.

use std::io;
use std::path::{Path, PathBuf};

use super::{Receipt, Replacing};
use crate::exit::Code;
use crate::ui::Explain;

/// Why the receipt could not be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the receipt {path}")]
pub struct ReceiptError {
    path: PathBuf,
    source: io::Error,
}

impl Explain for ReceiptError {
    fn code(&self) -> Code {
        Code::Lease
    }
}

/// A receipt that is still to come: its temporary file is made before the build starts, so
/// that a folder that is missing or not ours to write is known then.
#[derive(Debug)]
pub struct Pending {
    /// As it was typed.
    path: PathBuf,
    file: Replacing,
}

impl Pending {
    /// Opens the temporary file beside `path`. A symbolic link at `path` is replaced, never
    /// written through.
    ///
    /// # Errors
    /// [`ReceiptError`] of the system.
    pub fn open(path: &Path) -> Result<Self, ReceiptError> {
        let file = Replacing::open(path, 0o644);
        let file = file.map_err(|source| ReceiptError { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Writes the receipt and puts it in its place.
    ///
    /// # Errors
    /// [`ReceiptError`] of the system.
    pub fn write(self, receipt: &Receipt) -> Result<(), ReceiptError> {
        let text = serde_json::to_string_pretty(receipt).map_err(io::Error::from);
        let placed = text.and_then(|text| self.file.write(format!("{text}\n").as_bytes()));
        placed.map_err(|source| ReceiptError { path: self.path, source })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FORMAT, tests::receipt};
    use super::*;

    #[test]
    fn a_receipt_replaces_a_symbolic_link_and_does_not_write_through_it() {
        let dir = tempfile::tempdir().unwrap();
        let (victim, path) = (dir.path().join("victim"), dir.path().join("receipt.json"));
        std::fs::write(&victim, "before").unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        Pending::open(&path).unwrap().write(&receipt()).unwrap();
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "before");
        let text = std::fs::read_to_string(&path).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&value["format"], &value["logins"][1]["host_visible"]), (&FORMAT.into(), &false.into()));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_receipt_that_cannot_be_written_is_known_before_the_build() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Pending::open(dir.path()).is_err());
        assert!(Pending::open(&dir.path().join("missing/receipt.json")).is_err());
    }
}
