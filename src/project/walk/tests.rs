use std::collections::BTreeMap;
use std::fs;

use super::*;

/// Files in memory.
#[derive(Default)]
struct Memory(BTreeMap<String, Vec<u8>>);

impl Memory {
    fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect())
    }
}

impl Files for Memory {
    fn list(&self, folder: &str) -> std::io::Result<Vec<(String, bool)>> {
        let inside = self.0.keys().filter_map(|path| match folder {
            "" => Some(path.as_str()),
            folder => path.strip_prefix(folder)?.strip_prefix('/'),
        });
        let names: BTreeSet<(String, bool)> = inside
            .map(|path| match path.split_once('/') {
                Some((name, _)) => (name.to_owned(), true),
                None => (path.to_owned(), false),
            })
            .collect();
        Ok(names.into_iter().collect())
    }

    fn read(&self, file: &str, max: usize) -> std::io::Result<Option<Vec<u8>>> {
        Ok(self.0.get(file).map(|bytes| bytes[..bytes.len().min(max + 1)].to_vec()))
    }
}

fn why(reading: &Reading) -> String {
    reading.unread.iter().map(|unread| format!("{} {}\n", unread.place, unread.why)).collect()
}

const A: &str = "git+ssh://git@h.example/org/a.git\n";

#[test]
fn files_are_read_where_they_lie_and_in_folders_of_other_people_they_are_not() {
    let mut files = Memory::of(&[("requirements.txt", A), ("a/b/requirements.txt", A)]);
    for folder in SKIPPED {
        files.0.insert(format!("{folder}/requirements.txt"), A.into());
    }
    let reading = read_from(&files).unwrap();
    assert_eq!(reading.files, ["a/b/requirements.txt", "requirements.txt"]);
    assert_eq!(reading.needs.len(), 2);
}

#[test]
fn files_that_name_each_other_are_read_once() {
    let files =
        Memory::of(&[("requirements.txt", "-r b.txt\n"), ("b.txt", "-r requirements.txt\n-r b.txt\n-r gone.txt\n")]);
    let reading = read_from(&files).unwrap();
    assert_eq!(reading.files, ["requirements.txt", "b.txt"]);
    assert_eq!(why(&reading), "b.txt:3 it names a file that is not there\n");
}

#[test]
fn a_chain_at_the_limit_is_followed_and_a_longer_one_is_told() {
    let chain = |length: usize| {
        let mut files = Memory::of(&[("requirements.txt", "-r 1.txt\n")]);
        for at in 1..length {
            files.0.insert(format!("{at}.txt"), format!("-r {}.txt\n", at + 1).into());
        }
        files.0.insert(format!("{length}.txt"), A.into());
        let reading = read_from(&files).unwrap();
        (reading.needs.len(), reading.unread.len())
    };
    assert_eq!(chain(MAX_CHAIN), (1, 0));
    assert_eq!(chain(MAX_CHAIN + 1), (0, 1));
}

#[test]
fn a_folder_at_the_deepest_is_looked_at_and_one_below_it_is_told() {
    let deep = |depth: usize| {
        let files = Memory::of(&[(&format!("{}requirements.txt", "a/".repeat(depth)), A)]);
        let reading = read_from(&files).unwrap();
        (reading.needs.len(), reading.unread.len())
    };
    assert_eq!(deep(MAX_DEPTH), (1, 0));
    assert_eq!(deep(MAX_DEPTH + 1), (0, 1));
}

#[test]
fn as_many_files_as_the_limit_are_read_and_one_more_is_told() {
    let many = |count: usize| {
        let files = Memory((0..count).map(|at| (format!("requirements{at:05}.txt"), Vec::new())).collect());
        let reading = read_from(&files).unwrap();
        (reading.files.len(), reading.unread.len())
    };
    assert_eq!(many(MAX_FILES), (MAX_FILES, 0));
    assert_eq!(many(MAX_FILES + 2), (MAX_FILES, 1));
}

#[test]
fn a_file_at_the_limit_is_read_and_a_longer_one_is_told() {
    let long = |length: usize| {
        let reading =
            read_from(&Memory(BTreeMap::from([("requirements.txt".to_owned(), vec![b'#'; length])]))).unwrap();
        (reading.files.len(), reading.unread.len())
    };
    assert_eq!(long(MAX_FILE), (1, 0));
    assert_eq!(long(MAX_FILE + 1), (0, 1));
}

#[test]
fn as_many_bytes_as_the_limit_are_read_and_the_files_behind_them_are_told() {
    let many = |count: usize| {
        let long = vec![b'#'; MAX_FILE];
        let files = Memory((0..count).map(|at| (format!("requirements{at}.txt"), long.clone())).collect());
        let reading = read_from(&files).unwrap();
        (reading.files.len(), reading.unread.len())
    };
    let fitting = MAX_BYTES / MAX_FILE;
    assert_eq!(many(fitting + 1), (fitting, 1));
}

/// As many entries as asked for, none of which is read.
struct Entries(usize);

impl Files for Entries {
    fn list(&self, _: &str) -> std::io::Result<Vec<(String, bool)>> {
        Ok((0..self.0).map(|at| (at.to_string(), false)).collect())
    }
    fn read(&self, _: &str, _: usize) -> std::io::Result<Option<Vec<u8>>> {
        Ok(None)
    }
}

#[test]
fn as_many_entries_as_the_limit_are_looked_at_and_one_more_is_told() {
    assert_eq!(read_from(&Entries(MAX_ENTRIES)).unwrap().unread.len(), 0);
    assert_eq!(read_from(&Entries(MAX_ENTRIES + 1)).unwrap().unread.len(), 1);
}

#[test]
fn what_is_not_utf_8_is_told_and_a_mark_before_the_text_is_not_in_its_way() {
    let reading = read_from(&Memory(BTreeMap::from([("requirements.txt".to_owned(), vec![0xff])]))).unwrap();
    assert_eq!(why(&reading), "requirements.txt:1 the file is not UTF-8, and was not read\n");
    let reading = read_from(&Memory::of(&[("requirements.txt", &format!("\u{feff}{A}"))])).unwrap();
    assert_eq!(reading.needs.len(), 1);
}

#[test]
fn a_link_is_followed_inside_the_project_and_told_outside() {
    let folder = tempfile::tempdir().unwrap();
    let (outside, root) = (folder.path().join("secret.txt"), folder.path().join("project"));
    fs::create_dir_all(root.join("real")).unwrap();
    fs::write(&outside, A).unwrap();
    fs::write(root.join("real/base.txt"), A).unwrap();
    let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, root.join(name)).unwrap();
    link(Path::new("real/base.txt"), "requirements.txt");
    link(&outside, "requirements-out.txt");
    link(Path::new("requirements-loop.txt"), "requirements-loop.txt");
    // A link to a folder is not walked over, or it could lead round.
    link(Path::new("."), "round");
    let reading = read(&root).unwrap();
    assert_eq!(reading.files, ["requirements.txt"]);
    assert!(why(&reading).contains("requirements-out.txt:1"), "{}", why(&reading));
}

#[test]
fn what_is_no_plain_file_is_not_opened_for_ever() {
    let root = tempfile::tempdir().unwrap();
    let fifo = root.path().join("requirements.txt");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    fs::write(root.path().join("constraints.txt"), "-r requirements.txt\n").unwrap();
    fs::create_dir(root.path().join("requirements-dir.txt")).unwrap();
    assert_eq!(read(root.path()).unwrap().files, ["constraints.txt"]);
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    assert!(matches!(read(Path::new("/nowhere/at/all")), Err(ProjectError::Folder { .. })));
}
