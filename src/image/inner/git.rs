//! Loose objects of Git: zlib streams of `blob LENGTH\0` and the content (gitformat-loose(5)).

use super::super::limits::Gap;
use super::super::stream::{Part, Stream};
use super::compressed::Inflate;
use super::{Nest, Unpacks, capped, file};

/// The kind in an object's header, and how long the header is.
pub(super) fn header(bytes: &[u8]) -> Option<(&'static str, usize)> {
    let kind = ["blob", "tree", "commit", "tag"].into_iter().find(|kind| {
        let rest = bytes.strip_prefix(kind.as_bytes());
        rest.is_some_and(|rest| rest.first() == Some(&b' '))
    })?;
    let digits = bytes.get(kind.len() + 1..)?;
    let end = digits.iter().take(20).position(|c| *c == 0)?;
    (end > 0 && digits[..end].iter().all(u8::is_ascii_digit)).then_some((kind, kind.len() + 1 + end + 1))
}

/// Opens a loose object; its content is named after its kind. Gives whether it came to its end.
pub(super) fn loose(stream: &mut Stream<'_>, name: &[u8], length: u64, nest: Nest<'_>) -> Result<bool, Gap> {
    let (trail, sink) = (stream.below(name), stream.sink());
    let mut inflate = Inflate::zlib(Part { stream, left: length });
    let nest = nest.holding(inflate.memory());
    capped(&mut inflate, sink, trail, nest, |inside| {
        let Some((kind, length)) = header(inside.peek(32)?) else {
            return file(inside, b"object", nest);
        };
        inside.take(length);
        file(inside, kind.as_bytes(), nest)
    })?;
    Ok(inflate.ended)
}
