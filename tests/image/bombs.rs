//! What unpacks to far more than it is, is damaged, or is not what it looks like.

use std::io::{self, Read, Write};
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::tempdir;
use valetkey::image::inner::sniff::{Format, sniff};
use valetkey::image::limits::{FREE_UNPACKED, Gap, MAX_DEPTH, MAX_RATIO, MAX_UNPACKED, MAX_UNPACKED_LAYER};

use super::seen::{Dice, entry_after, entry_of, opened, run};

/// Names the bomb for a process of its own.
const BOMB: &str = "VALETKEY_TEST_BOMB";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Bytes of memory that this process took at most.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// Members of zeros without end.
struct Zeros {
    member: Vec<u8>,
    at: usize,
}

impl Read for Zeros {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = (&self.member[self.at..]).read(out)?;
        self.at = (self.at + count) % self.member.len();
        Ok(count)
    }
}

#[test]
fn zeros_without_end_end_at_the_ratio() {
    let member = gzip(&vec![0; 8 << 20]);
    assert!((8 << 20) / member.len() as u64 > MAX_RATIO);
    // 10 GiB, if all of it were unpacked.
    let mut source = Zeros { member: member.clone(), at: 0 }.take(member.len() as u64 * 1280);
    let seen = entry_of("zeros.gz", &mut source, true);
    assert_eq!(seen.gaps, [("zeros.gz".to_owned(), Gap::Ratio)]);
    assert!(seen.bytes < FREE_UNPACKED + (32 << 20), "{}", seen.bytes);
}

#[test]
fn archives_in_archives_are_opened_to_a_depth_and_no_deeper() {
    let mut packed = b"the innermost".to_vec();
    for _ in 0..MAX_DEPTH {
        packed = gzip(&packed);
    }
    let seen = opened("f", &packed);
    assert!(seen.gaps.is_empty() && seen.files.values().any(|file| file == b"the innermost"));
    let seen = opened("f", &gzip(&packed));
    assert_eq!(seen.gaps.len(), 1);
    assert_eq!(seen.gaps[0].1, Gap::Depth);
}

#[test]
fn forty_levels_of_gzip_end_at_the_depth() {
    let mut packed = vec![0; 100];
    for _ in 0..40 {
        packed = gzip(&packed);
    }
    assert_eq!(opened("f", &packed).gaps[0].1, Gap::Depth);
}

/// Reads a bomb, if this process was started for it.
#[test]
fn the_bomb_of_zips_itself() {
    let Some(path) = std::env::var_os(BOMB) else { return };
    let mut file = std::fs::File::open(path).unwrap();
    let before = peak();
    let seen = entry_of("42.zip", &mut file, true);
    assert!(seen.gaps.iter().any(|(_, gap)| *gap == Gap::Size), "{:?}", &seen.gaps[..1]);
    assert!(peak() - before < 16 << 20, "{} bytes", peak() - before);
}

