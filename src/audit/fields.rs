//! The strings of a JSON document, each with the name of its field: configs, manifests and
//! attestations are looked at string by string, so that nothing hides behind JSON's escapes.

use serde_json::Value;

/// Calls `each` with every string and every key, and the path of its field.
/// `Env` entries are named by their variable: `Env.NAME`. Depth is bounded by the parser's 128.
pub fn strings(value: &Value, each: &mut dyn FnMut(&str, &str)) {
    // The config's own part of a config is what everybody names its fields by.
    if let Value::Object(fields) = value {
        for (name, value) in fields {
            if name == "config" && !value.get("mediaType").is_some_and(Value::is_string) {
                strings(value, each);
            } else {
                each(name, name);
                walk(value, name, each);
            }
        }
    } else {
        walk(value, "", each);
    }
}

fn walk(value: &Value, path: &str, each: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::String(text) => each(path, text),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                match (path, item.as_str().and_then(|text| text.split_once('='))) {
                    ("Env", Some((name, value))) => each(&format!("Env.{name}"), value),
                    _ => walk(item, &format!("{path}[{index}]"), each),
                }
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                each(&path, name);
                walk(value, &path, each);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_string_is_named_as_people_name_it() {
        let document = serde_json::json!({
            "architecture": "amd64",
            "config": { "Env": ["PATH=/bin", "odd"], "Labels": { "a.b": "c" } },
            "history": [{ "created_by": "RUN x", "empty_layer": true }],
            "rootfs": { "diff_ids": ["sha256:0"] },
        });
        let mut seen = Vec::new();
        strings(&document, &mut |path, text| seen.push(format!("{path}: {text}")));
        for expected in [
            "architecture: amd64",
            "Env.PATH: /bin",
            "Env[1]: odd",
            "Labels.a.b: c",
            "Labels.a.b: a.b",
            "history[0].created_by: RUN x",
            "rootfs.diff_ids[0]: sha256:0",
        ] {
            assert!(seen.iter().any(|line| line == expected), "{expected} is not in {seen:#?}");
        }
    }
}
