//! One file for each kind of token, and how a run is searched for all of them.
//!
//! A token may begin where its run does, behind one of the run's own separators, or behind an
//! escape (`\n`, `%3D`, `\u003d`). Three bytes decide, by tables, whether any kind begins there.

mod anthropic;
mod aws;
mod azure_storage;
mod cargo;
mod databricks;
mod digitalocean;
mod docker_hub;
mod gcp_service_account;
mod github;
mod github_fine_grained;
mod gitlab;
mod gitlab_routable;
mod google_api;
mod hugging_face;
mod linear;
mod npm;
mod nuget;
mod openai;
mod pypi;
mod rubygems;
mod sendgrid;
mod slack;
mod slack_webhook;
mod stripe;
mod terraform;
mod vault;

use std::ops::Range;

use crate::audit::finding::Severity;
use crate::audit::scan::{MIN_RUN, in_run};

/// A kind of token.
pub(super) struct Token {
    /// The rule's id.
    pub(super) id: &'static str,
    /// What it is, with an article: the message.
    pub(super) kind: &'static str,
    pub(super) severity: Severity,
    pub(super) remedy: &'static str,
    /// How it begins: two characters or more.
    pub(super) prefixes: &'static [&'static str],
    pub(super) place: Place,
    /// The token's length, if what begins at that index with one of the prefixes is one.
    pub(super) check: fn(&[u8], usize) -> Option<usize>,
    #[cfg(test)]
    pub(super) examples: fn() -> super::Examples,
}

/// Where in a run a token is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Behind letters as well: its checksum says enough. Its prefix is three letters and `_`.
    Anywhere,
    /// Where a word begins.
    Word,
    /// Where the run does or a value (behind `=`), and up to the end of the run: its prefix is
    /// nothing that base64 would not have by chance.
    Whole,
}

pub(super) const TOKENS: [&Token; 27] = [
    &anthropic::TOKEN,
    &aws::PAIR,
    &aws::ID,
    &azure_storage::TOKEN,
    &cargo::TOKEN,
    &databricks::TOKEN,
    &digitalocean::TOKEN,
    &docker_hub::TOKEN,
    &gcp_service_account::TOKEN,
    &github::TOKEN,
    &github_fine_grained::TOKEN,
    &gitlab::TOKEN,
    &gitlab_routable::TOKEN,
    &google_api::TOKEN,
    &hugging_face::TOKEN,
    &linear::TOKEN,
    &npm::TOKEN,
    &nuget::TOKEN,
    &openai::TOKEN,
    &pypi::TOKEN,
    &rubygems::TOKEN,
    &sendgrid::TOKEN,
    &slack::TOKEN,
    &slack_webhook::TOKEN,
    &stripe::TOKEN,
    &terraform::TOKEN,
    &vault::TOKEN,
];

/// Which pairs of bytes any prefix begins with, and which it has behind its first byte.
static BEGINNINGS: [Pairs; 2] = [pairs(0), pairs(1)];

/// One bit for each pair of bytes.
type Pairs = [u64; 1024];

const fn pairs(at: usize) -> Pairs {
    let mut table = [0; 1024];
    let mut token = 0;
    while token < TOKENS.len() {
        let mut prefix = 0;
        while prefix < TOKENS[token].prefixes.len() {
            let bytes = TOKENS[token].prefixes[prefix].as_bytes();
            // A prefix that ends before may go on with anything.
            let (mut last, end) =
                if at + 1 < bytes.len() { (bytes[at + 1] as usize, bytes[at + 1] as usize) } else { (0, 255) };
            while last <= end {
                let pair = (bytes[at] as usize) << 8 | last;
                table[pair / 64] |= 1 << (pair % 64);
                last += 1;
            }
            prefix += 1;
        }
        token += 1;
    }
    table
}

fn may_begin([first, second, third]: [u8; 3]) -> bool {
    let has = |table: &Pairs, first: u8, second: u8| {
        let pair = usize::from(first) << 8 | usize::from(second);
        table[pair / 64] >> (pair % 64) & 1 != 0
    };
    has(&BEGINNINGS[0], first, second) && has(&BEGINNINGS[1], second, third)
}

