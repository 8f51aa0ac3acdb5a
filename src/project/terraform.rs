//! PURE reading of the sources of modules in Terraform's, OpenTofu's and Terragrunt's files
//! (developer.hashicorp.com, "Module Sources"), as go-getter understands them.

use super::Reading;
use super::format::{Format, each, name, understood};
use super::lines::Lines;
use crate::document::{self, Node, Style, Value};

/// `*.tf`, `*.tofu`, both as JSON, and terragrunt.hcl.
pub(super) static FORMAT: Format = Format {
    name: "Terraform",
    wants: |path| {
        let file = name(path);
        let plain = file.strip_suffix(".json").unwrap_or(file);
        plain.ends_with(".tf") || plain.ends_with(".tofu") || file == "terragrunt.hcl"
    },
    read,
};

fn read(file: &str, text: &str, reading: &mut Reading) {
    let is_json = name(file).ends_with(".json");
    let root = if is_json { document::json(text) } else { document::hcl(text) };
    let Some(root) = understood(file, root, reading) else { return };
    let lines = Lines::new(file, text);
    for (module, block) in root.all("module").flat_map(each).flat_map(Node::entries) {
        for source in each(block).iter().filter_map(|block| block.get("source")) {
            source_of(&lines, &format!("module {}", module.text().unwrap_or_default()), source, reading);
        }
    }
    for source in root.all("terraform").flat_map(each).filter_map(|block| block.get("source")) {
        source_of(&lines, "the module", source, reading);
    }
}

fn source_of(lines: &Lines<'_>, what: &str, source: &Node, reading: &mut Reading) {
    if matches!(source.value, Value::Scalar(_, Style::Expression)) {
        let why = format!("{}: its source is an expression", crate::wire::text::shown(what.as_bytes()));
        reading.undecided(lines.place(&source.span), why);
    } else if let Some(url) = source.text().and_then(repository) {
        reading.git(lines.place(&source.span), what, &url);
    }
}

/// The repository of a source; `None` where it is a folder, a registry's, or not Git's.
fn repository(source: &str) -> Option<String> {
    let source = source.trim();
    let address = match source.split_once("::") {
        Some(("git", address)) => address,
        // Mercurial, buckets.
        Some((kind, _)) if kind.bytes().all(|byte| byte.is_ascii_alphanumeric()) => return None,
        _ => {
            let forge = ["github.com/", "bitbucket.org/"].iter().any(|forge| source.starts_with(forge));
            let user = source.split_once('@').is_some_and(|(user, rest)| {
                !user.is_empty() && !user.contains(['/', ':', '.']) && rest.contains(':') && !source.contains("://")
            });
            if forge {
                let path = source.split(['?', '#']).next().unwrap_or(source);
                let parts: Vec<&str> = path.splitn(4, '/').collect();
                let [host, owner, repository, ..] = parts.as_slice() else { return None };
                return Some(format!("https://{host}/{owner}/{repository}"));
            }
            if !user {
                return None;
            }
            source
        }
    };
    // `//` begins a folder inside the repository; what is behind a question mark is the address's.
    let (address, _) = address.split_once('?').unwrap_or((address, ""));
    let from = address.find("://").map_or(0, |at| at + 3);
    let end = address.get(from..).and_then(|path| path.find("//")).map_or(address.len(), |at| from + at);
    address.get(..end).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::reading::found;

    #[test]
    fn every_form_of_a_source_gives_its_repository() {
        for (source, url) in [
            ("git::ssh://git@h.example/org/r.git//sub/a?ref=v1", "ssh://git@h.example/org/r.git"),
            ("git::ssh://git@h.example:2222/org/r.git?ref=v1", "ssh://git@h.example:2222/org/r.git"),
            ("git::https://h.example/org/r.git//sub", "https://h.example/org/r.git"),
            ("git::git@h.example:org/r.git", "git@h.example:org/r.git"),
            ("git@h.example:org/r.git//sub?ref=v1&depth=1", "git@h.example:org/r.git"),
            ("github.com/org/r//sub?ref=v1", "https://github.com/org/r"),
            ("github.com/org/r", "https://github.com/org/r"),
            ("bitbucket.org/org/r?ref=v1", "https://bitbucket.org/org/r"),
        ] {
            assert_eq!(repository(source).as_deref(), Some(url), "{source}");
        }
        for source in [
            "./modules/a",
            "../a",
            "/a",
            "org/name/provider",
            "registry.example.com/org/name/provider",
            "hg::http://h.example/r",
            "s3::https://h.example/a.zip",
            "https://h.example/a.zip",
            "github.com/org",
            "",
        ] {
            assert_eq!(repository(source), None, "{source}");
        }
    }

    #[test]
    fn modules_are_found_in_hcl_and_in_json_and_an_expression_is_asked_about() {
        let text = "module \"a\" {\n  source = \"git@h.example:org/a.git\"\n}\nmodule \"b\" {\n  source = \"git@h.example:${var.r}\"\n}\nresource \"x\" \"y\" {\n  source = \"git@h.example:org/no\"\n}\n";
        assert_eq!(
            found(read, "main.tf", text),
            ["2 module a: ssh://git@h.example/org/a", "5? module b: its source is an expression"]
        );
        let text =
            r#"{"module": [{"a": {"source": "git@h.example:org/a.git"}}, {"b": [{"source": "git@h.example:org/b"}]}]}"#;
        assert_eq!(
            found(read, "main.tf.json", text),
            ["1 module a: ssh://git@h.example/org/a", "1 module b: ssh://git@h.example/org/b"]
        );
        let text = "terraform {\n  source = \"git::ssh://git@h.example/org/a.git//x?ref=v1\"\n}\n";
        assert_eq!(found(read, "terragrunt.hcl", text), ["2 the module: ssh://git@h.example/org/a"]);
    }
}
