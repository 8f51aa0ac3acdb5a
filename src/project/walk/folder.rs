//! The files of a project in a folder of this machine.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::Files;

/// A folder.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
    /// A file that lies elsewhere: its path in the project, and where it is.
    elsewhere: Option<(&'static str, PathBuf)>,
}

impl Folder {
    /// The folder at this path.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
        Self { root: root.to_owned(), elsewhere: None }
    }

    /// The same, with a file that lies elsewhere under this path.
    pub(super) fn with(self, file: &'static str, path: PathBuf) -> Self {
        Self { elsewhere: Some((file, path)), ..self }
    }
}

impl Files for Folder {
    fn list(&self, folder: &str) -> io::Result<Vec<(String, bool)>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.root.join(folder))?.take(super::MAX_ENTRIES + 1) {
            let entry = entry?;
            let kind = entry.file_type()?;
            // A name that is not UTF-8 is none that any format has.
            if let Ok(name) = entry.file_name().into_string()
                && (kind.is_dir() || kind.is_file() || kind.is_symlink())
            {
                names.push((name, kind.is_dir()));
            }
        }
        names.sort();
        Ok(names)
    }

    fn read(&self, file: &str, max: usize) -> io::Result<Option<Vec<u8>>> {
        let elsewhere = self.elsewhere.as_ref().filter(|(known, _)| *known == file).map(|(_, path)| path);
        let path = match elsewhere.unwrap_or(&self.root.join(file)).canonicalize() {
            Ok(path) => path,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            Err(error) => return Err(error),
        };
        if elsewhere.is_none() && !path.starts_with(self.root.canonicalize()?) {
            return Err(io::Error::new(ErrorKind::PermissionDenied, "a link leads out of the project"));
        }
        // A FIFO would be waited for.
        let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let opened = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
        if !opened.metadata()?.is_file() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
        opened.take(limit).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }
}
