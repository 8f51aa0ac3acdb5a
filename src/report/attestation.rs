//! The audit as an in-toto statement over the images' digests, signed with SSHSIG.
//!
//! Two files: the statement, and its signature beside it (`FILE.sig`), exactly as
//! `ssh-keygen -Y sign` leaves them, so that `ssh-keygen -Y verify -n valetkey-audit` checks them
//! without us. Verifying refuses a statement before a byte of it is parsed, unless its signature
//! is that of an allowed signer.

use serde::Deserialize;
use serde_json::{Value, json};

use super::signers::{Signer, rfc3339};
use crate::audit::finding::{ImageRead, Outcome, Report};
use crate::exit::Code;
use crate::hosts::signature;
use crate::signer::{Identity, RSA_SHA2_512, SignError, fingerprint};
use crate::ui::Explain;
use crate::wire::Malformed;
use crate::wire::sshsig::{Hash, SshSig, signed_data};

/// The namespace of the signature (PROTOCOL.sshsig section 2): one made for anything else, a
/// commit or a file, is none of an audit.
pub const NAMESPACE: &str = "valetkey-audit";
/// in-toto's statement layer, version 1.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// What our predicate is. A URN, because it is a name that is compared and never fetched: an
/// https address would be the word of whoever holds that domain.
pub const PREDICATE_TYPE: &str = "urn:valetkey:audit:v1";
/// The longest statement that is verified, in bytes.
pub const MAX_STATEMENT: usize = 16 * 1024 * 1024;

/// What a statement says beside the report.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// When the audit ended, in seconds since 1970.
    pub finished: u64,
    /// The version of the rules.
    pub rules_version: &'a str,
}

/// The statement: what was read, with which rules, what was looked for, the result, and when.
#[must_use]
pub fn statement(report: &Report, facts: &Facts<'_>) -> Vec<u8> {
    let report = &super::redact::redact(report);
    let subjects: Vec<Value> = report.images.iter().flat_map(subjects).collect();
    let statement = json!({
        "_type": STATEMENT_TYPE,
        "subject": subjects,
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "auditor": { "name": "valetkey", "version": env!("CARGO_PKG_VERSION") },
            "finishedOn": rfc3339(facts.finished),
            "result": {
                "complete": report.is_complete(), "outcome": report.outcome(), "verdict": super::verdict(report),
            },
            "read": {
                "bytes": report.bytes, "bytesUnpacked": report.bytes_unpacked, "files": report.files,
                "images": report.images,
            },
            "rules": {
                "version": facts.rules_version,
                "ids": report.rules.iter().map(|rule| rule.id.as_str()).collect::<Vec<_>>(),
            },
            "lookedFor": report.looked_for,
            "findings": report.findings,
            "ignored": report.ignored_findings,
            "unread": report.unread,
            "unreadMore": report.unread_more,
        },
    });
    super::json::text(&statement).into_bytes()
}

/// An image by its manifest, and by its config where that is another digest.
fn subjects(image: &ImageRead) -> Vec<Value> {
    let mut name = image.name.clone();
    if let Some(platform) = &image.platform {
        name.push_str(&format!(" ({platform})"));
    }
    let subject = |name: &str, digest: &str| {
        let (algorithm, hex) = digest.split_once(':').unwrap_or(("sha256", digest));
        json!({ "name": name, "digest": { algorithm: hex } })
    };
    let mut out = vec![subject(&name, &image.digest)];
    if let Some(config) = image.config_digest.as_ref().filter(|&config| *config != image.digest) {
        out.push(subject(&format!("{name}, config"), config));
    }
    out
}

/// Why nothing was attested.
#[derive(Debug, thiserror::Error)]
pub enum AttestError {
    /// It could not be verified again, so it is not written.
    #[error("the audit has more than {MAX_STATEMENT} bytes")]
    TooLong,
    /// The key did not sign.
    #[error("failed to sign the audit")]
    Sign(#[from] SignError),
    /// A certificate, a security key, or an agent that signs something else.
    #[error("the signature cannot be verified with the key that is said to have made it")]
    Unverifiable,
}

impl Explain for AttestError {
    fn hint(&self) -> Option<String> {
        matches!(self, Self::Unverifiable).then(|| {
            "sign with a plain Ed25519, ECDSA or RSA key: certificates and security keys are not supported".into()
        })
    }

    fn code(&self) -> Code {
        Code::Key
    }
}

/// The armoured signature of a statement, for `FILE.sig`. It is verified before it is given away.
///
/// # Errors
/// [`AttestError`].
pub fn sign(statement: &[u8], identity: &Identity) -> Result<String, AttestError> {
    if statement.len() > MAX_STATEMENT {
        return Err(AttestError::TooLong);
    }
    let data = signed_data(NAMESPACE, Hash::Sha512, statement);
    // SHA-1 is no choice; the flag means nothing to keys that are not RSA.
    let signature = identity.signer.sign(&data, RSA_SHA2_512)?;
    if !signature::verify(&identity.blob, &signature, &data) {
        return Err(AttestError::Unverifiable);
    }
    let signed =
        SshSig { public_key: identity.blob.clone(), namespace: NAMESPACE.into(), hash: Hash::Sha512, signature };
    Ok(signed.armoured())
}

/// What an image was recognised by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Its manifest: this very image, annotations included.
    Manifest,
    /// Its config, which vouches for every layer and for itself, not for annotations.
    Config,
}

