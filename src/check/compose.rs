//! PURE: what a Compose file (compose-spec) says to builds and services.

use super::file::Parts;
use super::scalar::mapped;
use super::setting::{Kind, Setting};
use crate::document::{Node, Style, Value};

/// Takes the settings and inline Dockerfiles of every service.
pub(super) fn read(root: &Node, text: &str, parts: &mut Parts) {
    for (_, service) in root.get("services").map(Node::entries).unwrap_or_default() {
        if let Some(build) = service.get("build") {
            settings(build.get("args"), Kind::BuildArg, &mut parts.settings);
            settings(build.get("labels"), Kind::BuildLabel, &mut parts.settings);
            parts.provenance.extend(build.get("provenance").cloned());
            parts.inline.extend(build.get("dockerfile_inline").and_then(|inline| mapped(inline, text)));
        }
        settings(service.get("environment"), Kind::Variable, &mut parts.settings);
    }
}

/// A map `NAME: value`, or a list of `NAME=value`.
pub(super) fn settings(node: Option<&Node>, kind: Kind, found: &mut Vec<Setting>) {
    let Some(node) = node else { return };
    for (name, value) in node.entries() {
        let Value::Scalar(text, style) = &value.value else { continue };
        let is_none = *style == Style::Plain && matches!(text.as_str(), "" | "~" | "null");
        let value_text = (!is_none).then(|| text.clone().into_bytes());
        let end = if is_none { name.span.end } else { value.span.end };
        found.push(Setting {
            kind,
            name: name.text().unwrap_or_default().as_bytes().to_vec(),
            value: value_text,
            // A value behind an alias stands elsewhere.
            span: if end > name.span.start { name.span.start..end } else { name.span.clone() },
        });
    }
    for item in node.items() {
        let Some(text) = item.text() else { continue };
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        found.push(Setting {
            kind,
            name: name.as_bytes().to_vec(),
            value: value.map(|value| value.as_bytes().to_vec()),
            span: item.span.clone(),
        });
    }
}
