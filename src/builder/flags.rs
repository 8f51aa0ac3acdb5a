//! PURE walking of typed arguments as pflag (docker, Compose, podman, buildah) reads them.
//!
//! Knows which flags take a value; refuses nothing: an unknown flag is taken for one without a
//! value, so that a `--ssh` behind it is seen rather than swallowed.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

/// What a command's flags are.
pub(super) struct Table {
    /// Long flags that take a value, without the dashes.
    pub(super) valued: &'static [&'static str],
    /// One-letter flags that take a value.
    pub(super) short: &'static str,
    /// Whether flags may follow positional arguments. Where not, walking ends at the first.
    pub(super) interspersed: bool,
}

/// One typed flag.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flag {
    /// `ssh` for `--ssh`, `f` for `-f`.
    pub(super) name: String,
    /// Its value, where it was typed with one.
    pub(super) value: Option<OsString>,
    /// Index of the argument in which it begins.
    pub(super) at: usize,
    /// Number of arguments that it takes up: 2 where the value is an argument of its own.
    pub(super) width: usize,
}

/// Typed arguments, told apart.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// In typed order.
    pub(super) flags: Vec<Flag>,
    /// Indexes of positional arguments. Without interspersing: the first alone.
    pub(super) positional: Vec<usize>,
}

impl Walk {
    /// The flags of any of these names, in typed order.
    pub(super) fn named<'a>(&'a self, names: &'a [&str]) -> impl DoubleEndedIterator<Item = &'a Flag> {
        self.flags.iter().filter(|flag| names.contains(&flag.name.as_str()))
    }

    /// Whether one of these was typed and not switched off by `=false`.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        self.named(names).next_back().is_some_and(|flag| flag.value.as_deref().is_none_or(|v| !is_false(v)))
    }

    /// The last value of any of these names.
    pub(super) fn last(&self, names: &[&str]) -> Option<&OsStr> {
        self.flags
            .iter()
            .rev()
            .filter(|flag| names.contains(&flag.name.as_str()))
            .find_map(|flag| flag.value.as_deref())
    }
}

/// Go's `strconv.ParseBool` for false.
pub(super) fn is_false(value: &OsStr) -> bool {
    matches!(value.as_bytes(), b"0" | b"f" | b"F" | b"false" | b"FALSE" | b"False")
}

/// Walks `args` by `table`.
pub(super) fn walk(args: &[OsString], table: &Table) -> Walk {
    let mut walk = Walk::default();
    let mut at = 0;
    while let Some(arg) = args.get(at) {
        let bytes = arg.as_bytes();
        if bytes == b"--" {
            walk.positional.extend(at + 1..args.len());
            break;
        }
        if bytes.len() < 2 || bytes[0] != b'-' {
            walk.positional.push(at);
            if !table.interspersed {
                break;
            }
            at += 1;
            continue;
        }
        at += match bytes.strip_prefix(b"--") {
            Some(long) => walk.long(long, at, args, table),
            None => walk.cluster(&bytes[1..], at, args, table),
        };
    }
    walk
}

impl Walk {
    fn push(&mut self, name: &[u8], value: Option<OsString>, at: usize, width: usize) {
        self.flags.push(Flag { name: String::from_utf8_lossy(name).into_owned(), value, at, width });
    }

    fn long(&mut self, long: &[u8], at: usize, args: &[OsString], table: &Table) -> usize {
        if let Some(equals) = long.iter().position(|&b| b == b'=') {
            let value = OsString::from_vec(long[equals + 1..].to_vec());
            self.push(&long[..equals], Some(value), at, 1);
            return 1;
        }
        let valued = table.valued.iter().any(|name| name.as_bytes() == long);
        let value = args.get(at + 1).filter(|_| valued).cloned();
        let width = 1 + usize::from(value.is_some());
        self.push(long, value, at, width);
        width
    }

    /// `-qf FILE`, `-fFILE`, `-f=FILE`: letters up to the first that takes a value.
    fn cluster(&mut self, letters: &[u8], at: usize, args: &[OsString], table: &Table) -> usize {
        for (index, letter) in letters.iter().enumerate() {
            let rest = &letters[index + 1..];
            if let Some(value) = rest.strip_prefix(b"=") {
                self.push(&[*letter], Some(OsString::from_vec(value.to_vec())), at, 1);
                return 1;
            }
            if !table.short.as_bytes().contains(letter) {
                self.push(&[*letter], None, at, 1);
                continue;
            }
            if !rest.is_empty() {
                self.push(&[*letter], Some(OsString::from_vec(rest.to_vec())), at, 1);
                return 1;
            }
            let value = args.get(at + 1).cloned();
            let width = 1 + usize::from(value.is_some());
            self.push(&[*letter], value, at, width);
            return width;
        }
        1
    }
}

