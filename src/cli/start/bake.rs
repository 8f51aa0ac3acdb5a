//! PURE: a plan for bake as a file that is named behind the project's own, and the flags that it
//! still needs.

use std::ffi::OsString;

use serde_json::{Map, Value, json};

/// The override's text, and the flags of the entitlements for what it names.
pub(super) fn override_file(args: &[OsString]) -> (String, Vec<String>) {
    let words: Vec<&str> = args.iter().filter_map(|word| word.to_str()).collect();
    let mut targets = Map::new();
    let mut allowed = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if word.starts_with("--allow=") {
            allowed.push(word.to_owned());
        }
        let Some((path, value)) = (word == "--set").then(|| words.next()).flatten().and_then(|set| set.split_once('='))
        else {
            continue;
        };
        let Some((target, key)) = path.split_once('.') else { continue };
        let target = targets.entry(target.to_owned()).or_insert_with(|| json!({}));
        let Some(target) = target.as_object_mut() else { continue };
        set(target, key, value);
    }
    (json!({ "target": targets }).to_string(), allowed)
}

/// The keys of `--set`, as a file has them.
fn set(target: &mut Map<String, Value>, key: &str, value: &str) {
    match key {
        "ssh" | "secrets" => {
            let list = target.entry(if key == "ssh" { "ssh" } else { "secret" }).or_insert_with(|| json!([]));
            list.as_array_mut().into_iter().for_each(|list| list.push(json!(value)));
        }
        _ => match key.split_once('.') {
            Some((table, name)) => {
                let table = target.entry(table.to_owned()).or_insert_with(|| json!({}));
                table.as_object_mut().into_iter().for_each(|table| drop(table.insert(name.to_owned(), json!(value))));
            }
            None => drop(target.insert(key.to_owned(), json!(value))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_by_flags_stands_in_the_file() {
        let args = "buildx bake --allow=fs.read=/l/s --set app.ssh=default=/l/s --set app.ssh=x=/l/s --set app.secrets=id=k,src=/l/k --set app.contexts.valetkey=/l/guest --set app.dockerfile=/l/0.Dockerfile --progress plain app";
        let args: Vec<OsString> = args.split(' ').map(OsString::from).collect();
        let (text, allowed) = override_file(&args);
        let file: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            file["target"]["app"],
            json!({ "ssh": ["default=/l/s", "x=/l/s"], "secret": ["id=k,src=/l/k"],
                "contexts": { "valetkey": "/l/guest" }, "dockerfile": "/l/0.Dockerfile" })
        );
        assert_eq!(allowed, ["--allow=fs.read=/l/s"]);
    }
}
