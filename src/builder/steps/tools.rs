//! PURE: which tools a step runs that may fetch something over SSH. Says nothing of what it cannot
//! see, such as what a script does.

use serde::{Deserialize, Serialize};

use super::super::shell_words::{self, Token};
use super::super::step_notes::assignment;

/// How deep scripts in `sh -c` are followed.
const MAX_DEPTH: usize = 3;
/// Words behind which a command begins.
const PREFIXES: [&[u8]; 14] = [
    b"then", b"do", b"else", b"elif", b"if", b"while", b"until", b"!", b"{", b"exec", b"env", b"command", b"sudo",
    b"time",
];
/// Shells whose `-c` holds a script.
const SHELLS: [&[u8]; 4] = [b"sh", b"bash", b"ash", b"dash"];
/// What of Git goes to a server.
const FETCHING: [&[u8]; 6] = [b"clone", b"fetch", b"pull", b"submodule", b"ls-remote", b"archive"];

/// A tool that may fetch something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    /// `git`.
    Git,
    /// `ssh` itself.
    Ssh,
    /// `pip`.
    Pip,
    /// `poetry`.
    Poetry,
    /// `uv`.
    Uv,
    /// `pipenv`.
    Pipenv,
    /// `npm`.
    Npm,
    /// `yarn`.
    Yarn,
    /// `pnpm`.
    Pnpm,
    /// `go`.
    Go,
    /// `cargo`.
    Cargo,
    /// `bundle`.
    Bundle,
    /// `composer`.
    Composer,
    /// `terraform`.
    Terraform,
}

const NAMES: [(&[u8], Tool); 15] = [
    (b"git", Tool::Git),
    (b"ssh", Tool::Ssh),
    (b"pip", Tool::Pip),
    (b"pip3", Tool::Pip),
    (b"poetry", Tool::Poetry),
    (b"uv", Tool::Uv),
    (b"pipenv", Tool::Pipenv),
    (b"npm", Tool::Npm),
    (b"yarn", Tool::Yarn),
    (b"pnpm", Tool::Pnpm),
    (b"go", Tool::Go),
    (b"cargo", Tool::Cargo),
    (b"bundle", Tool::Bundle),
    (b"composer", Tool::Composer),
    (b"terraform", Tool::Terraform),
];

/// The tools of a command or script, each once.
pub(super) fn find(tokens: &[Token], depth: usize, found: &mut Vec<Tool>) {
    for command in tokens.split(|token| *token == Token::End) {
        let words = command.iter().filter_map(|token| match token {
            Token::Word(word) => Some(word.as_slice()),
            Token::End => None,
        });
        let mut words = words.skip_while(|word| PREFIXES.contains(word) || assignment(word).is_some());
        let Some(program) = words.next() else { continue };
        let arguments: Vec<&[u8]> = words.collect();
        let base = program.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        if SHELLS.contains(&base) && depth < MAX_DEPTH {
            let script = arguments.windows(2).find(|pair| pair[0].starts_with(b"-") && pair[0].ends_with(b"c"));
            if let Some([_, script]) = script {
                find(&shell_words::of_script(script), depth + 1, found);
            }
            continue;
        }
        let base = match arguments.as_slice() {
            [flag, module, ..] if base.starts_with(b"python") && *flag == b"-m" => module,
            _ => base,
        };
        let tool = NAMES.iter().find(|(name, _)| *name == base).map(|(_, tool)| *tool);
        let fetches = |tool: &Tool| *tool != Tool::Git || arguments.iter().any(|word| FETCHING.contains(word));
        if let Some(tool) = tool.filter(fetches)
            && !found.contains(&tool)
        {
            found.push(tool);
        }
    }
}
