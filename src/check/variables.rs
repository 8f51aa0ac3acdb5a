//! PURE: what `ARG` and `ENV` above an instruction say, as far as the file alone tells: defaults, not
//! what is given to a build.

use std::collections::HashMap;

use super::dockerfile::{Dockerfile, Instruction, Stage};

/// Bytes of a value that others were put into; a longer one stays as it is written.
pub const MAX_VALUE: usize = 4_096;
/// How many stages up a stage's own variables are looked for.
pub const MAX_PARENTS: usize = 64;

type Known = HashMap<Vec<u8>, Option<Vec<u8>>>;

/// The variables that hold at an instruction.
pub struct Variables<'a> {
    own: &'a Known,
    above: &'a [Known],
    file: &'a Dockerfile,
    parent: Option<usize>,
}

impl Variables<'_> {
    /// Its value: `Some(None)` where it has none, `None` where nothing above declares it.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<Option<&[u8]>> {
        if let Some(value) = self.own.get(name) {
            return Some(value.as_deref());
        }
        let mut parent = self.parent;
        for _ in 0..MAX_PARENTS {
            let index = parent?;
            if let Some(value) = self.above.get(index)?.get(name) {
                return Some(value.as_deref());
            }
            parent = self.file.stages.get(index)?.parent;
        }
        None
    }

    /// The text with the values that are known put in: `$A`, `${A}`, `${A:-x}`.
    #[must_use]
    pub fn expand(&self, text: &[u8]) -> Vec<u8> {
        if text.len() > MAX_VALUE {
            return text.to_vec();
        }
        let mut out = Vec::new();
        let mut rest = text;
        while let Some(dollar) = memchr::memchr(b'$', rest) {
            let (before, behind) = rest.split_at(dollar);
            out.extend_from_slice(before);
            let (length, value) = self.reference(behind);
            let written = behind.get(..length).unwrap_or(behind);
            out.extend_from_slice(value.as_deref().unwrap_or(written));
            rest = behind.get(length..).unwrap_or_default();
            if out.len() > MAX_VALUE {
                return text.to_vec();
            }
        }
        out.extend_from_slice(rest);
        if out.len() > MAX_VALUE { text.to_vec() } else { out }
    }

    /// How long the reference is that begins the text, and its value where that is known.
    fn reference(&self, text: &[u8]) -> (usize, Option<Vec<u8>>) {
        let rest = text.get(1..).unwrap_or_default();
        let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
        let Some(inside) = rest.strip_prefix(b"{") else {
            let length = rest.iter().take_while(is_name).count();
            return (1 + length, self.get(rest.get(..length).unwrap_or_default()).flatten().map(<[u8]>::to_vec));
        };
        let Some(end) = memchr::memchr(b'}', inside) else { return (1, None) };
        let inside = inside.get(..end).unwrap_or_default();
        let (name, modifier) = inside.split_at(inside.iter().take_while(is_name).count());
        let known = self.get(name).flatten();
        let value = match modifier {
            [] => known,
            [b':', b'-', default @ ..] => known.filter(|value| !value.is_empty()).or(Some(default)),
            [b'-', default @ ..] => known.or(Some(default)),
            _ => None,
        };
        (end + 3, value.map(<[u8]>::to_vec))
    }
}

/// Every instruction of a stage, with that stage's index and the variables that hold there.
pub fn each<'a>(file: &'a Dockerfile, mut look: impl FnMut(usize, &'a Stage, &'a Instruction, &Variables<'_>)) {
    let mut globals = Known::new();
    for instruction in &file.globals {
        declare(instruction, file, &mut globals, &[], None, &Known::new());
    }
    let mut above: Vec<Known> = Vec::new();
    for (index, stage) in file.stages.iter().enumerate() {
        let mut own = Known::new();
        for instruction in &stage.instructions {
            look(index, stage, instruction, &Variables { own: &own, above: &above, file, parent: stage.parent });
            if !instruction.is_onbuild {
                declare(instruction, file, &mut own, &above, stage.parent, &globals);
            }
        }
        above.push(own);
    }
}

fn declare(
    instruction: &Instruction,
    file: &Dockerfile,
    own: &mut Known,
    above: &[Known],
    parent: Option<usize>,
    globals: &Known,
) {
    if !matches!(instruction.keyword.as_str(), "ARG" | "ENV") {
        return;
    }
    for setting in &instruction.settings {
        let variables = Variables { own, above, file, parent };
        let value = setting.value.as_deref().map(|value| variables.expand(value));
        // An `ARG` without a value takes that of the one before the first `FROM`; an `ENV` that there
        // is stays.
        let value = value.or_else(|| globals.get(&setting.name).cloned().flatten());
        let value = value.or_else(|| variables.get(&setting.name).flatten().map(<[u8]>::to_vec));
        own.insert(setting.name.clone(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::dockerfile::read;

    fn last(text: &str, asked: &str) -> String {
        let file = read(text.as_bytes());
        let mut value = Vec::new();
        each(&file, |_, _, _, variables| value = variables.expand(asked.as_bytes()));
        String::from_utf8(value).unwrap()
    }

    #[test]
    fn values_come_from_above_from_the_parent_and_from_before_the_first_from() {
        let text = "ARG G=g\nFROM a AS p\nENV E=e\nFROM p\nARG G\nARG A=1 B=${A}2\nENV C $E-$B\nRUN x\n";
        assert_eq!(last(text, "$A ${B} $C ${E} $G"), "1 12 e-12 e g");
        assert_eq!(last(text, "$X ${X:-d} ${X-} ${A:-d} ${A:+n} $ ${A"), "$X d  1 ${A:+n} $ ${A");
        assert_eq!(last("ARG G=g\nFROM a\nRUN x\n", "$G"), "$G");
        assert_eq!(last("FROM a\nENV A=1\nFROM b\nRUN x\n", "$A"), "$A");
    }

    #[test]
    fn a_value_grows_to_the_limit_and_no_further() {
        let text = format!("FROM a\nENV A={}\nRUN x\n", "x".repeat(MAX_VALUE / 2));
        assert_eq!(last(&text, "$A$A").len(), MAX_VALUE);
        assert_eq!(last(&text, "$A$A."), "$A$A.");
        let doubling = format!("FROM a\nENV A=x\n{}RUN x\n", "ENV A=$A$A\n".repeat(1_000));
        assert!(last(&doubling, "$A").len() <= MAX_VALUE);
    }

    #[test]
    fn parents_are_followed_to_the_limit_and_no_further() {
        let chain = |stages: usize| {
            let mut text = "FROM a AS s0\nENV A=1\n".to_owned();
            for stage in 1..=stages {
                text.push_str(&format!("FROM s{} AS s{stage}\n", stage - 1));
            }
            text + "RUN x\n"
        };
        assert_eq!(last(&chain(MAX_PARENTS), "$A"), "1");
        assert_eq!(last(&chain(MAX_PARENTS + 1), "$A"), "$A");
    }
}
