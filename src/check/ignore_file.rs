//! PURE: `.dockerignore` as the builder reads it (moby's `patternmatcher` and its `ignorefile`): which
//! files of a folder a build does not send.

/// Bytes of an ignore file that are read, and patterns of one.
pub const MAX_SIZE: usize = 256 * 1024;
/// See [`MAX_SIZE`].
pub const MAX_PATTERNS: usize = 10_000;
/// Steps that the answer for one path may take; what takes more is taken to be ignored.
const MAX_STEPS: usize = 200_000;

/// The patterns of an ignore file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    patterns: Vec<(bool, Vec<u8>)>,
}

impl Ignored {
    /// Reads an ignore file.
    #[must_use]
    pub fn read(text: &[u8]) -> Self {
        let text = text.get(..MAX_SIZE).unwrap_or(text);
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"#"));
        Self { patterns: lines.filter_map(|line| pattern(line.trim_ascii())).take(MAX_PATTERNS).collect() }
    }

    /// Those of a COPY's `--exclude`, too.
    pub fn exclude(&mut self, text: &[u8]) {
        self.patterns.extend(pattern(text));
    }

    /// Whether a build does not send the file; `path` without a leading slash. The last pattern that
    /// matches it or a folder that it lies in decides.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        let mut is_ignored = false;
        let mut steps = MAX_STEPS;
        for (is_exception, pattern) in &self.patterns {
            // One that could not change the answer is not asked.
            if *is_exception == is_ignored && self::covers(pattern, path.as_bytes(), &mut steps) {
                is_ignored = !is_exception;
            }
        }
        is_ignored || steps == 0
    }
}

/// Whether it is an exception, and the pattern, as Go's `filepath.Clean` leaves it.
fn pattern(line: &[u8]) -> Option<(bool, Vec<u8>)> {
    let (is_exception, line) = match line.strip_prefix(b"!") {
        Some(rest) => (true, rest.trim_ascii()),
        None => (false, line),
    };
    if line.is_empty() {
        return None;
    }
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in line.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Some((is_exception, parts.join(&b'/')))
}

/// Whether the pattern matches the path, or a folder that it lies in.
fn covers(pattern: &[u8], path: &[u8], steps: &mut usize) -> bool {
    let ends = memchr::memchr_iter(b'/', path).chain([path.len()]);
    ends.into_iter().any(|end| matches(pattern, path.get(..end).unwrap_or(path), steps))
}

/// `*`, `?`, `[…]` within a name; `**` over names; `\` before a character that means itself.
fn matches(pattern: &[u8], path: &[u8], steps: &mut usize) -> bool {
    let Some(left) = steps.checked_sub(1) else { return true };
    *steps = left;
    match pattern {
        [] => path.is_empty(),
        [b'*', b'*', rest @ ..] => {
            // `**/x` is `x`, too.
            let rest = rest.strip_prefix(b"/").unwrap_or(rest);
            if rest.is_empty() {
                return true;
            }
            let starts = memchr::memchr_iter(b'/', path).map(|at| at + 1);
            std::iter::once(0).chain(starts).any(|at| matches(rest, path.get(at..).unwrap_or_default(), steps))
        }
        [b'*', rest @ ..] => {
            let name = path.iter().position(|byte| *byte == b'/').unwrap_or(path.len());
            (0..=name).any(|at| matches(rest, path.get(at..).unwrap_or_default(), steps))
        }
        [b'[', rest @ ..] => class(rest, path).is_some_and(|(rest, path)| matches(rest, path, steps)),
        [b'?', rest @ ..] => path.split_first().is_some_and(|(byte, path)| *byte != b'/' && matches(rest, path, steps)),
        [b'\\', byte, rest @ ..] | [byte, rest @ ..] => {
            path.split_first().is_some_and(|(first, path)| first == byte && matches(rest, path, steps))
        }
    }
}

/// What is behind a class and behind the byte that it matches.
fn class<'p, 't>(pattern: &'p [u8], path: &'t [u8]) -> Option<(&'p [u8], &'t [u8])> {
    let (byte, path) = path.split_first()?;
    let is_not = pattern.first() == Some(&b'^');
    let from = usize::from(is_not);
    let end = pattern.iter().skip(from + 1).position(|byte| *byte == b']')? + from + 1;
    let mut set = pattern.get(from..end)?;
    let mut is_in = false;
    while let Some((first, rest)) = set.split_first() {
        if let [b'-', last, rest @ ..] = rest {
            is_in |= (first..=last).contains(&byte);
            set = rest;
        } else {
            is_in |= first == byte;
            set = rest;
        }
    }
    (is_in != is_not && *byte != b'/').then(|| (pattern.get(end + 1..).unwrap_or_default(), path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_those_of_the_builder_do() {
        for (text, path, is) in [
            (".env", ".env", true),
            (".env", "a/.env", false),
            ("**/.env", "a/b/.env", true),
            ("**/.env", ".env", true),
            (".env*", ".env.local", true),
            ("/.env", ".env", true),
            ("./.env", ".env", true),
            ("a/../.env", ".env", true),
            ("keys", "keys/id_rsa", true),
            ("keys/", "keys/id_rsa", true),
            ("keys/*", "keys/a/id_rsa", true),
            ("*/id_rsa", "keys/id_rsa", true),
            ("*/id_rsa", "a/keys/id_rsa", false),
            ("**", "a/b", true),
            ("*", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("a/**/b", "a/b", true),
            ("*\n!src", "src/a", false),
            ("*\n!src\nsrc/.env", "src/.env", true),
            ("*\n!src\n", ".env", true),
            ("!.env\n.env", ".env", true),
            ("id_?sa", "id_rsa", true),
            ("id_[a-r]sa", "id_rsa", true),
            ("id_[^r]sa", "id_rsa", false),
            ("\\*", "a", false),
            ("# .env", ".env", false),
            (" .env \r", ".env", true),
            ("\u{feff}.env", ".env", true),
            ("", ".env", false),
        ] {
            assert_eq!(Ignored::read(text.as_bytes()).covers(path), is, "{text:?} {path}");
        }
    }

    #[test]
    fn patterns_are_read_to_the_limit_and_no_further() {
        let covers = |lines: usize| Ignored::read(format!("{}b\n", "a\n".repeat(lines)).as_bytes()).covers("b");
        assert_eq!((covers(MAX_PATTERNS - 1), covers(MAX_PATTERNS)), (true, false));
        let covers = |bytes: usize| Ignored::read(format!("{}\nb", "#".repeat(bytes - 2)).as_bytes()).covers("b");
        assert_eq!((covers(MAX_SIZE), covers(MAX_SIZE + 1)), (true, false));
    }

    #[test]
    fn a_pattern_that_takes_too_long_is_taken_to_match() {
        assert!(Ignored::read(&b"*a".repeat(40)).covers(&"a".repeat(200)));
        assert!(Ignored::read(&b"**/a/".repeat(40)).covers(&"a/".repeat(200)));
        let mut steps = 3;
        assert!(!matches(b"aab", b"aac", &mut steps) && steps == 0);
        assert!(matches(b"b", b"a", &mut steps));
    }
}
