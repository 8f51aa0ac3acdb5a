//! The report as one page: no scripts, nothing from outside, readable on a phone and in the dark.
//!
//! The page forbids itself both (Content-Security-Policy), and lets in no style but its own, by
//! its digest: a text that got past the escaping could not run, load or restyle anything. Sizes
//! are classes for the same reason, not style attributes.

use aws_lc_rs::digest;
use base64ct::{Base64, Encoding as _};

use super::by_image::{Image, Layer, State, group};
use super::words;
use crate::audit::finding::{Finding, Outcome, Report, Severity, Unread};
use crate::ui::one_line;

/// Heights that a layer's block can have; class `s0` is the floor.
const SIZES: u64 = 24;
/// What names from the image are cut to on the page; JSON has all of them.
const MAX_TEXT: usize = 2000;
const STYLE: &str = include_str!("page.css");

pub(super) fn render(report: &Report) -> String {
    let mut page = Page(String::new());
    page.head(report);
    let groups = group(report);
    for (at, image) in groups.images.iter().enumerate() {
        page.image(at, image);
    }
    if !groups.findings.is_empty() {
        page.raw("<section><h2>Other findings</h2>");
        page.findings(&groups.findings, None);
        page.raw("</section>\n");
    }
    page.gaps("Not read", &groups.unread, report.unread_more);
    page.ignored(report);
    page.foot(report);
    page.0
}

struct Page(String);

impl Page {
    fn raw(&mut self, html: &str) {
        self.0.push_str(html);
    }

    /// Text from anywhere, made harmless twice: as text (no control or turning character), then
    /// as HTML.
    fn text(&mut self, text: &str) {
        for c in one_line(&words::cut_middle(text, MAX_TEXT)).chars() {
            match c {
                '&' => self.raw("&amp;"),
                '<' => self.raw("&lt;"),
                '>' => self.raw("&gt;"),
                '"' => self.raw("&quot;"),
                '\'' => self.raw("&#39;"),
                c => self.0.push(c),
            }
        }
    }

    /// An element with a text in it, that no text around it turns.
    fn element(&mut self, tag: &str, class: &str, text: &str) {
        self.raw(&format!("<{tag} class=\"{class}\"><bdi>"));
        self.text(text);
        self.raw(&format!("</bdi></{tag}>"));
    }

    fn head(&mut self, report: &Report) {
        let verdict = words::verdict(report);
        let hash = Base64::encode_string(digest::digest(&digest::SHA256, STYLE.as_bytes()).as_ref());
        self.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        self.raw(&format!(
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'none'; \
             style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'\">\n"
        ));
        self.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        self.raw(
            "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n",
        );
        self.raw("<title>");
        self.text(&verdict);
        self.raw(" – valetkey audit</title>\n<style>");
        self.raw(STYLE);
        let class = match report.outcome() {
            Outcome::Clean => "clean",
            Outcome::Incomplete => "unread",
            Outcome::Findings => report.worst().map_or("clean", severity_class),
        };
        self.raw(&format!(
            "</style>\n</head>\n<body class=\"{class}\">\n<header>\n<p class=\"tool\">valetkey audit</p>\n<h1>"
        ));
        self.text(&verdict);
        self.raw("</h1>\n<p>");
        let looked = format!("{} looked at, ", words::bytes(report.bytes_unpacked));
        self.text(&looked);
        self.text(match (report.is_complete(), report.unread_places()) {
            (true, _) => "every byte of every layer, config, history and annotation.",
            (false, _) => "but not everything: what was not read is listed, and may hold anything.",
        });
        self.raw("</p>\n</header>\n<main>\n");
        self.raw(
            "<ul class=\"legend\" aria-label=\"Colours\"><li class=\"clean\">clean</li><li class=\"note\">notes</li>\
             <li class=\"warning\">warnings</li><li class=\"error\">secrets</li><li class=\"unread\">not read</li></ul>\n",
        );
    }

