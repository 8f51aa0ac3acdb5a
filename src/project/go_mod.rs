//! PURE reading of Go's own files: go.mod and go.work (go.dev/ref/mod, "go.mod files",
//! "Workspaces") and go.sum, which names what the modules need in their turn.

use super::format::{Format, name};
use super::{Place, Reading};

/// The longest line that is read, in bytes: a path and a version have far less.
const MAX_LINE: usize = 16 * 1024;

/// go.mod and go.work.
pub(super) static MODULES: Format =
    Format { name: "Go modules", wants: |path| matches!(name(path), "go.mod" | "go.work"), read };
/// go.sum.
pub(super) static SUMS: Format =
    Format { name: "Go sums", wants: |path| matches!(name(path), "go.sum" | "go.work.sum"), read: read_sum };

fn read(file: &str, text: &str, reading: &mut Reading) {
    let mut required = Vec::new();
    let mut replaced = Vec::new();
    for (line, words) in directives(text) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["module", path] => reading.across.own_module(path),
            ["require", path, ..] => required.push((line, (*path).to_owned())),
            ["replace", old, rest @ ..] => {
                let Some(arrow) = rest.iter().position(|word| *word == "=>") else { continue };
                let Some(new) = rest.get(arrow + 1) else { continue };
                // Of one version alone, the others are still the old module's.
                if arrow == 0 {
                    replaced.push((*old).to_owned());
                }
                // Without a version it is a folder.
                if rest.get(arrow + 2).is_some() {
                    reading.across.module(new, Place::new(file, line));
                }
            }
            _ => {}
        }
    }
    let replaced: std::collections::HashSet<String> = replaced.into_iter().collect();
    for (line, path) in required.into_iter().filter(|(_, path)| !replaced.contains(path)) {
        reading.across.module(&path, Place::new(file, line));
    }
}

/// `path version hash` a line, two for most modules.
fn read_sum(file: &str, text: &str, reading: &mut Reading) {
    let mut last = "";
    for (number, line) in text.lines().enumerate().filter(|(_, line)| line.len() <= MAX_LINE) {
        let mut words = line.split_ascii_whitespace();
        let (Some(path), Some(_), Some(_), None) = (words.next(), words.next(), words.next(), words.next()) else {
            continue;
        };
        if path != last {
            reading.across.module(path, Place::new(file, number + 1));
        }
        last = path;
    }
}

/// Each directive with its verb in front, those of blocks too, and its line.
fn directives(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut block: Option<String> = None;
    for (number, line) in text.lines().enumerate().filter(|(_, line)| line.len() <= MAX_LINE) {
        let mut words = words(line);
        match (words.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), &block) {
            ([], _) => continue,
            ([")"], _) => {
                block = None;
                continue;
            }
            ([verb, "("], None) => {
                block = Some((*verb).to_owned());
                continue;
            }
            (_, Some(verb)) => words.insert(0, verb.clone()),
            (_, None) => {}
        }
        found.push((number + 1, words));
    }
    found
}

/// The words of a line; quotes are taken off, and a comment is left out.
fn words(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("//") {
            break;
        }
        let word = match first {
            '(' | ')' | ',' => rest.get(..1).unwrap_or_default(),
            '"' | '`' => {
                let inside = rest.get(1..).unwrap_or_default();
                // A path has no escapes (go.dev/ref/mod, "Lexical elements").
                let Some((word, behind)) = inside.split_once(first) else { break };
                found.push(word.to_owned());
                rest = behind.trim_start();
                continue;
            }
            _ => {
                let end = |(at, c): (usize, char)| {
                    let comment = rest.get(at..).is_some_and(|rest| rest.starts_with("//"));
                    (c.is_whitespace() || "(),".contains(c) || comment).then_some(at)
                };
                rest.get(..rest.char_indices().find_map(end).unwrap_or(rest.len())).unwrap_or_default()
            }
        };
        found.push(word.to_owned());
        rest = rest.get(word.len()..).unwrap_or_default().trim_start();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(text: &str) -> Vec<String> {
        let mut reading = Reading::default();
        read("go.mod", text, &mut reading);
        reading.across.modules().iter().map(|module| format!("{}:{}", module.path, module.place.line)).collect()
    }

    #[test]
    fn requirements_are_found_alone_and_in_blocks_and_comments_are_not() {
        let text = "module example.com/a // c\n\ngo 1.22\n\nrequire git.example.com/org/a v1.0.0 // indirect\n\
            require (\n\t\"git.example.com/org/b\" v1.2.0\n\t// git.example.com/org/no v1\n\tgit.example.com/org/c v0.0.0//x\n)\n\
            exclude git.example.com/org/no v1.0.0\nretract [v1.0.0, v1.1.0]\n";
        assert_eq!(modules(text), ["git.example.com/org/a:5", "git.example.com/org/b:7", "git.example.com/org/c:9"]);
    }

    #[test]
    fn what_is_replaced_is_not_fetched_and_what_replaces_it_is() {
        let text = "require (\n a.example/org/a v1\n a.example/org/b v1\n a.example/org/c v1\n)\n\
            replace a.example/org/a => ../a\nreplace a.example/org/b => f.example/org/b v2\n\
            replace a.example/org/c v0.9 => f.example/org/c v3\n";
        assert_eq!(modules(text), ["f.example/org/b:7", "f.example/org/c:8", "a.example/org/c:4"]);
    }

    #[test]
    fn a_sum_names_each_module_once() {
        let mut reading = Reading::default();
        let text = "a.example/org/a v1.0.0 h1:x=\na.example/org/a v1.0.0/go.mod h1:y=\nnonsense\nb.example/org/b v1.0.0/go.mod h1:z=\n";
        read_sum("go.sum", text, &mut reading);
        let paths: Vec<_> = reading.across.modules().iter().map(|m| (m.path.as_str(), m.place.line)).collect();
        assert_eq!(paths, [("a.example/org/a", 1), ("b.example/org/b", 4)]);
    }

    #[test]
    fn a_line_at_the_limit_is_read_and_a_longer_one_is_not() {
        let line = |length: usize| {
            let line = "require h.example/org/a v1 //";
            format!("{line}{}\nrequire h.example/org/b v1\n", "x".repeat(length - line.len()))
        };
        assert_eq!(modules(&line(MAX_LINE)), ["h.example/org/a:1", "h.example/org/b:2"]);
        assert_eq!(modules(&line(MAX_LINE + 1)), ["h.example/org/b:2"]);
    }

    #[test]
    fn odd_lines_are_passed_over() {
        for text in
            ["require", "require (", ")", "replace a", "replace a =>", "require \"unclosed", "(((", "\u{fffd} é("]
        {
            assert_eq!(modules(text), Vec::<String>::new(), "{text}");
        }
    }
}
