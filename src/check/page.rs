//! PURE: the page of rules (docs/rules.md) and what is said of one rule, both made of the rules
//! themselves.

use super::finding::Severity;
use super::rule::{Example, Rule};

const HEAD: &str = "\
# Rules of `valetkey check`

Made from the rules themselves: `valetkey check --rules=markdown > docs/rules.md`. A test holds this page to them. `valetkey check --explain RULE` prints one of them.

A finding is ignored by a comment above what it means, or at the end of its line, with a reason: `# valetkey: ignore ssh-keyscan the lab has no other way`.

";

/// The whole page in Markdown.
#[must_use]
pub fn markdown(rules: &[&Rule]) -> String {
    let mut page = HEAD.to_owned();
    page.push_str("| rule | finds | severity | fix |\n|---|---|---|---|\n");
    for rule in rules {
        let fix = if rule.examples.iter().any(|example| example.fixed.is_some()) { "`--fix`" } else { "" };
        page.push_str(&format!(
            "| [`{id}`](#{id}) | {} | {} | {fix} |\n",
            rule.about,
            severity(rule.severity),
            id = rule.id
        ));
    }
    for rule in rules {
        page.push_str(&format!(
            "\n## {}\n\nFinds {}.\n\n**Why:** {}\n\n**Instead:** {}.\n",
            rule.id, rule.about, rule.why, rule.remedy
        ));
        let mut shown: Vec<&Example> = Vec::new();
        shown.extend(rule.examples.iter().find(|example| finds(example)));
        shown.extend(rule.examples.iter().find(|example| !finds(example)));
        for example in shown {
            let title = if finds(example) { "Found" } else { "Not found" };
            page.push_str(&format!(
                "\n{title}, in `{}`{}:\n\n{}",
                example.file,
                beside(example),
                fenced(example.file, &plain(example.text))
            ));
            if let Some(fixed) = example.fixed {
                page.push_str(&format!("\nAfter `--fix`:\n\n{}", fenced(example.file, fixed)));
            }
        }
    }
    page
}

/// One rule, for a terminal.
#[must_use]
pub fn explained(rule: &Rule) -> String {
    let mut text = format!(
        "{} ({})\n\nFinds {}.\n\n{}\n\nInstead: {}.\n",
        rule.id,
        severity(rule.severity),
        rule.about,
        rule.why,
        rule.remedy
    );
    for example in rule.examples.iter().filter(|example| finds(example)).take(1) {
        text.push_str(&format!("\n{}{}:\n{}", example.file, beside(example), indented(&plain(example.text))));
        if let Some(fixed) = example.fixed {
            text.push_str(&format!("\nAfter --fix:\n{}", indented(fixed)));
        }
    }
    text
}

fn finds(example: &Example) -> bool {
    example.text.contains('«')
}

fn plain(text: &str) -> String {
    text.replace(['«', '»', '§'], "")
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn beside(example: &Example) -> String {
    let files: Vec<_> = example.beside.iter().map(|(path, _)| format!("`{path}`")).collect();
    if files.is_empty() { String::new() } else { format!(" beside {}", files.join(", ")) }
}

fn fenced(file: &str, text: &str) -> String {
    let language = match file.rsplit('.').next() {
        Some("yaml" | "yml") => "yaml",
        Some("hcl") => "hcl",
        Some("json") => "json",
        _ => "dockerfile",
    };
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("```{language}\n{text}{end}```\n")
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}
