//! PURE: whether a file of the project is in a step: copied from the context by an instruction above
//! it, or mounted from there.

use super::dockerfile::Instruction;
use super::file::File;

/// How a file got there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// It was named, or is matched by a pattern.
    Named,
    /// With its folder, in which the step works as far as one can see.
    InFolder,
}

/// How much is looked at for one file by one rule: a Dockerfile can be made in which every step has
/// all others above it.
pub const MAX_LOOKS: usize = 1_000_000;

/// What is left of [`MAX_LOOKS`].
#[derive(Debug)]
pub struct Looks {
    left: usize,
    is_out: bool,
}

impl Default for Looks {
    fn default() -> Self {
        Self { left: MAX_LOOKS, is_out: false }
    }
}

impl Looks {
    /// Takes as many; `None` where there are no more.
    fn take(&mut self, count: usize) -> Option<()> {
        let left = self.left.checked_sub(count);
        // What is too much once is too much from there on.
        self.left = left.unwrap_or(0);
        self.is_out |= left.is_none();
        left.map(|_| ())
    }

    /// Whether more was asked for than there is.
    #[must_use]
    pub fn is_out(&self) -> bool {
        self.is_out
    }

    /// Takes as many as it costs to go through these instructions once more.
    pub fn again(&mut self, above: &[&Instruction]) -> Option<()> {
        self.take(above.iter().map(|instruction| 1 + instruction.words.len()).sum())
    }

    /// Instructions of a stage and of those that it is built from, that stand above one, nearest first;
    /// `None` where too much was looked at, so that nothing is known.
    pub fn above<'a>(&mut self, file: &'a File<'_>, stage: usize, step: &Instruction) -> Option<Vec<&'a Instruction>> {
        let mut found = Vec::new();
        let mut next = Some(stage);
        while let Some((index, stage)) = next.and_then(|index| Some((index, file.dockerfile.stages.get(index)?))) {
            let end = stage.instructions.partition_point(|other| other.span.start < step.span.start);
            for instruction in stage.instructions.iter().take(end).rev() {
                self.take(1 + instruction.commands.len() + instruction.words.len())?;
                found.push(instruction);
            }
            next = stage.parent.filter(|parent| *parent < index);
        }
        Some(found)
    }
}

/// How a file with this path, relative to the project, gets into the step that has these instructions
/// above it; `None` where one cannot see that it does.
#[must_use]
pub fn copied(
    file: &File<'_>,
    above: &[&Instruction],
    step: &Instruction,
    path: &str,
    looks: &mut Looks,
) -> Option<Copied> {
    looks.again(above)?;
    let mut sources: Vec<String> = Vec::new();
    for mount in step.mounts_of("bind").filter(|mount| !mount.has("from")) {
        sources.push(mount.value(&["source", "src"]).unwrap_or(".").to_owned());
    }
    let mut work = None;
    for instruction in above {
        match instruction.keyword.as_str() {
            "COPY" | "ADD" if instruction.flag("from").is_none() && !instruction.is_onbuild => {
                let count = instruction.words.len().saturating_sub(1);
                let words = instruction.words.iter().take(count);
                sources.extend(words.map(|word| String::from_utf8_lossy(&word.text).into_owned()));
            }
            "WORKDIR" => work = work.or(Some(instruction.rest.text.as_slice())),
            _ => {}
        }
    }
    let said = [file.text.get(step.span.clone()).unwrap_or_default(), work.unwrap_or_default()];
    let relative = in_context(path, folder(file.path));
    let ways = relative.iter().flat_map(|path| sources.iter().filter_map(|source| taken(source, path, &said)));
    ways.reduce(|one, other| if one == Copied::Named { one } else { other })
}

/// The folder of a path.
fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The path relative to every folder that may be the context: the project's, and those on the way to
/// the Dockerfile.
fn in_context<'a>(path: &'a str, dockerfile: &str) -> Vec<&'a str> {
    let dockerfile = format!("/{dockerfile}/");
    let mut found = vec![path];
    for (at, _) in path.match_indices('/') {
        let (before, rest) = path.split_at(at);
        if dockerfile.contains(&format!("/{before}/")) {
            found.extend(rest.get(1..));
        }
    }
    found
}

