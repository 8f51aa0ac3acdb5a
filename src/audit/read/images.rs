//! From blobs to images: manifests are followed, every digest, size and diffID that one says is
//! compared with what was read, and each finding gets its place in its image.

use std::collections::HashSet;

use super::{Blobs, ReadBlob, place, show};
use crate::audit::finding::Found;
use crate::audit::finding::{Finding, ImageRead, LayerRead, Location, Place, Report, Unread};
use crate::audit::hidden::Hashing;
use crate::audit::layer::Placed;
use crate::audit::scan::Scanner;
use crate::image::digest::Digest;
use crate::image::layer::Content;
use crate::image::limits::{MAX_GAPS, MAX_INDEX_DEPTH, MAX_LAYERS, MAX_MANIFESTS};
use crate::image::manifest::{Config, Descriptor, Manifest, Media, Saved};

mod documents;

/// Names that an archive or a layout has beside its blobs.
const OWN: [&str; 5] = ["index.json", "manifest.json", "oci-layout", "repositories", "ingest"];

const NO_TAR: &str = "is said to be a layer, and is no tar";

/// Makes the report of a source whose blobs were all read.
pub(super) fn resolve(name: &str, blobs: Blobs, scanner: &Scanner, hashing: &Hashing) -> Report {
    let mut resolving = Resolving {
        name,
        blobs: &blobs,
        scanner,
        hashing,
        report: Report::default(),
        seen: HashSet::new(),
        used: HashSet::new(),
        manifests: 0,
    };
    resolving.roots();
    resolving.rest();
    let mut report = resolving.report;
    report.unread.extend(blobs.failed.iter().map(|(blob, reason)| Unread {
        image: None,
        place: place(blob, &[]),
        reason: crate::ui::one_line(reason),
        ..Unread::default()
    }));
    for read in blobs.all.values() {
        report.bytes += read.blob.size;
        report.bytes_unpacked += read.bytes;
        report.files += read.files;
        report.unread_more += read.gaps_more;
    }
    report.complete = report.unread.is_empty() && report.unread_more == 0 && !report.images.is_empty();
    report
}

struct Resolving<'a> {
    name: &'a str,
    blobs: &'a Blobs,
    scanner: &'a Scanner,
    hashing: &'a Hashing,
    report: Report,
    /// Configs of images that are in the report: an archive may name an image twice.
    seen: HashSet<Digest>,
    /// Blobs that belong to something.
    used: HashSet<Digest>,
    manifests: usize,
}

/// A layer of an image on its way to the report.
struct Layer<'a> {
    read: &'a ReadBlob,
    instruction: Option<String>,
}

impl<'a> Resolving<'a> {
    fn roots(&mut self) {
        let blobs = self.blobs;
        let (index, saved) = (blobs.named("index.json"), blobs.named("manifest.json"));
        if index.is_none() && saved.is_none() {
            self.unread(None, self.name.to_owned(), "has neither an index.json nor a manifest.json: it is no image");
        }
        if let Some(read) = index {
            self.document(read, None, None, Place::Manifest);
            if let Some(index) = self.parse::<Manifest>(read, "an index") {
                for (descriptor, platform) in index.manifests.iter().flatten().zip(index.platforms()) {
                    let name = named(descriptor).unwrap_or_else(|| self.name.to_owned());
                    self.descriptor(descriptor, platform, &name, 0);
                }
            }
        }
        if let Some(read) = saved {
            if let Some(own) = documents::own_manifest(read) {
                return self.descriptor(&own, None, self.name, 0);
            }
            self.document(read, None, None, Place::Manifest);
            for saved in self.parse::<Vec<Saved>>(read, "an archive's manifest").unwrap_or_default() {
                self.saved(&saved);
            }
        }
    }

