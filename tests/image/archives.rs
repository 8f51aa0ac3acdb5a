//! Every kind of archive is opened, and its members are shown with their names.

use tempfile::tempdir;
use valetkey::image::limits::{Gap, MAX_SQLITE};

use super::seen::{Dice, Seen, entry_of, opened, python, run};

const SECRET: &[u8] = b"the secret that is looked for";

#[track_caller]
fn clean(seen: &Seen) {
    assert_eq!(seen.said(), Vec::<String>::new());
    assert!(seen.streams.iter().all(|stream| stream.2), "every stream ends");
}

#[test]
fn files_compressed_by_every_program_are_unpacked_with_all_their_members() {
    let folder = tempdir().unwrap();
    let mut content = Dice(1).bytes(300_000);
    content.extend_from_slice(SECRET);
    content.resize(900_000, b'.');
    std::fs::write(folder.path().join("one"), &content).unwrap();
    std::fs::write(folder.path().join("two"), SECRET).unwrap();
    let programs: &[(&str, &[&str])] = &[
        ("gzip", &["-nc"]),
        ("bzip2", &["-c"]),
        ("xz", &["-c", "-T1"]),
        ("xz", &["-c", "-T2", "--block-size=100000", "--check=sha256"]),
        ("xz", &["-c", "--x86", "--lzma2=preset=9e"]),
        ("zstd", &["-c", "-q"]),
        ("zstd", &["-c", "-q", "-19", "--check"]),
        ("lz4", &["-qc"]),
        ("lz4", &["-qc", "-BD", "-9"]),
        ("lz4", &["-qc", "-l"]),
        ("lzma", &["-c"]),
    ];
    for (program, options) in programs {
        let packed = |name: &str| run(folder.path(), program, &[options, &[name][..]].concat());
        let (one, two) = (packed("one"), packed("two"));
        let seen = opened("dir/f.x", &one);
        assert!(seen.file("dir/f.x!/f") == content, "{program} {options:?}");
        clean(&seen);
        // These two say nothing of where they end.
        if *program == "lzma" || options.contains(&"-l") {
            continue;
        }
        let seen = opened("f.x", &[&one[..], &two, &two].concat());
        assert!(seen.file("f.x!/f") == [&content[..], SECRET, SECRET].concat(), "{program} {options:?}");
        clean(&seen);
    }
}

#[test]
fn skippable_frames_of_zstd_are_passed_over_wherever_they_are() {
    let folder = tempdir().unwrap();
    std::fs::write(folder.path().join("f"), SECRET).unwrap();
    let frame = run(folder.path(), "zstd", &["-qc", "f"]);
    let skippable =
        |length: u32| [&[0x5a, 0x2a, 0x4d, 0x18][..], &length.to_le_bytes(), &vec![7; length as usize]].concat();
    for packed in [
        [skippable(4), frame.clone()].concat(),
        [skippable(0), skippable(5000), frame.clone(), skippable(9), frame.clone()].concat(),
    ] {
        let seen = opened("f.zst", &packed);
        assert!(seen.file("f.zst!/f").starts_with(SECRET));
        clean(&seen);
    }
}

#[test]
fn what_follows_a_compressed_file_is_opened_too_and_junk_there_is_only_shown() {
    let folder = tempdir().unwrap();
    std::fs::write(folder.path().join("f"), SECRET).unwrap();
    let (gzip, xz) = (run(folder.path(), "gzip", &["-nc", "f"]), run(folder.path(), "xz", &["-c", "f"]));
    let seen = opened("f", &[&gzip[..], &[0; 700], &xz, b"junk"].concat());
    let unpacked: Vec<_> = seen.streams.iter().filter(|stream| stream.1 == SECRET).collect();
    assert_eq!(unpacked.len(), 2);
    clean(&seen);
}

/// Folder with `a`, `dir/b`, and an archive made of them.