/// The argument or arguments of a flag with another value, in the form in which it was typed.
pub(super) fn retyped(flag: &Flag, args: &[OsString], value: &OsStr) -> Vec<OsString> {
    if flag.width == 2 {
        return vec![args[flag.at].clone(), value.to_owned()];
    }
    let old = flag.value.as_ref().map_or(0, |old| old.len());
    let typed = args[flag.at].as_bytes();
    let mut bytes = typed[..typed.len() - old].to_vec();
    bytes.extend_from_slice(value.as_bytes());
    vec![OsString::from_vec(bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Table = Table { valued: &["file", "ssh"], short: "f", interspersed: true };

    fn split(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    fn walked(line: &str, table: &Table) -> (Vec<String>, Vec<usize>) {
        let walk = walk(&split(line), table);
        let show = |flag: &Flag| match &flag.value {
            Some(value) => format!("{}={}", flag.name, value.to_string_lossy()),
            None => flag.name.clone(),
        };
        (walk.flags.iter().map(show).collect(), walk.positional)
    }

    #[test]
    fn flags_are_read_with_and_without_an_equals_sign_joined_and_clustered() {
        for (line, flags, positional) in [
            ("--file a .", vec!["file=a"], vec![2]),
            ("--file=a .", vec!["file=a"], vec![1]),
            ("-f a . -q", vec!["f=a", "q"], vec![2]),
            ("-fa .", vec!["f=a"], vec![1]),
            ("-f=a", vec!["f=a"], vec![]),
            ("-qf a .", vec!["q", "f=a"], vec![2]),
            ("-qfa", vec!["q", "f=a"], vec![]),
            ("-f", vec!["f"], vec![]),
            ("-", vec![], vec![0]),
            ("--file --ssh .", vec!["file=--ssh"], vec![2]),
            ("--unknown --ssh x", vec!["unknown", "ssh=x"], vec![]),
            (". -- --ssh x", vec![], vec![0, 2, 3]),
            ("--ssh=a=b=c", vec!["ssh=a=b=c"], vec![]),
            ("--ssh=", vec!["ssh="], vec![]),
        ] {
            let flags: Vec<String> = flags.into_iter().map(String::from).collect();
            assert_eq!(walked(line, &TABLE), (flags, positional), "{line}");
        }
    }

    #[test]
    fn without_interspersing_the_walk_ends_at_the_first_positional_argument() {
        let table = Table { interspersed: false, ..TABLE };
        assert_eq!(walked("-q build --ssh x", &table), (vec!["q".to_owned()], vec![1]));
    }

    #[test]
    fn a_switch_counts_unless_it_is_switched_off_last() {
        for (line, on) in
            [("-q", true), ("--quiet=false", false), ("--quiet=true", true), ("--quiet --quiet=0", false), (".", false)]
        {
            assert_eq!(walk(&split(line), &TABLE).has(&["quiet", "q"]), on, "{line}");
        }
    }

    #[test]
    fn a_flag_is_retyped_in_the_form_in_which_it_was_typed() {
        for (line, now) in
            [("--ssh a", "--ssh b=1"), ("--ssh=a", "--ssh=b=1"), ("-qfa", "-qfb=1"), ("--ssh=", "--ssh=b=1")]
        {
            let args = split(line);
            let walk = walk(&args, &TABLE);
            let last = walk.flags.last().expect("a flag");
            assert_eq!(retyped(last, &args, OsStr::new("b=1")).join(OsStr::new(" ")), now);
        }
    }

    #[test]
    fn bytes_that_are_no_utf_8_stay_as_they_are() {
        let args = vec![OsString::from_vec(b"--file=\xff".to_vec()), OsString::from_vec(b"\xfe".to_vec())];
        let walk = walk(&args, &TABLE);
        assert_eq!(walk.flags[0].value.as_deref().map(OsStr::as_bytes), Some(&b"\xff"[..]));
        assert_eq!(walk.positional, [1]);
    }
}