    /// What no manifest names was read all the same: its findings count.
    fn rest(&mut self) {
        let mut rest: Vec<&ReadBlob> =
            self.blobs.all.values().filter(|read| !self.used.contains(&read.blob.digest)).collect();
        rest.sort_by(|a, b| a.name.cmp(&b.name));
        for read in rest {
            let image = self.name.to_owned();
            if matches!(read.blob.content, Content::Document(_)) {
                self.document(read, Some(&image), None, Place::Manifest);
            } else {
                self.layer(&image, None, None, &Layer { read, instruction: None }, &[]);
            }
            if !OWN.contains(&read.name.as_str())
                && matches!(read.blob.content, Content::Other)
                && read.blob.size > 0
                && digest_like(&read.name)
            {
                self.unread(None, read.name.clone(), "is of no type that can be read, and no manifest names it");
            }
        }
    }

    fn descriptor(&mut self, descriptor: &Descriptor, platform: Option<String>, name: &str, depth: usize) {
        self.manifests += 1;
        if self.manifests > MAX_MANIFESTS || depth > MAX_INDEX_DEPTH {
            return self.unread(
                Some(name),
                descriptor.digest.clone(),
                "indexes and manifests are too many or too deep",
            );
        }
        let Some(read) = self.blob(descriptor, name) else { return };
        match Media::of(&descriptor.media_type) {
            Media::Manifest => {
                self.document(read, Some(name), platform.clone(), Place::Manifest);
                let Some(manifest) = self.parse::<Manifest>(read, "a manifest") else { return };
                let manifest = manifest.of_cache().unwrap_or(manifest);
                match &manifest.manifests {
                    Some(manifests) => {
                        for (descriptor, platform) in manifests.iter().zip(manifest.platforms()) {
                            self.descriptor(descriptor, platform, name, depth + 1);
                        }
                    }
                    None => self.image(name, platform, read, &manifest),
                }
            }
            Media::Layer if matches!(read.blob.content, Content::Layer { .. }) => {
                self.layer(name, None, None, &Layer { read, instruction: None }, &[]);
            }
            Media::Layer => self.unread(Some(name), read.name.clone(), NO_TAR),
            Media::Config | Media::Cache | Media::Attestation => self.document(read, Some(name), None, Place::Config),
            Media::Foreign | Media::Unknown => self.unknown(name, descriptor),
        }
    }

    /// `described` is the platform that an index says.
    fn image(&mut self, name: &str, described: Option<String>, read: &ReadBlob, manifest: &Manifest) {
        let Some(own) = &manifest.config else {
            return self.unread(Some(name), read.name.clone(), "is a manifest without a config");
        };
        let Some(config) = self.blob(own, name) else { return };
        let media = Media::of(&own.media_type);
        if media == Media::Unknown {
            self.unknown(name, own);
        }
        let parsed = self.parse::<Config>(config, "a config").unwrap_or_default();
        let platform = parsed.platform.name().or(described);
        self.document(config, Some(name), platform.clone(), Place::Config);
        if manifest.layers.len() > MAX_LAYERS {
            return self.unread(Some(name), read.name.clone(), "has too many layers");
        }
        let instructions = parsed.instructions(manifest.layers.len());
        if media == Media::Config && parsed.rootfs.diff_ids.len() != manifest.layers.len() {
            self.unread(Some(name), read.name.clone(), "names more or fewer layers than its config");
        }
        let mut layers = Vec::new();
        for (index, (descriptor, instruction)) in manifest.layers.iter().zip(instructions).enumerate() {
            let media = Media::of(&descriptor.media_type);
            if media == Media::Unknown {
                self.unknown(name, descriptor);
            }
            let Some(read) = self.blob(descriptor, name) else { continue };
            match (&read.blob.content, media) {
                (Content::Document(_), _) => self.document(read, Some(name), platform.clone(), Place::Attestation),
                (_, Media::Attestation) => {
                    self.unread(
                        Some(name),
                        read.name.clone(),
                        "is said to be an attestation, and is none that can be read",
                    );
                }
                (Content::Other, _) => self.unread(Some(name), read.name.clone(), NO_TAR),
                (Content::Layer { diff_id, .. }, _) => {
                    self.diff_id(name, &parsed, index, diff_id, &read.name);
                    layers.push(Layer { read, instruction });
                }
            }
        }
        // An attestation's manifest has no layers of files.
        if !layers.is_empty() || manifest.layers.is_empty() {
            // Of a build cache no layer lies upon another.
            let stacked = media != Media::Cache;
            self.finish(name, (read.blob.digest, config.blob.digest), platform, &layers, stacked);
        }
        self.seen.insert(config.blob.digest);
    }

