//! A layer's bytes: the tar, and every archive and compressed file inside of it. Each byte is
//! shown once and in order, whatever the bytes are and however they come.

use std::cell::RefCell;
use std::io::{ErrorKind, Read};

use valetkey::image::digest::Digest;
use valetkey::image::layer::{Blob, Compression, Content, read};
use valetkey::image::stream::Sink;

use super::shared::checksums::{BLOCK, right, righted};
use super::shared::ledger::Ledger;
use super::shared::uneven::Uneven;

pub(crate) fn check(data: &[u8]) {
    let data = righted(data);
    layer(&data);
    // The same as the only file of a layer, so that no header stands before what is tried.
    let mut header = [0; BLOCK];
    header[..4].copy_from_slice(b"f.gz");
    header[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    right(&mut header);
    let mut tar = [&header[..], &data].concat();
    tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    layer(&tar);
}

fn layer(bytes: &[u8]) {
    let (blob, ledger) = shown(&mut &bytes[..]);
    let (again, same) = shown(&mut Uneven::new(bytes));
    assert_eq!(blob, again, "what is read does not depend on the pieces that it comes in");
    if blob.is_ok() {
        assert_eq!(ledger, same, "nor does what is shown");
    }
    let Ok(Blob { digest, size, content }) = blob else { return };
    assert_eq!((digest, size), (Digest::of(bytes), bytes.len() as u64));
    let root = ledger.shown.get(&Vec::new());
    match content {
        Content::Document(document) => {
            assert_eq!(document, bytes);
            assert!(ledger.shown.is_empty() && ledger.told.is_empty(), "a document is not shown");
        }
        Content::Other => {
            assert_eq!(ledger.layer, bytes);
            assert_eq!((ledger.shown.len(), ledger.told.len()), (1, 0));
        }
        Content::Layer { compression, diff_id, unpacked } => {
            let root = root.expect("a layer is shown");
            assert_eq!((root.streams, root.bytes), (1, unpacked));
            if ledger.layer.len() as u64 == unpacked {
                assert_eq!(Digest::of(&ledger.layer), diff_id);
            }
            if compression == Compression::None {
                assert_eq!((diff_id, unpacked), (digest, size));
            }
        }
    }
}

fn shown(source: &mut dyn Read) -> (Result<Blob, ErrorKind>, Ledger) {
    let ledger = RefCell::new(Ledger::default());
    let blob = read(source, &ledger as &RefCell<dyn Sink>).map_err(|error| error.kind());
    let ledger = ledger.into_inner();
    ledger.end();
    (blob, ledger)
}
