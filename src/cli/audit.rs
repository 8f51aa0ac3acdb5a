//! `valetkey audit`: what was named → sources → one report → its exit code.
//!
//! Exits 0 only if everything was read and nothing was found.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::audit::finding::{Outcome, Report};
use crate::audit::ignore;
use crate::audit::read::Audit;
use crate::config;
use crate::exit::Code;
use crate::image::registry;
use crate::image::source::{self, Source, SourceError};
use crate::report::{self, Format, View};
use crate::ui::progress::Done;
use crate::ui::{self, Explain, Failure};

pub mod attest;
mod caching;
pub mod looking;

use attest::Attesting;
use looking::Looking;

/// What `valetkey audit` takes.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub struct AuditArgs {
    /// Image of an engine, image archive, folder with an OCI layout, registry://HOST/NAME:TAG,
    /// or - for standard input
    #[arg(value_name = "IMAGE", required = true)]
    pub images: Vec<String>,
    /// Look for this very key as well: keychain:NAME, env:NAME, file:PATH, agent, SHA256:...,
    /// or a public key or its file (may be given several times)
    // Parsed later: clap would repeat a wrong value, and that may be the key itself.
    #[arg(long = "for", value_name = "KEY")]
    pub keys: Vec<String>,
    /// Look for this build secret as well, whole or in parts and in any encoding: keychain:NAME,
    /// env:NAME, file:PATH or stdin, with ID= in front for the name that the report gives it (may be
    /// given several times)
    // Parsed later, as --for.
    #[arg(long, value_name = "[ID=]SOURCE")]
    pub for_secret: Vec<String>,
    /// How the report is shown
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub format: Format,
    /// Sign the result with this key (keychain:NAME, env:NAME, file:PATH, agent:...), as an in-toto
    /// statement that `ssh-keygen -Y verify -n valetkey-audit` checks
    #[arg(long, value_name = "KEY")]
    pub attest: Option<String>,
    /// Where the statement goes; its signature goes to FILE.sig [default: valetkey-audit.json]
    #[arg(long, value_name = "FILE", requires = "attest")]
    pub attest_to: Option<PathBuf>,
    /// Check a signed statement about the image instead of showing a report
    #[arg(long, value_name = "FILE", requires = "allowed_signers", conflicts_with = "attest")]
    pub verify: Option<PathBuf>,
    /// Who may have signed it: ssh-keygen's allowed signers, or public keys
    #[arg(long, value_name = "FILE", requires = "verify")]
    pub allowed_signers: Option<PathBuf>,
    /// Config file with [[ignore]] entries [default: valetkey.toml in this folder or one above it]
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    pub config: Option<PathBuf>,
    /// Do not read valetkey.toml
    #[arg(long)]
    pub no_config: bool,
    /// Read every layer, also those that an earlier audit with the same rules and keys has read
    #[arg(long)]
    pub no_cache: bool,
    /// Client that saves an engine's image [default: docker, else podman]
    #[arg(long, value_name = "COMMAND")]
    pub engine: Option<String>,
}

const AFTER_HELP: &str = "\
Examples:
  valetkey audit app:latest
  valetkey audit ./app.tar ./oci-layout/
  docker image save app | valetkey audit -
  valetkey audit --for keychain:omnibus --for SHA256:... app:latest
  valetkey audit --for-secret npm=env:NPM_TOKEN app:latest
  valetkey audit --format html app:latest > audit.html
  valetkey audit --attest keychain:ci app:latest
  valetkey audit --verify valetkey-audit.json --allowed-signers signers app:latest
  valetkey audit registry://127.0.0.1:5000/app:1.2

What has a slash in front or exists as a file or folder is read from there; anything else is an
image of docker or podman. Exits 0 only if everything was read and nothing was found, 116 if
something was found, 117 if nothing was found and not everything could be read.

What was found in a layer is kept below ~/.cache/valetkey, and a later audit with the same rules
and keys takes the layer's digest alone. --no-cache reads it again, and so do --attest and --verify.";

/// How an audit is done and shown.
#[derive(Default)]
pub struct Options {
    /// In which form the report goes to stdout.
    pub format: Format,
    /// Keys and build secrets that are looked for by themselves.
    pub looking: Looking,
    /// Findings that do not count.
    pub ignores: Vec<ignore::Ignore>,
    /// Whether the result is signed.
    pub attesting: Option<Attesting>,
    /// The statement that is checked, and who may have signed it.
    pub verifying: Option<(PathBuf, PathBuf)>,
    /// Whether what earlier audits found in layers counts. A signed result never rests on it.
    pub cached: bool,
}