    /// An image as `docker image save` has it: by paths.
    fn saved(&mut self, saved: &Saved) {
        let blobs = self.blobs;
        let tags = saved.repo_tags.clone().unwrap_or_default();
        let name = tags.first().cloned().unwrap_or_else(|| self.name.to_owned());
        let Some(config) = blobs.named(&saved.config) else {
            return self.unread(Some(&name), saved.config.clone(), "is missing: the image has no config");
        };
        if self.seen.contains(&config.blob.digest) {
            return;
        }
        self.seen.insert(config.blob.digest);
        let parsed = self.parse::<Config>(config, "a config").unwrap_or_default();
        let platform = parsed.platform.name();
        self.document(config, Some(&name), platform.clone(), Place::Config);
        if parsed.rootfs.diff_ids.len() != saved.layers.len() || saved.layers.len() > MAX_LAYERS {
            self.unread(Some(&name), saved.config.clone(), "has more or fewer layers than the archive names for it");
        }
        let instructions = parsed.instructions(saved.layers.len());
        let mut layers = Vec::new();
        for (index, (path, instruction)) in saved.layers.iter().zip(instructions).enumerate() {
            match blobs.named(path) {
                None => self.unread(Some(&name), path.clone(), "is missing: a layer of the image"),
                Some(read) => match &read.blob.content {
                    Content::Layer { diff_id, .. } => {
                        self.diff_id(&name, &parsed, index, diff_id, path);
                        layers.push(Layer { read, instruction });
                    }
                    _ => self.unread(Some(&name), path.clone(), NO_TAR),
                },
            }
        }
        self.finish(&name, (config.blob.digest, config.blob.digest), platform, &layers, true);
    }

