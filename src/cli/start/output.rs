//! What `start` prints and writes for the next steps: PURE text, and the writing of it.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::given::{Given, Variable};
use crate::child::mask::MIN_PATTERN;
use crate::exit::Code;
use crate::keys::{Secret, written};
use crate::receipt::Replacing;
use crate::ui::Failure;

/// Commands for a shell that set the variables, POSIX `export` with each value in single quotes, and
/// take away those that held a key.
pub(super) fn shell(given: &Given) -> String {
    let set = given.variables.iter().map(|one| format!("export {}={}\n", one.name, quoted(&one.value)));
    set.chain(given.unset.iter().map(|name| format!("unset {name}\n"))).collect()
}

/// Commands for a shell that put them back as they were.
pub(in crate::cli) fn shell_back(variables: &[Variable]) -> String {
    let back = |one: &Variable| match &one.before {
        Some(before) => format!("export {}={}\n", one.name, quoted(before)),
        None => format!("unset {}\n", one.name),
    };
    variables.iter().map(back).collect()
}

/// A value as one word of a POSIX shell.
pub(in crate::cli) fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// Lines `NAME=value`, as GitLab's dotenv reports and `--env-file` take them: no quotes, and no
/// value with a line feed, which they cannot hold.
pub(super) fn dotenv(variables: &[Variable]) -> Result<String, Failure> {
    let line = |one: &Variable| {
        if one.value.contains(['\n', '\r']) {
            let message = format!("the value of {} has a line feed, and a dotenv file cannot hold one", one.name);
            return Err(Failure::new(Code::Usage, message));
        }
        Ok(format!("{}={}\n", one.name, one.value))
    };
    variables.iter().map(line).collect()
}

/// Entries of the files that GitHub names, in its form for values of several lines: `delimiter` must
/// be in none of them, so that no value can end its own entry.
pub(super) fn github(entries: &[(String, String)], delimiter: &str) -> Option<String> {
    let mut text = String::new();
    for (name, value) in entries {
        let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
        if !plain || value.contains(delimiter) {
            return None;
        }
        text.push_str(&format!("{name}<<{delimiter}\n{value}\n{delimiter}\n"));
    }
    Some(text)
}

/// What a GitHub step gives as its outputs: the inputs of docker/build-push-action and bake-action.
pub(super) fn outputs(given: &Given) -> Vec<(String, String)> {
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let file = |value: &String| {
        let (id, file) = value.strip_prefix("id=")?.split_once(",src=")?;
        Some(format!("{id}={file}"))
    };
    let secret_files: Vec<String> = given.secrets.iter().filter_map(file).collect();
    vec![
        ("lease".into(), path(&given.lease)),
        ("socket".into(), given.sockets.first().map(|socket| path(&socket.path)).unwrap_or_default()),
        ("known-hosts".into(), path(&given.known_hosts)),
        ("ssh".into(), given.ssh.join("\n")),
        ("build-contexts".into(), given.build_contexts.join("\n")),
        ("secret-files".into(), secret_files.join("\n")),
        ("build-args".into(), given.build_args.join(" ")),
        ("bake-args".into(), given.bake_args.join(" ")),
    ]
}

/// A line that hides a text in the log of a GitHub job: the runner takes it and shows `***` wherever
/// the text comes. Its form of escapes is that of workflow commands.
fn add_mask(line: &str) -> String {
    let escaped = line.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    format!("::add-mask::{escaped}\n")
}

/// Lines that hide these texts and each line of them. What is too short or no text cannot be hidden
/// there: a mask of a few letters would hide half of the log.
pub(super) fn masks(texts: &[Secret]) -> Zeroizing<Vec<u8>> {
    let mut masks = Zeroizing::new(Vec::new());
    for text in texts {
        let lines = written::lines(text.expose()).filter(|line| !written::is_pem_boundary(line));
        for line in lines.filter(|line| line.len() >= MIN_PATTERN).filter_map(|line| std::str::from_utf8(line).ok()) {
            masks.extend_from_slice(Zeroizing::new(add_mask(line)).as_bytes());
        }
    }
    masks
}

