//! What can stop a rewriting, with what to do about it. A tool's own words are passed on (its
//! last line, bounded); nothing of the environment or of a file's content is.

use std::path::PathBuf;

use super::add_git::AddGitError;
use super::checkout::CheckoutError;
use super::git_source::GitSourceError;
use crate::exit::Code;
use crate::ui::Explain;

/// The most of a tool's own message that is shown, in characters.
pub(super) const SHOWN_MESSAGE: usize = 500;

/// Why no plan could be made.
#[derive(Debug, thiserror::Error)]
pub enum BuilderError {
    /// `DOCKER_BUILDKIT=0`.
    #[error(
        "failed to lend a key to {tool}: DOCKER_BUILDKIT={value} selects the legacy builder, which forwards no agent"
    )]
    LegacyBuilder {
        /// The tool, as a person knows it.
        tool: String,
        /// The variable's value.
        value: String,
    },
    /// `docker-compose` 1.x.
    #[error("failed to lend a key to docker-compose {0}: it knows no `build.ssh`")]
    ComposeTooOld(String),
    /// A builder without named contexts.
    #[error("failed to mount the gateway's guest: this {0} is too old for named contexts")]
    NoContexts(String),
    /// `ADD git@…`.
    #[error("failed to serve {place}: the builder would fetch this ADD itself, past the gateway, and {why}")]
    AddGit {
        /// Tool, service, file and line.
        place: String,
        /// Why no clone can take its place.
        why: AddGitError,
    },
    /// `docker build git@…`, with an address that only the builder understands.
    #[error("failed to serve {place}: the builder would fetch its context itself, past the gateway, and {why}")]
    Git {
        /// Tool and service.
        place: String,
        /// Why no clone can take its place.
        why: GitSourceError,
    },
    /// A repository could not be cloned.
    #[error("failed to clone {url} for {place}: {why}")]
    Checkout {
        /// Tool and service, file and line.
        place: String,
        /// Its address.
        url: String,
        /// What went wrong.
        why: CheckoutError,
    },
    /// `--checksum` names another commit.
    #[error("failed to serve {place}: it asks for commit {expected}, and the repository has {found}")]
    Commit {
        /// Tool, service, file and line.
        place: String,
        /// The commit that was typed.
        expected: String,
        /// The commit that is there.
        found: String,
    },
    /// A link in a repository that leads out of it.
    #[error("failed to serve {place}: it is a link that leads out of the repository")]
    Outside {
        /// Tool, service, and what leads there.
        place: String,
    },
    /// A stage or context of the person's own has our context's name.
    #[error("failed to mount the gateway's guest: {place} uses the name \"valetkey\" for something else")]
    ContextTaken {
        /// Tool, service, file and line.
        place: String,
    },
    /// A context that the builder fetches, or that comes on stdin.
    #[error("failed to mount the gateway's guest for {place}: {what}")]
    Context {
        /// Tool and service.
        place: String,
        /// What the context is.
        what: &'static str,
    },
    /// The tool could not be asked.
    #[error("failed to ask `{asked}`")]
    Ask {
        /// The question, as a command line without the person's own arguments.
        asked: String,
        /// What went wrong.
        #[source]
        source: std::io::Error,
    },
    /// The tool answered with an error of its own.
    #[error("failed to ask `{asked}`, which says: {said}")]
    Refused {
        /// The question.
        asked: String,
        /// The last line that the tool wrote.
        said: String,
    },
    /// The tool's answer is not what this version of valetkey understands.
    #[error("failed to understand the answer of `{0}`")]
    Answer(String),
    /// A Compose or bake file from stdin that could not be kept.
    #[error("failed to read the build file from stdin")]
    Stdin(#[source] std::io::Error),
    /// A file that Compose reads for its settings.
    #[error("failed to read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: std::io::Error,
    },
    /// A path of the lease that cannot be written in `--ssh` or in a Compose file.
    #[error("failed to lend from {}: builders misread `,`, quotes, `$`, `%` and control characters in it", .0.display())]
    Path(PathBuf),
    /// An ssh id that builders would misread.
    #[error("failed to lend under the ssh id `{0}`: use letters, digits, `.`, `_` and `-`")]
    Id(String),
}

impl BuilderError {
    /// A tool's refusal, from what it wrote on stderr.
    pub(super) fn refused(asked: &str, stderr: &[u8]) -> Self {
        let text = String::from_utf8_lossy(stderr);
        let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty());
        let said = last.unwrap_or("nothing").chars().take(SHOWN_MESSAGE).collect();
        Self::Refused { asked: asked.into(), said }
    }
}

impl Explain for BuilderError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::LegacyBuilder { .. } => "unset DOCKER_BUILDKIT, or set it to 1".into(),
            Self::ComposeTooOld(_) => "install Docker Compose 2 and run `valetkey run … -- docker compose …`".into(),
            Self::NoContexts(_) => {
                "named contexts came with Docker 23 (buildx 0.8), podman 4.2 and buildah 1.26; or lend the keys themselves: --lend agent".into()
            }
            Self::AddGit { .. } | Self::Git { .. } => {
                "clone it in a RUN --mount=type=ssh step instead; or lend the keys themselves: --lend agent".into()
            }
            Self::Checkout { why: CheckoutError::Git(source), .. } if source.kind() == std::io::ErrorKind::NotFound => {
                "install git on this machine, or lend the keys themselves: --lend agent".into()
            }
            Self::Checkout { why: CheckoutError::DryRun, .. } => "run it without --dry-run".into(),
            Self::Checkout { .. } => "try `git ls-remote` of it, and check what is granted; or lend the keys themselves: --lend agent".into(),
            Self::Commit { .. } => "somebody may have moved the branch or tag: compare before you change the checksum".into(),
            Self::Outside { .. } => "do not build this repository before you know why".into(),
            Self::ContextTaken { .. } => "give that stage or context another name".into(),
            Self::Context { .. } => {
                "clone it and build from the folder, with the Dockerfile as a file; or lend the keys themselves: --lend agent".into()
            }
            Self::Ask { .. } | Self::Refused { .. } => {
                "run the same command without valetkey to see whether the tool and its files are in order".into()
            }
            Self::Answer(_) => "update valetkey, or the tool".into(),
            Self::Stdin(_) => "pass the build file by name instead of `-`".into(),
            Self::Read { .. } => return None,
            Self::Path(_) => "set XDG_RUNTIME_DIR (or TMPDIR) to a folder with a plain name".into(),
            Self::Id(_) => "choose another id in the grant".into(),
        })
    }

    fn code(&self) -> Code {
        match self {
            Self::Path(_) => Code::Lease,
            Self::Id(_) => Code::Usage,
            Self::Ask { source, .. } if source.kind() == std::io::ErrorKind::NotFound => Code::NotFound,
            _ => Code::Builder,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_line_of_a_tools_message_is_shown_and_no_more_than_the_limit() {
        let at = "x".repeat(SHOWN_MESSAGE);
        for stderr in [format!("first\n{at}\n\n"), format!("{at}y")] {
            let BuilderError::Refused { said, .. } = BuilderError::refused("q", stderr.as_bytes()) else {
                panic!("another error")
            };
            assert_eq!(said, at);
        }
    }
}
