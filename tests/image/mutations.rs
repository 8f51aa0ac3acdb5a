//! Archives with bytes changed, cut out or repeated: whatever is said, nothing panics, every
//! byte is shown, and it ends.

use tempfile::tempdir;

use super::seen::{Dice, opened, python, run};

/// One small archive of each kind.
fn corpus() -> Vec<Vec<u8>> {
    let folder = tempdir().unwrap();
    python(
        folder.path(),
        "import sqlite3,zipfile,zlib\nopen('f','w').write(''.join('line %d\\n'%i for i in range(300)))\n\
         d=sqlite3.connect('x.db'); d.execute('pragma page_size=512'); d.execute('create table t(v text)')\n\
         for i in range(9): d.execute('insert into t values(?)',(str(i)*900,))\n\
         d.commit()\n\
         z=zipfile.ZipFile('x.zip','w',zipfile.ZIP_DEFLATED); z.write('f'); z.write('x.db'); z.close()\n\
         open('object','wb').write(zlib.compress(b'blob 5\\0hello'))\n\
         h=lambda n,c:b'070701'+b''.join(b'%08x'%v for v in (1,33188,0,0,1,0,len(c),0,0,0,0,len(n)+1,0))\n\
         p=lambda b:b+bytes(-len(b)%4)\n\
         cpio=b''.join(p(h(n,c)+n+b'\\0')+p(c) for n,c in ((b'a',b'hello'),(b'TRAILER!!!',b'')))\n\
         open('x.cpio','wb').write(cpio)\n\
         head=bytes([0x8e,0xad,0xe8,1,0,0,0,0,0,0,0,1,0,0,0,8])+bytes(24)\n\
         open('x.rpm','wb').write(bytes([0xed,0xab,0xee,0xdb,3])+bytes(91)+head+head+cpio)",
    );
    run(folder.path(), "tar", &["--format=pax", "-cf", "x.tar", "f", "x.zip"]);
    run(folder.path(), "ar", &["rc", "x.a", "f", "object", "x.zip"]);
    run(folder.path(), "git", &["init", "-q", "."]);
    run(
        folder.path(),
        "sh",
        &["-c", "(cat f; echo more) > g; git hash-object -w f g | git pack-objects -q --stdout > x.pack"],
    );
    let names = ["x.db", "x.zip", "object", "x.cpio", "x.rpm", "x.tar", "x.a", "x.pack"];
    let mut corpus: Vec<_> = names.iter().map(|name| std::fs::read(folder.path().join(name)).unwrap()).collect();
    for (program, option) in
        [("gzip", "-nc"), ("xz", "-c"), ("bzip2", "-c"), ("zstd", "-qc"), ("lzma", "-c"), ("lz4", "-qc")]
    {
        corpus.push(run(folder.path(), program, &[option, "x.tar"]));
    }
    corpus
}

#[test]
fn archives_that_were_changed_at_random_are_read_to_their_end() {
    let mut dice = Dice(4711);
    for original in corpus() {
        assert!(opened("x", &original).gaps.is_empty());
        for _ in 0..150 {
            let mut bytes = original.clone();
            for _ in 0..1 + dice.below(6) {
                let at = usize::try_from(dice.below(bytes.len() as u64)).unwrap();
                match dice.below(6) {
                    0 => bytes[at] = 0xff,
                    1 => bytes[at] = 0,
                    2 => bytes[at] ^= 1 << dice.below(8),
                    3 => bytes.truncate(at.max(1)),
                    4 => {
                        let end = bytes.len().min(at + 40);
                        bytes.extend_from_within(at..end);
                    }
                    _ => {
                        let end = bytes.len().min(at + 8);
                        bytes[at..end].fill(0xff);
                    }
                }
            }
            let shown = opened("x", &bytes);
            assert!(shown.streams.iter().any(|stream| stream.1 == bytes));
            assert!(shown.streams.iter().all(|stream| stream.2), "every stream ends");
        }
    }
}