    fn image(&mut self, number: usize, image: &Image<'_>) {
        self.raw(&format!("<section id=\"image-{number}\">\n<h2><bdi>"));
        self.text(&image.read.name);
        self.raw("</bdi>");
        if let Some(platform) = &image.read.platform {
            self.element("span", "platform", platform);
        }
        self.raw("</h2>\n");
        self.element("p", "digest", &image.read.digest);
        if !image.findings.is_empty() || !image.unread.is_empty() {
            self.raw("<div class=\"document\"><h3>");
            self.text(if image.findings.is_empty() { "Not read" } else { "Config, history and manifest" });
            self.raw("</h3>");
            self.findings(&image.findings, None);
            self.gap_list(&image.unread, 0);
            self.raw("</div>\n");
        }
        let largest = image.layers.iter().map(|layer| layer.read.unpacked).max().unwrap_or(0);
        self.raw("<ol class=\"stack\" reversed>\n");
        for (at, layer) in image.layers.iter().enumerate().rev() {
            self.layer(number, at, layer, largest);
        }
        self.raw("</ol>\n</section>\n");
    }

    fn layer(&mut self, image: usize, at: usize, layer: &Layer<'_>, largest: u64) {
        let class = state_class(layer.state());
        let size = size_class(layer.read.unpacked, largest);
        self.raw(&format!(
            "<li id=\"image-{image}-layer-{at}\" class=\"layer {class}\">\n<div class=\"block s{size}\">"
        ));
        self.element("span", "number", &at.to_string());
        self.element("span", "size", &words::bytes(layer.read.unpacked));
        self.element("span", "state", &super::plain::found(layer));
        self.raw("</div>\n<div class=\"about\">");
        match &layer.read.instruction {
            Some(instruction) => self.element("code", "instruction", &words::instruction(instruction, 400)),
            None => self.element("p", "instruction unknown", "instruction not known"),
        }
        self.element("p", "digest", &layer.read.digest);
        self.raw("<p class=\"amount\">");
        self.text(&words::count(layer.read.entries, "entry", "entries"));
        self.raw(" · ");
        self.text(&format!("{} stored", words::bytes(layer.read.size)));
        self.raw("</p>");
        self.findings(&layer.findings, Some(image));
        self.gap_list(&layer.unread, 0);
        for hidden in &layer.hides {
            self.raw("<p class=\"hides\">hides ");
            self.element("code", "path", &words::place(&hidden.location));
            if let Some(from) = hidden.location.layer {
                self.raw(&format!(" of <a href=\"#image-{image}-layer-{from}\">layer {from}</a>, which still has it"));
            }
            self.raw("</p>");
        }
        self.raw("</div>\n</li>\n");
    }

    fn findings(&mut self, findings: &[&Finding], image: Option<usize>) {
        let (others, known) = words::known_last(findings.iter().copied());
        for finding in others {
            let location = &finding.location;
            self.raw(&format!("<article class=\"finding {}\">", severity_class(finding.severity)));
            self.raw("<p class=\"head\">");
            self.element("strong", "severity", words::severity(finding.severity));
            self.element("span", "rule", &finding.rule);
            self.raw("</p>");
            self.element("code", "path", &words::place(location));
            self.element("p", "message", &finding.message);
            self.raw("<dl>");
            if image.is_none() && !finding.image.is_empty() && location.layer.is_some() {
                self.pair("image", &finding.image);
            }
            if let Some(key) = words::key(finding) {
                self.pair("key", &key);
            }
            if let Some(offset) = location.offset {
                self.pair("at byte", &words::grouped(offset));
            }
            if !finding.wrapped.is_empty() {
                self.pair("wrapped in", &finding.wrapped.join(", in "));
            }
            if let (None, Some(instruction)) = (location.layer, &location.instruction) {
                self.pair("made by", &words::instruction(instruction, 400));
            }
            if let Some(by) = location.hidden_by {
                self.raw("<dt>hidden by</dt><dd>");
                match image {
                    Some(image) => self.raw(&format!("<a href=\"#image-{image}-layer-{by}\">layer {by}</a>")),
                    None => self.raw(&format!("layer {by}")),
                }
                self.raw(", and still in the image</dd>");
            }
            self.pair("remedy", &finding.remedy);
            self.raw("</dl></article>");
        }
        self.known(&known);
    }

