//! `folder-carried`: homes and folders of keys that a final stage takes from another one.

use std::collections::HashSet;

use crate::check::dockerfile::Dockerfile;
use crate::check::file::File;
use crate::check::finding::{Found, Severity};
use crate::check::key_files;
use crate::check::rule::{Example, Rule};
use crate::check::variables::{self, MAX_PARENTS};
use crate::wire::text::shown;

pub(super) const RULE: Rule = Rule {
    id: "folder-carried",
    about: "a home or a folder of keys, carried from one stage into the image",
    why: "whatever tools left there goes along: keys, known_hosts, Git's and package managers' credentials.",
    remedy: "copy the files that the image needs by their names, as `/root/.local/bin`; a lent key needs no file in any stage",
    severity: Severity::Warning,
    check,
    examples: &[
        Example::new("Dockerfile", "FROM a AS b\nFROM c\nCOPY --from=b «/root» /root\n"),
        Example::new(
            "Dockerfile",
            "FROM a AS b\nFROM c\nCOPY --from=b «/root/.ssh/» /root/.ssh/\nCOPY --from=0 «/home/app/» «~/.ssh» /x/\n",
        ),
        Example::new("Dockerfile", "FROM a AS b\nFROM c\nARG FROM=/root\nCOPY --from=b «$FROM» /root\n"),
        Example::new(
            "Dockerfile",
            "FROM a AS b\nFROM c\nCOPY --from=b /root/.local /root/.local\nCOPY --from=b /root/go/bin/x /usr/bin/\nCOPY --from=b / /\nCOPY root /root\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a AS b\nWORKDIR /home/app\nFROM c\nCOPY --from=b /home/app /home/app\nCOPY --from=registry.example.com/tools:1 /root /root\n",
        ),
        Example::new("Dockerfile", "FROM a AS b\nFROM c AS d\nCOPY --from=b /root /root\nFROM e\n"),
    ],
};

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    let worked_in = worked_in(&file.dockerfile);
    variables::each(&file.dockerfile, |index, stage, instruction, variables| {
        let Some(from) = instruction.flag("from").filter(|_| stage.is_kept && instruction.keyword == "COPY") else {
            return;
        };
        let from = variables.expand(from);
        let Some(from) = std::str::from_utf8(&from).ok().and_then(|from| file.dockerfile.stage(from, index)) else {
            return;
        };
        let sources = instruction.words.split_last().map_or(&[][..], |(_, sources)| sources);
        for source in sources {
            let path = variables.expand(&source.text);
            let message = if key_files::is_folder(&path) {
                format!("{} holds keys, and is carried into the image", shown(&path))
            } else if is_home(&path) && !is_worked_in(&file.dockerfile, &worked_in, from, &path) {
                format!("the whole home {} is carried into the image, with whatever tools left there", shown(&path))
            } else {
                continue;
            };
            found.push(Found::new(source.span.clone(), message));
        }
    });
}

/// `/root`, `/home`, `/home/NAME`, `~`; with or without what stands for everything in it.
fn is_home(path: &[u8]) -> bool {
    let path = plain(path);
    if matches!(path, b"/root" | b"root" | b"/home" | b"~" | b"$HOME" | b"${HOME}") {
        return true;
    }
    path.strip_prefix(b"/home/").is_some_and(|name| !name.is_empty() && !name.contains(&b'/'))
}

fn plain(path: &[u8]) -> &[u8] {
    let path = path.strip_suffix(b"/*").or_else(|| path.strip_suffix(b"/.")).unwrap_or(path);
    path.strip_suffix(b"/").unwrap_or(path)
}

/// The homes that each stage works in: they are the application's folders.
fn worked_in(file: &Dockerfile) -> HashSet<(usize, &[u8])> {
    let stages = file.stages.iter().enumerate();
    let folders =
        stages.flat_map(|(index, stage)| stage.instructions.iter().map(move |instruction| (index, instruction)));
    let folders = folders.filter(|(_, instruction)| instruction.keyword == "WORKDIR");
    folders.map(|(index, folder)| (index, plain(folder.rest.text.trim_ascii()))).collect()
}

/// Whether the stage, or one that it is built from, works there.
fn is_worked_in(file: &Dockerfile, worked_in: &HashSet<(usize, &[u8])>, stage: usize, path: &[u8]) -> bool {
    let mut next = Some(stage);
    for _ in 0..MAX_PARENTS {
        let Some(index) = next else { return false };
        if worked_in.contains(&(index, plain(path))) {
            return true;
        }
        next = file.stages.get(index).and_then(|stage| stage.parent);
    }
    false
}
