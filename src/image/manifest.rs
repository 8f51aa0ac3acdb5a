//! Manifests, indexes and configs as documents (PURE): OCI image-spec 1.1 and what Docker has
//! written before it (Image Manifest Version 2, Schema 2; `docker image save`'s manifest.json).
//!
//! Refuses what it does not know: an unknown media type is said, never skipped.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::digest::Digest;

/// A reference to a blob (image-spec, descriptor.md).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What it is.
    #[serde(default)]
    pub media_type: String,
    /// `sha256:…`, as written.
    pub digest: String,
    /// Bytes.
    pub size: u64,
    /// In an index: for which platform.
    #[serde(default)]
    pub platform: Option<Platform>,
    /// Free text by key.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// Of a manifest that nothing describes.
    #[must_use]
    pub fn of_manifest(digest: Digest, size: u64) -> Self {
        let media_type = "application/vnd.oci.image.manifest.v1+json".to_owned();
        Self { media_type, digest: digest.to_string(), size, platform: None, annotations: BTreeMap::new() }
    }
}

/// For which machine an image is.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Platform {
    /// As Go has it: `linux`.
    #[serde(default)]
    pub os: String,
    /// As Go has it: `amd64`.
    #[serde(default)]
    pub architecture: String,
    /// As `v8`.
    #[serde(default)]
    pub variant: Option<String>,
}

impl Platform {
    /// `linux/arm64/v8`; nothing where the image does not say.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        // BuildKit says `unknown/unknown` of attestations.
        let known = |part: &str| !part.is_empty() && part != "unknown";
        if !known(&self.os) && !known(&self.architecture) {
            return None;
        }
        let variant = self.variant.as_deref().filter(|variant| !variant.is_empty());
        Some(
            [&self.os, &self.architecture].into_iter().map(String::as_str).chain(variant).collect::<Vec<_>>().join("/"),
        )
    }
}

/// An image manifest or an index, told apart by what it has.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Of a manifest.
    #[serde(default)]
    pub config: Option<Descriptor>,
    /// Of a manifest, from the base upwards.
    #[serde(default)]
    pub layers: Vec<Descriptor>,
    /// Of an index.
    #[serde(default)]
    pub manifests: Option<Vec<Descriptor>>,
}

impl Manifest {
    /// For each manifest of an index its platform's name; for an attestation that of the image
    /// that it is about, by BuildKit's annotation.
    #[must_use]
    pub fn platforms(&self) -> Vec<Option<String>> {
        const ABOUT: &str = "vnd.docker.reference.digest";
        let all = || self.manifests.iter().flatten();
        let own = |descriptor: &Descriptor| descriptor.platform.as_ref().and_then(Platform::name);
        let known: HashMap<&str, Option<String>> =
            all().map(|descriptor| (descriptor.digest.as_str(), own(descriptor))).collect();
        let about = |descriptor: &Descriptor| known.get(descriptor.annotations.get(ABOUT)?.as_str())?.clone();
        all().map(|descriptor| own(descriptor).or_else(|| about(descriptor))).collect()
    }

    /// A build cache as Docker 26 writes it, and later BuildKits with `image-manifest=false`: an
    /// index of layers and a cache config, and nothing else. As the manifest that it stands for.
    #[must_use]
    pub fn of_cache(&self) -> Option<Self> {
        let media = |descriptor: &Descriptor| Media::of(&descriptor.media_type);
        let (layers, rest): (Vec<_>, Vec<_>) =
            self.manifests.iter().flatten().cloned().partition(|descriptor| media(descriptor) == Media::Layer);
        match &rest[..] {
            [config] if media(config) == Media::Cache => {
                Some(Self { config: Some(config.clone()), layers, manifests: None })
            }
            _ => None,
        }
    }
}

/// What of a config tells how layers came about (image-spec, config.md).
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Config {
    /// For which machine.
    #[serde(flatten)]
    pub platform: Platform,
    /// The layers' digests, uncompressed.
    #[serde(default)]
    pub rootfs: RootFs,
    /// One for each instruction.
    #[serde(default)]
    pub history: Vec<History>,
}

