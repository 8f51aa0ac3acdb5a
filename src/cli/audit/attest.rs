//! `--attest` and `--verify`: an audit's result as a signed statement, and the check of one.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::audit::RULES;
use crate::audit::finding::{Outcome, Report};
use crate::exit::Code;
use crate::keys::{self, KeySource, LoadEnv};
use crate::report::attestation::{self, Facts, MAX_STATEMENT, Verified};
use crate::report::signers;
use crate::signer::{Identity, fingerprint};
use crate::ui::{self, Failure};

/// The statement's file, where none is named.
pub const FILE: &str = "valetkey-audit.json";

/// A key that signs, and where the statement goes.
#[derive(Debug)]
pub struct Attesting {
    identity: Identity,
    file: PathBuf,
}

impl Attesting {
    /// Loads the key before anything is audited.
    ///
    /// # Errors
    /// When the source holds no key, or more than one.
    pub fn new(source: &str, file: Option<&Path>) -> Result<Self, Failure> {
        let source: KeySource = source.parse()?;
        let loaded = LoadEnv::with_process(None, |env| keys::load(&source, env))?;
        let [identity] = &loaded.identities[..] else {
            let message = format!("{source} holds {} identities, and one is to sign", loaded.identities.len());
            return Err(Failure::new(Code::Key, message).with_hint("name one of them: agent:SHA256:..."));
        };
        Ok(Self { identity: identity.clone(), file: file.unwrap_or(Path::new(FILE)).to_owned() })
    }

    /// Writes the statement and its signature.
    ///
    /// # Errors
    /// When it cannot be signed or written.
    pub fn write(&self, report: &Report) -> Result<(), Failure> {
        let statement = attestation::statement(report, &Facts { finished: now(), rules_version: RULES });
        let signature = attestation::sign(&statement, &self.identity)?;
        write(&self.file, &statement)?;
        write(&beside(&self.file), signature.as_bytes())?;
        let who = fingerprint(&self.identity.blob);
        ui::note(&format!("signed {} as {who}, in {}", self.file.display(), beside(&self.file).display()));
        Ok(())
    }
}

/// Checks a statement about what was read just now, and gives the exit code of what it says.
///
/// # Errors
/// When it is not signed by an allowed signer, or is about something else.
pub fn verify(file: &Path, allowed: &Path, report: &Report) -> Result<u8, Failure> {
    let statement = read(file)?;
    let signature = text(&beside(file))?;
    let signers = signers::parse(&text(allowed)?)
        .map_err(|error| Failure::new(Code::Usage, format!("failed to understand {}: {error}", allowed.display())))?;
    let Verified { signer, principals, outcome, complete, ignored, .. } =
        attestation::verify(&statement, &signature, &signers, &report.images, now())?;
    let who = principals.map_or(signer.clone(), |principals| format!("{principals} ({signer})"));
    let said = match outcome {
        Outcome::Clean => "no private key, and everything was read",
        Outcome::Findings if complete => "findings",
        Outcome::Findings => "findings, and not everything was read",
        Outcome::Incomplete => "not everything was read",
    };
    let ignored = if ignored > 0 { format!("; {ignored} findings were ignored") } else { String::new() };
    ui::line(&ui::one_line(&format!("good statement about this very image, signed by {who}: {said}{ignored}")));
    Ok(match outcome {
        Outcome::Clean => Code::Ok,
        Outcome::Findings => Code::Findings,
        Outcome::Incomplete => Code::NotAllRead,
    } as u8)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// `FILE.sig`, as ssh-keygen names it.
fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".sig");
    name.into()
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = std::fs::File::create(path).and_then(|mut file| file.write_all(bytes));
    written.map_err(|error| Failure::new(Code::Internal, format!("failed to write {}: {error}", path.display())))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MAX_STATEMENT as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|error| Failure::new(Code::Usage, format!("failed to read {}: {error}", path.display())))?;
    Ok(bytes)
}

fn text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(read(path)?).map_err(|_| Failure::new(Code::Usage, format!("{} is no text", path.display())))
}