    fn finish(
        &mut self,
        name: &str,
        (digest, config): (Digest, Digest),
        platform: Option<String>,
        layers: &[Layer<'a>],
        stacked: bool,
    ) {
        for (index, layer) in layers.iter().enumerate() {
            let above = if stacked { &layers[index + 1..] } else { &[] };
            self.layer(name, platform.as_deref(), Some(index), layer, above);
        }
        let layers = layers.iter().map(|layer| {
            let blob = &layer.read.blob;
            let (diff_id, unpacked) = match blob.content {
                Content::Layer { diff_id, unpacked, .. } => (diff_id, unpacked),
                _ => (blob.digest, blob.size),
            };
            LayerRead {
                digest: blob.digest.to_string(),
                diff_id: diff_id.to_string(),
                size: blob.size,
                unpacked,
                entries: layer.read.entries,
                instruction: layer.instruction.clone(),
                cached: layer.read.cached,
            }
        });
        self.report.images.push(ImageRead {
            name: name.to_owned(),
            digest: digest.to_string(),
            config_digest: Some(config.to_string()),
            platform,
            layers: layers.collect(),
        });
    }

    /// The findings and gaps of a layer in an image.
    fn layer(
        &mut self,
        image: &str,
        platform: Option<&str>,
        index: Option<usize>,
        layer: &Layer<'_>,
        above: &[Layer<'_>],
    ) {
        let first = self.used.insert(layer.read.blob.digest);
        let diff_id = match layer.read.blob.content {
            Content::Layer { diff_id, .. } => Some(diff_id.to_string()),
            _ => None,
        };
        for placed in &layer.read.placed {
            let hidden_by = placed.path.as_ref().and_then(|path| {
                let by = above.iter().position(|above| above.read.paths.hide(path, self.hashing))?;
                index.map(|index| index + 1 + by)
            });
            let Placed { found, path, inner, offset } = placed;
            let location = Location {
                kind: Place::Layer,
                layer: index,
                digest: Some(layer.read.blob.digest.to_string()),
                diff_id: diff_id.clone(),
                path: path.as_ref().map(|path| show(crate::audit::hidden::normal(path))),
                inner: (!inner.is_empty()).then(|| inner.iter().map(|name| show(name)).collect::<Vec<_>>().join("!/")),
                offset: Some(*offset),
                hidden_by,
                instruction: layer.instruction.clone(),
                field: None,
            };
            self.report.findings.push(finding(image, platform.map(str::to_owned), found, location));
        }
        if first {
            for (trail, reason) in &layer.read.gaps {
                let place = place(&layer.read.name, trail);
                self.report.unread.push(Unread {
                    image: Some(image.to_owned()),
                    platform: platform.map(str::to_owned),
                    layer: index,
                    place,
                    reason: reason.clone(),
                });
            }
        }
    }

    /// The blob that a descriptor names, if it is the one that it says.
    fn blob(&mut self, descriptor: &Descriptor, image: &str) -> Option<&'a ReadBlob> {
        let blobs = self.blobs;
        let read = Digest::parse(&descriptor.digest).and_then(|digest| blobs.all.get(&digest));
        match read {
            None => self.unread(Some(image), descriptor.digest.clone(), "is missing: a manifest names it"),
            Some(read) if read.blob.size != descriptor.size => {
                self.unread(Some(image), descriptor.digest.clone(), "has another size than its manifest says");
            }
            Some(_) => {}
        }
        read
    }

    fn diff_id(&mut self, image: &str, config: &Config, index: usize, diff_id: &Digest, name: &str) {
        // BuildKit's cache config has none.
        let Some(said) = config.rootfs.diff_ids.get(index) else { return };
        if Digest::parse(said) != Some(*diff_id) {
            self.unread(
                Some(image),
                name.to_owned(),
                &format!("unpacks to {diff_id}, and the config says {}", crate::ui::one_line(said)),
            );
        }
    }

    fn unknown(&mut self, image: &str, descriptor: &Descriptor) {
        let reason = format!("has the media type {:?}, which is not known", descriptor.media_type);
        self.unread(Some(image), descriptor.digest.clone(), &reason);
    }

    fn unread(&mut self, image: Option<&str>, blob: String, reason: &str) {
        let (image, place) = (image.map(str::to_owned), place(&blob, &[]));
        let unread = Unread { image, place, reason: reason.to_owned(), ..Unread::default() };
        if self.report.unread.len() >= MAX_GAPS {
            self.report.unread_more += 1;
        } else if !self.report.unread.contains(&unread) {
            self.report.unread.push(unread);
        }
    }
}

fn finding(image: &str, platform: Option<String>, found: &Found, location: Location) -> Finding {
    Finding {
        image: image.to_owned(),
        platform,
        rule: found.rule.to_owned(),
        severity: found.severity,
        message: found.message.clone(),
        remedy: found.remedy.to_owned(),
        wrapped: found.wrapped.iter().map(|name| (*name).to_owned()).collect(),
        location,
        key: found.key.clone(),
    }
}

/// What an index calls an image: containerd's annotation has the whole name, OCI's the tag.
fn named(descriptor: &Descriptor) -> Option<String> {
    let of = |key: &str| descriptor.annotations.get(key).cloned();
    of("io.containerd.image.name").or_else(|| of("org.opencontainers.image.ref.name"))
}

fn digest_like(name: &str) -> bool {
    name.starts_with("blobs/")
}