#[test]
fn a_bomb_of_zips_ends_and_takes_little_memory() {
    let folder = tempdir().unwrap();
    // As 42.zip: sixteen of the one below, in each of five levels.
    super::seen::python(
        folder.path(),
        "import zipfile,io\nb=b'0'*(20<<20)\nfor level in range(5):\n z=io.BytesIO()\n \
         f=zipfile.ZipFile(z,'w',zipfile.ZIP_DEFLATED)\n for i in range(16): f.writestr('lib %d'%i,b)\n \
         f.close()\n b=z.getvalue()\nopen('42.zip','wb').write(b)",
    );
    // In a process of its own: the other tests take memory as well.
    let mut alone = Command::new(std::env::current_exe().unwrap());
    alone.args(["--exact", "image::bombs::the_bomb_of_zips_itself", "--nocapture"]);
    let output = alone.env(BOMB, folder.path().join("42.zip")).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// A zip of `count` members of 16 MiB.
fn members(count: usize) -> Vec<u8> {
    let script = format!(
        "import zipfile,sys,io,struct\nz=io.BytesIO()\nf=zipfile.ZipFile(z,'w',zipfile.ZIP_DEFLATED)\n\
         f.writestr('m',bytes(1<<24))\none=z.getvalue()\nf.close()\nrecord=z.getvalue()[len(one):-22]\nn={count}\n\
         end=struct.pack('<4sHHHHIIH',b'PK\\5\\6',0,0,n,n,len(record)*n,len(one)*n,0)\n\
         sys.stdout.buffer.write(one*n+record*n+end)"
    );
    super::seen::python(tempdir().unwrap().path(), &script)
}

#[test]
fn an_entry_and_a_layer_may_unpack_to_their_caps_and_to_no_byte_more() {
    let all = usize::try_from(MAX_UNPACKED >> 24).unwrap();
    let at = members(all);
    assert_eq!(entry_of("x.zip", &mut &at[..], true).gaps, []);
    let past = members(all + 1);
    assert_eq!(entry_of("x.zip", &mut &past[..], true).gaps.len(), 1);
    let one = gzip(b"0123456789");
    for (spent, gaps) in [(MAX_UNPACKED_LAYER - 10, 0), (MAX_UNPACKED_LAYER - 9, 1)] {
        let seen = entry_after(spent, "f.gz", &mut &one[..]);
        assert_eq!(seen.gaps.len(), gaps);
        assert!(seen.gaps.iter().all(|(_, gap)| *gap == Gap::Layer));
    }
}

#[test]
fn a_dictionary_that_is_too_large_is_a_gap_and_is_never_taken() {
    let folder = tempdir().unwrap();
    std::fs::write(folder.path().join("f"), vec![b'x'; 10_000]).unwrap();
    let large = ["-c", "--lzma2=preset=6,dict=256MiB", "f"];
    assert_eq!(opened("f.xz", &run(folder.path(), "xz", &large)).gaps, [("f.xz".to_owned(), Gap::Memory)]);
    let most = ["-c", "--lzma2=preset=6,dict=64MiB", "f"];
    assert!(opened("f.xz", &run(folder.path(), "xz", &most)).gaps.is_empty());
    for (dictionary, gaps) in [(1_u32 << 30, 1), (1 << 26, 0)] {
        let mut lzma = run(folder.path(), "xz", &["-c", "--format=lzma", "f"]);
        lzma[1..5].copy_from_slice(&dictionary.to_le_bytes());
        assert_eq!(opened("f.lzma", &lzma).gaps.len(), gaps, "{dictionary}");
    }
    // A frame of zstd with a window of 2^31 bytes (RFC 8878, 3.1.1.1.2).
    let zstd = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x01, 0, 0];
    assert_eq!(opened("f.zst", &zstd).gaps, [("f.zst".to_owned(), Gap::Memory)]);
}

#[test]
fn a_damaged_file_is_a_gap_once_it_was_known_to_be_one() {
    let folder = tempdir().unwrap();
    std::fs::write(folder.path().join("f"), Dice(4).bytes(200_000)).unwrap();
    for (program, option) in
        [("gzip", "-nc"), ("xz", "-c"), ("bzip2", "-c"), ("zstd", "-qc"), ("lzma", "-c"), ("lz4", "-qc")]
    {
        let packed = run(folder.path(), program, &[option, "f"]);
        let cut = opened("f.x", &packed[..packed.len() / 2]);
        assert!(matches!(&cut.gaps[..], [(_, Gap::Damaged(_))]), "{program}: {:?}", cut.gaps);
        // Where a block is whole, that is.
        let shown = cut.files.contains_key("f.x!/f") || matches!(program, "bzip2" | "lz4");
        assert!(shown, "what was unpacked is shown: {program}");
        let mut changed = packed.clone();
        let middle = changed.len() / 2;
        changed[middle..middle + 20].fill(0xaa);
        let changed = opened("f.x", &changed);
        assert!(!changed.gaps.is_empty() || program == "lzma", "{program}");
    }
}

#[test]
fn random_bytes_behind_a_magic_are_no_archive() {
    let magics: &[&[u8]] = &[
        &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3],
        &[0x5d, 0, 0, 0x80, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0],
        b"BZh9",
        b"PK\x03\x04",
        b"070701",
        &[0x78, 0x9c],
        b"PACK",
    ];
    let mut dice = Dice(11);
    for _ in 0..3000 {
        for magic in magics {
            let bytes = [magic, &dice.bytes(700)[..]].concat();
            let seen = opened("random", &bytes);
            assert!(seen.gaps.is_empty(), "{magic:?}: {:?}", seen.gaps);
        }
    }
}

#[test]
fn what_cannot_be_read_is_named_and_never_passed_over() {
    let fill = |magic: &[u8]| [magic, &[0; 600]].concat();
    for (magic, name) in [
        (&b"7z\xbc\xaf\x27\x1c\0\x04"[..], "7z"),
        (b"Rar!\x1a\x07\x01\0", "rar"),
        (b"\x1f\x9d\x90", "compress (.Z)"),
        (b"LZIP\x01", "lzip"),
        (b"hsqs", "squashfs"),
    ] {
        assert_eq!(sniff(&fill(magic)), Some(Format::Other(name)));
        assert_eq!(opened("f", &fill(magic)).said(), [format!("f: cannot be read: {name}")]);
    }
    assert_eq!(opened("f", b"plain text").gaps, []);
}
