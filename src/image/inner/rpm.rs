//! RPM packages: a lead, two headers, and a payload, which is a compressed cpio (rpm-lead(5),
//! "RPM V4 Package format").

use std::io;

use super::super::stream::Stream;
use super::{Nest, file, invalid};

const LEAD: u64 = 96;

/// Passes over what is before the payload, and opens that.
pub(super) fn walk(stream: &mut Stream<'_>, nest: Nest<'_>) -> io::Result<()> {
    stream.skip(LEAD)?;
    for signature in [true, false] {
        let at = stream.at();
        let [0x8e, 0xad, 0xe8, 1, _, _, _, _, a, b, c, d, e, f, g, h] = *stream.peek(16)? else {
            return Err(invalid(format!("no header of rpm at {at}")));
        };
        stream.take(16);
        let entries = u64::from(u32::from_be_bytes([a, b, c, d]));
        let bytes = u64::from(u32::from_be_bytes([e, f, g, h]));
        stream.skip(entries * 16 + bytes)?;
        if signature {
            stream.skip((8 - stream.at() % 8) % 8)?;
        }
    }
    file(stream, b"payload", nest)
}
