use super::*;
use crate::check::around::{Around, Given};
use crate::check::file::kind_of_name;
use crate::hosts::pins::Hosts;

fn with_last<T>(name: &str, text: &str, mut look: impl FnMut(&Script<'_, '_>) -> T) -> T {
    let (files, hosts) = (Given::default(), Hosts::builtin());
    let around = Around { files: &files, hosts: &hosts };
    let file = File::read(name, text.as_bytes(), kind_of_name(name).unwrap(), &around).unwrap();
    let mut last = None;
    each(&file, |script| last = Some(look(script)));
    last.unwrap()
}

/// The secrets that the words of the last script put in, and whether they are lent.
fn secrets(name: &str, text: &str) -> Vec<(String, bool)> {
    with_last(name, text, |script| {
        let words = script.commands.iter().flat_map(Command::all_words);
        let origins = words.filter_map(|word| script.secret_in(word));
        origins.map(|origin| (String::from_utf8_lossy(origin.name()).into_owned(), script.is_lent(&origin))).collect()
    })
}

#[test]
fn a_step_knows_what_is_secret_in_it_and_what_is_only_lent() {
    for (text, found) in [
        ("ARG A_TOKEN\nRUN x $A_TOKEN '$A_TOKEN' $A", &[("A_TOKEN", false)][..]),
        ("RUN --mount=type=secret,id=a,env=A x $A", &[("A", true)]),
        ("RUN --mount=type=secret,id=a x $(cat /run/secrets/a)", &[("/run/secrets/a", true)]),
        ("RUN --mount=type=secret,id=a,target=/a x \"`cat /a`\"", &[("/a", true)]),
        ("RUN --mount=type=secret,id=a . /run/secrets/a && x $A_TOKEN", &[("A_TOKEN", true)]),
        ("ARG A_TOKEN\nRUN --mount=type=secret,id=a x $A_TOKEN", &[("A_TOKEN", false)]),
        ("RUN x $(cat /etc/a) ${A_TOKEN:+set}", &[]),
    ] {
        let found: Vec<_> = found.iter().map(|(name, lent)| ((*name).to_owned(), *lent)).collect();
        assert_eq!(secrets("Dockerfile", &format!("FROM a\n{text}\n")), found, "{text}");
    }
}

#[test]
fn a_job_says_which_of_its_variables_are_secret() {
    let text = "jobs:\n  a:\n    env: {A: '${{ secrets.B }}', A_TOKEN: '${{ inputs.x }}'}\n    steps:\n      - run: x $A $A_TOKEN $B_TOKEN\n";
    assert_eq!(secrets(".github/workflows/a.yml", text), [("B".to_owned(), false), ("B_TOKEN".to_owned(), false)]);
}

#[test]
fn a_file_that_the_step_deletes_or_that_is_mounted_is_gone() {
    let gone = |step: &str, path: &str| {
        with_last("Dockerfile", &format!("FROM a\nRUN {step}\n"), |script| script.is_gone(0, path.as_bytes()))
    };
    for (step, path) in [
        ("x && rm /root/.netrc", "~/.netrc"),
        ("x && rm -rf ~/.ssh", "/root/.ssh/id_rsa"),
        ("x && rm -f $HOME/.ssh/*", "~/.ssh/id_rsa"),
        ("x && rm .npmrc", "/app/.npmrc"),
        ("x; shred -u id_rsa", "id_rsa"),
        ("--mount=type=tmpfs,target=/root/.ssh x", "/root/.ssh/id_rsa"),
    ] {
        assert!(gone(step, path), "{step}");
    }
    for (step, path) in [
        ("rm ~/.netrc && x", "~/.netrc"),
        ("x && rm /tmp/a", "~/.netrc"),
        ("x && ls ~/.netrc", "~/.netrc"),
        ("x && rm", ""),
        ("--mount=type=bind,target=/root x", "/root/.netrc"),
    ] {
        assert!(!gone(step, path), "{step}");
    }
}

#[test]
fn what_undoes_a_command_is_looked_for_to_the_limit_and_no_further() {
    let gone = |between: usize| {
        let text = format!("FROM a\nRUN w; {}rm .netrc\n", "x; ".repeat(between));
        with_last("Dockerfile", &text, |script| script.is_gone(0, b".netrc"))
    };
    assert_eq!((gone(MAX_BEHIND - 1), gone(MAX_BEHIND)), (true, false));
}
