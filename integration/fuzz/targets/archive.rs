//! An image's archive from its first byte to its report: as a stream that comes in pieces, and
//! with its members at hand. Both say the same, and nothing is complete whose digests are wrong.

use std::collections::HashMap;

use serde_json::Value;
use valetkey::audit::finding::Report;
use valetkey::image::archive::{Unseekable, walk};
use valetkey::image::digest::Digest;
use valetkey::image::source::{Opener, Place, Source, SourceError, stream};

use super::shared::checksums::righted;
use super::shared::reported::{NAME, audit, shown, sorted};
use super::shared::uneven::Uneven;

pub(crate) fn check(data: &[u8]) {
    let data = named(data);
    let streamed = streamed(&data);
    let (members, whole) = members(&data);
    let Ok(streamed) = streamed else { return };
    shown(&streamed);
    if whole {
        let read = audit(Source::Places(members.clone())).expect("a source that is at hand");
        assert_eq!(sorted(&read), sorted(&streamed), "a stream and a file are the same image");
    } else if is_tar(&data) {
        assert!(!streamed.complete, "an archive that is cut off is not all read");
    }
    if is_tar(&data) {
        compared(&streamed, &members);
    }
}

/// Twice, of which one comes in pieces.
fn streamed(data: &[u8]) -> Result<Report, SourceError> {
    let open = |reader: Box<dyn std::io::Read + Send>| stream(reader, NAME).and_then(audit);
    let whole = open(Box::new(std::io::Cursor::new(data.to_vec())));
    let pieces = open(Box::new(Uneven::new(data)));
    match (&whole, &pieces) {
        (Ok(whole), Ok(pieces)) => assert_eq!(sorted(whole), sorted(pieces)),
        (Err(whole), Err(pieces)) => assert_eq!(whole.to_string(), pieces.to_string()),
        _ => panic!("{whole:?} and in pieces {pieces:?}"),
    }
    whole
}

fn is_tar(data: &[u8]) -> bool {
    valetkey::image::tar::is_tar(data)
}

/// The members of a tar, and whether it is whole, as for a file.
fn members(data: &[u8]) -> (Vec<Place>, bool) {
    let mut places = Vec::new();
    let walked = is_tar(data).then(|| {
        walk(&mut Unseekable(data), &mut |member, _| {
            let start = usize::try_from(member.offset).unwrap_or(usize::MAX);
            let content = data.get(start..).and_then(|rest| rest.get(..usize::try_from(member.size).ok()?));
            let content = content.ok_or(std::io::ErrorKind::UnexpectedEof)?;
            places.push(Place {
                name: member.name.clone(),
                size: member.size,
                link: member.link.clone(),
                opener: Opener::Memory(content.into()),
            });
            Ok(())
        })
    });
    (places, walked.is_some_and(|walked| walked.is_ok()))
}

/// What a report says of digests, beside those of the members themselves.
fn compared(report: &Report, members: &[Place]) {
    let contents: HashMap<String, &[u8]> = members
        .iter()
        .filter_map(|place| match &place.opener {
            Opener::Memory(bytes) => Some((Digest::of(bytes).to_string(), &bytes[..])),
            _ => None,
        })
        .collect();
    let all: u64 = contents.values().map(|bytes| bytes.len() as u64).sum();
    assert!(report.bytes <= all, "no blob is counted twice");
    for image in &report.images {
        assert!(contents.contains_key(&image.digest), "the digest of a member: {}", image.digest);
        let config = image.config_digest.as_ref().and_then(|digest| contents.get(digest)).expect("a member");
        let config: Value = serde_json::from_slice(config).unwrap_or_default();
        for (index, layer) in image.layers.iter().enumerate() {
            let content = contents.get(&layer.digest).expect("a member");
            assert_eq!(layer.size, content.len() as u64);
            if report.complete {
                assert_eq!(config["rootfs"]["diff_ids"][index], layer.diff_id, "what the config vouches for");
            }
        }
        if report.complete {
            let count = config["rootfs"]["diff_ids"].as_array().map_or(0, Vec::len);
            assert_eq!(count, image.layers.len());
        }
    }
}

/// The same archive, in which blobs are called by their digests again, and named by them: random
/// changes would else end at the first comparison.
fn named(data: &[u8]) -> Vec<u8> {
    /// Layers, a config, a manifest, an index.
    const ROUNDS: usize = 4;
    let mut data = righted(data);
    for _ in 0..ROUNDS {
        let renamed: Vec<_> = members(&data)
            .0
            .into_iter()
            .filter_map(|place| {
                let Opener::Memory(bytes) = &place.opener else { return None };
                let hex = place.name.trim_start_matches("blobs/sha256/").trim_end_matches(".json");
                let own = Digest::of(bytes).hex();
                (hex.len() == own.len() && hex.is_ascii() && hex != own).then(|| (hex.to_owned(), own))
            })
            .collect();
        if renamed.is_empty() {
            break;
        }
        for (old, new) in renamed {
            replace(&mut data, old.as_bytes(), new.as_bytes());
        }
        data = righted(&data);
    }
    data
}

fn replace(data: &mut [u8], old: &[u8], new: &[u8]) {
    let mut at = 0;
    while at + old.len() <= data.len() {
        if &data[at..at + old.len()] == old {
            data[at..at + old.len()].copy_from_slice(new);
            at += old.len();
        } else {
            at += 1;
        }
    }
}
