//! Configs, manifests and attestations: parsed for what they say of the image, and looked at
//! string by string for what they should not hold.

use serde::de::DeserializeOwned;

use super::{Resolving, finding};
use crate::audit::encoded::LIMIT_RULE;
use crate::audit::exact::texts;
use crate::audit::fields;
use crate::audit::finding::{Location, Place};
use crate::audit::read::ReadBlob;
use crate::audit::residue;
use crate::audit::rule::Text;
use crate::image::layer::Content;
use crate::image::manifest::Descriptor;

impl Resolving<'_> {
    /// The findings in a document: string by string.
    pub(super) fn document(&mut self, read: &ReadBlob, image: Option<&str>, platform: Option<String>, kind: Place) {
        if !self.used.insert(read.blob.digest) && kind != Place::Config {
            return;
        }
        let Content::Document(bytes) = &read.blob.content else {
            return self.unread(image, read.name.clone(), "is no document that can be read");
        };
        let image = image.unwrap_or(self.name);
        let value: serde_json::Value = match serde_json::from_slice(bytes) {
            Ok(value) => value,
            Err(error) => return self.unread(Some(image), read.name.clone(), &format!("is no JSON: {error}")),
        };
        if let Err(error) = serde_json::from_slice::<fields::NoKeyTwice>(bytes) {
            self.unread(Some(image), read.name.clone(), &format!("cannot be read in one way alone: {error}"));
        }
        let (mut findings, mut cut) = (Vec::new(), Vec::new());
        fields::strings(&value, &mut |field, text| {
            let mut found = Vec::new();
            let bytes = text.as_bytes();
            self.scanner.scan(&Text { bytes, name: b"", depth: 0 }, 0..bytes.len(), &mut found);
            texts::once(&mut found);
            residue::field(field, text, &mut found);
            for found in found {
                // Not everything was taken out of its encoding: that is nothing found, and not all read.
                if found.rule == LIMIT_RULE {
                    cut.push((field.to_owned(), found.message));
                    continue;
                }
                let kind = match kind {
                    Place::Config if field.starts_with("history[") => Place::History,
                    Place::Manifest if field.contains("annotations") => Place::Annotation,
                    kind => kind,
                };
                // What a report shows of an instruction with a finding in it goes by this.
                let instruction = (kind == Place::History).then(|| created_by(&value, field)).flatten();
                let location = Location {
                    kind,
                    layer: None,
                    digest: Some(read.blob.digest.to_string()),
                    diff_id: None,
                    path: None,
                    inner: None,
                    offset: Some(found.at as u64),
                    hidden_by: None,
                    instruction,
                    field: Some(crate::ui::one_line(field)),
                };
                findings.push(finding(image, platform.clone(), &found, location));
            }
        });
        self.report.findings.append(&mut findings);
        for (field, reason) in cut {
            self.unread(Some(image), format!("{}: {field}", read.name), &reason);
        }
    }

    /// A document's content, where it is what it should be.
    pub(super) fn parse<T: DeserializeOwned>(&mut self, read: &ReadBlob, what: &str) -> Option<T> {
        let parsed = match &read.blob.content {
            Content::Document(bytes) => serde_json::from_slice(bytes).map_err(|error| error.to_string()),
            Content::Layer { .. } => Err("it is a tar".into()),
            Content::Other if read.blob.size > crate::image::limits::MAX_DOCUMENT => {
                Err(format!("it is longer than {} MiB", crate::image::limits::MAX_DOCUMENT >> 20))
            }
            Content::Other => Err("it is no JSON".into()),
        };
        match parsed {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.unread(None, read.name.clone(), &format!("cannot be read as {what}: {error}"));
                None
            }
        }
    }
}

/// In a folder of podman's (`dir:` of containers-transports(5)) manifest.json is the image's own
/// manifest, where `docker image save` has a list of images.
pub(super) fn own_manifest(read: &ReadBlob) -> Option<Descriptor> {
    let Content::Document(bytes) = &read.blob.content else { return None };
    bytes.trim_ascii_start().starts_with(b"{").then(|| Descriptor::of_manifest(read.blob.digest, read.blob.size))
}

/// The instruction of the entry of the history that a field is of.
fn created_by(config: &serde_json::Value, field: &str) -> Option<String> {
    let index: usize = field.strip_prefix("history[")?.split(']').next()?.parse().ok()?;
    config.get("history")?.get(index)?.get("created_by")?.as_str().map(str::to_owned)
}
