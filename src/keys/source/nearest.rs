//! The kind of source that was probably meant by a misspelt one.

/// The form to propose for a word, if one is near enough.
pub(super) fn nearest(word: &str) -> Option<&'static str> {
    const KINDS: [(&str, &str); 12] = [
        ("keychain", "keychain:"),
        ("env", "env:"),
        ("file", "file:"),
        ("stdin", "stdin"),
        ("agent", "agent"),
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

/// Levenshtein's distance; both words are short, or it is "far" without counting.
fn distance(a: &str, b: &str) -> usize {
    if a.len() > 32 {
        return usize::MAX;
    }
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
