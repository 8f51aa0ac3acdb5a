//! The caps that hold for every image. What a cap cuts off is a [`Gap`], by path, and an audit
//! with a gap is not complete.

/// How many archives may lie in one another inside of a layer; the layer's own tar is not one.
pub const MAX_DEPTH: usize = 6;
/// Bytes that one entry of a layer may unpack to, all archives inside of it together.
pub const MAX_UNPACKED: u64 = 4 << 30;
/// Bytes that all entries of a layer may unpack to: an hour of a bomb is too long, too.
pub const MAX_UNPACKED_LAYER: u64 = 64 << 30;
/// Bytes of dictionaries and other content that archives inside of an entry may have in memory,
/// all that are open at once. The largest dictionary is a bit more than half of it.
pub const MAX_MEMORY: u64 = 128 << 20;
/// Bytes that must have been unpacked before an error means that a file is damaged, and not
/// that it is no archive. Of 200,000 random pieces of Deflate none came that far; a shorter file
/// is shown all the same.
pub const PROVEN: u64 = 2048;
/// Members of a zip whose names are compared with its directory.
pub const MAX_ZIP_NAMES: usize = 250_000;
/// Bytes of a SQLite database in which the pages of one value are looked for.
pub const MAX_SQLITE: u64 = 32 << 20;
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
    /// More than [`MAX_UNPACKED_LAYER`].
    #[error("the layer's archives unpack to more than {} GiB", MAX_UNPACKED_LAYER >> 30)]
    Layer,
    /// More than [`MAX_MEMORY`].
    #[error("needs more memory to unpack than it may have")]
    Memory,
    /// Deltas of a Git pack whose bases were too large or too long ago to be in memory.
    #[error("{0} of its objects build on others that are not in memory")]
    Bases(u64),
    /// Values of a SQLite database whose pages lie too far from one another.
    #[error("{0} of its values are spread too far over its pages")]
    Pages(u64),
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
