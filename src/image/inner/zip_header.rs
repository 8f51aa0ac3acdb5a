//! Pure: the local header of a zip's member (APPNOTE 6.3.10, 4.3.7, 4.3.9 and 4.5.3).

/// What a local header begins with.
pub(super) const LOCAL: &[u8; 4] = b"PK\x03\x04";
/// Bytes of a local header, without name and extra field.
pub(super) const LENGTH: usize = 30;
/// Bytes that are encrypted.
const ENCRYPTED: u16 = 1;
/// The sizes and the checksum follow the content.
const DESCRIPTOR: u16 = 1 << 3;
/// What nobody sets.
const UNUSED: u16 = 0xd780;
/// The header itself is masked.
const STRONG: u16 = 1 << 13;

/// A member, as its local header has it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Local {
    flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) unpacked: u64,
    pub(super) name: usize,
    pub(super) extra: usize,
}

impl Local {
    /// Of the first [`LENGTH`] bytes.
    pub(super) fn parse(head: &[u8]) -> Option<Self> {
        let head: &[u8; LENGTH] = head.get(..LENGTH)?.try_into().ok()?;
        let short = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let long = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        head.starts_with(LOCAL).then(|| Self {
            flags: short(6),
            method: short(8),
            crc: long(14),
            packed: long(18).into(),
            unpacked: long(22).into(),
            name: short(26).into(),
            extra: short(28).into(),
        })
    }

    /// Takes the sizes of a zip64 member from the extra field.
    pub(super) fn extend(&mut self, mut extra: &[u8]) {
        while let [a, b, c, d, rest @ ..] = extra {
            let (id, length) = (u16::from_le_bytes([*a, *b]), usize::from(u16::from_le_bytes([*c, *d])));
            let Some((field, behind)) = rest.split_at_checked(length) else { return };
            if id == 1 {
                let mut numbers = field
                    .chunks_exact(8)
                    .map(|eight| eight.iter().rev().fold(0, |number: u64, byte| number << 8 | u64::from(*byte)));
                for size in [&mut self.unpacked, &mut self.packed] {
                    if *size == u64::from(u32::MAX) {
                        *size = numbers.next().unwrap_or(*size);
                    }
                }
            }
            extra = behind;
        }
    }

    pub(super) fn encrypted(&self) -> bool {
        self.flags & (ENCRYPTED | STRONG) != 0 || self.method == 99
    }

    /// Whether the sizes are known before the content.
    pub(super) fn sized(&self) -> bool {
        self.flags & DESCRIPTOR == 0
    }

    /// Whether the fields that can be checked are right.
    pub(super) fn plausible(head: &[u8]) -> bool {
        let Some(local) = Self::parse(head) else { return false };
        let version = head[4];
        let name = &head[LENGTH..head.len().min(LENGTH + local.name)];
        version <= 63
            && matches!(local.method, 0..=20 | 93..=99)
            && local.flags & UNUSED == 0
            && local.name > 0
            && name.iter().all(|c| *c >= b' ' && *c != 0x7f)
    }
}

/// Whether these first bytes begin a zip that has members.
pub(super) fn begins_zip(head: &[u8]) -> bool {
    head.starts_with(LOCAL) && Local::plausible(head)
}

/// How long the data descriptor is that begins here, if it fits what was unpacked: with or
/// without a signature, with sizes of 4 or 8 bytes. `None` for `crc` leaves that unchecked.
pub(super) fn descriptor(head: &[u8], crc: Option<u32>, packed: u64, unpacked: u64) -> Option<usize> {
    for start in [4, 0] {
        if start == 4 && !head.starts_with(b"PK\x07\x08") {
            continue;
        }
        let Some(fields) = head.get(start..) else { continue };
        if crc.is_some_and(|crc| !fields.starts_with(&crc.to_le_bytes())) {
            continue;
        }
        let sizes = fields.get(4..).unwrap_or_default();
        if sizes.starts_with(&[packed.to_le_bytes(), unpacked.to_le_bytes()].concat()) {
            return Some(start + 20);
        }
        let short = |size: u64| size.to_le_bytes()[..4].to_vec();
        if sizes.starts_with(&[short(packed), short(unpacked)].concat()) {
            return Some(start + 12);
        }
    }
    None
}
