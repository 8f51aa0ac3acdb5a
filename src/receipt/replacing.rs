//! A file that takes the place of another when it is whole.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// A file that is still to come. Until it is written, it lies beside its place under another name,
/// and goes from there when this is dropped.
#[derive(Debug)]
pub(crate) struct Replacing {
    place: PathBuf,
    temporary: PathBuf,
    file: File,
}

impl Replacing {
    /// Opens a file beside `path`. A symbolic link at `path` is replaced, never written through.
    pub(crate) fn open(path: &Path, mode: u32) -> io::Result<Self> {
        let name = path.file_name().filter(|_| !path.is_dir()).ok_or(io::ErrorKind::IsADirectory)?;
        let mut temporary = OsString::from(".");
        temporary.push(name);
        // Random: what a kill left behind must not stop a later run, whose number may be the same
        // (in a container it is always 1).
        temporary.push(format!(".{}", crate::lease::random_name()?));
        // A lease in the background is elsewhere when it writes.
        let place = std::path::absolute(path)?;
        let temporary = place.with_file_name(temporary);
        let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?;
        Ok(Self { place, temporary, file })
    }

    /// Writes it and puts it in its place.
    pub(crate) fn write(mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        std::fs::rename(&self.temporary, &self.place)
    }
}

impl Drop for Replacing {
    fn drop(&mut self) {
        // Gone already where it was written.
        let _ = std::fs::remove_file(&self.temporary);
    }
}