/// A statement that an allowed signer signed, over the images that were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// `SHA256:…` of the key that signed.
    pub signer: String,
    /// Who that is, where an allowed signers file says so.
    pub principals: Option<String>,
    /// What each image was recognised by, in their order.
    pub by: Vec<By>,
    /// When the audit ended, in the statement's words.
    pub finished_on: String,
    /// Whether everything was read.
    pub complete: bool,
    /// `clean`, `findings` or `incomplete`.
    pub outcome: Outcome,
    /// The audit in one line.
    pub verdict: String,
    /// Findings that were ignored.
    pub ignored: usize,
    /// Fingerprints that were looked for.
    pub looked_for: Vec<String>,
}

/// Why a statement proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Past [`MAX_STATEMENT`].
    #[error("the statement has more than {MAX_STATEMENT} bytes")]
    TooLong,
    /// No signature.
    #[error("the signature cannot be read")]
    Malformed(#[from] Malformed),
    /// Made for something else.
    #[error("the signature is for the namespace \"{0}\" and not for an audit")]
    Namespace(String),
    /// Of a key that nobody allowed.
    #[error("the statement is signed by {0}, which is no allowed signer")]
    Signer(String),
    /// Of an allowed signer, at another time.
    #[error("the statement is signed by {0}, which is not allowed to sign now")]
    Time(String),
    /// The statement is not what was signed.
    #[error("the signature is not one of this statement")]
    Signature,
    /// Signed, and not an audit.
    #[error("what was signed is no statement of an audit: {0}")]
    NoAudit(&'static str),
    /// About other images.
    #[error("the statement is not about {0}")]
    Subject(String),
    /// Nothing to compare with.
    #[error("no image was given, so the statement proves nothing")]
    NoImage,
}

impl Explain for VerifyError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Signer(_) => Some("name its public key, or a file of allowed signers that has it".into()),
            Self::Subject(_) => Some("audit this image itself: it is not the one that was attested".into()),
            _ => None,
        }
    }

    fn code(&self) -> Code {
        Code::Key
    }
}

#[derive(Deserialize)]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Deserialize)]
struct Subject {
    digest: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Predicate {
    finished_on: String,
    result: Judged,
    looked_for: Vec<String>,
    ignored: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Judged {
    complete: bool,
    outcome: String,
    verdict: String,
}

/// Checks that an allowed signer signed the statement and that it is about every one of `images`.
/// It may still say that something was found: that is the caller's to look at.
///
/// `now` in seconds since 1970, for signers that are allowed for a time.
///
/// # Errors
/// [`VerifyError`].
pub fn verify(
    statement: &[u8],
    signature: &str,
    signers: &[Signer],
    images: &[ImageRead],
    now: u64,
) -> Result<Verified, VerifyError> {
    if statement.len() > MAX_STATEMENT {
        return Err(VerifyError::TooLong);
    }
    let signed = SshSig::parse(signature)?;
    if signed.namespace != NAMESPACE {
        return Err(VerifyError::Namespace(crate::wire::text::shown(signed.namespace.as_bytes())));
    }
    let who = fingerprint(&signed.public_key);
    let mut allowed = signers.iter().filter(|signer| signer.blob == signed.public_key).peekable();
    if allowed.peek().is_none() {
        return Err(VerifyError::Signer(who));
    }
    let in_time = |signer: &&Signer| {
        signer.valid_after.is_none_or(|after| after <= now) && signer.valid_before.is_none_or(|before| now < before)
    };
    let Some(signer) = allowed.find(in_time) else { return Err(VerifyError::Time(who)) };
    let data = signed_data(NAMESPACE, signed.hash, statement);
    if !signature::verify(&signed.public_key, &signed.signature, &data) {
        return Err(VerifyError::Signature);
    }
    let said: Statement =
        serde_json::from_slice(statement).map_err(|_| VerifyError::NoAudit("it does not have the form of one"))?;
    if said.kind != STATEMENT_TYPE {
        return Err(VerifyError::NoAudit("it is no in-toto statement of version 1"));
    }
    if said.predicate_type != PREDICATE_TYPE {
        return Err(VerifyError::NoAudit("its predicate is another one"));
    }
    let result = said.predicate.result;
    let outcome = match result.outcome.as_str() {
        "clean" if result.complete => Outcome::Clean,
        "findings" => Outcome::Findings,
        "incomplete" if !result.complete => Outcome::Incomplete,
        _ => return Err(VerifyError::NoAudit("its result contradicts itself")),
    };
    if images.is_empty() {
        return Err(VerifyError::NoImage);
    }
    let by = images.iter().map(|image| recognise(image, &said.subject)).collect::<Result<_, _>>()?;
    Ok(Verified {
        signer: who,
        principals: signer.principals.clone(),
        by,
        finished_on: said.predicate.finished_on,
        complete: result.complete,
        outcome,
        verdict: result.verdict,
        ignored: said.predicate.ignored.len(),
        looked_for: said.predicate.looked_for,
    })
}

fn recognise(image: &ImageRead, subjects: &[Subject]) -> Result<By, VerifyError> {
    let is_subject = |digest: &str| {
        // SHA-1 and MD5 are digests to in-toto, and no proof.
        let Some((algorithm @ ("sha256" | "sha512"), hex)) = digest.split_once(':') else { return false };
        !hex.is_empty() && subjects.iter().any(|subject| subject.digest.get(algorithm).is_some_and(|its| its == hex))
    };
    let config = image.config_digest.as_deref();
    if config != Some(image.digest.as_str()) && is_subject(&image.digest) {
        return Ok(By::Manifest);
    }
    if is_subject(&image.digest) || config.is_some_and(is_subject) {
        return Ok(By::Config);
    }
    Err(VerifyError::Subject(image.name.clone()))
}
