//! PURE reading of Git's configuration files (`.git/config`, `.gitmodules`), character for
//! character as Git's own parser takes them (`config.c`, git-config(1), "Syntax").
//!
//! Owns the syntax alone. Refuses what Git refuses: half a file would name half of the
//! repositories.

/// One variable, as `git config --list` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    /// `section.key` or `section.subsection.key`: section and key in lower case, the subsection
    /// as it was written.
    name: String,
    /// `None` where there is no `=`, which Git takes for "true".
    pub(super) value: Option<String>,
    /// The line on which its name stands, from 1.
    pub(super) line: usize,
}

/// Where a file stops being one of Git's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is none of a Git configuration")]
pub(super) struct BadConfig {
    /// From 1.
    pub(super) line: usize,
}

impl Variable {
    /// The subsection of a variable `section.SUBSECTION.key`; `None` for any other.
    pub(super) fn subsection(&self, section: &str, key: &str) -> Option<&str> {
        let rest = self.name.strip_prefix(section)?.strip_prefix('.')?;
        let (subsection, name) = rest.rsplit_once('.')?;
        (name == key).then_some(subsection)
    }

    /// The section, before the first dot.
    pub(super) fn section(&self) -> &str {
        self.name.split('.').next().unwrap_or_default()
    }
}

/// The variables of a file, in their order.
pub(super) fn variables(text: &str) -> Result<Vec<Variable>, BadConfig> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut source = Source { rest: text.chars(), line: 1 };
    let mut found = Vec::new();
    let mut base = String::new();
    while let Some(c) = source.next() {
        match c {
            c if is_space(c) => {}
            '#' | ';' => while source.next().is_some_and(|c| c != '\n') {},
            '[' => base = source.section()?,
            c if c.is_ascii_alphabetic() => {
                let line = source.line;
                let mut name = base.clone();
                name.push(c.to_ascii_lowercase());
                let value = source.value_of(&mut name)?;
                found.push(Variable { name, value, line });
            }
            _ => return Err(source.bad()),
        }
    }
    Ok(found)
}

/// Git's own idea of a blank: no vertical tab, no form feed.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn is_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-'
}

struct Source<'a> {
    rest: std::str::Chars<'a>,
    /// The line of the character that comes next.
    line: usize,
}

impl Source<'_> {
    /// The next character; a carriage return in front of a line feed is none.
    fn next(&mut self) -> Option<char> {
        let mut c = self.rest.next()?;
        if c == '\r' && self.rest.as_str().starts_with('\n') {
            self.rest.next();
            c = '\n';
        }
        self.line += usize::from(c == '\n');
        Some(c)
    }

    /// An error on the line that is being read: made before the end of a line is taken.
    fn bad(&self) -> BadConfig {
        BadConfig { line: self.line }
    }

    /// `section]`, `section.sub]` or `section "sub"]`, with a dot behind it.
    fn section(&mut self) -> Result<String, BadConfig> {
        let bad = self.bad();
        let mut name = String::new();
        loop {
            match self.next().ok_or(bad)? {
                ']' if name.is_empty() => return Err(bad),
                ']' => break,
                c if is_space(c) => {
                    self.subsection(c, &mut name, bad)?;
                    break;
                }
                c if is_key(c) || c == '.' => name.push(c.to_ascii_lowercase()),
                _ => return Err(bad),
            }
        }
        name.push('.');
        Ok(name)
    }

    /// `"sub"]` behind the first blank.
    fn subsection(&mut self, blank: char, name: &mut String, bad: BadConfig) -> Result<(), BadConfig> {
        let mut c = blank;
        while is_space(c) {
            if c == '\n' {
                return Err(bad);
            }
            c = self.next().ok_or(bad)?;
        }
        if c != '"' {
            return Err(bad);
        }
        name.push('.');
        loop {
            match self.next().ok_or(bad)? {
                '\n' | '\0' => return Err(bad),
                '"' => break,
                '\\' => name.push(self.next().filter(|&c| c != '\n').ok_or(bad)?),
                c => name.push(c),
            }
        }
        if self.next() == Some(']') { Ok(()) } else { Err(bad) }
    }

    /// The rest of a name and what is assigned to it.
    fn value_of(&mut self, name: &mut String) -> Result<Option<String>, BadConfig> {
        let bad = self.bad();
        let mut next = self.next();
        while let Some(c) = next.filter(|&c| is_key(c)) {
            name.push(c.to_ascii_lowercase());
            next = self.next();
        }
        while matches!(next, Some(' ' | '\t')) {
            next = self.next();
        }
        match next {
            None | Some('\n') => Ok(None),
            Some('=') => self.value().map(Some).ok_or(bad),
            Some(_) => Err(bad),
        }
    }

    /// A value up to the end of its line; `None` where it is none.
    fn value(&mut self) -> Option<String> {
        let mut value = String::new();
        let (mut quoted, mut comment) = (false, false);
        // Where blanks began that are no part of the value if nothing follows.
        let mut end = None;
        loop {
            // The end of the file ends a line.
            let c = self.next().unwrap_or('\n');
            match c {
                '\n' if quoted => return None,
                '\n' => break,
                _ if comment => {}
                c if is_space(c) && !quoted => {
                    end.get_or_insert(value.len());
                    if !value.is_empty() {
                        value.push(c);
                    }
                }
                ';' | '#' if !quoted => comment = true,
                '\0' => return None,
                c => {
                    // Git forgets a beginning of 0, so blanks in front are dropped either way.
                    end = None;
                    match c {
                        '\\' => match self.next().unwrap_or('\n') {
                            '\n' => {}
                            't' => value.push('\t'),
                            'b' => value.push('\u{8}'),
                            'n' => value.push('\n'),
                            c @ ('\\' | '"') => value.push(c),
                            _ => return None,
                        },
                        '"' => quoted = !quoted,
                        c => value.push(c),
                    }
                }
            }
        }
        value.truncate(end.unwrap_or(value.len()));
        Some(value)
    }
}

#[cfg(test)]
#[path = "git_config/tests.rs"]
mod tests;
