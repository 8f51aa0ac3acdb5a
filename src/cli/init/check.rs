//! `valetkey init --check`: whether the config covers what the files need. Writes nothing.

use super::{MAX_SHOWN, Project, counted, shown};
use crate::exit::Code;
use crate::ui::{self, Failure};

/// Tells what is missing, what is too much, and what could not be read.
pub(super) fn run(project: &Project) -> Result<u8, Failure> {
    let missing = project.missing();
    for wish in missing.iter().take(MAX_SHOWN) {
        for (place, what) in wish.places.iter().take(3) {
            ui::line(&format!("{place}: {what} needs {}, which no grant covers", wish.address));
        }
        if wish.tries_https {
            ui::line(&format!("  where it is public, write: # no grant for {}", wish.address));
        }
    }
    if missing.len() > MAX_SHOWN {
        ui::line(&format!("and {} more", missing.len() - MAX_SHOWN));
    }
    for grant in project.unneeded().into_iter().take(MAX_SHOWN) {
        let repos: Vec<String> = grant.repos.iter().map(ToString::to_string).collect();
        let hosts: Vec<String> = grant.hosts.iter().map(ToString::to_string).collect();
        ui::note(&format!("no file names {} ({}), which is granted", repos.join(", "), hosts.join(", ")));
    }
    shown(project.reading.unread.iter().map(|one| format!("{}: {}", one.place, one.why)));
    if !missing.is_empty() {
        let message = format!(
            "{} does not cover {}",
            project.path.display(),
            counted(missing.len(), "repository", "repositories")
        );
        return Err(Failure::new(Code::Findings, message).with_hint("valetkey init shows what to add, and adds it"));
    }
    if !project.reading.unread.is_empty() {
        let message = "nothing is missing in what could be read, and not everything could be";
        return Err(Failure::new(Code::NotAllRead, message));
    }
    let files = counted(project.reading.files.len(), "file", "files");
    ui::note(&match project.text {
        Some(_) => format!("{} covers all that is named in {files}", project.path.display()),
        None => format!("no repository that is read over SSH is named in {files}"),
    });
    Ok(0)
}
