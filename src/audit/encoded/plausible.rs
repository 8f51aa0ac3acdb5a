//! Whether decoded bytes begin as something that is worth a closer look.

/// Whether a key or something that may hold one begins here: DER of a private key's shape, an
/// OpenSSH key, PEM, gzip, zstd. Looks at the first 20 bytes; chance says yes once in millions.
pub(super) fn beginning(bytes: &[u8]) -> bool {
    match bytes {
        [0x30, rest @ ..] => der(rest),
        [0x1f, 0x8b, 8, flags, ..] => flags & 0xe0 == 0,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => true,
        _ => bytes.starts_with(b"openssh-key-v1") || bytes.starts_with(b"-----BEGIN"),
    }
}

/// Behind the SEQUENCE's tag: its length, then a version (PKCS#1, PKCS#8, SEC 1, PKCS#12) or
/// the algorithm of an encrypted PKCS#8.
fn der(bytes: &[u8]) -> bool {
    let content = match bytes {
        [0x82, _, _, content @ ..] | [0x81, _, content @ ..] | [0..=0x7f, content @ ..] => content,
        _ => return false,
    };
    matches!(content, [2, 1, 0 | 1 | 3, ..]) || matches!(content, [0x30, 0..=0x7f, 6, ..] | [0x30, 0x81, _, 6, ..])
}

/// Whether the first bytes that these characters of base64 decode to are text, or begin a key.
/// For words and names in a program, it is nearly always the first look that says no.
pub(super) fn short(characters: &[u8]) -> bool {
    let (quads, _) = characters.as_chunks::<4>();
    let Some(first) = quads.first() else { return false };
    matches!(super::text::three(*first), [0x30, 0x20..=0x84, _] | [0x1f, 0x8b, 8])
        || (quads.len() >= 5 && quads[..5].iter().all(|quad| super::text::three(*quad).iter().all(|c| is_text(*c))))
}

/// The same for hexadecimal digits.
pub(super) fn short_hex(characters: &[u8]) -> bool {
    let head = super::text::hex(&characters[..characters.len().min(32)]);
    beginning(&head) || head.iter().all(|byte| is_text(*byte))
}

pub(super) fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n')
}
