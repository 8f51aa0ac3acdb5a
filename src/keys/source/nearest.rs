//! The kind of source that was probably meant by a misspelt one.

/// The form to propose for a word, if one is near enough.
pub(super) fn nearest(word: &str) -> Option<&'static str> {
    const KINDS: [(&str, &str); 19] = [
        ("keychain", "keychain:"),
        ("env", "env:"),
        ("file", "file:"),
        ("stdin", "stdin"),
        ("agent", "agent"),
        ("command", "command:"),
        ("credential", "credential:"),
        ("vault", "vault:"),
        ("credentials", "credential:"),
        ("openbao", "vault:"),
        ("exec", "command:"),
        ("cmd", "command:"),
        ("keyring", "keychain:"),
        ("secret", "keychain:"),
        ("path", "file:"),
        ("environment", "env:"),
        ("var", "env:"),
        ("ssh-agent", "agent"),
        ("-", "stdin"),
    ];
    let word = word.to_ascii_lowercase();
    KINDS
        .iter()
        .map(|(kind, form)| (distance(&word, kind), kind.len(), *form))
        .filter(|(distance, length, _)| *distance <= length.div_ceil(3).min(2))
        .min_by_key(|(distance, _, _)| *distance)
        .map(|(_, _, form)| form)
}

/// Damerau's distance, in which two letters in the wrong order are one slip; a long word is "far"
/// without counting.
fn distance(a: &str, b: &str) -> usize {
    if a.len() > 32 { usize::MAX } else { strsim::damerau_levenshtein(a, b) }
}
