//! PURE reading of bake files (docs.docker.com, "Bake file reference"): contexts of targets that are
//! repositories, with the defaults of the file's own variables. Bake's functions are not evaluated.

use super::format::{Format, each, name, understood};
use super::lines::Lines;
use super::script::Variables;
use super::{Reading, dockerfile, remote_context};
use crate::document::{self, Node, Style, Value};

/// docker-bake.hcl, docker-bake.json, docker-bake.override.hcl, and others with `bake` in their name.
pub(super) static FORMAT: Format = Format {
    name: "bake file",
    wants: |path| {
        let file = name(path);
        file.contains("bake") && (file.ends_with(".hcl") || file.ends_with(".json"))
    },
    read,
};

fn read(file: &str, text: &str, reading: &mut Reading) {
    let is_json = file.ends_with(".json");
    let root = if is_json { document::json(text) } else { document::hcl(text) };
    let Some(root) = understood(file, root, reading) else { return };
    let mut variables = Variables::default();
    for (name, block) in root.all("variable").flat_map(each).flat_map(Node::entries) {
        if let (Some(name), Some(default)) = (name.text(), block.get("default").and_then(plain)) {
            variables.set(name, default);
        }
    }
    let mut reader = Reader { file, lines: Lines::new(file, text), variables, reading };
    for (name, target) in root.all("target").flat_map(each).flat_map(Node::entries) {
        reader.target(name.text().unwrap_or_default(), target);
    }
}

fn plain(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Scalar(_, Style::Expression) => None,
        _ => node.text(),
    }
}

struct Reader<'a> {
    file: &'a str,
    lines: Lines<'a>,
    variables: Variables,
    reading: &'a mut Reading,
}

impl Reader<'_> {
    fn target(&mut self, name: &str, target: &Node) {
        if let Some(context) = target.get("context") {
            self.context(&format!("build context of {name}"), context);
        }
        for (key, value) in target.all("contexts").flat_map(Node::entries) {
            self.context(&format!("build context {} of {name}", key.text().unwrap_or_default()), value);
        }
        for (key, value) in target.all("args").flat_map(Node::entries) {
            if let (Some(name), Some(value)) = (key.text(), self.known(value)) {
                self.reading.across.variable(&self.lines.place(&key.span), name, &value);
            }
        }
        if let Some(inline) = target.get("dockerfile-inline")
            && let Some(text) = inline.text()
        {
            let before = self.lines.place(&inline.span).line.saturating_sub(1);
            dockerfile::read_at(self.file, text, before, self.reading);
        }
        if let Some(node) = target.get("dockerfile")
            && let Some(path) = self.known(node)
        {
            let context = target.get("context").and_then(|context| self.known(context));
            dockerfile::named(self.lines.place(&node.span), context.as_deref(), &path, self.reading);
        }
    }

    fn context(&mut self, what: &str, node: &Node) {
        let place = self.lines.place(&node.span);
        match self.known(node) {
            Some(text) => {
                if let Some(url) = remote_context::repository(&text) {
                    self.reading.git(place, what, &url);
                }
            }
            None => {
                let what = crate::wire::text::shown(what.as_bytes());
                self.reading.undecided(place, format!("{what}: it is an expression"));
            }
        }
    }

    /// A text with the variables of the file; `None` for any other expression.
    fn known(&self, node: &Node) -> Option<String> {
        let Value::Scalar(text, style) = &node.value else { return None };
        if *style != Style::Expression {
            return Some(text.clone());
        }
        let is_name = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let template = if is_name { format!("${{{text}}}") } else { text.clone() };
        let known = self.variables.expand(&template);
        (known != template && !known.contains("${") && !known.contains('(')).then_some(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::reading::found;

    #[test]
    fn contexts_are_found_through_the_defaults_of_variables() {
        let text = r#"variable "REPO" {
  default = "git@h.example:org/a.git"
}
target "app" {
  context = "${REPO}#v1"
  contexts = {
    lib = "ssh://git@h.example/org/lib.git"
    base = "docker-image://alpine"
    x = REPO
  }
}
target "odd" {
  context = notequal("", X) ? X : "."
  dockerfile-inline = <<EOT
FROM a
ADD git@h.example:org/b.git /b
EOT
}
"#;
        assert_eq!(
            found(read, "docker-bake.hcl", text),
            [
                "5 build context of app: ssh://git@h.example/org/a",
                "7 build context lib of app: ssh://git@h.example/org/lib",
                "9 build context x of app: ssh://git@h.example/org/a",
                "16 ADD: ssh://git@h.example/org/b",
                "13? build context of odd: it is an expression",
            ]
        );
        let text = r#"{"target": {"app": {"context": "git@h.example:org/a.git", "args": {"A": null}}}}"#;
        assert_eq!(found(read, "docker-bake.json", text), ["1 build context of app: ssh://git@h.example/org/a"]);
    }

    #[test]
    fn a_dockerfile_of_another_name_is_followed() {
        let mut reading = Reading::default();
        let text = "target \"a\" {\n  context = \"app\"\n  dockerfile = \"build.txt\"\n}\n\
            target \"b\" {\n  dockerfile = \"Dockerfile.b\"\n}\ntarget \"c\" {\n  dockerfile = \"../c\"\n}\n";
        read("sub/docker-bake.hcl", text, &mut reading);
        let files: Vec<&str> = reading.follow.iter().map(|followed| followed.file.as_str()).collect();
        assert_eq!(files, ["sub/app/build.txt", "c"]);
    }
}
