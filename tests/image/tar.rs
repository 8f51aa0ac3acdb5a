//! Tar as real writers make it, and damaged.

use tempfile::tempdir;
use valetkey::image::limits::{MAX_NAME, MAX_PAX};
use valetkey::image::stream::Kind;

use super::seen::{Seen, layer, python, run};

fn read(bytes: &[u8]) -> Seen {
    let (seen, read) = layer(&mut &bytes[..]);
    read.unwrap();
    assert_eq!(seen.streams[0].1, bytes, "every byte is shown");
    seen
}

/// A header as ustar has it, with a right checksum.
fn header(name: &[u8], size: &[u8], typeflag: u8) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..name.len()].copy_from_slice(name);
    block[100..108].copy_from_slice(b"0000644\0");
    block[124..124 + size.len()].copy_from_slice(size);
    block[156] = typeflag;
    block[257..265].copy_from_slice(b"ustar\x0000");
    seal(&mut block);
    block
}

fn seal(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

#[test]
fn every_format_of_gnu_tar_is_read_with_long_names_links_and_folders() {
    let folder = tempdir().unwrap();
    let long = "d".repeat(90) + "/" + &"e".repeat(120) + "/" + &"f".repeat(60);
    std::fs::create_dir_all(folder.path().join(&long)).unwrap();
    std::fs::write(folder.path().join(&long).join("file"), "deep").unwrap();
    std::fs::write(folder.path().join("a"), "shallow").unwrap();
    std::fs::hard_link(folder.path().join("a"), folder.path().join("b")).unwrap();
    std::os::unix::fs::symlink("x".repeat(300), folder.path().join("c")).unwrap();
    for format in ["gnu", "pax"] {
        let tar = run(folder.path(), "tar", &["--sort=name", "--format", format, "-cf", "-", "a", "b", "c", &long]);
        let seen = read(&tar);
        assert_eq!(seen.file("a"), b"shallow", "{format}");
        assert_eq!(seen.file(&format!("{long}/file")), b"deep", "{format}");
        let kinds: Vec<_> = seen.entries.iter().map(|(_, kind, _)| *kind).collect();
        assert_eq!(kinds, [Kind::File, Kind::Link, Kind::Link, Kind::Folder, Kind::File], "{format}");
        assert_eq!(seen.said(), Vec::<String>::new());
    }
    for format in ["ustar", "v7", "oldgnu"] {
        let tar = run(folder.path(), "tar", &["--format", format, "-cf", "-", "a", "b"]);
        assert_eq!(read(&tar).file("a"), b"shallow", "{format}");
    }
}

#[test]
fn sparse_files_are_read_in_all_their_forms_and_what_follows_them() {
    let folder = tempdir().unwrap();
    // More pieces than the header and one block of the map have room for.
    python(
        folder.path(),
        "f=open('sparse','wb')\nfor i in range(60):\n f.seek(i*65536); f.write(b'piece%02d'%i)\nf.truncate(1<<30)\nopen('z','w').write('after')",
    );
    for format in [
        &["--format=gnu"][..],
        &["--format=pax", "--sparse-version=0.0"],
        &["--format=pax", "--sparse-version=0.1"],
        &["--format=pax", "--sparse-version=1.0"],
    ] {
        let tar = run(folder.path(), "tar", &[format, &["-S", "-cf", "-", "sparse", "z"]].concat());
        assert!(tar.len() < 2_000_000, "sparse: {format:?}");
        let seen = read(&tar);
        assert_eq!(seen.file("z"), b"after", "{format:?}");
        let sparse = seen.file("sparse");
        assert!(memchr::memmem::find(sparse, b"piece59").is_some(), "{format:?}");
        assert_eq!(seen.entries.len(), 2);
    }
}

#[test]
fn names_of_4_kib_names_that_are_no_text_and_extended_attributes_are_seen() {
    let folder = tempdir().unwrap();
    let tar = python(
        folder.path(),
        "import tarfile,io,sys\nt=tarfile.open(fileobj=sys.stdout.buffer,mode='w|',format=tarfile.PAX_FORMAT)\n\
         i=tarfile.TarInfo('n'*4095); i.size=3; i.pax_headers={'SCHILY.xattr.user.key':'BEGIN SECRET'}; t.addfile(i,io.BytesIO(b'abc'))\n\
         i=tarfile.TarInfo(b'\\xff\\xfe'.decode('utf-8','surrogateescape')); i.size=3; t.addfile(i,io.BytesIO(b'def'))\nt.close()",
    );
    let seen = read(&tar);
    assert_eq!(seen.file(&"n".repeat(4095)), b"abc");
    assert_eq!(seen.file("\u{fffd}\u{fffd}"), b"def");
    assert!(memchr::memmem::find(&seen.streams[0].1, b"BEGIN SECRET").is_some());
}

#[test]
fn a_size_may_be_binary_and_is_never_trusted() {
    let mut tar = header(b"binary", b"\x80\0\0\0\0\0\0\0\0\0\0\x05", b'0');
    tar.extend(padded(b"hello"));
    assert_eq!(read(&tar).file("binary"), b"hello");
    for size in [&b"\x80\0\0\0\x80\0\0\0\0\0\0\0"[..], b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", b"777777777777"] {
        let mut tar = header(b"huge", size, b'0');
        tar.extend(padded(b"hello"));
        let (seen, read) = layer(&mut &tar[..]);
        assert!(read.unwrap_err().to_string().contains("cut off in the entry"), "{size:?}");
        assert_eq!(seen.streams[0].1, tar);
        // The same in a header of a header.
        let mut tar = header(b"huge", size, b'x');
        tar.extend(padded(b"hello"));
        assert!(layer(&mut &tar[..]).1.unwrap_err().to_string().contains("cut off in a header"));
    }
    for size in [&b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"[..], b"\x80\x01\0\0\0\0\0\0\0\0\0\0", b"12x"] {
        let tar = header(b"wrong", size, b'0');
        assert!(layer(&mut &tar[..]).1.unwrap_err().to_string().contains("no size"), "{size:?}");
    }
}

#[test]
fn a_wrong_checksum_is_an_error_with_its_place_and_the_bytes_behind_it_are_shown() {
    let mut tar = header(b"first", b"0", b'0');
    let mut second = header(b"second", b"5", b'0');
    second[3] ^= 1;
    tar.extend(second);
    tar.extend(padded(b"hello"));
    let (seen, read) = layer(&mut &tar[..]);
    assert_eq!(read.unwrap_err().to_string(), "no tar header at 512");
    assert_eq!(seen.streams[0].1, tar);
}

#[test]
fn a_tar_that_is_cut_anywhere_is_an_error_unless_it_is_cut_between_entries() {
    let folder = tempdir().unwrap();
    std::fs::write(folder.path().join("a"), vec![b'a'; 1300]).unwrap();
    std::fs::write(folder.path().join("b"), vec![b'b'; 512]).unwrap();
    let tar = run(folder.path(), "tar", &["--format=pax", "--pax-option=comment:=c", "-cf", "-", "a", "b"]);
    // Where entries end: a header of a header, its records, a header, the content.
    let between = [0, 512 * 6, 512 * 10];
    for cut in (0..tar.len().min(512 * 11)).step_by(256) {
        let (seen, read) = layer(&mut &tar[..cut]);
        assert_eq!(read.is_ok(), between.contains(&cut) || cut > 512 * 10 && cut % 512 == 0, "{cut}: {read:?}");
        assert_eq!(seen.streams[0].1, &tar[..cut]);
    }
}

#[test]
fn a_second_tar_behind_the_end_marker_is_read_and_anything_else_there_is_a_gap() {
    let one = |name: &[u8]| [header(name, b"5", b'0'), padded(b"hello"), vec![0; 1024]].concat();
    let two = [one(b"first"), vec![0; 8192], one(b"second")].concat();
    let seen = read(&two);
    assert_eq!((seen.file("first"), seen.file("second")), (&b"hello"[..], &b"hello"[..]));
    assert_eq!(seen.said(), Vec::<String>::new());
    for rest in [&b"x"[..], &[1; 512], &[0, 0, 1]] {
        let seen = read(&[&one(b"first"), rest].concat());
        assert_eq!(seen.said(), [": is damaged: bytes behind the end of the tar"]);
    }
}

#[test]
fn names_and_headers_are_taken_up_to_their_limit_and_a_byte_more_is_a_gap() {
    let long = |length: usize| {
        let size = format!("{:o}", length + 1);
        let name = [vec![b'n'; length], vec![0]].concat();
        [header(b"././@LongLink", size.as_bytes(), b'L'), padded(&name), header(b"n", b"1", b'0'), padded(b"x")]
            .concat()
    };
    let seen = read(&long(MAX_NAME));
    assert_eq!(seen.file(&"n".repeat(MAX_NAME)), b"x");
    assert_eq!(seen.gaps.len(), 0);
    let seen = read(&long(MAX_NAME + 1));
    assert_eq!(seen.file(&"n".repeat(MAX_NAME)), b"x");
    assert_eq!(seen.said(), [format!(": a name is longer than {MAX_NAME} bytes")]);
    let most = usize::try_from(MAX_PAX).unwrap();
    assert_eq!(read(&long(most - 1)).said(), [format!(": a name is longer than {MAX_NAME} bytes")]);
    let seen = read(&long(most));
    assert_eq!(seen.said(), [format!(": a header of an entry is longer than {MAX_PAX} bytes")]);
    assert_eq!(seen.file("n"), b"x");
}

#[test]
fn records_that_are_none_are_a_gap_and_their_entry_is_read() {
    for records in [
        &b"no number\n"[..],
        b"5 a=b\n",
        b"99 path=x\n",
        b"9 path=x\x0b",
        b"9 pathhx\n",
        b"10 size=x\n",
        b"0 \n",
        b"99999999999999999999999 path=x\n",
    ] {
        let size = format!("{:o}", records.len());
        let tar =
            [header(b"pax", size.as_bytes(), b'x'), padded(records), header(b"n", b"1", b'0'), padded(b"x")].concat();
        let seen = read(&tar);
        assert_eq!(seen.said(), [": is damaged: a PAX header that is none"], "{}", String::from_utf8_lossy(records));
        assert_eq!(seen.file("n"), b"x");
    }
}

#[test]
fn a_layer_of_a_hundred_thousand_entries_is_read() {
    let mut tar = Vec::new();
    for number in 0..100_000 {
        tar.extend(header(format!("file{number}").as_bytes(), b"0", b'0'));
    }
    tar.extend(header(b"last", b"1", b'0'));
    tar.extend(padded(b"x"));
    let seen = read(&tar);
    assert_eq!((seen.entries.len(), seen.file("last")), (100_001, &b"x"[..]));
}