#[test]
fn what_stands_before_damage_is_shown_however_little_it_is() {
    let folder = tempdir().unwrap();
    // Short words of few letters: no program stores them as they are.
    let mut dice = Dice(2);
    let words: Vec<u8> = (0..3_000).map(|_| b"abcd"[usize::try_from(dice.below(4)).unwrap()]).collect();
    std::fs::write(folder.path().join("f"), &words).unwrap();
    for (program, options) in [("gzip", "-nc"), ("bzip2", "-c"), ("zstd", "-qc"), ("lz4", "-qc")] {
        let whole = run(folder.path(), program, &[options, "f"]);
        // The checksum at the end, which bzip2 has bits behind.
        let mut damaged = whole.clone();
        let at = damaged.len() - if program == "gzip" { 8 } else { 4 };
        damaged[at] ^= 0x40;
        let seen = opened("f.x", &damaged);
        assert!(seen.file("f.x!/f") == words, "{program}");
        assert_eq!(seen.gaps.len(), 1, "{program}");
    }
    // A gzip that goes wrong behind a few words is none that proves to be one; they are shown.
    let short = run(folder.path(), "sh", &["-c", "head -c 100 f | gzip -nc"]);
    let mut damaged = short.clone();
    damaged[short.len() - 8] ^= 1;
    assert!(opened("f.gz", &damaged).file("f.gz!/f") == &words[..100]);
    // Two objects of a pack, of which the second is damaged.
    run(folder.path(), "git", &["init", "-q", "."]);
    let pack = run(folder.path(), "sh", &["-c", "git hash-object -w f | git pack-objects -q --stdout"]);
    let mut damaged = pack.clone();
    // The pack's own digest, and the object's checksum in front of it.
    damaged[pack.len() - 21] ^= 1;
    let seen = opened("x.pack", &damaged);
    assert!(seen.file("x.pack!/blob at 12") == words);
    assert_eq!(seen.gaps.len(), 1);
}

#[test]
fn behind_damage_nothing_is_taken_for_an_archive_that_lies_where_reading_stopped() {
    let folder = tempdir().unwrap();
    std::fs::write(folder.path().join("f"), SECRET).unwrap();
    let mut damaged = run(folder.path(), "bzip2", &["-c", "f"]);
    let end = damaged.len();
    damaged[end - 4] ^= 0xff;
    damaged.extend(run(folder.path(), "gzip", &["-nc", "f"]));
    let whole = opened("f", &damaged);
    for step in [1, 7, 100] {
        let mut slow = Slowly(&damaged, step);
        let pieces = entry_of("f", &mut slow, false);
        assert_eq!((&pieces.entries, pieces.said()), (&whole.entries, whole.said()));
        assert!(pieces.files == whole.files, "in pieces of {step}");
    }
}

/// Gives so many bytes at a time.
struct Slowly<'a>(&'a [u8], usize);

impl std::io::Read for Slowly<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let most = self.1.min(out.len());
        self.0.read(&mut out[..most])
    }
}

fn tree() -> tempfile::TempDir {
    let folder = tempdir().unwrap();
    std::fs::create_dir(folder.path().join("dir")).unwrap();
    std::fs::write(folder.path().join("a"), SECRET).unwrap();
    std::fs::write(folder.path().join("dir/b"), [&vec![b'-'; 400_000][..], SECRET].concat()).unwrap();
    folder
}

#[test]
fn a_tar_in_a_gzip_in_a_zip_in_a_tar_names_every_step() {
    let folder = tree();
    run(folder.path(), "tar", &["-czf", "c.tar.gz", "a", "dir"]);
    python(folder.path(), "import zipfile\nz=zipfile.ZipFile('d.zip','w')\nz.write('c.tar.gz','x/c.tar.gz')");
    let tar = run(folder.path(), "tar", &["-cf", "-", "d.zip"]);
    let seen = opened("e.tar", &tar);
    assert_eq!(seen.file("e.tar!/d.zip!/x/c.tar.gz!/a"), SECRET);
    assert!(seen.file("e.tar!/d.zip!/x/c.tar.gz!/dir/b").ends_with(SECRET));
    clean(&seen);
}

