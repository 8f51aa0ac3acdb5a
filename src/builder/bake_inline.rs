//! PURE: other text for bake's inline Dockerfiles. `--set` cannot give one, so one more bake file
//! does, behind the person's own: bake merges the files of `-f`, and the last one wins.
//!
//! What bake prints has `${` doubled to `$${` in 0.29, so that it can be read again, and has not
//! in 0.13. So both ways of writing are tried, and bake is asked which gives back the text.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use serde_json::json;

use super::flags::Walk;
use super::{BuilderError, Lending, Plan, Probe, Split, bake};

/// What bake reads where no `-f` is typed, in its order (buildx 0.13 to 0.29, `bake/bake.go`).
const DEFAULTS: [&str; 8] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
    "docker-bake.json",
    "docker-bake.hcl",
    "docker-bake.override.json",
    "docker-bake.override.hcl",
];

/// Puts these texts in the place of the targets' own. `rest` is what was typed behind `bake`.
#[expect(clippy::too_many_arguments, reason = "all that a plan is made of")]
pub(super) fn replace(
    tool: &str,
    split: Split<'_>,
    walk: &Walk,
    rest: &mut Vec<OsString>,
    texts: &BTreeMap<String, String>,
    lending: &Lending,
    plan: &mut Plan,
    probe: &mut dyn Probe,
) -> Result<(), BuilderError> {
    let failed = || BuilderError::Context {
        place: tool.to_owned(),
        what: "a Dockerfile is inline there, and bake does not take another one for it",
    };
    let from_stdin = plan.files.iter().any(|(path, _)| *path == lending.folder.join(bake::STDIN));
    if from_stdin
        || probe.var("BUILDX_BAKE_FILE").is_some()
        || walk.positional.first().is_some_and(|&at| is_remote(rest.get(at)))
    {
        return Err(failed());
    }
    let ours = lending.folder.join("bake.valetkey.json");
    let typed = walk.named(&["file", "f"]).rfind(|flag| flag.value.is_some());
    match typed.map(|flag| flag.at + flag.width) {
        Some(behind) => drop(rest.splice(behind..behind, ["--file".into(), ours.clone().into_os_string()])),
        None => {
            let found = DEFAULTS.iter().filter(|name| probe.exists(&probe.cwd().join(name)));
            let mut files: Vec<OsString> = found.flat_map(|name| ["--file".into(), (*name).into()]).collect();
            files.extend(["--file".into(), ours.clone().into_os_string()]);
            rest.splice(0..0, files);
        }
    }
    // The file is not there yet: the question gives it on stdin.
    let mut asked = rest.clone();
    for word in &mut asked {
        if *word == ours.as_os_str() {
            *word = OsStr::new("-").to_owned();
        }
    }
    for write in [str::to_owned, doubled] {
        let text = bake_file(texts, write);
        let Ok(printed) = bake::printed(tool, split, &asked, &text, lending, probe) else { continue };
        if texts.iter().all(|(target, text)| printed.inline(target) == Some(text)) {
            plan.files.push((ours, text));
            return Ok(());
        }
    }
    Err(failed())
}

fn is_remote(word: Option<&OsString>) -> bool {
    word.and_then(|word| word.to_str()).is_some_and(super::guest_mount::is_remote)
}

/// Text that is no template: in JSON as well, `${` and `%{` begin one.
fn doubled(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

/// A bake file of these inline Dockerfiles.
fn bake_file(texts: &BTreeMap<String, String>, write: fn(&str) -> String) -> String {
    let target = |text: &String| json!({ "dockerfile-inline": write(text) });
    let targets: serde_json::Map<_, _> = texts.iter().map(|(name, text)| (name.clone(), target(text))).collect();
    json!({ "target": targets }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_in_the_text_is_the_dockerfiles_and_not_bakes() {
        let texts = BTreeMap::from([("app".into(), "FROM a\nRUN echo ${X} %{y} $Z\n".into())]);
        let expected = r#"{"target":{"app":{"dockerfile-inline":"FROM a\nRUN echo $${X} %%{y} $Z\n"}}}"#;
        assert_eq!(bake_file(&texts, doubled), expected);
    }
}
