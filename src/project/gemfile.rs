//! PURE reading of simple lines of a Gemfile (bundler.io, "Gemfile"): `gem "x", git: "…"`,
//! `git "…" do`, with `github:` and its like. A Gemfile is a program; what it computes is not read
//! here, and Gemfile.lock says what it came to.

use super::format::{Format, name};
use super::{Place, Reading};

/// The most lines that one statement may go over.
const MAX_LINES: usize = 32;
/// The longest line that is read, in bytes.
const MAX_LINE: usize = 16 * 1024;
/// Short names of hosts.
const HOSTS: [(&str, &str); 3] =
    [("github", "https://github.com/"), ("gitlab", "https://gitlab.com/"), ("bitbucket", "https://bitbucket.org/")];

/// Gemfile, gems.rb, and those of `gemfiles/`.
pub(super) static FORMAT: Format = Format {
    name: "Gemfile",
    wants: |path| {
        let file = name(path);
        matches!(file, "Gemfile" | "gems.rb") || file.ends_with(".gemfile")
    },
    read,
};

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    /// `name:` or `:name`.
    Name(String),
    /// A text; `None` where a part of it is computed.
    Text(Option<String>),
    Comma,
    Other,
}

fn read(file: &str, text: &str, reading: &mut Reading) {
    let mut lines = text.lines().enumerate().filter(|(_, line)| line.len() <= MAX_LINE);
    while let Some((number, line)) = lines.next() {
        let mut tokens: Vec<(usize, Token)> = tokens(line).map(|token| (number + 1, token)).collect();
        let Some((_, Token::Word(verb))) = tokens.first() else { continue };
        if !matches!(verb.as_str(), "gem" | "git" | "github" | "gitlab" | "bitbucket") {
            continue;
        }
        for _ in 1..MAX_LINES {
            // A comma at its end: the statement goes on.
            if !matches!(tokens.last(), Some((_, Token::Comma))) {
                break;
            }
            let Some((number, line)) = lines.next() else { break };
            tokens.extend(self::tokens(line).map(|token| (number + 1, token)));
        }
        statement(file, &tokens, reading);
    }
}

fn statement(file: &str, tokens: &[(usize, Token)], reading: &mut Reading) {
    let Some((_, Token::Word(verb))) = tokens.first() else { return };
    let mut arguments = tokens.get(1..).unwrap_or_default().iter().filter(|(_, token)| *token != Token::Other);
    if verb == "gem" {
        let Some((_, Token::Text(gem))) = arguments.next() else { return };
        let what = format!("gem {}", gem.as_deref().unwrap_or("…"));
        let arguments: Vec<&(usize, Token)> = arguments.collect();
        for pair in arguments.windows(2) {
            if let [(_, Token::Name(name)), (line, Token::Text(text))] = pair {
                address(Place::new(file, *line), &what, name, text.as_deref(), reading);
            }
        }
    } else if let Some((line, Token::Text(text))) = arguments.next() {
        address(Place::new(file, *line), "gems of a block", verb, text.as_deref(), reading);
    }
}

fn address(place: Place, what: &str, kind: &str, text: Option<&str>, reading: &mut Reading) {
    let host = HOSTS.iter().find(|(name, _)| *name == kind).map(|(_, host)| *host);
    match (host, text) {
        (None, _) if kind != "git" => {}
        (_, None) => {
            reading.undecided(place, format!("{}: its address is computed", crate::wire::text::shown(what.as_bytes())))
        }
        (None, Some(url)) if url.starts_with(['.', '/']) => {}
        (None, Some(url)) => reading.git(place, what, url),
        // A pull request's own page.
        (Some(_), Some(path)) if path.contains("://") => {}
        (Some(host), Some(path)) if path.contains('/') => reading.git(place, what, &format!("{host}{path}.git")),
        (Some(host), Some(name)) => reading.git(place, what, &format!("{host}{name}/{name}.git")),
    }
}

fn tokens(line: &str) -> impl Iterator<Item = Token> {
    let mut rest = line.trim_start();
    std::iter::from_fn(move || {
        let first = rest.chars().next().filter(|c| *c != '#')?;
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let word_end = |text: &str| text.find(|c| !is_word(c)).unwrap_or(text.len());
        let (token, length) = match first {
            '"' | '\'' => {
                let inside = rest.get(1..)?;
                // Without its end it goes on in the next line, which no address does.
                let end = inside.find(first)?;
                let text = inside.get(..end)?;
                let is_computed = text.contains('\\') || (first == '"' && text.contains("#{"));
                (Token::Text((!is_computed).then(|| text.to_owned())), end + 2)
            }
            ',' => (Token::Comma, 1),
            ':' if rest.get(1..).is_some_and(|rest| rest.starts_with(is_word)) => {
                let end = word_end(rest.get(1..)?);
                (Token::Name(rest.get(1..=end)?.to_owned()), end + 1)
            }
            c if is_word(c) => {
                let end = word_end(rest);
                let word = rest.get(..end)?.to_owned();
                let behind = rest.get(end..)?;
                if behind.starts_with(':') && !behind.starts_with("::") {
                    (Token::Name(word), end + 1)
                } else {
                    (Token::Word(word), end)
                }
            }
            c => (Token::Other, c.len_utf8()),
        };
        rest = rest.get(length..)?.trim_start();
        Some(token)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::reading::found;

    #[test]
    fn simple_lines_are_read_in_both_spellings_and_over_several_lines() {
        let text = "source \"https://registry.example.com\"\n\
            gem \"a\", \"~> 1.0\", git: \"git@h.example:org/a.git\", tag: \"v1\" # c\n\
            gem('b', :git => 'ssh://git@h.example/org/b.git')\n\
            gem \"c\",\n  require: false,\n  git: \"ssh://git@h.example/org/c.git\"\n\
            gem \"d\", github: \"org/d\"\n\
            git \"git@h.example:org/e.git\" do\n  gem \"e\"\nend\n\
            # gem \"no\", git: \"git@h.example:org/no.git\"\n\
            gem \"f\", git: \"git@h.example:#{ORG}/f.git\"\n\
            gem \"g\", path: \"../git\"\n";
        assert_eq!(
            found(read, "Gemfile", text),
            [
                "2 gem a: ssh://git@h.example/org/a",
                "3 gem b: ssh://git@h.example/org/b",
                "6 gem c: ssh://git@h.example/org/c",
                "7 gem d: https://github.com/org/d",
                "8 gems of a block: ssh://git@h.example/org/e",
                "12? gem f: its address is computed",
            ]
        );
    }

    #[test]
    fn a_statement_at_its_limits_is_read_and_one_past_them_is_not() {
        let over = |lines: usize| {
            let rest = ",\n  a: 1".repeat(lines - 2);
            found(read, "Gemfile", &format!("gem \"a\"{rest},\n  git: \"git@h.example:o/r\"\n")).len()
        };
        assert_eq!((over(MAX_LINES), over(MAX_LINES + 1)), (1, 0));
        let long = |length: usize| {
            let line = "gem \"a\", git: \"git@h.example:o/r\" #";
            found(read, "Gemfile", &format!("{line}{}", "x".repeat(length - line.len()))).len()
        };
        assert_eq!((long(MAX_LINE), long(MAX_LINE + 1)), (1, 0));
    }
}
