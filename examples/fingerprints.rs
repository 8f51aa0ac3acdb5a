//! Prints every private key in the files under a folder: identity, rule, the package that
//! ships it as far as that is known, and path, with tabs between. `integration/known-keys` makes the list of known test keys with it.

use std::path::{Path, PathBuf};

use valetkey::audit::keys::identities;

/// Bytes of a file that are looked at: a test suite's file is not longer.
const MAX_FILE: u64 = 64 << 20;

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("."), PathBuf::from);
    let mut out = std::io::stdout().lock();
    walk(&folder, &mut out)
}

fn walk(folder: &Path, out: &mut impl std::io::Write) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&path, out)?;
        } else if kind.is_file() && entry.metadata()?.len() <= MAX_FILE {
            for (identity, found) in identities(&std::fs::read(&path)?) {
                let known = found.key.and_then(|key| key.known_test_key).unwrap_or_default();
                writeln!(out, "{identity}\t{}\t{known}\t{}", found.rule, path.display())?;
            }
        }
    }
    Ok(())
}
