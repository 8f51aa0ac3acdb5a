//! Cut and changed keys of every format: never a panic, never a piece of the key in a message.

use super::made::{self, Kind};
use super::world::{World, said};

/// A number generator whose numbers are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }
}

fn texts() -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for kind in made::KINDS {
        texts.push(made::key(kind).text.clone());
    }
    for kind in [Kind::Rsa, Kind::P256] {
        texts.push(made::as_format(kind, "PEM"));
        texts.push(made::as_format(kind, "PKCS8"));
    }
    let plain = made::as_format(Kind::P256, "PKCS8");
    texts.push(made::openssl(&plain, &["pkcs8", "-topk8", "-iter", "1", "-passout", "pass:words"]));
    texts.push(made::openssl(&plain, &["ec", "-aes128", "-passout", "pass:words"]));
    let folder = made::folder();
    let path = made::write(folder.path(), "key", &made::key(Kind::Ed25519).text);
    made::run("ssh-keygen", &["-q", "-p", "-a", "1", "-P", "", "-N", "words", "-f", made::path_str(&path)]);
    texts.push(std::fs::read_to_string(path).expect("an encrypted key"));
    texts
}

/// Every run of sixteen characters of the base64 inside.
fn pieces(text: &str) -> std::collections::HashSet<String> {
    let body: String = text.lines().filter(|line| !line.contains('-') && !line.contains(':')).collect();
    (0..body.len() - 15).map(|at| body[at..at + 16].to_owned()).collect()
}

fn load(bytes: &[u8], pieces: &std::collections::HashSet<String>) -> bool {
    use std::os::unix::ffi::OsStringExt as _;
    let mut world = World::default();
    world.variables.insert("KEY", std::ffi::OsString::from_vec(bytes.to_vec()));
    world.person.answers = vec!["words"];
    let Err(error) = world.load("env:KEY") else {
        return true;
    };
    let said = said(&error);
    for window in said.as_bytes().windows(16) {
        let window = String::from_utf8_lossy(window);
        assert!(!pieces.contains(&*window), "a piece of the key in {said}");
    }
    false
}

#[test]
fn no_prefix_of_a_key_panics_or_leaks_or_loads() {
    for text in texts() {
        let pieces = pieces(&text);
        assert!(load(text.as_bytes(), &pieces), "the control: the whole key loads");
        for end in 0..text.trim_end().len() {
            assert!(!load(&text.as_bytes()[..end], &pieces), "{end} bytes of {}", text.len());
        }
    }
}

#[test]
fn no_changed_byte_of_a_key_panics_or_leaks() {
    let mut numbers = Numbers(20_261_124);
    for text in texts() {
        let pieces = pieces(&text);
        for _ in 0..400 {
            let mut bytes = text.clone().into_bytes();
            let at = numbers.below(bytes.len());
            bytes[at] = u8::try_from(numbers.below(256)).expect("a byte");
            load(&bytes, &pieces);
        }
    }
}

#[test]
fn no_changed_byte_inside_the_base64_panics_or_leaks() {
    use base64ct::{Base64, Encoding as _};
    let mut numbers = Numbers(5);
    for text in texts() {
        let pieces = pieces(&text);
        let lines: Vec<&str> = text.lines().collect();
        let is_head = |line: &&&str| line.contains('-') || line.contains(':') || line.is_empty();
        let body: String = lines.iter().filter(|line| !is_head(line)).copied().collect();
        let body = Base64::decode_vec(&body).expect("base64");
        let head: Vec<&str> = lines[..lines.len() - 1].iter().filter(is_head).copied().collect();
        for _ in 0..400 {
            let mut bytes = body.clone();
            for _ in 0..=numbers.below(3) {
                let at = numbers.below(bytes.len());
                bytes[at] = u8::try_from(numbers.below(256)).expect("a byte");
            }
            if numbers.below(4) == 0 {
                bytes.truncate(numbers.below(bytes.len()) + 1);
            }
            let body = Base64::encode_string(&bytes);
            let text = format!("{}\n{body}\n{}\n", head.join("\n"), lines[lines.len() - 1]);
            load(text.as_bytes(), &pieces);
        }
    }
}