/// Audits what was named.
///
/// # Errors
/// When an image cannot be read at all.
pub fn run(args: &AuditArgs) -> Result<u8, Failure> {
    super::harden()?;
    let mut looking = Looking::default();
    looking.add(&args.keys)?;
    looking.add_secrets(&args.for_secret)?;
    let hidden = looking.variables().to_vec();
    let config = if args.no_config {
        None
    } else {
        args.config.clone().or_else(|| config::find(&std::env::current_dir().ok()?))
    };
    let ignores = config.map(|path| config::read(&path)).transpose()?.unwrap_or_default().ignores;
    let sources = args.images.iter().map(|image| (image.clone(), open(image, args.engine.as_deref(), &hidden)));
    let attesting = args.attest.as_deref().map(|key| Attesting::new(key, args.attest_to.as_deref())).transpose()?;
    let verifying = args.verify.clone().zip(args.allowed_signers.clone());
    let cached = !args.no_cache;
    all(sources, Options { format: args.format, looking, ignores, attesting, verifying, cached })
}

/// Audits these sources, prints one report, and gives the exit code.
///
/// # Errors
/// The first source that cannot be read at all.
pub fn all(
    sources: impl Iterator<Item = (String, Result<Source, SourceError>)>,
    options: Options,
) -> Result<u8, Failure> {
    let signed = options.attesting.is_some() || options.verifying.is_some();
    let cache = if options.cached && !signed { caching::open(&options.looking) } else { None };
    let mask = options.looking.mask();
    let (scanner, looked_for) = options.looking.scanner();
    let done = Done::default();
    let audit = Audit {
        scanner: &scanner,
        threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        done: &done,
        cache: cache.as_ref(),
    };
    let mut sum = Report { complete: true, looked_for, rules: scanner.rules(), ..Report::default() };
    for (name, source) in sources {
        let source = source?;
        let total = source.size();
        let report = ui::progress::during(&name, total, &done, || audit.run(&name, source))?;
        add(&mut sum, report);
    }
    if let Some(cache) = &cache {
        cache.prune();
    }
    for warning in ignore::apply(&mut sum, &options.ignores) {
        ui::warning(&warning);
    }
    if let Some(mask) = mask {
        report::take_out(&mut sum, &|text| mask.without(text));
    }
    if let Some((file, allowed)) = &options.verifying {
        return attest::verify(file, allowed, &sum);
    }
    let view = View { colour: ui::colour_on_stdout(), width: ui::width_of_stdout().unwrap_or(report::DEFAULT_WIDTH) };
    ui::write(&report::render(options.format, &sum, &view));
    if let Some(attesting) = &options.attesting {
        attesting.write(&sum)?;
    }
    Ok(code(&sum) as u8)
}

/// What an audit that said this exits with.
#[must_use]
pub fn code(report: &Report) -> Code {
    match report.outcome() {
        Outcome::Clean => Code::Ok,
        Outcome::Findings => Code::Findings,
        Outcome::Incomplete => Code::NotAllRead,
    }
}

fn add(all: &mut Report, mut more: Report) {
    all.complete &= more.complete;
    all.images.append(&mut more.images);
    all.findings.append(&mut more.findings);
    all.unread.append(&mut more.unread);
    all.unread_more += more.unread_more;
    all.bytes += more.bytes;
    all.bytes_unpacked += more.bytes_unpacked;
    all.files += more.files;
    all.ignored += more.ignored;
}

fn open(image: &str, engine: Option<&str>, hidden: &[OsString]) -> Result<Source, SourceError> {
    if image == "-" {
        return source::stream(Box::new(std::io::stdin()), "standard input");
    }
    if let Some(reference) = image.strip_prefix("registry://") {
        return registry::open(reference);
    }
    let path = Path::new(image);
    if image.starts_with(['/', '.']) || path.exists() {
        return source::open(path);
    }
    match engine {
        Some(engine) => source::save(&[engine.into()], image, hidden),
        None => match source::save(&["docker".into()], image, hidden) {
            Err(SourceError::Engine { error, .. }) if error.kind() == std::io::ErrorKind::NotFound => {
                source::save(&["podman".into()], image, hidden)
            }
            saving => saving,
        },
    }
}

impl Explain for SourceError {
    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Read { .. } | Self::TooMany(_) => return None,
                Self::NoImage(_) => {
                    "give what `docker image save` or `podman image save` writes, or a folder with an OCI layout"
                }
                Self::Registry { .. } => {
                    "log in with docker, whose credentials are used; plain HTTP is for loopback alone"
                }
                Self::Engine { .. } => {
                    "install docker or podman, name its client with --engine, or save the image to a file"
                }
                Self::Save { .. } => "a file or folder of that name is read where its path begins with ./ or /",
            }
            .to_owned(),
        )
    }

    fn code(&self) -> Code {
        Code::NotAllRead
    }
}
