//! PURE: what a bake file (buildx's `docker-bake.hcl` and `.json`) says to builds.

use super::compose::settings;
use super::file::Parts;
use super::scalar::mapped;
use super::setting::{Kind, Setting};
use crate::document::Node;

/// Takes the settings and inline Dockerfiles of every target, and the defaults of variables.
pub(super) fn read(root: &Node, text: &str, parts: &mut Parts) {
    for target in root.all("target").flat_map(Node::entries).map(|(_, target)| target) {
        settings(target.get("args"), Kind::BuildArg, &mut parts.settings);
        settings(target.get("labels"), Kind::BuildLabel, &mut parts.settings);
        parts.inline.extend(target.get("dockerfile-inline").and_then(|inline| mapped(inline, text)));
        parts.provenance.extend(target.get("attest").map(Node::items).unwrap_or_default().iter().cloned());
    }
    for (name, variable) in root.all("variable").flat_map(Node::entries) {
        let Some(value) = variable.get("default") else { continue };
        let Some(text) = value.text().filter(|text| !text.is_empty()) else { continue };
        parts.settings.push(Setting {
            kind: Kind::Variable,
            name: name.text().unwrap_or_default().as_bytes().to_vec(),
            value: Some(text.as_bytes().to_vec()),
            span: value.span.clone(),
        });
    }
}
