//! PURE reading of compose files (compose-spec, "Build", "Include", "Extends"): contexts that are
//! repositories, and what the environment tells the tools. Files that are named are followed,
//! inside the project alone.

use super::format::{Format, beside, each, name, understood};
use super::lines::Lines;
use super::script::Variables;
use super::{Reading, dockerfile, remote_context};
use crate::document::{self, Node};

/// compose.yaml, docker-compose.yml, and their like with something in between.
pub(super) static FORMAT: Format = Format {
    name: "compose file",
    wants: |path| {
        let file = name(path);
        let is_yaml = file.ends_with(".yml") || file.ends_with(".yaml");
        is_yaml && (file.starts_with("compose.") || file.starts_with("docker-compose") || file.starts_with("compose-"))
    },
    read,
};

fn read(file: &str, text: &str, reading: &mut Reading) {
    let Some(documents) = understood(file, document::yaml(text), reading) else { return };
    let mut reader = Reader { file, lines: Lines::new(file, text), reading };
    for root in &documents {
        root.all("include").flat_map(Node::items).for_each(|include| reader.include(include));
        for (service, definition) in root.all("services").flat_map(Node::entries) {
            reader.service(service.text().unwrap_or_default(), definition);
        }
    }
}

struct Reader<'a> {
    file: &'a str,
    lines: Lines<'a>,
    reading: &'a mut Reading,
}

impl Reader<'_> {
    /// `include: [a.yaml, {path: [b.yaml, c.yaml]}]`.
    fn include(&mut self, include: &Node) {
        let path = include.get("path").unwrap_or(include);
        each(path).iter().for_each(|path| self.other_file(path, "an included compose file"));
    }

    fn other_file(&mut self, path: &Node, what: &str) {
        let Some(text) = path.text() else { return };
        let place = self.lines.place(&path.span);
        let known = Variables::default().expand(text);
        if let Some(url) = remote_context::repository(&known) {
            self.reading.git(place, what, &url);
        } else if known.contains('$') {
            self.reading.unread(place, format!("{what}: its path has a variable in it"));
        } else if !known.contains("://") {
            match beside(self.file, &known) {
                Some(file) => self.reading.follow(place, file, &FORMAT),
                None => self.reading.unread(place, format!("{what} outside of the project, which was not read")),
            }
        }
    }

    fn service(&mut self, name: &str, service: &Node) {
        if let Some(file) = service.at(&["extends", "file"]) {
            self.other_file(file, "an extended compose file");
        }
        service.all("environment").for_each(|environment| self.environment(environment));
        let Some(build) = service.get("build") else { return };
        // In which a step may find its variables.
        build.all("args").for_each(|args| self.environment(args));
        let context = if build.text().is_some() { Some(build) } else { build.get("context") };
        if let Some(context) = context {
            self.context(&format!("build context of {name}"), context, context.text().unwrap_or_default());
        }
        for (key, value) in build.all("additional_contexts").flat_map(Node::entries) {
            let what = format!("build context {} of {name}", key.text().unwrap_or_default());
            self.context(&what, value, value.text().unwrap_or_default());
        }
        for value in build.all("additional_contexts").flat_map(Node::items) {
            let Some((key, text)) = value.text().and_then(|text| text.split_once('=')) else { continue };
            self.context(&format!("build context {key} of {name}"), value, text);
        }
        if let Some(inline) = build.get("dockerfile_inline")
            && let Some(text) = inline.text()
        {
            let before = self.lines.place(&inline.span).line.saturating_sub(1);
            dockerfile::read_at(self.file, text, before, self.reading);
        }
        let known = |node: &Node| node.text().map(|text| Variables::default().expand(text));
        if let Some(node) = build.get("dockerfile")
            && let Some(path) = known(node)
        {
            let context = context.and_then(known);
            dockerfile::named(self.lines.place(&node.span), context.as_deref(), &path, self.reading);
        }
    }

    fn context(&mut self, what: &str, node: &Node, text: &str) {
        let place = self.lines.place(&node.span);
        let known = Variables::default().expand(text);
        if let Some(url) = remote_context::repository(&known) {
            self.reading.git(place, what, &url);
        } else if known.starts_with('$') {
            let why = format!("{}: it is a variable", crate::wire::text::shown(what.as_bytes()));
            self.reading.undecided(place, why);
        }
    }

    /// A map, or a list of `NAME=value`.
    fn environment(&mut self, environment: &Node) {
        for (key, value) in environment.entries() {
            if let (Some(name), Some(text)) = (key.text(), value.text()) {
                self.reading.across.variable(&self.lines.place(&key.span), name, text);
            }
        }
        for item in environment.items() {
            if let Some((name, value)) = item.text().and_then(|text| text.split_once('=')) {
                self.reading.across.variable(&self.lines.place(&item.span), name, value);
            }
        }
    }
}

#[cfg(test)]
#[path = "compose/tests.rs"]
mod tests;
