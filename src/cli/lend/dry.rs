//! What is lent, without a key: for who wants to know what would be run, and runs nothing.
//!
//! The lease's folder and sockets exist for a moment, because build tools are asked and some
//! look whether a socket is there; nobody listens on them.

use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use super::Settings;
use crate::agent::socket;
use crate::builder::Lending;
use crate::lease::{Folder, LeaseError, Places};

/// Gone when dropped.
pub(in crate::cli) struct Dry {
    /// What builders would be given.
    pub(in crate::cli) lending: Lending,
    _folder: Folder,
    /// Bound for as long as the tools are asked, and not answered.
    _bound: Vec<UnixListener>,
}

impl Dry {
    /// Makes folder and sockets.
    pub(in crate::cli) fn open(settings: &Settings) -> Result<Self, LeaseError> {
        let folder = Folder::make(&Places::from_env())?;
        let mut ids: Vec<&str> = Vec::new();
        for wanted in &settings.wanted {
            if !ids.contains(&wanted.id.as_str()) {
                ids.push(&wanted.id);
            }
        }
        ids.sort_by_key(|id| *id != crate::config::DEFAULT_ID);
        let (mut sockets, mut bound) = (Vec::new(), Vec::new());
        for (number, id) in ids.iter().enumerate() {
            let (path, listener) = bind(&folder, number)?;
            sockets.push(((*id).to_owned(), path));
            bound.push(listener);
        }
        let by_gateway = ids.iter().any(|id| settings.by_gateway(id));
        let git = sockets.first().filter(|(id, _)| settings.by_gateway(id)).map(|(_, socket)| socket.clone());
        let secrets = settings.secrets.iter();
        let lending = Lending {
            sockets,
            git,
            // Names, and no files: nothing is loaded.
            secrets: secrets.map(|wanted| (wanted.id.clone(), folder.path().join(&wanted.id))).collect(),
            known_hosts: folder.path().join("known_hosts"),
            folder: folder.path().to_owned(),
            guest: by_gateway.then(|| folder.write_guest()).transpose()?,
        };
        Ok(Self { lending, _folder: folder, _bound: bound })
    }
}

/// The socket of this number, bound.
fn bind(folder: &Folder, number: usize) -> Result<(PathBuf, UnixListener), LeaseError> {
    let path = folder.socket_path(number)?;
    let bound = socket::bind(&path).map_err(|source| LeaseError::Socket { path: path.clone(), source })?;
    Ok((path, bound))
}