#[test]
fn cpio_in_both_forms_is_read_and_what_is_behind_its_trailer() {
    let folder = tree();
    let newc = |files: &[(&str, &[u8], u32)]| {
        let mut out = Vec::new();
        for (name, content, mode) in files.iter().chain([&("TRAILER!!!", &b""[..], 0)]) {
            out.extend(
                format!(
                    "070701{:08x}{mode:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}",
                    1,
                    0,
                    0,
                    1,
                    0,
                    content.len(),
                    0,
                    0,
                    0,
                    0,
                    name.len() + 1,
                    0
                )
                .bytes(),
            );
            out.extend_from_slice(name.as_bytes());
            out.push(0);
            out.resize(out.len().next_multiple_of(4), 0);
            out.extend_from_slice(content);
            out.resize(out.len().next_multiple_of(4), 0);
        }
        out.resize(out.len().next_multiple_of(512), 0);
        out
    };
    let odc = |files: &[(&str, &[u8], u32)]| {
        let mut out = Vec::new();
        for (name, content, mode) in files.iter().chain([&("TRAILER!!!", &b""[..], 0)]) {
            out.extend(
                format!(
                    "070707{:06o}{:06o}{mode:06o}{:06o}{:06o}{:06o}{:06o}{:011o}{:06o}{:011o}",
                    1,
                    1,
                    0,
                    0,
                    1,
                    0,
                    0,
                    name.len() + 1,
                    content.len()
                )
                .bytes(),
            );
            out.extend_from_slice(name.as_bytes());
            out.push(0);
            out.extend_from_slice(content);
        }
        out
    };
    let files: &[(&str, &[u8], u32)] =
        &[("dir", b"", 0o40755), ("a", SECRET, 0o100_644), ("l", b"a", 0o120_777), ("odd", b"x", 0o100_644)];
    for cpio in [newc(files), odc(files)] {
        let seen = opened("x.cpio", &cpio);
        assert_eq!((seen.file("x.cpio!/a"), seen.file("x.cpio!/odd")), (SECRET, &b"x"[..]));
        assert_eq!(seen.entries.len(), 4);
        clean(&seen);
    }
    // As an initial RAM disk: microcode, then a compressed archive.
    std::fs::write(folder.path().join("in"), newc(files)).unwrap();
    let initrd = [newc(&[("kernel/x", b"microcode", 0o100_644)]), run(folder.path(), "gzip", &["-nc", "in"])].concat();
    let seen = opened("initrd.img", &initrd);
    assert_eq!(seen.file("initrd.img!/kernel/x"), b"microcode");
    assert_eq!(seen.file("initrd.img!/rest!/a"), SECRET);
    clean(&seen);
    // And as an RPM's payload.
    std::fs::write(folder.path().join("in"), newc(files)).unwrap();
    let header = |entries: u32, bytes: u32| {
        [
            &[0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0][..],
            &entries.to_be_bytes(),
            &bytes.to_be_bytes(),
            &vec![1; (entries * 16 + bytes) as usize],
        ]
        .concat()
    };
    for (program, options) in [("gzip", "-nc"), ("xz", "-c"), ("zstd", "-qc"), ("bzip2", "-c"), ("lzma", "-c")] {
        let mut rpm = [&[0xed, 0xab, 0xee, 0xdb, 3, 0][..], &[0; 90], &header(3, 13)].concat();
        rpm.resize(rpm.len().next_multiple_of(8), 0);
        rpm.extend(header(2, 77));
        rpm.extend(run(folder.path(), program, &[options, "in"]));
        let seen = opened("x.rpm", &rpm);
        assert_eq!(seen.file("x.rpm!/payload!/a"), SECRET, "{program}");
        clean(&seen);
    }
}

