//! Puts right what random changes to a tar break first, so that they reach what lies behind it.

/// Bytes of a header.
pub(crate) const BLOCK: usize = 512;

/// The same tar with a right checksum in every block that is marked as a header.
pub(crate) fn righted(data: &[u8]) -> Vec<u8> {
    let mut tar = data.to_vec();
    for block in tar.chunks_exact_mut(BLOCK).filter(|block| &block[257..262] == b"ustar") {
        right(block);
    }
    tar
}

/// Writes the checksum of a header into it.
pub(crate) fn right(header: &mut [u8]) {
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}
