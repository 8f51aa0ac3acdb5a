//! Zip in all its forms, and what is not what it says.

use tempfile::tempdir;
use valetkey::image::limits::MAX_ZIP_NAMES;

use super::seen::{Seen, opened, python};

const SECRET: &[u8] = b"the secret that is looked for";

/// What a script leaves in `z` (a `BytesIO`), with `zipfile` at hand.
fn made(script: &str) -> Vec<u8> {
    let begin = "import zipfile,io,sys,struct\nz=io.BytesIO()\nS=b'the secret that is looked for'\n";
    python(tempdir().unwrap().path(), &format!("{begin}{script}\nsys.stdout.buffer.write(z.getvalue())"))
}

/// A stream that cannot seek, so that sizes follow the members.
const UNSEEKABLE: &str =
    "class U:\n def __init__(s,f): s.f=f\n def write(s,b): return s.f.write(b)\n def flush(s): pass\n";

#[track_caller]
fn clean(seen: &Seen) {
    assert_eq!(seen.said(), Vec::<String>::new());
}

#[test]
fn members_of_every_method_are_read_with_sizes_before_or_behind_them() {
    for method in ["STORED", "DEFLATED", "BZIP2"] {
        let zip = made(&format!(
            "f=zipfile.ZipFile(z,'w',zipfile.ZIP_{method})\nf.writestr('d/',b'')\nf.writestr('d/a',S)\nf.writestr('empty',b'')\nf.writestr('b',b'.'*500000+S)\nf.close()"
        ));
        let seen = opened("x.zip", &zip);
        assert_eq!(seen.file("x.zip!/d/a"), SECRET, "{method}");
        assert!(seen.file("x.zip!/b").ends_with(SECRET) && seen.file("x.zip!/b").len() == 500_000 + SECRET.len());
        assert_eq!(seen.entries.len(), 4);
        clean(&seen);
    }
    for method in ["STORED", "DEFLATED"] {
        // A member that holds what looks like a descriptor, and one that holds a zip.
        let zip = made(&format!(
            "{UNSEEKABLE}f=zipfile.ZipFile(U(z),'w',zipfile.ZIP_{method})\nf.writestr('a',S)\nf.writestr('odd',b'PK\\x07\\x08'*50000+b'PK\\x03\\x04'+S)\n\
             y=io.BytesIO()\ng=zipfile.ZipFile(y,'w')\ng.writestr('in',S)\ng.close()\nf.writestr('y.zip',y.getvalue())\nf.close()"
        ));
        let seen = opened("x.zip", &zip);
        assert_eq!(seen.file("x.zip!/a"), SECRET, "{method}");
        assert!(seen.file("x.zip!/odd").ends_with(SECRET));
        assert_eq!(seen.file("x.zip!/y.zip!/in"), SECRET);
        clean(&seen);
    }
}

#[test]
fn zip64_is_read_as_writers_make_it() {
    let zip = made(
        "f=zipfile.ZipFile(z,'w',zipfile.ZIP_DEFLATED)\nwith f.open('a','w',force_zip64=True) as m: m.write(S)\nf.writestr('b',S)\nf.close()",
    );
    let seen = opened("x.zip", &zip);
    assert_eq!((seen.file("x.zip!/a"), seen.file("x.zip!/b")), (SECRET, SECRET));
    clean(&seen);
    let zip = made(&format!(
        "{UNSEEKABLE}f=zipfile.ZipFile(U(z),'w',zipfile.ZIP_DEFLATED)\nwith f.open('a','w',force_zip64=True) as m: m.write(S)\nf.writestr('b',S)\nf.close()"
    ));
    let seen = opened("x.zip", &zip);
    assert_eq!((seen.file("x.zip!/a"), seen.file("x.zip!/b")), (SECRET, SECRET));
    clean(&seen);
}

#[test]
fn a_zip_behind_a_script_or_a_program_is_found() {
    let zip = made("f=zipfile.ZipFile(z,'w',zipfile.ZIP_DEFLATED)\nf.writestr('__main__.py',S)\nf.close()");
    let mut program = b"\x7fELF".to_vec();
    program.extend(b"PK\x03\x04 is no member ".repeat(20_000));
    for begin in [
        b"#!/usr/bin/env python3\n".to_vec(),
        [b"#!/bin/sh\n", &b"exec java PK\n".repeat(30_000)[..]].concat(),
        program,
        b"MZ\0\0".to_vec(),
    ] {
        let seen = opened("app", &[&begin[..], &zip].concat());
        assert_eq!(seen.file("app!/__main__.py"), SECRET);
        assert_eq!(seen.file("app"), begin, "what is before it is the file's own");
        clean(&seen);
    }
}

