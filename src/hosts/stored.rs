//! Editing the text of the file of stored pins. PURE.
//!
//! The file is a known_hosts file that ssh can read: one line a key, the name alone, and
//! `binds=yes|no` in the comment. Lines that a person added stay as they are.

use base64ct::{Base64, Encoding as _};

use super::Binds;
use super::name::HostName;
use crate::wire::key_type;

/// The text with these keys (raw blobs) pinned for `name`. Where `replace`, they are all that
/// is pinned for it; else they are added to what is. What `binds` says is written to every line
/// of this name alone; `Unknown` leaves what was said.
#[must_use]
pub fn with_pins(text: &str, name: &HostName, keys: &[Vec<u8>], binds: Binds, replace: bool) -> String {
    let shown = name.to_string();
    let mut out = if replace { without(text, name).0 } else { ended(text) };
    let known = out.clone();
    for key in keys {
        let Some(key_type) = key_type(key) else { continue };
        let pin = format!("{shown} {key_type} {}", Base64::encode_string(key));
        let starts = |line: &str| line.strip_prefix(&pin).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
        if !known.lines().any(starts) {
            out.push_str(&pin);
            out.push('\n');
        }
    }
    if binds == Binds::Unknown { out } else { with_binds(&out, &shown, binds) }
}

fn with_binds(text: &str, shown: &str, binds: Binds) -> String {
    let mut out = String::new();
    for line in text.lines() {
        if line.split(' ').next() == Some(shown) {
            let kept = line.split(' ').filter(|word| !word.starts_with("binds=") && !word.is_empty());
            out.push_str(&kept.collect::<Vec<_>>().join(" "));
            out.push_str(" binds=");
            out.push_str(binds.word());
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}

/// The text without what is pinned for `name`, and how many lines were. Lines with markers,
/// patterns and hashes stay; of a list of names only this one goes.
#[must_use]
pub fn without(text: &str, name: &HostName) -> (String, usize) {
    let shown = name.to_string();
    let mut out = String::new();
    let mut removed = 0;
    for line in text.lines() {
        let names = line.split([' ', '\t']).next().unwrap_or_default();
        let is_name = |part: &&str| part.parse::<HostName>().is_ok_and(|part| part == *name);
        let found =
            !names.starts_with(['@', '#', '|']) && (names == shown || names.split(',').any(|part| is_name(&part)));
        if !found {
            out.push_str(line);
            out.push('\n');
            continue;
        }
        removed += 1;
        let others: Vec<&str> = names.split(',').filter(|part| !is_name(part)).collect();
        if others.iter().any(|part| !part.starts_with('!')) {
            out.push_str(&others.join(","));
            out.push_str(&line[names.len()..]);
            out.push('\n');
        }
    }
    (out, removed)
}

/// The text with a final line feed, where it is not empty.
fn ended(text: &str) -> String {
    let mut text = text.to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> HostName {
        text.parse().unwrap()
    }

    fn key(byte: u8) -> Vec<u8> {
        let mut key = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
        key.extend([byte; 32]);
        key
    }

    fn line(host: &str, byte: u8) -> String {
        format!("{host} ssh-ed25519 {}", Base64::encode_string(&key(byte)))
    }

    #[test]
    fn a_pin_is_added_once_and_says_whether_its_host_binds() {
        let host = name("a:2222");
        let once = with_pins("# mine\nb x y", &host, &[key(1), key(2)], Binds::Yes, false);
        let expected = format!("# mine\nb x y\n{} binds=yes\n{} binds=yes\n", line("[a]:2222", 1), line("[a]:2222", 2));
        assert_eq!(once, expected);
        assert_eq!(with_pins(&once, &host, &[key(1)], Binds::Unknown, false), once);
        let changed = with_pins(&once, &host, &[key(3)], Binds::No, false);
        assert_eq!(changed.matches("binds=no").count(), 3, "{changed}");
        assert!(!changed.contains("binds=yes"));
    }

    #[test]
    fn replacing_leaves_the_new_keys_alone_for_this_name_and_touches_no_other() {
        let text = format!("{}\n{}\n{}\n", line("a", 1), line("b", 2), line("[a]:2222", 3));
        let replaced = with_pins(&text, &name("a"), &[key(9)], Binds::Unknown, true);
        assert_eq!(replaced, format!("{}\n{}\n{}\n", line("b", 2), line("[a]:2222", 3), line("a", 9)));
    }

    #[test]
    fn removing_takes_one_name_out_of_a_list_and_leaves_marked_lines() {
        let text = format!("@revoked {}\n{}\n# a\n{}\n*.a k b\n", line("a", 1), line("a,b", 2), line("A", 3));
        let (left, removed) = without(&text, &name("a"));
        assert_eq!(removed, 2);
        assert_eq!(left, format!("@revoked {}\n{}\n# a\n*.a k b\n", line("a", 1), line("b", 2)));
        assert_eq!(without(&left, &name("a")).1, 0);
    }
}