    /// Known test keys, folded.
    fn known(&mut self, findings: &[&Finding]) {
        let Some(first) = findings.first() else { return };
        self.raw("<details class=\"known\"><summary>");
        self.text(&words::count(findings.len() as u64, "known test key", "known test keys"));
        self.raw("</summary>");
        self.element("p", "message", &first.remedy);
        self.raw("<ul>");
        for finding in findings {
            self.raw("<li>");
            self.element("code", "path", &words::place(&finding.location));
            self.raw(": ");
            self.text(&words::key(finding).unwrap_or_default());
            self.raw("</li>");
        }
        self.raw("</ul></details>");
    }

    fn pair(&mut self, name: &str, value: &str) {
        self.element("dt", "", name);
        self.element("dd", "", value);
    }

    fn gap_list(&mut self, gaps: &[&Unread], more: u64) {
        if gaps.is_empty() && more == 0 {
            return;
        }
        self.raw("<ul class=\"gaps unread\">");
        for gap in gaps {
            self.raw("<li>not read: ");
            self.element("code", "path", &gap.place);
            self.raw(": ");
            self.text(&gap.reason);
            self.raw("</li>");
        }
        if more > 0 {
            self.raw("<li>not read: ");
            self.text(&words::count(more, "more place", "more places"));
            self.raw("</li>");
        }
        self.raw("</ul>");
    }

    fn gaps(&mut self, title: &str, gaps: &[&Unread], more: u64) {
        if gaps.is_empty() && more == 0 {
            return;
        }
        self.raw("<section><h2>");
        self.text(title);
        self.raw("</h2>");
        self.gap_list(gaps, more);
        self.raw("</section>\n");
    }

    fn ignored(&mut self, report: &Report) {
        if report.ignored == 0 {
            return;
        }
        self.raw("<section class=\"ignored\"><h2>");
        self.text(&words::count(report.ignored, "ignored finding", "ignored findings"));
        self.raw("</h2><ul>");
        for ignored in &report.ignored_findings {
            self.raw("<li>");
            self.element("span", "rule", &ignored.finding.rule);
            self.raw(" in ");
            self.element("code", "path", &words::place(&ignored.finding.location));
            self.raw(": ");
            self.text(&ignored.reason);
            self.raw("</li>");
        }
        self.raw("</ul></section>\n");
    }

    fn foot(&mut self, report: &Report) {
        self.raw("</main>\n<footer><p>");
        self.text(&format!("valetkey {}", env!("CARGO_PKG_VERSION")));
        match report.looked_for.len() as u64 {
            0 => {}
            number => {
                self.text(&format!(", looked for {} by itself: ", words::count(number, "key", "keys")));
                self.text(&report.looked_for.join(", "));
            }
        }
        self.raw("</p></footer>\n</body>\n</html>\n");
    }
}

fn severity_class(severity: Severity) -> &'static str {
    words::severity(severity)
}

fn state_class(state: State) -> &'static str {
    match state {
        State::Clean => "clean",
        State::Notes => "note",
        State::Warnings => "warning",
        State::Secrets => "error",
        State::NotRead => "unread",
    }
}

/// The share of the largest layer, in [`SIZES`] steps.
fn size_class(bytes: u64, largest: u64) -> u64 {
    if largest == 0 {
        return 0;
    }
    let steps = u128::from(bytes.min(largest)) * u128::from(SIZES - 1) / u128::from(largest);
    u64::try_from(steps).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_as_high_as_its_share_and_never_gone() {
        assert_eq!(size_class(0, 0), 0);
        assert_eq!(size_class(0, 100), 0);
        assert_eq!(size_class(50, 100), 11);
        assert_eq!(size_class(100, 100), SIZES - 1);
        assert_eq!(size_class(u64::MAX, u64::MAX), SIZES - 1);
    }

    #[test]
    fn every_height_has_its_class_in_the_style() {
        for size in 0..SIZES {
            assert!(STYLE.contains(&format!(".s{size} {{")), "s{size}");
        }
        assert!(!STYLE.contains(&format!(".s{SIZES} {{")));
    }

    #[test]
    fn the_style_asks_for_nothing_from_outside() {
        for word in ["url(", "@import", "http", "<", "expression"] {
            assert!(!STYLE.contains(word), "{word}");
        }
    }
}
