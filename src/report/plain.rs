//! The table that a person reads on a terminal.
//!
//! No line is longer than the width, and none that came out of an image begins in the first
//! column: a file name can neither write to the terminal nor look like a line of ours, not even
//! where the terminal would have wrapped it.

mod known;

use super::View;
use super::by_image::{Image, Layer, State, group};
use super::colours::{BOLD, CYAN, DIM, GREEN, RED, YELLOW};
use super::words;
use crate::audit::finding::{Finding, Outcome, Place, Report, Severity, Unread};
use crate::ui::one_line;

/// Characters of a text from an image that are shown; the middle of a longer one is left out.
/// JSON has all of it.
pub(super) const MAX_TEXT: usize = 600;
/// Characters of an instruction above the findings of its layer.
const MAX_INSTRUCTION: usize = 240;
/// Places that were not read which are listed one by one.
pub(super) const MAX_UNREAD: usize = 50;

/// Columns in front of a finding's details, and of what continues them.
const INDENT: usize = 6;
const LABEL: usize = 9;

struct Table {
    out: String,
    colour: bool,
    width: usize,
}

pub(super) fn render(report: &Report, view: &View) -> String {
    let mut table = Table { out: String::new(), colour: view.colour, width: view.width.max(super::MIN_WIDTH) };
    let colour = match report.outcome() {
        Outcome::Clean => GREEN,
        Outcome::Findings if report.worst() == Some(Severity::Error) => RED,
        _ => YELLOW,
    };
    // The one line that is never wrapped: programs read it too, and it holds no text of an image.
    let verdict = words::verdict(report);
    table.line(colour, &verdict);
    table.out.push('\n');
    let groups = group(report);
    for image in &groups.images {
        table.image(image);
    }
    if !groups.findings.is_empty() {
        table.line(BOLD, "other findings");
        table.findings(groups.findings.iter().copied());
        table.out.push('\n');
    }
    table.not_read(report);
    table.ignored(report);
    // Once more where it would have been scrolled away.
    if report.outcome() != Outcome::Clean || !report.findings.is_empty() {
        table.line(colour, &verdict);
    }
    table.out
}

impl Table {
    fn image(&mut self, image: &Image<'_>) {
        let mut title = one_line(&words::cut_middle(&image.read.name, MAX_TEXT));
        if let Some(platform) = &image.read.platform {
            title = format!("{title} ({})", one_line(&words::cut(platform, 60)));
        }
        // The name was typed, or is in the archive: it does not stand alone in the first column.
        self.wrapped(BOLD, "image ", &title, 2);
        self.wrapped(DIM, "  ", &one_line(&image.read.digest), 2);
        self.layers(&image.layers);
        for kind in
            [Place::Config, Place::History, Place::Annotation, Place::Attestation, Place::Manifest, Place::Layer]
        {
            let mut findings = image.findings.iter().filter(|finding| finding.location.kind == kind).peekable();
            if findings.peek().is_some() {
                self.line(BOLD, &format!("  {}", words::place_kind(kind)));
            }
            self.findings(findings.copied());
        }
        for (at, layer) in image.layers.iter().enumerate().filter(|(_, layer)| !layer.findings.is_empty()) {
            self.line(BOLD, &format!("  layer {at}"));
            if let Some(instruction) = &layer.read.instruction {
                self.wrapped("", "    ", &one_line(&words::instruction(instruction, MAX_INSTRUCTION)), 6);
            }
            self.findings(layer.findings.iter().copied());
        }
        self.out.push('\n');
    }

