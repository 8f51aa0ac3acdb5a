//! A name with a value, wherever it is given to a build: `ARG`, `ENV`, `LABEL`, `build.args`,
//! `--build-arg`, a job's variables.

use std::ops::Range;

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `ARG` in a Dockerfile.
    Arg,
    /// `ENV` in a Dockerfile.
    Env,
    /// `LABEL` in a Dockerfile.
    Label,
    /// A build argument that is given: by Compose, bake, a CI step or `--build-arg`.
    BuildArg,
    /// A label that is given to a build in those places.
    BuildLabel,
    /// A variable of a job or a service.
    Variable,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: Vec<u8>,
    /// Its value, as it is written, quotes taken off; `None` where none is given.
    pub value: Option<Vec<u8>>,
    /// Its bytes in the file.
    pub span: Range<usize>,
}