#[test]
fn members_that_are_encrypted_or_packed_by_an_unknown_method_are_gaps_and_the_others_are_read() {
    let zip = made(
        "f=zipfile.ZipFile(z,'w',zipfile.ZIP_DEFLATED)\nf.writestr('a',S)\nf.writestr('b',S)\nf.writestr('c',S)\nf.close()",
    );
    let second = memchr::memmem::find_iter(&zip, b"PK\x03\x04").nth(1).unwrap();
    for (at, value, said) in [
        (6, 1, "x.zip!/b: is encrypted"),
        (8, 99, "x.zip!/b: is encrypted"),
        (8, 98, "x.zip!/b: cannot be read: method 98 of zip"),
    ] {
        let mut zip = zip.clone();
        zip[second + at] = value;
        let seen = opened("x.zip", &zip);
        assert_eq!(seen.said(), [said]);
        assert_eq!((seen.file("x.zip!/a"), seen.file("x.zip!/c")), (SECRET, SECRET));
    }
}

#[test]
fn members_that_only_the_directory_knows_are_a_gap() {
    // Fifield's overlapping members: one header's data holds the other header.
    let zip = made(
        "f=zipfile.ZipFile(z,'w')\nf.writestr('a',S)\nf.writestr('b',S)\nf.close()\nb=bytearray(z.getvalue())\n\
         at=b.index(b'PK\\x03\\x04',4)\nn=len(b[:b.index(b'PK\\x01\\x02')])-31\nstruct.pack_into('<II',b,18,n,n)\nz=io.BytesIO(bytes(b))",
    );
    let seen = opened("x.zip", &zip);
    assert_eq!(seen.said(), ["x.zip: is damaged: its directory has 1 members that are not there, as b"]);
}

#[test]
fn a_zip_that_is_cut_or_changed_anywhere_is_a_gap_unless_its_content_is_whole() {
    let zip = made(
        "f=zipfile.ZipFile(z,'w',zipfile.ZIP_DEFLATED)\nf.writestr('a',bytes(range(256))*3)\nf.writestr('b',S)\nf.close()",
    );
    for cut in 40..zip.len() - 22 {
        assert!(!opened("x.zip", &zip[..cut]).gaps.is_empty(), "cut at {cut}");
    }
    let content = memchr::memmem::find(&zip, b"PK\x01\x02").unwrap();
    for at in 31..content {
        let mut zip = zip.clone();
        zip[at] ^= 0x55;
        let seen = opened("x.zip", &zip);
        let whole = seen.files.values().any(|file| file == SECRET)
            && seen.files.values().any(|file| file.len() == 768 && file[255] == 255);
        assert!(whole || !seen.gaps.is_empty(), "changed at {at}");
    }
}

#[test]
fn a_size_of_2_to_the_64_is_a_member_that_is_cut_off() {
    for method in [0, 8] {
        let mut zip = b"PK\x03\x04\x2d\0\0\0".to_vec();
        zip.extend([method, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        zip.extend([0xff; 8]);
        zip.extend([1, 0, 20, 0, b'a', 1, 0, 16, 0]);
        zip.extend([0xff; 16]);
        zip.extend([0; 100]);
        let seen = opened("x.zip", &zip);
        assert!(
            seen.said().iter().any(|said| said.starts_with("x.zip: is damaged: it is cut off")),
            "{:?}",
            seen.said()
        );
    }
}

#[test]
fn the_names_of_as_many_members_as_are_kept_are_compared_with_the_directory() {
    for (count, gaps) in [(MAX_ZIP_NAMES, 0), (MAX_ZIP_NAMES + 1, 1)] {
        let (mut zip, mut directory) = (Vec::new(), Vec::new());
        for number in 0..count {
            let name = format!("{number:06}");
            zip.extend_from_slice(b"PK\x03\x04\x0a\0\0\0\0\0");
            zip.extend_from_slice(&[0; 16]);
            zip.extend_from_slice(&[6, 0, 0, 0]);
            zip.extend_from_slice(name.as_bytes());
            directory.extend_from_slice(b"PK\x01\x02");
            directory.extend_from_slice(&[0; 24]);
            directory.extend_from_slice(&[6, 0]);
            directory.extend_from_slice(&[0; 16]);
            directory.extend_from_slice(name.as_bytes());
        }
        let end = [&b"PK\x05\x06"[..], &[0; 18]].concat();
        let seen = opened("x.zip", &[zip, directory, end].concat());
        assert_eq!((seen.entries.len(), seen.gaps.len()), (count, gaps), "{:?}", seen.gaps);
    }
}