    /// One line a layer: number, digest, size, files, what was found, instruction.
    fn layers(&mut self, layers: &[Layer<'_>]) {
        let rows: Vec<_> = layers.iter().enumerate().map(|(at, layer)| row(at, layer)).collect();
        let width = |column: usize| rows.iter().map(|row| row.0[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<_> = (0..5).map(width).collect();
        for (cells, state, instruction) in &rows {
            let [number, digest, size, entries, found] = cells;
            let plain = format!(
                "  {number:>0$}  {digest:<1$}  {size:>2$}  {entries:>3$}  {found:<4$}",
                widths[0], widths[1], widths[2], widths[3], widths[4]
            );
            let used = plain.chars().count();
            if used > self.width {
                // Too narrow for columns: what matters most.
                self.wrapped(colour_of(*state), "  ", &format!("{number}  {size}  {found}"), 4);
                continue;
            }
            let rest = self.width.saturating_sub(used + 2);
            let instruction = if rest >= 8 { fitting(instruction, rest) } else { String::new() };
            let found_at = used - widths[4];
            let (head, found) = plain.split_at(plain.char_indices().nth(found_at).map_or(plain.len(), |(at, _)| at));
            self.out.push_str(head);
            self.paint(colour_of(*state), found);
            if !instruction.is_empty() {
                self.out.push_str("  ");
                self.paint(DIM, &instruction);
            }
            self.end();
        }
    }

    fn findings<'f>(&mut self, findings: impl Iterator<Item = &'f Finding>) {
        let (others, known) = words::known_last(findings);
        others.into_iter().for_each(|finding| self.finding(finding));
        self.known(&known);
    }

    fn finding(&mut self, finding: &Finding) {
        let colour = match finding.severity {
            Severity::Error => RED,
            Severity::Warning => YELLOW,
            Severity::Note => CYAN,
        };
        let place = one_line(&words::cut_middle(&words::place(&finding.location), MAX_TEXT));
        self.out.push_str("    ");
        self.paint(colour, words::severity(finding.severity));
        self.out.push_str("  ");
        self.paint(BOLD, &one_line(&words::cut(&finding.rule, 60)));
        self.end();
        self.detail("in", &place);
        self.detail("what", &one_line(&words::cut(&finding.message, MAX_TEXT)));
        if let Some(key) = words::key(finding) {
            self.detail("key", &one_line(&words::cut_middle(&key, MAX_TEXT)));
        }
        let mut at = finding.location.offset.map(|offset| format!("byte {}", words::grouped(offset)));
        if !finding.wrapped.is_empty() {
            let wrapped = format!("in {}", finding.wrapped.join(" in "));
            at = Some(at.map_or_else(|| wrapped.clone(), |at| format!("{at}, {wrapped}")));
        }
        if let Some(at) = at {
            self.detail("at", &one_line(&at));
        }
        if let Some(by) = finding.location.hidden_by {
            self.detail("hidden", &format!("by layer {by}, and still in the image"));
        }
        // Where the layer says it already, its heading has it.
        if let (None, Some(instruction)) = (finding.location.layer, &finding.location.instruction) {
            self.detail("made by", &one_line(&words::instruction(instruction, MAX_INSTRUCTION)));
        }
        self.detail("remedy", &one_line(&finding.remedy));
    }

    fn detail(&mut self, label: &str, text: &str) {
        self.wrapped("", &format!("{:INDENT$}{label:<LABEL$}", ""), text, INDENT + LABEL);
    }

    fn not_read(&mut self, report: &Report) {
        if report.unread_places() == 0 {
            return;
        }
        self.line(YELLOW, "not read");
        for gap in report.unread.iter().take(MAX_UNREAD) {
            self.wrapped("", "  ", &one_line(&unread(gap)), 4);
        }
        let more = (report.unread.len().saturating_sub(MAX_UNREAD) as u64).saturating_add(report.unread_more);
        if more > 0 {
            self.line("", &format!("  and {}", words::count(more, "more place", "more places")));
        }
        self.out.push('\n');
    }

    fn ignored(&mut self, report: &Report) {
        if report.ignored == 0 {
            return;
        }
        self.line(
            BOLD,
            &format!("{} by valetkey.toml", words::count(report.ignored, "finding ignored", "findings ignored")),
        );
        for ignored in report.ignored_findings.iter().take(MAX_UNREAD) {
            let place = words::cut_middle(&words::place(&ignored.finding.location), MAX_TEXT);
            let reason = words::cut(&ignored.reason, MAX_TEXT);
            self.wrapped("", "  ", &one_line(&format!("{} in {place}: {reason}", ignored.finding.rule)), 4);
        }
        self.out.push('\n');
    }

    /// A line of ours.
    fn line(&mut self, colour: &str, text: &str) {
        self.paint(colour, text);
        self.end();
    }

    /// `head` and an escaped text behind it, in lines that fit; those behind the first are indented.
    fn wrapped(&mut self, colour: &str, head: &str, text: &str, indent: usize) {
        self.out.push_str(head);
        let mut room = self.width.saturating_sub(columns_of(head)).max(1);
        let mut rest = text;
        loop {
            let taken = break_at(rest, room);
            let (line, behind) = rest.split_at(taken);
            self.paint(colour, line.trim_end_matches(' '));
            self.end();
            rest = behind.trim_start_matches(' ');
            if rest.is_empty() {
                return;
            }
            self.out.extend(std::iter::repeat_n(' ', indent));
            room = self.width.saturating_sub(indent).max(1);
        }
    }

    fn paint(&mut self, colour: &str, text: &str) {
        if self.colour && !colour.is_empty() && !text.is_empty() {
            self.out.push_str(&format!("\x1b[{colour}m{text}\x1b[0m"));
        } else {
            self.out.push_str(text);
        }
    }

    fn end(&mut self) {
        let kept = self.out.trim_end_matches(' ').len();
        self.out.truncate(kept);
        self.out.push('\n');
    }
}

type Row = ([String; 5], State, String);

fn row(at: usize, layer: &Layer<'_>) -> Row {
    let read = layer.read;
    let cells = [
        at.to_string(),
        one_line(words::short_digest(&read.digest)),
        words::bytes(read.unpacked),
        words::count(read.entries, "entry", "entries"),
        found(layer),
    ];
    let instruction = read.instruction.as_deref().unwrap_or_default();
    (cells, layer.state(), one_line(&words::instruction(instruction, MAX_INSTRUCTION)))
}

/// What a layer has, in a few words: colours are not for everyone.
pub(super) fn found(layer: &Layer<'_>) -> String {
    let number = layer.findings.len() as u64;
    let found = match (number, layer.unread.is_empty()) {
        (0, true) => "clean".into(),
        (0, false) => "not all read".into(),
        (_, true) => words::count(number, "finding", "findings"),
        (_, false) => format!("{}, not all read", words::count(number, "finding", "findings")),
    };
    if layer.read.cached { format!("{found}, cached") } else { found }
}

/// A gap in one line.
pub(super) fn unread(gap: &Unread) -> String {
    let mut out = String::new();
    if let Some(image) = &gap.image {
        out.push_str(&words::cut_middle(image, MAX_TEXT));
        if let Some(platform) = &gap.platform {
            out.push_str(&format!(" ({platform})"));
        }
        out.push_str(": ");
    }
    if let Some(layer) = gap.layer {
        out.push_str(&format!("layer {layer}: "));
    }
    out.push_str(&words::cut_middle(&gap.place, MAX_TEXT));
    out.push_str(": ");
    out.push_str(&words::cut(&gap.reason, MAX_TEXT));
    out
}

fn colour_of(state: State) -> &'static str {
    match state {
        State::Clean => GREEN,
        State::Notes => CYAN,
        State::Warnings | State::NotRead => YELLOW,
        State::Secrets => RED,
    }
}

/// Columns that a character takes at most: East Asian and emoji take two, and which ones do is
/// a table that changes every year, so everything that may is counted as if it did.
fn columns(c: char) -> usize {
    match c {
        '\u{2010}'..='\u{2027}' => 1,
        '\u{1100}'.. => 2,
        _ => 1,
    }
}

fn columns_of(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// The start of a text that fits, with `…` where there is more.
fn fitting(text: &str, room: usize) -> String {
    if columns_of(text) <= room {
        return text.to_owned();
    }
    let (mut used, mut out) = (1, String::new());
    for c in text.chars() {
        used += columns(c);
        if used > room {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// Where to break a text that is to fit in `room` columns: behind a space, else behind a `/`,
/// if that leaves no line half empty; else anywhere. At least one character is taken.
fn break_at(text: &str, room: usize) -> usize {
    let (mut used, mut space, mut slash) = (0, None, None);
    for (at, c) in text.char_indices() {
        if used + columns(c) > room && at > 0 {
            let good = |place: &usize| text[..*place].chars().count() * 2 > room;
            return space.filter(good).or(slash.filter(good)).unwrap_or(at);
        }
        used += columns(c);
        match c {
            ' ' => space = Some(at + 1),
            '/' => slash = Some(at + 1),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_breaks_behind_a_space_else_behind_a_slash_else_anywhere() {
        assert_eq!(break_at("one two three", 9), "one two ".len());
        assert_eq!(break_at("aaaa/bbbb/cccc", 12), "aaaa/bbbb/".len());
        assert_eq!(break_at("aaaaaaaaaaaa", 5), 5);
        assert_eq!(break_at("a bbbbbbbbbbbbbbbb", 10), 10);
        assert_eq!(break_at("fits", 4), 4);
        assert_eq!(break_at("漢漢漢", 5), "漢漢".len());
        assert_eq!(break_at("漢", 1), "漢".len());
    }

    #[test]
    fn an_instruction_is_cut_to_the_room_that_it_has() {
        assert_eq!(fitting("RUN make", 8), "RUN make");
        assert_eq!(fitting("RUN make all", 8), "RUN mak…");
    }

    fn gap() -> Unread {
        Unread { place: "p".into(), reason: "r".into(), ..Unread::default() }
    }

    #[test]
    fn gaps_at_the_limit_are_all_listed_and_one_more_is_counted() {
        let shown = |gaps: usize, more: u64| {
            let report = Report { unread: vec![gap(); gaps], unread_more: more, ..Report::default() };
            let text = render(&report, &View::default());
            let counted = text.lines().find(|line| line.starts_with("  and ")).map(str::to_owned);
            (text.lines().filter(|line| *line == "  p: r").count(), counted)
        };
        assert_eq!(shown(MAX_UNREAD, 0), (MAX_UNREAD, None));
        assert_eq!(shown(MAX_UNREAD + 1, 0), (MAX_UNREAD, Some("  and 1 more place".into())));
        assert_eq!(shown(MAX_UNREAD + 1, 1234), (MAX_UNREAD, Some("  and 1,235 more places".into())));
    }

    #[test]
    fn a_text_at_the_limit_is_whole_and_of_a_longer_one_both_ends_are_shown() {
        let shown = |length: usize| {
            let place = format!("begin{}end", "x".repeat(length - 8));
            unread(&Unread { place, ..gap() })
        };
        assert_eq!(shown(MAX_TEXT).chars().count(), MAX_TEXT + ": r".len());
        let cut = shown(MAX_TEXT + 1);
        assert!(cut.starts_with("beginx") && cut.ends_with("xend: r") && cut.contains(" … "), "{cut}");
    }
}