/// See [`Config`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct RootFs {
    /// From the base upwards.
    #[serde(default)]
    pub diff_ids: Vec<String>,
}

/// See [`Config`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct History {
    /// The instruction, as the builder words it.
    #[serde(default)]
    pub created_by: String,
    /// Whether it made no layer.
    #[serde(default)]
    pub empty_layer: bool,
}

impl Config {
    /// The instruction that made each of `count` layers, where the history has just as many
    /// that did.
    #[must_use]
    pub fn instructions(&self, count: usize) -> Vec<Option<String>> {
        let made: Vec<_> = self.history.iter().filter(|entry| !entry.empty_layer).collect();
        if made.len() == count {
            // An imported layer has an entry that says nothing.
            let said = |text: &String| !text.trim().is_empty();
            made.into_iter().map(|entry| Some(entry.created_by.clone()).filter(said)).collect()
        } else {
            vec![None; count]
        }
    }
}

/// An entry of manifest.json in a docker-archive: paths in the archive.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Saved {
    /// The config's path.
    pub config: String,
    /// The image's names.
    #[serde(default)]
    pub repo_tags: Option<Vec<String>>,
    /// The layers' paths, from the base upwards.
    #[serde(default)]
    pub layers: Vec<String>,
}

/// What a descriptor's media type says that a blob is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// A manifest or an index.
    Manifest,
    /// A layer.
    Layer,
    /// A layer that is not distributed with the image.
    Foreign,
    /// A config of an image.
    Config,
    /// A document of an attestation.
    Attestation,
    /// BuildKit's cache config.
    Cache,
    /// Nothing that this program knows.
    Unknown,
}

impl Media {
    /// Of a media type, without parameters.
    #[must_use]
    pub fn of(media_type: &str) -> Self {
        const LAYERS: [&str; 2] =
            ["application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar"];
        const FOREIGN: [&str; 2] = [
            "application/vnd.oci.image.layer.nondistributable.v1.tar",
            "application/vnd.docker.image.rootfs.foreign.diff.tar",
        ];
        // Docker writes `.gzip` (and Docker layers as zstd are `.zstd` in some writers, `+zstd` in others).
        let bare = ["+gzip", "+zstd", ".gzip", ".zstd"].iter().find_map(|suffix| media_type.strip_suffix(suffix));
        let bare = bare.unwrap_or(media_type);
        match media_type {
            _ if LAYERS.contains(&bare) || bare == "application/vnd.docker.image.rootfs.diff.tar" => Self::Layer,
            _ if FOREIGN.contains(&bare) => Self::Foreign,
            "application/vnd.oci.image.manifest.v1+json"
            | "application/vnd.oci.image.index.v1+json"
            | "application/vnd.docker.distribution.manifest.v2+json"
            | "application/vnd.docker.distribution.manifest.list.v2+json" => Self::Manifest,
            "application/vnd.oci.image.config.v1+json" | "application/vnd.docker.container.image.v1+json" => {
                Self::Config
            }
            "application/vnd.in-toto+json" => Self::Attestation,
            "application/vnd.buildkit.cacheconfig.v0" => Self::Cache,
            _ => Self::Unknown,
        }
    }
}

/// The digest that a name in an archive stands for: `blobs/sha256/HEX`, `HEX.json`, `HEX.tar`.
#[must_use]
pub fn digest_of_name(name: &str) -> Option<Digest> {
    if let Some(hex) = name.strip_prefix("blobs/sha256/") {
        return Digest::from_hex(hex);
    }
    Digest::from_hex(name.strip_suffix(".json")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_has_its_instruction_where_the_history_has_one_for_each_and_says_something() {
        let config: Config = serde_json::from_str(
            r#"{"history": [{"created_by": "COPY a"}, {"created_by": "ENV", "empty_layer": true}, {"created_by": ""},
                {"comment": "Imported from -"}]}"#,
        )
        .unwrap();
        assert_eq!(config.instructions(3), [Some("COPY a".to_owned()), None, None]);
        assert_eq!(config.instructions(2), [None, None]);
    }
}