/// Every token that is in the run, or that the run is the longest part of.
pub(super) fn each(bytes: &[u8], run: Range<usize>, mut found: impl FnMut(&'static Token, usize, usize)) {
    let mut last = 0..0;
    let mut look = |at: usize, value: bool| {
        // Nothing that lies in a token is another one.
        if last.contains(&at) {
            return;
        }
        let Some(beginning) = bytes[at..].first_chunk() else { return };
        if may_begin(*beginning)
            && let Some((token, length)) = begins(bytes, at, value, Some(run.end))
        {
            last = at..at + length;
            found(token, at, length);
        }
    };
    if let Some(word) = before_dot(bytes, run.start) {
        look(word, true);
    }
    look(run.start, true);
    if let Some(skip) = escape(bytes, run.start) {
        look(run.start + skip, true);
    }
    for (index, separator) in bytes[run.clone()].iter().enumerate() {
        if !SEPARATES[usize::from(*separator)] {
            continue;
        }
        let at = run.start + index;
        if *separator == b'_' && index >= 3 {
            look(at - 3, false);
        }
        look(at + 1, *separator == b'=');
    }
}

/// The characters of a run behind which a token may begin. `+` is in base64 alone.
const SEPARATES: [bool; 256] = {
    let mut table = [false; 256];
    let separators = b"_=/-";
    let mut index = 0;
    while index < separators.len() {
        table[separators[index] as usize] = true;
        index += 1;
    }
    table
};

/// Whether a token begins at `at`, in a run that is long enough to be looked at.
pub(super) fn at(bytes: &[u8], at: usize) -> bool {
    let run = bytes.get(at..).map_or(0, |rest| rest.iter().take_while(|byte| in_run(**byte)).count());
    let dotted = bytes.get(at + run) == Some(&b'.') && run < MIN_RUN;
    let length =
        if dotted { run + 1 + bytes[at + run + 1..].iter().take_while(|byte| in_run(**byte)).count() } else { run };
    length >= MIN_RUN && begins(bytes, at, true, Some(at + length)).is_some()
}

fn begins(bytes: &[u8], at: usize, value: bool, run_end: Option<usize>) -> Option<(&'static Token, usize)> {
    let rest = bytes.get(at..)?;
    let (first, second) = (*rest.first()?, *rest.get(1)?);
    TOKENS.iter().find_map(|token| {
        // Two bytes are compared before a call is made to compare the rest.
        let begins = token
            .prefixes
            .iter()
            .map(|prefix| prefix.as_bytes())
            .any(|prefix| prefix[0] == first && prefix[1] == second && rest.starts_with(prefix));
        if !begins {
            return None;
        }
        let inside = at.checked_sub(1).is_some_and(|before| bytes[before].is_ascii_alphanumeric());
        let length = match token.place {
            Place::Anywhere => (token.check)(bytes, at)?,
            Place::Word if inside && !value => return None,
            Place::Word => (token.check)(bytes, at)?,
            Place::Whole if !value => return None,
            Place::Whole => {
                let length = (token.check)(bytes, at)?;
                let left = run_end.map_or(0, |end| end.saturating_sub(at + length));
                if bytes[at + length..at + length + left].iter().any(|byte| *byte != b'=') {
                    return None;
                }
                length
            }
        };
        Some((*token, length))
    })
}

/// Where the short word begins that a dot ties to the run: `SG.`, `hvs.`.
fn before_dot(bytes: &[u8], run: usize) -> Option<usize> {
    let dot = run.checked_sub(1).filter(|dot| bytes[*dot] == b'.')?;
    let word = bytes[..dot].iter().rev().take(MIN_RUN).take_while(|byte| in_run(**byte)).count();
    let mut start = dot - word;
    if word == 0 || word >= MIN_RUN {
        return None;
    }
    // The last part of it: `VAULT_TOKEN=hvs.…`.
    if let Some(separator) = bytes[start..dot].iter().rposition(|byte| !byte.is_ascii_alphanumeric()) {
        start += separator + 1;
    }
    start += escape(bytes, start).unwrap_or(0);
    (start < dot).then_some(start)
}

/// How much of what begins there belongs to an escape before it.
fn escape(bytes: &[u8], at: usize) -> Option<usize> {
    let before = bytes[at.checked_sub(1)?];
    let next = *bytes.get(at)?;
    match (before, next) {
        (b'\\', b'n' | b't' | b'r') => Some(1),
        (b'\\', b'u') => Some(5),
        (b'%', next) if next.is_ascii_hexdigit() => Some(2),
        _ => None,
    }
}