#[test]
fn ar_is_read_with_the_long_names_of_gnu_and_bsd() {
    let folder = tree();
    let long = "a_name_that_is_longer_than_sixteen_bytes.o";
    std::fs::write(folder.path().join(long), SECRET).unwrap();
    run(folder.path(), "ar", &["rc", "x.a", "a", long]);
    let seen = opened("x.a", &std::fs::read(folder.path().join("x.a")).unwrap());
    assert_eq!((seen.file("x.a!/a"), seen.file(&format!("x.a!/{long}"))), (SECRET, SECRET));
    clean(&seen);
    let bsd = [
        b"!<arch>\n#1/20           0           0     0     100644  25        `\n".as_slice(),
        b"twenty bytes of name",
        b"hello\n",
    ]
    .concat();
    let seen = opened("x.a", &bsd);
    assert_eq!(seen.file("x.a!/twenty bytes of name"), b"hello");
    clean(&seen);
}

#[test]
fn a_package_of_debian_is_opened_to_its_files() {
    let folder = tree();
    std::fs::create_dir_all(folder.path().join("pkg/DEBIAN")).unwrap();
    std::fs::write(folder.path().join("pkg/DEBIAN/control"), "Package: x\n").unwrap();
    std::fs::rename(folder.path().join("a"), folder.path().join("pkg/a")).unwrap();
    run(folder.path(), "tar", &["-C", "pkg/DEBIAN", "-cJf", "control.tar.xz", "."]);
    run(folder.path(), "tar", &["-C", "pkg", "--exclude=DEBIAN", "-cJf", "data.tar.xz", "."]);
    std::fs::write(folder.path().join("debian-binary"), "2.0\n").unwrap();
    run(folder.path(), "ar", &["rc", "x.deb", "debian-binary", "control.tar.xz", "data.tar.xz"]);
    let seen = opened("x.deb", &std::fs::read(folder.path().join("x.deb")).unwrap());
    assert_eq!(seen.file("x.deb!/data.tar.xz!/./a"), SECRET);
    assert_eq!(seen.file("x.deb!/control.tar.xz!/./control"), b"Package: x\n");
    clean(&seen);
}

#[test]
fn values_of_a_database_that_span_pages_are_put_together_whatever_the_size_of_its_pages() {
    for size in [512, 4096, 65536] {
        let folder = tempdir().unwrap();
        python(
            folder.path(),
            &format!(
                "import sqlite3\nd=sqlite3.connect('x.db')\nd.execute('pragma page_size={size}')\n\
                 d.execute('create table t(k text, v text)')\nd.execute('create index i on t(v)')\n\
                 for i in range(50):\n d.execute('insert into t values(?,?)',(str(i),'<%d:'%i+'0123456789'*(i*100)+':%d>'%i))\n\
                 d.execute('delete from t where k%3=0')\n\
                 for i in range(50,60):\n d.execute('insert into t values(?,?)',(str(i),'<%d:'%i+'0123456789'*(i*100)+':%d>'%i))\n\
                 d.commit()"
            ),
        );
        let seen = opened("x.db", &std::fs::read(folder.path().join("x.db")).unwrap());
        clean(&seen);
        for i in (1..60).filter(|i| i % 3 != 0 || *i >= 50) {
            let value = format!("<{i}:{}:{i}>", "0123456789".repeat(i * 100));
            let long = seen.files.values().filter(|file| file.len() >= value.len());
            let whole = long.filter(|file| memchr::memmem::find(file, value.as_bytes()).is_some());
            assert!(whole.count() >= 1, "page size {size}, value {i}");
        }
    }
}

