//! What stands where a secret would, and is none: variables, templates, the words of manuals.

/// Whole values that nobody's account has.
const WORDS: [&str; 36] = [
    "password",
    "passwd",
    "passphrase",
    "pass",
    "pwd",
    "pw",
    "secret",
    "token",
    "none",
    "null",
    "nil",
    "undefined",
    "true",
    "false",
    "yes",
    "no",
    "todo",
    "tbd",
    "foo",
    "bar",
    "baz",
    "foobar",
    "test",
    "user",
    "username",
    "login",
    "key",
    "apikey",
    "api_key",
    "auth",
    "empty",
    "unset",
    "hidden",
    "removed",
    "x-oauth-basic",
    "value",
];

/// Parts of values that say so themselves.
const PARTS: [&str; 21] = [
    "example",
    "placeholder",
    "changeme",
    "change_me",
    "change-me",
    "changeit",
    "replaceme",
    "replace_me",
    "replace-me",
    "redacted",
    "dummy",
    "your_",
    "your-",
    "yourpassword",
    "yourtoken",
    "my_password",
    "mypassword",
    "insert_",
    "insert-",
    "xxxx",
    "****",
];

/// Whether nobody can log in with it.
#[must_use]
pub(crate) fn is(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    let Some(first) = value.first() else { return true };
    // `${X}`, `$X`, `$(x)`; `<password>`; `{{ x }}`, `{x}`, Maven's encrypted `{…}`; `[hidden]`;
    // `@X@`; `!vault`, `*alias`.
    if matches!(first, b'$' | b'<' | b'{' | b'[' | b'@' | b'!' | b'*' | b'`') && !is_hash(value) {
        return true;
    }
    // `%s`, `%(name)s`, `%NAME%`.
    if *first == b'%' && (value.len() < 3 || value[1] == b'(' || value.ends_with(b"%")) {
        return true;
    }
    // A variable that is no more than a part of it says where the value comes from all the same.
    if [&b"${"[..], b"{{", b"$(", b"%("].iter().any(|open| contains(value, open)) {
        return true;
    }
    value.iter().all(|byte| byte == first || byte.is_ascii_punctuation())
        || WORDS.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
        || PARTS.iter().any(|part| contains(value, part.as_bytes()))
}

/// A hash of crypt(5) begins with `$` as well, one of RFC 2307 with `{`.
fn is_hash(value: &[u8]) -> bool {
    let crypt = value[0] == b'$' && value[1..].iter().take(6).any(|byte| *byte == b'$');
    value.len() > 20 && (crypt || value.starts_with(b"{SHA}"))
}

fn contains(value: &[u8], part: &[u8]) -> bool {
    value.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}

/// Whether the body of a token looks as if a generator had made it: enough characters of its
/// kind, no repetition, no row of the alphabet, no word that says it is none. Real ones of 20
/// characters and more fail it less than once in 10,000 times.
#[must_use]
pub(crate) fn is_random(body: &[u8]) -> bool {
    let mut seen = [false; 256];
    let (mut kinds, mut same, mut row) = (0_usize, 1, 1);
    for (index, byte) in body.iter().enumerate() {
        if !std::mem::replace(&mut seen[usize::from(*byte)], true) {
            kinds += 1;
        }
        let before = index.checked_sub(1).map(|before| body[before]);
        same = if before == Some(*byte) { same + 1 } else { 1 };
        row = if before.is_some_and(|before| before.wrapping_add(1) == *byte) { row + 1 } else { 1 };
        if same > 5 || row > 5 {
            return false;
        }
    }
    kinds >= (body.len() / 3).clamp(4, 8) && !PARTS.iter().any(|part| contains(body, part.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_templates_and_the_words_of_manuals_are_placeholders() {
        for value in [
            "",
            " ",
            "${NPM_TOKEN}",
            "$TOKEN",
            "$(cat token)",
            "%(password)s",
            "%s",
            "%TOKEN%",
            "<password>",
            "{{ token }}",
            "{encrypted=}",
            "[REDACTED]",
            "@TOKEN@",
            "xxxx",
            "ZZZZZZZZ",
            "********",
            "--------",
            "aaaa",
            "x-x-x-x",
            "changeme",
            "ChangeMe123",
            "password",
            "PASSWORD",
            "your_token_here",
            "a-dummy-token",
            "null",
            "prefix-${X}",
            "AKIAIOSFODNN7EXAMPLE",
        ] {
            assert!(is(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn what_a_person_chose_is_none() {
        for value in
            ["hunter2", "correct horse", "Tr0ub4dor&3", "p@ss", "100%sure", "admin", "a", "$2y$10$abcdefghijklmnopqrs"]
        {
            assert_eq!(is(value.as_bytes()), value == "a", "{value}");
        }
    }

    #[test]
    fn rows_repetitions_and_words_are_not_random() {
        for body in [
            "abcdefghijklmnopqrstuvwxyz012345",
            "0123456789abcdef0123456789abcdef",
            "aaaaaaaaaaaaaaaaaaaaaaaa",
            "abababababababababababab",
            "q8Zk2LxxxxVw93nTbYd0",
            "EXAMPLEq8Zk2LmVw93nTbYd0",
        ] {
            assert!(!is_random(body.as_bytes()), "{body}");
        }
    }

    #[test]
    fn what_a_generator_makes_is_random() {
        for seed in 0..2_000 {
            for body in [crate::audit::secrets::made::base62(20, seed), crate::audit::secrets::made::hex(32, seed)] {
                assert!(is_random(body.as_bytes()), "{body}");
            }
        }
    }
}
