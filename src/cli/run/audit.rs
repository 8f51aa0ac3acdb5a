//! `run --audit`: exactly the images that the build made, once it has ended.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::builder::made::{self, Form, Made};
use crate::builder::probe::{Output, Probe, Question};
use crate::builder::{Plan, Typed};
use crate::cli::audit;
use crate::exit::Code;
use crate::image::source;
use crate::ui::{self, Failure};

/// Bytes of what a builder says of its images.
const MAX_SAID: u64 = 16 << 20;

/// What is to be audited when the build has ended.
pub(super) struct Auditing {
    made: Made,
    file: Option<(Form, PathBuf)>,
    program: OsString,
    engine: Vec<OsString>,
}

impl Auditing {
    /// Changes the plan so that the images can be known; `folder` is the lease's.
    ///
    /// # Errors
    /// Where nobody can say which images the command makes.
    pub(super) fn new(typed: &Typed, plan: &mut Plan, folder: &Path) -> Result<Self, Failure> {
        if plan.made == Made::Unknown {
            let message = "it cannot be told which images this command makes".to_owned();
            return Err(Failure::new(Code::Usage, message)
                .with_hint("run it without --audit, and then valetkey audit with the names of its images"));
        }
        let (args, file) = plan.made.ask(std::mem::take(&mut plan.args), &folder.join("made"));
        plan.args = args;
        Ok(Self { made: plan.made.clone(), file, program: typed.program.clone(), engine: made::engine(typed) })
    }

    /// The images that were made, while the lease's folder is still there.
    pub(super) fn images(&self, probe: &mut dyn Probe) -> Result<Vec<String>, Failure> {
        let images = match (&self.made, &self.file) {
            (_, Some((form, file))) => form.images(&read(file)?),
            (Made::Compose { ways, services, dependencies }, None) => {
                let answer = ways.iter().find_map(|args| {
                    let (program, args) = (self.program.as_os_str(), args.clone());
                    let question = Question { program, args, env: Vec::new(), stdin: String::new() };
                    probe.output(&question).ok().filter(|output| output.success)
                });
                let images = |output: Output| made::compose_images(&output.stdout, services, *dependencies);
                answer.and_then(images).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        if images.is_empty() {
            let message = "the build has ended, and it cannot be told which images it made".to_owned();
            return Err(Failure::new(Code::NotAllRead, message).with_hint("audit them by name: valetkey audit NAME"));
        }
        Ok(images)
    }

    /// Audits them, and gives the exit code. `hidden` are the variables that hold secrets.
    pub(super) fn run(&self, images: &[String], hidden: &[OsString], options: audit::Options) -> Result<u8, Failure> {
        ui::note(&format!("auditing {}", images.join(", ")));
        let sources = images.iter().map(|image| (image.clone(), source::save(&self.engine, image, hidden)));
        audit::all(sources, options)
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MAX_SAID).read_to_string(&mut text));
    read.map_err(|error| {
        let message = format!("failed to read which image was made, from {}: {error}", path.display());
        Failure::new(Code::NotAllRead, message)
            .with_hint("the builder must keep its image: with a container driver, add --load")
    })?;
    Ok(text)
}
