use super::*;
use std::process::Command;

fn read(text: &str) -> Result<Vec<(String, Option<String>)>, BadConfig> {
    variables(text).map(|found| found.into_iter().map(|variable| (variable.name, variable.value)).collect())
}

/// What Git itself makes of a text; `None` where it refuses it.
fn by_git(folder: &std::path::Path, text: &str) -> Option<Vec<(String, Option<String>)>> {
    let file = folder.join("config");
    std::fs::write(&file, text).unwrap();
    let mut git = Command::new("git");
    git.args(["config", "--no-includes", "-z", "--list", "--file"]).arg(&file).current_dir(folder);
    let out = git.env("GIT_CEILING_DIRECTORIES", folder).output().expect("git cannot be run: install the package git");
    let listed = String::from_utf8(out.stdout).unwrap();
    let entries = listed.split_terminator('\0').map(|entry| match entry.split_once('\n') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (entry.to_owned(), None),
    });
    out.status.success().then(|| entries.collect())
}

fn same(folder: &std::path::Path, text: &str) {
    assert_eq!(read(text).ok(), by_git(folder, text), "{text:?}");
}

#[test]
fn a_file_is_read_as_git_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    for text in [
        "",
        "[core]\n\tbare = false\n[remote \"origin\"]\n\turl = git@h.example:o/r.git\n",
        "\u{feff}[a]\nb = c\n",
        "[a] b = c\r\n\td = e\r\n",
        "[Url \"ssh://Git@H.example/\"]\nINSTEADOF=https://h.example/\n",
        "[a \"x \\\"y\\\\ [z] # ;\"]\nb\nc=\nd = \n",
        "[a.B.c]\nd = e\n",
        "[a]\nb = \"x # ; y\" # c\nc = x \" y \" z ; d\nd = \"a\" \"b\"\n",
        "[a]\nb = one \\\n  two\nc = \\t\\n\\b\\\\\\\"x\n",
        "[a]\nb = x   \t # c\nc =   \"  \"  \n",
        "[a]\nb = x \\",
        "[a]\nb = x \\\n",
        "# c\n; d\n  [a]  b=1\n",
        "[a]b=1[c]\n",
        "[a]\nb-c = 1\n",
        "[a]\nb.c = 1\n",
        "[a]\nb_c = 1\n",
        "[a]\n1b = 1\n",
        "b = 1\n",
        "[a]\nb = \"x\n",
        "[a]\nb = \\x\n",
        "[a \"x]\nb = 1\n",
        "[a\nb = 1\n",
        "[a \"x\" ]\nb = 1\n",
        "[a b]\nc = 1\n",
        "[a  \t \"x\"]\nc = 1\n",
        "[a \"\"]\nc = 1\n",
        "[]\na = 1\n",
        "[ \"x\"]\na = 1\n",
        "[.]\na = 1\n",
        "[ü]\na = 1\n",
        "[a]\nb = ü\n",
        "[a]\nb c = 1\n",
        "[a]\nb\t=\t1\n",
        "[a]\nb\u{b}= 1\n",
        "[a]\nb = x\u{b}y\u{c}\n",
        "[a]\nb = x\ry\n",
        "[a]\nb \r\n",
        "[a]\nb",
        "[a",
        "[a \"",
        "[a]\nb = ;\n",
        "]",
    ] {
        same(folder.path(), text);
    }
}

#[test]
fn pieces_put_together_in_any_order_are_read_as_git_reads_them() {
    const PIECES: [&str; 22] = [
        "[a]",
        "[a \"B\"]",
        "[b.C]",
        "\n",
        "\n",
        "\n",
        " ",
        "\t",
        "b",
        "c-d",
        " = ",
        "=",
        "\"",
        "\\",
        "\\\n",
        "\\n",
        "#",
        ";",
        "]",
        "x y",
        "\r\n",
        "é",
    ];
    let folder = tempfile::tempdir().unwrap();
    // A fixed row of numbers (Knuth's MMIX constants): each run compares the same texts.
    let mut state: u64 = 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap()
    };
    let mut taken = 0;
    for _ in 0..400 {
        let mut text = String::from(if next() % 4 == 0 { "" } else { "[s]\nk = " });
        for _ in 0..next() % 10 {
            text.push_str(PIECES[next() % PIECES.len()]);
        }
        same(folder.path(), &text);
        taken += usize::from(read(&text).is_ok_and(|found| !found.is_empty()));
    }
    assert!(taken > 100, "only {taken} texts were of use");
}

#[test]
fn a_variable_knows_its_line_and_its_subsection() {
    let text = "[remote \"a.b\"]\r\n\n  # c\n  URL = x\\\n y\n  fetch\n";
    let found = variables(text).unwrap();
    let lines: Vec<usize> = found.iter().map(|variable| variable.line).collect();
    assert_eq!(lines, [4, 6]);
    assert_eq!(found.first().unwrap().subsection("remote", "url"), Some("a.b"));
    assert_eq!(found.first().unwrap().subsection("remote", "fetch"), None);
    assert_eq!(found.first().unwrap().section(), "remote");
}

#[test]
fn the_line_of_what_is_wrong_is_named() {
    assert_eq!(variables("[a]\nb = 1\n?\n").unwrap_err().line, 3);
    assert_eq!(variables("[a]\n\nb = \"x\n").unwrap_err().line, 3);
}
