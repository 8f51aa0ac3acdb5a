//! What later steps are given, in each form.

use crate::keys::made::{self, Kind};
use crate::run::place::Place;

const START: &str = "valetkey start --no-config --key env:KEY";

#[test]
fn a_shell_gets_the_variables_and_loses_the_one_that_held_the_key() {
    let place = Place::new();
    let ran = place.job(&format!("eval \"$({START})\"; env; valetkey stop >/dev/null"));
    ran.is(0).shows(&[
        "VALETKEY_LEASE=",
        "VALETKEY_BUILD_ARGS=--ssh default=",
        "VALETKEY_KNOWN_HOSTS=",
        "DOCKER_BUILDKIT=1",
    ]);
    ran.never_says(&["PRIVATE KEY", "\nKEY="]);
    assert!(!ran.out.contains("COMPOSE_FILE"), "no project is here: {ran:?}");
}

#[test]
fn github_gets_variables_and_outputs_and_no_line_that_a_key_wrote() {
    let place = Place::new();
    let comment = "x\nPATH=/evil\nvaletkey_0<<EOF ::set-output name=a::b %0A";
    let key = place.project().join("key");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f"])
        .arg(&key)
        .status();
    assert!(made.unwrap().success());
    std::fs::write(place.project().join("env"), "BEFORE=1\n").unwrap();
    let script = "export GITHUB_ENV=$PWD/env GITHUB_OUTPUT=$PWD/output; KEY=$(cat key) valetkey start --no-config --key env:KEY --github-env >out; \
        valetkey stop --all";
    place.job(script).is(0);
    let read = |name: &str| std::fs::read_to_string(place.project().join(name)).unwrap();
    let env = read("env");
    // Name, delimiter; value; delimiter: three lines each, and what was there stays.
    let lines: Vec<&str> = env.lines().collect();
    assert_eq!(lines[0], "BEFORE=1");
    let mut names = Vec::new();
    for entry in lines[1..].chunks(3) {
        let [head, value, end] = entry else { panic!("{env}") };
        let (name, delimiter) = head.split_once("<<").unwrap();
        assert_eq!(*end, delimiter);
        assert!(delimiter.starts_with("valetkey_") && !value.contains("evil"), "{env}");
        names.push(name);
    }
    assert_eq!(
        names,
        ["SSH_AUTH_SOCK", "VALETKEY_LEASE", "VALETKEY_KNOWN_HOSTS", "VALETKEY_BUILD_ARGS", "DOCKER_BUILDKIT"]
    );
    for output in ["lease<<", "socket<<", "known-hosts<<", "ssh<<", "build-contexts<<", "secret-files<<"] {
        assert!(read("output").contains(output), "{}", read("output"));
    }
    // The runner takes these lines, and shows `***` for each from then on.
    let masks = read("out");
    let secret: Vec<String> =
        read("key").lines().filter(|line| !line.starts_with("-----")).map(str::to_owned).collect();
    assert!(secret.len() > 3 && secret.iter().all(|line| masks.contains(&format!("::add-mask::{line}\n"))), "{masks}");
    assert_eq!(masks.lines().count(), secret.len(), "and nothing else is printed");
    for name in ["env", "output", "out"] {
        assert!(!read(name).contains("/evil") && !read(name).contains("set-output"), "{}", read(name));
    }
}

#[test]
fn a_dotenv_file_has_a_line_a_variable_and_is_not_written_through_a_link() {
    let place = Place::new();
    let victim = place.write("victim", "before");
    std::os::unix::fs::symlink(&victim, place.project().join("lease.env")).unwrap();
    place
        .job(&format!(
            "{START} --dotenv lease.env; export $(grep ^SSH_AUTH_SOCK= lease.env); ssh-add -l; valetkey stop >/dev/null"
        ))
        .is(0)
        .shows(&[made::COMMENT]);
    assert_eq!(std::fs::read_to_string(victim).unwrap(), "before");
    let text = std::fs::read_to_string(place.project().join("lease.env")).unwrap();
    assert!(
        text.lines()
            .all(|line| line.split_once('=').is_some_and(|(name, value)| !name.contains(' ') && !value.contains('\'')))
    );
}

#[test]
fn json_has_everything_and_no_secret() {
    let place = Place::new();
    let ran = place.job(&format!("{START} --key lib=env:KEY --json --quiet; valetkey stop --all --quiet"));
    let given: serde_json::Value = serde_json::from_str(&ran.is(0).out).unwrap();
    assert_eq!(given["sockets"][1]["id"], "lib");
    assert_eq!(given["peers"], "job");
    assert_eq!(given["until_exit"]["name"], "sh");
    assert_eq!(given["unset"][0], "KEY");
    assert_eq!(ran.err, "", "quiet");
    let secret = &made::key(Kind::Ed25519).text;
    assert!(!ran.out.contains(secret.lines().nth(1).unwrap()));
}

#[test]
fn an_engine_that_is_reached_by_ssh_keeps_the_persons_own_agent() {
    let place = Place::new();
    let script = |more: &str, flags: &str| {
        format!(
            "export SSH_AUTH_SOCK=mine {more}; eval \"$({START} {flags})\"; echo \"$SSH_AUTH_SOCK\"; valetkey stop >/dev/null"
        )
    };
    place.job(&script("DOCKER_HOST=ssh://engine", "")).is(0).shows(&["mine\n"]).says(&["needs your own agent"]);
    place.job(&script("X=1", "--keep-agent")).is(0).shows(&["mine\n"]);
    let ran = place.job(&script("X=1", ""));
    assert!(!ran.is(0).out.contains("mine\n"), "the control: {ran:?}");
}

#[test]
fn a_folder_that_a_shell_would_split_is_refused() {
    let place = Place::new();
    let odd = place.at("run dir");
    std::fs::create_dir(&odd).unwrap();
    let script = format!("chmod 700 '{0}'; export XDG_RUNTIME_DIR='{0}'; {START}", odd.display());
    place.job(&script).is(114).says(&["set XDG_RUNTIME_DIR"]);
}

#[test]
fn keys_whose_comments_name_repositories_are_held_to_them() {
    let place = Place::new();
    let mut all = String::new();
    for (name, comment) in [("a", "git@github.com:org/a.git"), ("b", "https://github.com/org/b"), ("c", "me@laptop")] {
        let path = place.project().join(name);
        let made = std::process::Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f"])
            .arg(&path)
            .status();
        assert!(made.unwrap().success());
        all.push_str(&std::fs::read_to_string(path).unwrap());
    }
    let start = "valetkey start --no-config --key env:KEYS --repos-from-comments --json";
    let ran = crate::run::place::ran(
        place.shell(&format!("{start}; valetkey status; valetkey stop --all")).env("KEYS", &all),
    );
    ran.is(0).says(&[
        "the gateway reads org/a at github.com",
        "the gateway reads org/b at github.com",
        "the gateway reads every repository at every pinned host",
        "names no repos and shares its ssh id",
    ]);
    let agent = format!("{start} --lend agent; valetkey stop --all");
    let ran = crate::run::place::ran(place.shell(&agent).env("KEYS", &all));
    ran.is(0).says(&["an agent cannot see repositories", "for logins as git to github.com"]);
}

#[test]
fn in_a_gitlab_job_it_is_said_what_gitlab_can_hide() {
    let place = Place::new();
    let script = format!("{START} >vars; valetkey stop --all");
    let said = "GitLab hides in the log what is the value of a variable with";
    crate::run::place::ran(place.shell(&script).env("GITLAB_CI", "true")).is(0).says(&[said]);
    place.job(&script).is(0).never_says(&[said]);
}
