//! What a lease in the background gives to later steps, as a document: `--json`, `lease.json` in
//! its folder, and the word of its process to `start`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::exit::Code;
use crate::lease::FILE;
use crate::ui::Failure;

/// Bytes of such a document.
const MAX_SIZE: u64 = 1 << 20;

/// A lease as later steps need it. Holds no secret.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(in crate::cli) struct Given {
    /// Its folder, which names it.
    pub(in crate::cli) lease: PathBuf,
    /// Its process.
    pub(in crate::cli) pid: u32,
    /// When it began, seconds since 1970.
    pub(in crate::cli) started: u64,
    /// When it ends at the latest, seconds since then.
    pub(in crate::cli) time_limit_seconds: u64,
    /// The process that it lasts for.
    pub(in crate::cli) until_exit: Process,
    /// Who is answered: `job` or `user`.
    pub(in crate::cli) peers: String,
    /// Its sockets; the first is what SSH_AUTH_SOCK names.
    pub(in crate::cli) sockets: Vec<Socket>,
    /// The known_hosts file for builds.
    pub(in crate::cli) known_hosts: PathBuf,
    /// The folder of the guest, to be given to builds as the context `valetkey`; only where the
    /// gateway lends.
    pub(in crate::cli) context: Option<PathBuf>,
    /// The arguments of a build, in the form of `docker build`.
    pub(in crate::cli) build_args: Vec<String>,
    /// Values of its `--ssh` flags.
    pub(in crate::cli) ssh: Vec<String>,
    /// Values of its `--build-context` flags.
    pub(in crate::cli) build_contexts: Vec<String>,
    /// Values of its `--secret` flags.
    pub(in crate::cli) secrets: Vec<String>,
    /// Arguments of `docker buildx bake` in this folder, where there was something to bake.
    pub(in crate::cli) bake_args: Vec<String>,
    /// The override for Compose, and for bake.
    pub(in crate::cli) files: Vec<PathBuf>,
    /// Variables of the environment for the next steps.
    pub(in crate::cli) variables: Vec<Variable>,
    /// Variables that held a key, which no next step is to see.
    pub(in crate::cli) unset: Vec<String>,
}

/// A process.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(in crate::cli) struct Process {
    /// Its number.
    pub(in crate::cli) pid: i32,
    /// Its name.
    pub(in crate::cli) name: String,
}

/// A socket.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(in crate::cli) struct Socket {
    /// The ssh id.
    pub(in crate::cli) id: String,
    /// Where it is.
    pub(in crate::cli) path: PathBuf,
}

/// A variable of the environment.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(in crate::cli) struct Variable {
    /// Its name.
    pub(in crate::cli) name: String,
    /// What it is for as long as the lease lasts.
    pub(in crate::cli) value: String,
    /// What it was before; none where it was not there.
    pub(in crate::cli) before: Option<String>,
}

impl Given {
    /// What stands in the folder of a lease.
    pub(in crate::cli) fn read(lease: &Path) -> Result<Self, Failure> {
        use std::io::Read as _;
        let path = lease.join(FILE);
        let mut text = String::new();
        let read = std::fs::File::open(&path).and_then(|file| file.take(MAX_SIZE).read_to_string(&mut text));
        let failed = |error: &dyn std::fmt::Display| {
            Failure::new(Code::Lease, format!("failed to read {}: {error}", path.display()))
        };
        read.map_err(|error| failed(&error))?;
        serde_json::from_str(&text).map_err(|error| failed(&error))
    }

    /// Seconds that are left at `now`.
    pub(in crate::cli) fn seconds_left(&self, now: u64) -> u64 {
        (self.started + self.time_limit_seconds).saturating_sub(now)
    }
}
