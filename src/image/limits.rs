//! The caps that hold for every image. What a cap cuts off is a [`Gap`], by path, and an audit
//! with a gap is not complete.

/// How many archives may lie in one another inside of a layer; the layer's own tar is not one.
pub const MAX_DEPTH: usize = 6;
/// Bytes that one entry of a layer may unpack to, all archives inside of it together.
pub const MAX_UNPACKED: u64 = 4 << 30;
/// Bytes that a compressed stream may unpack to for each byte of it, once past
/// [`FREE_UNPACKED`]. Real files stay below 200; a bomb has 1,000 and more.
pub const MAX_RATIO: u64 = 400;
/// Bytes that may be unpacked before [`MAX_RATIO`] counts.
pub const FREE_UNPACKED: u64 = 64 << 20;
/// Bytes of a name or a link target. Linux takes 4,095.
pub const MAX_NAME: usize = 16 * 1024;
/// Bytes of one PAX header, with all its records.
pub const MAX_PAX: u64 = 1 << 20;
/// Entries of one layer, and members of one archive.
pub const MAX_ENTRIES: u64 = 4_000_000;
/// Bytes of a manifest, an index, a config or another document that is parsed.
pub const MAX_DOCUMENT: u64 = 8 << 20;
/// Documents of one archive that are kept until the manifests are resolved, in bytes.
pub const MAX_DOCUMENTS: u64 = 64 << 20;
/// Gaps that are named one by one; the rest is counted.
pub const MAX_GAPS: usize = 1_000;
/// Manifests of one image or archive, indexes included.
pub const MAX_MANIFESTS: usize = 1_000;
/// How deep indexes may lie in one another.
pub const MAX_INDEX_DEPTH: usize = 4;
/// Layers of one image. Docker takes 127.
pub const MAX_LAYERS: usize = 1_000;

/// Why some bytes were not looked at as what they are. Their raw bytes were, unless it says so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Gap {
    /// Archives inside of archives, deeper than [`MAX_DEPTH`].
    #[error("archives lie deeper in one another than {MAX_DEPTH}")]
    Depth,
    /// More than [`MAX_UNPACKED`].
    #[error("unpacks to more than {} GiB", MAX_UNPACKED >> 30)]
    Size,
    /// More than [`MAX_RATIO`]: a decompression bomb.
    #[error("unpacks to more than {MAX_RATIO} times its size")]
    Ratio,
    /// More than [`MAX_ENTRIES`].
    #[error("has more than {MAX_ENTRIES} entries")]
    Entries,
    /// A name, a PAX header or another field over its cap.
    #[error("{0} is longer than {1} bytes")]
    Long(&'static str, u64),
    /// An archive whose content is encrypted.
    #[error("is encrypted")]
    Encrypted,
    /// A format or method that this program cannot read.
    #[error("cannot be read: {0}")]
    Unknown(String),
    /// Damaged or cut off.
    #[error("is damaged: {0}")]
    Damaged(String),
}