#[test]
fn every_object_of_a_repository_is_seen_loose_and_packed() {
    let folder = tempdir().unwrap();
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=n", "-c", "user.email=n@localhost", "-c", "gc.auto=0"];
        run(folder.path(), "git", &[&identity[..], arguments].concat())
    };
    git(&["init", "-q"]);
    let mut text: Vec<String> = (0..2000).map(|line| format!("line {line}")).collect();
    for version in 0..20 {
        text[version * 90] = format!("secret of version {version}");
        std::fs::write(folder.path().join("f"), text.join("\n")).unwrap();
        git(&["add", "f"]);
        git(&["commit", "-qm", &format!("message {version}")]);
    }
    let mut versions = Vec::new();
    for version in 0..20 {
        let id = String::from_utf8(git(&["rev-parse", &format!("HEAD~{}:f", 19 - version)])).unwrap().trim().to_owned();
        let content = git(&["cat-file", "blob", &id]);
        let loose = std::fs::read(folder.path().join(format!(".git/objects/{}/{}", &id[..2], &id[2..]))).unwrap();
        let seen = opened("object", &loose);
        assert!(seen.file("object!/blob") == content);
        clean(&seen);
        versions.push((id, content));
    }
    for options in [&["--delta-base-offset"][..], &[]] {
        let list: String = versions.iter().map(|(id, _)| format!("{id}\n")).collect();
        std::fs::write(folder.path().join("list"), list).unwrap();
        let script = format!("git pack-objects -q --no-reuse-delta {} --stdout < list", options.join(" "));
        let pack = run(folder.path(), "sh", &["-c", &script]);
        assert!(pack.len() < 40_000, "as deltas: {}", pack.len());
        let seen = opened("x.pack", &pack);
        for (id, content) in &versions {
            assert!(seen.file(&format!("x.pack!/blob {id}")) == content);
        }
        clean(&seen);
    }
}

#[test]
fn a_delta_whose_base_is_not_in_the_pack_is_shown_as_it_is_and_counted() {
    let folder = tempdir().unwrap();
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=n", "-c", "user.email=n@localhost"];
        run(folder.path(), "git", &[&identity[..], arguments].concat())
    };
    git(&["init", "-q"]);
    let text: String = (0..3000).map(|line| format!("line {line}\n")).collect();
    for more in ["", "the secret that is looked for"] {
        std::fs::write(folder.path().join("f"), format!("{text}{more}")).unwrap();
        git(&["add", "f"]);
        git(&["commit", "-qm", "m"]);
    }
    let script = "printf 'HEAD\\n^HEAD~1\\n' | git pack-objects -q --thin --revs --stdout";
    let seen = opened("x.pack", &run(folder.path(), "sh", &["-c", script]));
    let deltas: Vec<_> = seen.files.iter().filter(|(name, _)| name.starts_with("x.pack!/delta at ")).collect();
    assert!(deltas.iter().any(|(_, content)| memchr::memmem::find(content, SECRET).is_some()));
    assert_eq!(seen.gaps, [("x.pack".to_owned(), Gap::Bases(deltas.len() as u64))]);
}

#[test]
fn a_database_larger_than_what_is_in_memory_is_read_and_a_value_that_is_larger_is_counted() {
    let folder = tempdir().unwrap();
    let values = MAX_SQLITE / 100_000 + 200;
    let script = format!(
        "import sqlite3\nd=sqlite3.connect('x.db')\nd.execute('create table t(v text)')\n\
         for i in range({values}):\n d.execute('insert into t values(?)',('<%d:'%i+'x'*100000+':%d>'%i,))\n\
         d.commit()\nd.execute('insert into t values(?)',('y'*{MAX_SQLITE},))\nd.commit()"
    );
    python(folder.path(), &script);
    let seen = opened("x.db", &std::fs::read(folder.path().join("x.db")).unwrap());
    let whole = seen.files.iter().filter(|(name, content)| name.starts_with("x.db!/page") && content.ends_with(b">"));
    assert_eq!(whole.count() as u64, values);
    assert_eq!(seen.gaps, [("x.db".to_owned(), Gap::Pages(1))]);
}
