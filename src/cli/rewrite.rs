//! `valetkey rewrite`: a Dockerfile whose ssh steps have the guest, for builds that valetkey does
//! not start itself.

use std::path::{Path, PathBuf};

use clap::Args;

use super::start::given::Given;
use super::start::output::replace;
use super::stop::which;
use crate::builder::{self, probe::System};
use crate::exit::Code;
use crate::lease::Places;
use crate::ui::{self, Failure};

/// What `valetkey rewrite` takes.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub struct RewriteArgs {
    /// The Dockerfile
    #[arg(default_value = "Dockerfile", value_name = "DOCKERFILE")]
    pub file: PathBuf,
    /// Write it to this file, or with `-` to standard output [default: into the folder of the lease,
    /// which goes with it]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The lease, as `status` shows it [default: the one that VALETKEY_LEASE names, else the only
    /// one there is]
    #[arg(long, value_name = "FOLDER")]
    pub lease: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Examples:
  docker build $VALETKEY_BUILD_ARGS -f \"$(valetkey rewrite)\" .
  valetkey rewrite docker/app.Dockerfile -o - | docker build $VALETKEY_BUILD_ARGS -f - .

Each RUN with --mount=type=ssh gets the guest from the named context `valetkey`, which
VALETKEY_BUILD_ARGS passes. Lines stay where they were. An ignore file that belongs to the
Dockerfile alone is carried along, except to standard output.";

/// Rewrites a Dockerfile, writes it, and prints where it is.
///
/// # Errors
/// [`Failure`] where it cannot be read or written, or must not be used as it is.
pub fn run(args: &RewriteArgs) -> Result<u8, Failure> {
    let mut probe = System::new(Vec::new())
        .map_err(|error| Failure::new(Code::Builder, format!("failed to find the working directory: {error}")))?;
    let rewritten = builder::rewritten(&args.file, &mut probe)?;
    rewritten.warnings.iter().for_each(|text| ui::warning(text));
    if rewritten.steps == 0 {
        ui::note(&format!("{}: no step has --mount=type=ssh, so it stays as it is", args.file.display()));
    }
    match &args.output {
        Some(output) if output == Path::new("-") => ui::write(rewritten.text.as_bytes()),
        Some(output) => write(output, &rewritten)?,
        None => {
            let folder = which(args.lease.as_deref(), &Places::from_env())?.ok_or_else(|| {
                Failure::new(Code::Usage, "no lease is there to keep the Dockerfile in")
                    .with_hint("begin one with `valetkey start`, or write to a file: -o FILE")
            })?;
            let name = crate::lease::random_name()
                .map_err(|error| Failure::new(Code::Internal, format!("failed to get random bytes: {error}")))?;
            // Only a folder that is a lease is written to.
            let path = Given::read(&folder)?.lease.join(format!("{name}.Dockerfile"));
            write(&path, &rewritten)?;
            ui::line(&path.display().to_string());
        }
    }
    Ok(0)
}

fn write(path: &Path, rewritten: &builder::RewrittenFile) -> Result<(), Failure> {
    replace(path, &rewritten.text)?;
    match &rewritten.ignore {
        Some(ignore) => replace(&builder::ignore_path(path), ignore),
        None => Ok(()),
    }
}
