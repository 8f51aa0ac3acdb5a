//! Checking and mending a file: the first byte chooses what it is. Nothing panics, every finding lies in
//! the file, a mended file has nothing left that can be mended, and what is not of a fix stays.

use valetkey::check::around::{Around, Given};
use valetkey::check::file::Kind;
use valetkey::check::look::{fixed, look};
use valetkey::hosts::Hosts;

const KINDS: [(Kind, &str); 6] = [
    (Kind::Dockerfile, "Dockerfile"),
    (Kind::Compose, "compose.yaml"),
    (Kind::Bake, "docker-bake.hcl"),
    (Kind::Bake, "docker-bake.json"),
    (Kind::Workflow, ".github/workflows/ci.yml"),
    (Kind::Gitlab, ".gitlab-ci.yml"),
];

pub(crate) fn check(data: &[u8]) {
    let Some((first, text)) = data.split_first() else { return };
    let (kind, name) = KINDS[usize::from(*first) % KINDS.len()];
    let (files, hosts) = (Given::new(&[(".env", "A=b"), ("id_rsa", "")]), Hosts::builtin());
    let around = Around { files: &files, hosts: &hosts };
    let Ok(looked) = look(name, text, kind, &around) else { return };
    let lines = text.iter().filter(|byte| **byte == b'\n').count() + 1;
    for finding in looked.findings.iter().chain(looked.ignored.iter().map(|ignored| &ignored.finding)) {
        assert!(finding.line >= 1 && finding.end_line <= lines, "{finding:?}");
        assert!((finding.line, finding.column) <= (finding.end_line, finding.end_column), "{finding:?}");
        assert!(!finding.message.contains(char::is_control), "{finding:?}");
    }
    let (once, made) = fixed(name, text, kind, &around).expect("what was read before");
    if made == 0 {
        assert_eq!(once, text);
        return;
    }
    assert_ne!(once, text, "a fix that changes nothing");
    // A mended file can be read as what it was, and is not mended again.
    let (twice, again) = fixed(name, &once, kind, &around).expect("a mended file is of its kind");
    assert_eq!((String::from_utf8_lossy(&twice), again), (String::from_utf8_lossy(&once), 0));
}