fn taken(source: &str, path: &str, said: &[&[u8]]) -> Option<Copied> {
    let source = source.strip_prefix("./").unwrap_or(source).trim_matches('/');
    let source = if source == "." { "" } else { source };
    if matches(source.as_bytes(), path.as_bytes()) {
        return Some(Copied::Named);
    }
    let inside = if source.is_empty() { path } else { path.strip_prefix(source)?.strip_prefix('/')? };
    let last = base(folder(inside));
    let works_there = last.is_empty() || said.iter().any(|text| memchr::memmem::find(text, last.as_bytes()).is_some());
    works_there.then_some(Copied::InFolder)
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a path is matched by a pattern with `*` and `?`, neither of which is a slash.
#[must_use]
pub fn matches(pattern: &[u8], path: &[u8]) -> bool {
    let (mut at, mut from, mut star) = (0, 0, None);
    while let Some(&byte) = path.get(from) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at + 1, from));
                at += 1;
            }
            Some(&wanted) if wanted == byte || (wanted == b'?' && byte != b'/') => (at, from) = (at + 1, from + 1),
            _ => match star {
                Some((behind, begun)) if path.get(begun) != Some(&b'/') => {
                    star = Some((behind, begun + 1));
                    (at, from) = (behind, begun + 1);
                }
                _ => return false,
            },
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::around::{Around, Given};
    use crate::check::file::Kind;
    use crate::hosts::Hosts;

    fn way(name: &str, text: &str, path: &str) -> Option<Copied> {
        let (files, hosts) = (Given::default(), Hosts::builtin());
        let around = Around { files: &files, hosts: &hosts };
        let file = File::read(name, text.as_bytes(), Kind::Dockerfile, &around).unwrap();
        let stage = file.dockerfile.stages.len() - 1;
        let (step, mut looks) = (file.dockerfile.stages[stage].instructions.last().unwrap(), Looks::default());
        let above = looks.above(&file, stage, step).unwrap();
        copied(&file, &above, step, path, &mut looks)
    }

    #[test]
    fn a_file_is_in_the_step_where_it_was_named_or_came_with_its_folder() {
        for (text, path, expected) in [
            ("COPY a.lock b ./\nRUN x", "a.lock", Some(Copied::Named)),
            ("COPY [\"a.lock\", \"./\"]\nRUN x", "a.lock", Some(Copied::Named)),
            ("COPY ./sub/*.lock ./\nRUN x", "sub/a.lock", Some(Copied::Named)),
            ("COPY . .\nRUN x", "a.lock", Some(Copied::InFolder)),
            ("COPY . .\nRUN cd sub && x", "sub/a.lock", Some(Copied::InFolder)),
            ("COPY sub/ ./\nRUN x", "sub/a.lock", Some(Copied::InFolder)),
            ("COPY . .\nWORKDIR /app/sub\nRUN x", "sub/a.lock", Some(Copied::InFolder)),
            ("RUN --mount=type=bind,source=a.lock,target=/a.lock x", "a.lock", Some(Copied::Named)),
            ("RUN --mount=target=/src x", "a.lock", Some(Copied::InFolder)),
            ("COPY . .\nFROM 0\nRUN x", "a.lock", None),
            ("COPY . .\nRUN x", "sub/a.lock", None),
            ("COPY src ./\nRUN x", "a.lock", None),
            ("COPY --from=b a.lock ./\nRUN x", "a.lock", None),
            ("RUN x", "a.lock", None),
        ] {
            assert_eq!(way("Dockerfile", &format!("FROM a AS b\n{text}\n"), path), expected, "{text}");
        }
        assert_eq!(way("p/Dockerfile", "FROM a AS b\nCOPY . .\nFROM b\nRUN x\n", "p/a.lock"), Some(Copied::InFolder));
        assert_eq!(way("q/Dockerfile", "FROM a\nCOPY . .\nRUN x\n", "p/a.lock"), None);
    }

    #[test]
    fn a_pattern_stops_at_slashes() {
        for (pattern, path) in [("*.lock", "a.lock"), ("a*c*e", "abcde"), ("p?c", "pac"), ("a/*", "a/b"), ("a*", "a")] {
            assert!(matches(pattern.as_bytes(), path.as_bytes()), "{pattern} {path}");
        }
        for (pattern, path) in [("*.lock", "a/b.lock"), ("a?b", "a/b"), ("a*", "ba"), ("", "a"), ("a*b", "ac")] {
            assert!(!matches(pattern.as_bytes(), path.as_bytes()), "{pattern} {path}");
        }
    }

    #[test]
    fn instructions_are_looked_at_to_the_limit_and_no_further() {
        let (files, hosts) = (Given::default(), Hosts::builtin());
        let around = Around { files: &files, hosts: &hosts };
        // FROM and its word, and an instruction without any.
        let file = File::read("Dockerfile", b"FROM a\nx\nRUN x\n", Kind::Dockerfile, &around).unwrap();
        let step = file.dockerfile.stages[0].instructions.last().unwrap();
        let above = |left: usize| Looks { left, is_out: false }.above(&file, 0, step).map(|above| above.len());
        assert_eq!((above(3), above(2)), (Some(2), None));
    }
}
