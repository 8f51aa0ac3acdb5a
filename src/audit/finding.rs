//! What an audit says: findings with their places, and what it could not read.
//!
//! Serialised as the JSON report has it (`docs/audit.schema.json`).

use serde::{Deserialize, Serialize};

/// How bad it is, in SARIF's words (SARIF 2.1.0, §3.27.10 `level`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; no secret.
    Note,
    /// A secret that may be worthless (a known test key, an encrypted key, a weak form).
    Warning,
    /// A secret.
    Error,
}

/// The key of a finding: its public half alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// In the words of the format: `ssh-ed25519`, `ssh-rsa`, `ecdsa-sha2-nistp256`, `age`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// `SHA256:…` as OpenSSH writes it, where the public half is known; another format's own
    /// public form elsewhere.
    pub fingerprint: Option<String>,
    /// Whether a passphrase is needed.
    pub encrypted: bool,
    /// The package that ships this key on purpose, if it is one of those.
    pub known_test_key: Option<String>,
}

/// What a rule says of the bytes it was shown; the place is added by who showed them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The rule's id: lower case with dashes, as `openssh-private-key`.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence, lower case, without a full stop and without the secret.
    pub message: String,
    /// What to do, in one line.
    pub remedy: &'static str,
    /// Where it begins, in the bytes that were shown.
    pub at: usize,
    /// Bytes it takes there, as far as known; 0 if not. Of two findings with the same key whose
    /// ranges overlap, one is kept.
    pub length: usize,
    /// How it was wrapped, outermost first: `base64`, `hex`, `utf-16`, `gzip`, …
    pub wrapped: Vec<&'static str>,
    /// The key, if it is one.
    pub key: Option<Key>,
}

/// What kind of thing a finding is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// A layer's tar: a file of it, or bytes between files.
    Layer,
    /// The image's config.
    Config,
    /// The history in the config.
    History,
    /// An annotation of a manifest, an index or a descriptor.
    Annotation,
    /// An in-toto attestation: provenance, SBOM.
    Attestation,
    /// Another field of a manifest or an index.
    Manifest,
}

/// Where a finding is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Location {
    /// What it is in.
    pub kind: Place,
    /// The layer's index, from 0 for the base.
    pub layer: Option<usize>,
    /// The digest of the blob as it is stored.
    pub digest: Option<String>,
    /// The digest of the uncompressed layer.
    pub diff_id: Option<String>,
    /// Path in the layer, without a leading slash; bytes that are no UTF-8 as `\xNN`.
    pub path: Option<String>,
    /// Path inside of archives in that file, each step separated by `!/`.
    pub inner: Option<String>,
    /// Offset in the innermost file (or in the layer, where there is no path), in bytes.
    pub offset: Option<u64>,
    /// The index of the layer that deletes or overwrites the file.
    pub hidden_by: Option<usize>,
    /// The instruction that made the layer, from the history.
    pub instruction: Option<String>,
    /// Field of a document: `Env.NAME`, `Labels.x`, `history[3].created_by`.
    pub field: Option<String>,
}

/// A finding with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The image, as it was named.
    pub image: String,
    /// `linux/amd64`, where the image says so.
    pub platform: Option<String>,
    /// See [`Found`].
    pub rule: String,
    /// See [`Found`].
    pub severity: Severity,
    /// See [`Found`].
    pub message: String,
    /// See [`Found`].
    pub remedy: String,
    /// See [`Found`].
    pub wrapped: Vec<String>,
    /// Where.
    pub location: Location,
    /// See [`Found`].
    pub key: Option<Key>,
}

/// Something that was not read as what it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// The image, where it belongs to one.
    pub image: Option<String>,
    /// `linux/amd64`, where the image says so.
    pub platform: Option<String>,
    /// The index of the layer that it is in, from 0 for the base, where it is in one.
    pub layer: Option<usize>,
    /// The blob, file or field, as a person would look for it.
    pub place: String,
    /// Why, in words that fit behind the place.
    pub reason: String,
}