/// Appends to a file that GitHub names in a variable.
pub(super) fn append(variable: &str, text: &str) -> Result<(), Failure> {
    let failed = |why: &dyn std::fmt::Display| {
        Failure::new(Code::Usage, format!("failed to write what {variable} names: {why}"))
            .with_hint("--github-env is for the steps of a GitHub job; elsewhere use eval \"$(valetkey start …)\"")
    };
    let path = std::env::var_os(variable).filter(|path| !path.is_empty()).ok_or_else(|| failed(&"it is not set"))?;
    let appended = OpenOptions::new().append(true).create(true).open(path);
    appended.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| failed(&error))
}

/// Replaces a file of the person's own. A symbolic link is replaced, never written through.
pub(in crate::cli) fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let written = Replacing::open(path, 0o600).and_then(|file| file.write(text.as_bytes()));
    written.map_err(|error| Failure::new(Code::Lease, format!("failed to write {}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(variables: Vec<Variable>) -> Given {
        Given {
            lease: "/l".into(),
            pid: 1,
            started: 1,
            time_limit_seconds: 1,
            until_exit: super::super::given::Process { pid: 1, name: "sh".into() },
            peers: "job".into(),
            sockets: vec![],
            known_hosts: "/l/known_hosts".into(),
            context: None,
            build_args: vec![],
            ssh: vec![],
            build_contexts: vec![],
            secrets: vec!["id=known_hosts,src=/l/known_hosts".into()],
            bake_args: vec![],
            files: vec![],
            variables,
            unset: vec!["KEY".into()],
        }
    }

    fn variable(value: &str, before: Option<&str>) -> Variable {
        Variable { name: "NAME".into(), value: value.into(), before: before.map(str::to_owned) }
    }

    #[test]
    fn a_shell_gets_each_value_as_one_word_and_its_old_value_back() {
        let nasty = "it's $(reboot) `x` \"y\"\n;z";
        let script = format!("KEY=k; {}printf %s \"${{KEY-}}$NAME\"", shell(&given(vec![variable(nasty, None)])));
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(output.stdout, nasty.as_bytes());
        let back = shell_back(&[variable("now", Some(nasty)), Variable { name: "NEW".into(), ..variable("x", None) }]);
        let script = format!("NAME=now NEW=x; {back} printf %s \"$NAME${{NEW-gone}}\"");
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(output.stdout, format!("{nasty}gone").as_bytes());
    }

    #[test]
    fn a_value_of_several_lines_is_no_dotenv_line() {
        assert_eq!(dotenv(&[variable("a b", None)]).unwrap(), "NAME=a b\n");
        for value in ["a\nPATH=/evil", "a\r"] {
            assert!(dotenv(&[variable(value, None)]).is_err());
        }
    }

    #[test]
    fn no_value_ends_its_own_entry_for_github() {
        let entry = |name: &str, value: &str| github(&[(name.into(), value.into())], "END");
        assert_eq!(entry("A", "1\nB=2").unwrap(), "A<<END\n1\nB=2\nEND\n");
        assert_eq!(entry("A", "1\nEND\nB<<X"), None);
        assert_eq!(entry("A\nB", "1"), None);
    }

    #[test]
    fn secret_files_are_given_in_the_form_of_the_build_action() {
        let outputs = outputs(&given(vec![]));
        assert!(outputs.contains(&("secret-files".into(), "known_hosts=/l/known_hosts".into())), "{outputs:?}");
    }

    #[test]
    fn a_mask_is_one_workflow_command_whatever_the_text_is() {
        assert_eq!(add_mask("50%\n::error::x\r"), "::add-mask::50%25%0A::error::x%0D\n");
    }

    #[test]
    fn every_line_of_a_secret_is_hidden_but_what_a_log_is_full_of() {
        let text = "-----BEGIN X-----\nline one\n  line two\r\nab\n-----END X-----\n";
        let masks = masks(&[Secret::new(text.as_bytes().to_vec()), Secret::new(b"100%sure".to_vec())]);
        assert_eq!(
            String::from_utf8_lossy(&masks),
            "::add-mask::line one\n::add-mask::line two\n::add-mask::100%25sure\n"
        );
    }

    #[test]
    fn a_file_that_is_replaced_is_not_written_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (victim, path) = (dir.path().join("victim"), dir.path().join("out.env"));
        std::fs::write(&victim, "before").unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        replace(&path, "NAME=x\n").unwrap();
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "before");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "NAME=x\n");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
