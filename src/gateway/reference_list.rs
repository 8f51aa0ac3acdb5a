//! PURE reading of the list of references that `git-upload-pack` begins with (Git's
//! `gitprotocol-pack`, "Reference Discovery", version 0), as far as it has to be read to know that a
//! repository can be.
//!
//! Keeps no reference: the list of somebody's branches is nobody's business here. Refuses what is
//! no list, and one that does not end.

/// Bytes of a list that are read: room for more than ten thousand references.
pub const MAX_LIST: usize = 1 << 20;
/// The longest pkt-line with its length (`gitprotocol-common`).
pub const MAX_LINE: usize = 65520;
/// The most bytes of what a server says in a line of its own that are kept.
const MAX_SAID: usize = 500;

/// How far a list was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More of it is to come.
    More,
    /// It has ended, with so many references.
    Whole(usize),
    /// It is longer than [`MAX_LIST`]: so many references were seen.
    Endless(usize),
    /// It is none; what the server says instead (`ERR`), where it says something.
    None(String),
}

/// A list that is being read.
#[derive(Debug, Default)]
pub struct ReferenceList {
    rest: Vec<u8>,
    read: usize,
    references: usize,
}

impl ReferenceList {
    /// Takes in what came next.
    pub fn take(&mut self, bytes: &[u8]) -> Progress {
        let room = MAX_LIST.saturating_sub(self.read);
        self.read = self.read.saturating_add(bytes.len());
        self.rest.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
        let mut at = 0;
        while let Some(head) = self.rest.get(at..at + 4) {
            let length = std::str::from_utf8(head).ok().filter(|head| head.bytes().all(|b| b.is_ascii_hexdigit()));
            let Some(length) = length.and_then(|head| usize::from_str_radix(head, 16).ok()) else {
                return Progress::None(String::new());
            };
            if length == 0 {
                return Progress::Whole(self.references);
            }
            if !(5..=MAX_LINE).contains(&length) {
                return Progress::None(String::new());
            }
            let Some(line) = self.rest.get(at + 4..at + length) else { break };
            match kind(line) {
                Line::Reference => self.references += 1,
                Line::Other => {}
                Line::Error(said) => return Progress::None(said),
                Line::None => return Progress::None(String::new()),
            }
            at += length;
        }
        self.rest.drain(..at);
        // Of what never was a list nothing is known.
        match (self.read > MAX_LIST, self.references) {
            (true, 0) => Progress::None(String::new()),
            (true, references) => Progress::Endless(references),
            (false, _) => Progress::More,
        }
    }
}

enum Line {
    Reference,
    /// `shallow …`, `version 1`, and the capabilities of a repository without references.
    Other,
    Error(String),
    None,
}

fn kind(line: &[u8]) -> Line {
    if let Some(said) = line.strip_prefix(b"ERR ") {
        let said = said.get(..MAX_SAID).unwrap_or(said);
        return Line::Error(String::from_utf8_lossy(said).trim().to_owned());
    }
    let space = line.iter().position(|&b| b == b' ').unwrap_or(line.len());
    let (word, name) = line.split_at(space);
    if word == b"shallow" || word == b"version" {
        return Line::Other;
    }
    // SHA-1 or SHA-256.
    let is_id = matches!(word.len(), 40 | 64) && word.iter().all(u8::is_ascii_hexdigit);
    match name.strip_prefix(b" ") {
        Some(name) if is_id && name.starts_with(b"capabilities^{}") => Line::Other,
        Some(name) if is_id && !name.is_empty() => Line::Reference,
        _ => Line::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789012345678901234567890123456789";

    fn line(text: &str) -> String {
        format!("{:04x}{text}", text.len() + 4)
    }

    fn read(text: &str) -> Progress {
        ReferenceList::default().take(text.as_bytes())
    }

    #[test]
    fn a_list_is_whole_with_its_flush_and_not_before() {
        let list = line(&format!("{ID} HEAD\0multi_ack")) + &line(&format!("{ID} refs/heads/main\n"));
        assert_eq!(read(&list), Progress::More);
        assert_eq!(read(&format!("{list}0000")), Progress::Whole(2));
        let mut piece_by_piece = ReferenceList::default();
        let whole = list + "0000";
        let (last, first) = whole.as_bytes().split_last().unwrap();
        assert!(first.iter().all(|byte| piece_by_piece.take(&[*byte]) == Progress::More));
        assert_eq!(piece_by_piece.take(&[*last]), Progress::Whole(2));
    }

    #[test]
    fn a_repository_without_references_has_a_list_too() {
        let empty = line(&format!("{} capabilities^{{}}\0agent=git", "0".repeat(40))) + "0000";
        assert_eq!(read(&empty), Progress::Whole(0));
        assert_eq!(read("0000"), Progress::Whole(0));
        assert_eq!(read(&(line(&format!("{} refs/heads/main", "a".repeat(64))) + "0000")), Progress::Whole(1));
    }

    #[test]
    fn what_is_no_list_is_told_from_one_and_the_servers_word_is_kept() {
        for text in ["Welcome to the server\n", "zzzz", "0001", "0002", "0004", "fff1", "0008abcd", "+00a"] {
            assert_eq!(read(text), Progress::None(String::new()), "{text}");
        }
        assert_eq!(read(&line("ERR access denied\n")), Progress::None("access denied".into()));
        let long = line(&format!("ERR {}", "x".repeat(MAX_SAID + 1)));
        assert_eq!(read(&long), Progress::None("x".repeat(MAX_SAID)));
    }

    #[test]
    fn a_list_at_the_limit_is_read_and_one_that_goes_on_is_left() {
        let one = line(&format!("{ID} refs/heads/main"));
        let count = MAX_LIST / one.len();
        let rest = MAX_LIST % one.len();
        let list = |last: usize| one.repeat(count - 1) + &line(&format!("{ID} {}", "x".repeat(last)));
        // The last line is as long as it has to be for the flush to end at the limit.
        let fits = one.len() + rest - 4 - 45;
        assert_eq!((list(fits) + "0000").len(), MAX_LIST);
        assert_eq!(read(&(list(fits) + "0000")), Progress::Whole(count));
        assert_eq!(read(&(list(fits + 1) + "0000")), Progress::Endless(count));
        // One line of nothing, that is never complete.
        let mut flood = ReferenceList::default();
        assert_eq!(flood.take(b"fff0"), Progress::More);
        assert_eq!(flood.take(&vec![b'x'; MAX_LINE]), Progress::None(String::new()));
        let mut flood = ReferenceList::default();
        while flood.take(one.as_bytes()) == Progress::More {}
        assert!(flood.rest.len() <= MAX_LIST);
    }
}