/// A layer that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LayerRead {
    /// The digest of the blob as it is stored.
    pub digest: String,
    /// The digest of the uncompressed layer.
    pub diff_id: String,
    /// Bytes as stored.
    pub size: u64,
    /// Bytes uncompressed.
    pub unpacked: u64,
    /// Entries of its tar.
    pub entries: u64,
    /// The instruction that made it, from the history.
    pub instruction: Option<String>,
    /// Whether an earlier audit with the same rules read it, and only its digest was taken now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cached: bool,
}

/// An image that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImageRead {
    /// As it was named: a tag, else the digest.
    pub name: String,
    /// The digest of its manifest, or of its config where the archive has no manifest of OCI's.
    pub digest: String,
    /// The digest of its config, where it is known: the same image has it in every form of
    /// archive, and it vouches for every layer.
    pub config_digest: Option<String>,
    /// `linux/amd64`, where the image says so.
    pub platform: Option<String>,
    /// From the base upwards.
    pub layers: Vec<LayerRead>,
}

/// A rule that was looked for, for reports that list them all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleInfo {
    /// As [`Found::rule`].
    pub id: String,
    /// What it finds, in words that begin with an article.
    pub about: String,
    /// What to do about a finding, in one line.
    pub remedy: String,
    /// The highest severity that it gives.
    pub severity: Severity,
}

impl RuleInfo {
    /// A rule of a family.
    #[must_use]
    pub fn new(id: &str, about: &str, remedy: &str, severity: Severity) -> Self {
        Self { id: id.to_owned(), about: about.to_owned(), remedy: remedy.to_owned(), severity }
    }
}

/// A finding that `valetkey.toml` says to ignore, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ignored {
    /// What was found.
    pub finding: Finding,
    /// The words of whoever said so.
    pub reason: String,
}

/// Everything that an audit says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether everything was read: no image counts as clean without it.
    pub complete: bool,
    /// The images.
    pub images: Vec<ImageRead>,
    /// What was found, in the order of images, layers, paths.
    pub findings: Vec<Finding>,
    /// What was not read.
    pub unread: Vec<Unread>,
    /// Things that were not read and are not named, because there are too many.
    pub unread_more: u64,
    /// Bytes of blobs that were read, as stored.
    pub bytes: u64,
    /// Bytes that were looked at, uncompressed, archives inside of layers included.
    pub bytes_unpacked: u64,
    /// Regular files that were looked at, those in archives inside of layers included.
    pub files: u64,
    /// Findings that `valetkey.toml` says to ignore.
    pub ignored: u64,
    /// Those findings, which are no longer among [`Self::findings`].
    pub ignored_findings: Vec<Ignored>,
    /// The rules that were looked for.
    pub rules: Vec<RuleInfo>,
    /// Fingerprints of the keys that were looked for by themselves: lent, or named.
    pub looked_for: Vec<String>,
}

/// What an audit comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Everything was read, and nothing was found.
    Clean,
    /// Something was found.
    Findings,
    /// Nothing was found, and not everything was read.
    Incomplete,
}

impl Report {
    /// Whether everything was read. An audit of no image, or one that names something unread,
    /// is not complete, whatever [`Self::complete`] says.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete && !self.images.is_empty() && self.unread_places() == 0
    }

    /// How many places were not read, those that are not named included.
    #[must_use]
    pub fn unread_places(&self) -> u64 {
        (self.unread.len() as u64).saturating_add(self.unread_more)
    }

    /// What it comes to: findings come before gaps, because they stay whatever is in the gaps.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match (self.worst() > Some(Severity::Note), self.is_complete()) {
            (true, _) => Outcome::Findings,
            (false, true) => Outcome::Clean,
            (false, false) => Outcome::Incomplete,
        }
    }

    /// The highest severity of a finding.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}
