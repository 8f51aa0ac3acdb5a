//! The guest's mount: which Dockerfile is copied and rewritten for `docker build`, buildx, bake,
//! podman and buildah, and what stops before the build instead of inside it.

use super::scripted::{Scripted, joined};
use valetkey::builder::{BuilderError, Plan};
use valetkey::exit::Code;
use valetkey::ui::Explain as _;

const STEP: &str = "FROM a\nRUN --mount=type=ssh git clone x\n";
const MOUNTED: &str =
    "FROM a\nRUN --mount=type=bind,from=valetkey,source=ssh,target=/usr/local/bin/ssh --mount=type=ssh git clone x\n";
const CONTEXT: &str = "--build-context valetkey=/run/l/guest";
const LENT: &str = "--ssh default=/run/l/default.sock --secret id=known_hosts,src=/run/l/known_hosts";
const HELP: &str = "      --build-context stringArray   Additional build contexts\n";

fn probe() -> Scripted {
    Scripted::gateway().answer("…--help", HELP).file("/home/me/app/Dockerfile", STEP)
}

fn files(plan: &Plan) -> Vec<(&str, &str)> {
    plan.files.iter().map(|(path, text)| (path.to_str().unwrap(), text.as_str())).collect()
}

#[test]
fn every_name_of_docker_build_builds_from_a_copy_with_the_guest() {
    for (line, before, rest) in [
        ("docker build .", "build", "."),
        ("docker build -t app", "build", "-t app"),
        ("docker buildx build .", "buildx build", "."),
        ("docker image build --target x .", "image build", "--target x ."),
        ("docker-buildx build .", "build", "."),
    ] {
        let plan = probe().plan(line).unwrap();
        assert_eq!(
            joined(&plan.args),
            format!("{before} {CONTEXT} --file /run/l/0.Dockerfile {LENT} {rest}"),
            "{line}"
        );
        assert_eq!(files(&plan), [("/run/l/0.Dockerfile", MOUNTED)], "{line}");
        assert!(plan.warnings.is_empty() && !plan.agent_in_env, "{line}: {:?}", plan.warnings);
    }
}

#[test]
fn a_typed_dockerfile_is_replaced_where_it_stands() {
    for (line, path, copy, now) in [
        ("docker build -f x/my.Dockerfile .", "/home/me/app/x/my.Dockerfile", "my.Dockerfile", "-f {} ."),
        ("docker build . --file=/etc/D", "/etc/D", "D", ". --file={}"),
        ("docker build -fD -t a .", "/home/me/app/D", "D", "-f{} -t a ."),
        ("docker build -qf D .", "/home/me/app/D", "D", "-qf {} ."),
        // A name that a builder could misread is not taken over.
        ("docker build -f a,b .", "/home/me/app/a,b", "Dockerfile", "-f {} ."),
    ] {
        let plan = probe().file(path, STEP).plan(line).unwrap();
        let copy = format!("/run/l/0.{copy}");
        assert_eq!(joined(&plan.args), format!("build {CONTEXT} {LENT} {}", now.replace("{}", &copy)), "{line}");
        assert_eq!(files(&plan), [(copy.as_str(), MOUNTED)], "{line}");
    }
}

#[test]
fn a_dockerfile_on_stdin_becomes_a_file_of_the_lease() {
    for (text, kept, context) in [(STEP, MOUNTED, true), ("FROM a\n", "FROM a\n", false)] {
        let mut probe = probe();
        probe.stdin = Some(text.into());
        let plan = probe.plan("docker build -f - .").unwrap();
        let context = if context { format!("{CONTEXT} ") } else { String::new() };
        assert_eq!(joined(&plan.args), format!("build {context}{LENT} -f /run/l/0.Dockerfile ."));
        assert_eq!(files(&plan), [("/run/l/0.Dockerfile", kept)]);
    }
}

#[test]
fn the_ignore_file_of_one_dockerfile_goes_with_it_and_that_of_the_context_stays() {
    let own = "/home/me/app/Dockerfile.dockerignore";
    let plan = probe().file(own, "*.key\n").file("/home/me/app/.dockerignore", "x").plan("docker build .").unwrap();
    assert_eq!(files(&plan), [("/run/l/0.Dockerfile", MOUNTED), ("/run/l/0.Dockerfile.dockerignore", "*.key\n")]);
}

#[test]
fn the_context_folder_is_where_the_dockerfile_is_looked_for() {
    let plan = Scripted::gateway().answer("", HELP).file("/src/Dockerfile", STEP).plan("docker build /src").unwrap();
    assert_eq!(files(&plan), [("/run/l/0.Dockerfile", MOUNTED)]);
    // As docker itself does where there is no other.
    let plan = Scripted::gateway().answer("", HELP).file("/src/dockerfile", STEP).plan("docker build /src").unwrap();
    assert_eq!(files(&plan), [("/run/l/0.dockerfile", MOUNTED)]);
    let error = Scripted::gateway().plan("docker build /src").unwrap_err();
    assert!(error.to_string().contains("/src/Dockerfile"), "{error}");
}

#[test]
fn podman_and_buildah_read_a_containerfile_first_and_look_in_the_context_too() {
    for line in ["podman build .", "buildah build .", "buildah bud .", "podman image build ."] {
        let plan = probe().file("/home/me/app/Containerfile", STEP).plan(line).unwrap();
        assert!(joined(&plan.args).contains(&format!("{CONTEXT} --file /run/l/0.Containerfile")), "{line}");
        assert_eq!(files(&plan), [("/run/l/0.Containerfile", MOUNTED)], "{line}");
        let plan = probe().plan(line).unwrap();
        assert_eq!(files(&plan), [("/run/l/0.Dockerfile", MOUNTED)], "{line}");
    }
    let plan = probe().file("/src/b.df", STEP).plan("podman build -f b.df /src").unwrap();
    assert!(joined(&plan.args).ends_with("-f /run/l/0.b.df /src"), "{}", joined(&plan.args));
    let plan = probe().file("/home/me/app/a", STEP).file("/home/me/app/b", "FROM a\n").plan("buildah bud -f a -f b .");
    assert!(joined(&plan.unwrap().args).ends_with("-f /run/l/0.a -f b ."));
}

#[test]
fn what_the_person_wrote_for_the_guest_keeps_its_file_and_gets_the_context() {
    let plan = probe().file("/home/me/app/Dockerfile", MOUNTED).plan("docker build .").unwrap();
    assert_eq!(joined(&plan.args), format!("build {CONTEXT} {LENT} ."));
    assert!(plan.files.is_empty());
}

#[test]
fn without_an_ssh_step_there_is_no_context_and_a_word_about_it() {
    let plan = probe().file("/home/me/app/Dockerfile", "FROM a\nRUN x\n").plan("docker build .").unwrap();
    assert_eq!(joined(&plan.args), format!("build {LENT} ."));
    assert!(plan.files.is_empty());
    assert_eq!(plan.warnings, ["docker build: no step has --mount=type=ssh, so nothing is lent to any"]);
}

#[test]
fn what_keeps_a_step_from_the_guest_is_said_with_its_line() {
    for (text, said) in [
        ("ENV GIT_SSH_COMMAND=/usr/bin/ssh\\ -v\n", "Dockerfile line 2: GIT_SSH_COMMAND makes Git use another ssh"),
        (
            "ARG GIT_SSH=/opt/ssh\n",
            "Dockerfile line 2: GIT_SSH makes Git use another ssh than the guest: unless /opt/ssh",
        ),
        ("ENV PATH=/opt\n", "Dockerfile line 2: this PATH has no /usr/local/bin"),
        ("ONBUILD RUN --mount=type=ssh x\n", "Dockerfile line 2: ONBUILD is recorded in the image"),
        (
            "RUN --mount=type=ssh git -c core.sshCommand='ssh -J x' clone y\n",
            "line 2: core.sshCommand gives ssh the option -J",
        ),
        ("RUN --mount=type=ssh /usr/bin/ssh x\n", "Dockerfile line 2: /usr/bin/ssh is not the guest"),
        ("FROM scratch\nRUN --mount=type=ssh x\nFROM b\n", "Dockerfile line 3: scratch has no shell"),
    ] {
        let text = STEP.replace("FROM a\n", &format!("FROM a\n{text}"));
        let plan = probe().file("/home/me/app/Dockerfile", &text).plan("docker build .").unwrap();
        assert_eq!(plan.warnings.len(), 1, "{:?}", plan.warnings);
        assert!(plan.warnings[0].contains(said), "{:?}", plan.warnings);
    }
}

#[track_caller]
fn stops(probe: &mut Scripted, line: &str, words: &[&str]) -> BuilderError {
    let error = probe.plan(line).unwrap_err();
    for word in words {
        assert!(error.to_string().contains(word), "{line}: {error}");
    }
    assert_eq!(error.code(), Code::Builder, "{line}");
    assert!(error.hint().unwrap().contains("--lend agent") || words.contains(&"valetkey\""), "{line}");
    error
}

#[test]
fn what_the_builder_fetches_itself_stops_before_the_build() {
    for context in ["https://h/o/r.git#main", "github.com/o/r", "git://h/r"] {
        for tool in ["docker build", "docker buildx build", "podman build", "buildah build"] {
            stops(&mut probe(), &format!("{tool} {context}"), &[tool, "fetched by the builder itself"]);
        }
    }
    stops(&mut probe(), "docker build -f https://h/Dockerfile .", &["the Dockerfile is fetched"]);
    for taken in ["FROM b AS valetkey\n", "RUN --mount=from=valetkey,target=/x y\n"] {
        let mut probe = probe().file("/home/me/app/Dockerfile", &format!("{STEP}{taken}"));
        stops(&mut probe, "docker build .", &["Dockerfile line 3", "valetkey\""]);
    }
}

#[test]
fn a_builder_without_named_contexts_is_told_before_the_build() {
    let old = || Scripted::gateway().answer("…--help", "  --add-host list\n").file("/home/me/app/Dockerfile", STEP);
    for line in ["docker build .", "docker buildx build .", "podman build ."] {
        let error = stops(&mut old(), line, &["too old for named contexts"]);
        assert!(matches!(error, BuilderError::NoContexts(_)), "{line}");
    }
    // It matters only where a step needs the guest.
    assert!(old().file("/home/me/app/Dockerfile", "FROM a\n").plan("docker build .").is_ok());
}

const PRINTED: &str = r#"{"target": {
  "app": {"context": "sub", "dockerfile": "my.df", "ssh": [{"id": "default"}]},
  "lib": {"context": "."},
  "doc": {"context": "doc"}}}"#;

#[test]
fn bake_gets_a_context_and_a_dockerfile_for_each_target_that_has_an_ssh_step() {
    let bake = |help: &str| {
        let probe = Scripted::gateway().answer("…bake --help", help).answer("", PRINTED);
        let probe = probe.file("/home/me/app/sub/my.df", STEP).file("/home/me/app/Dockerfile", MOUNTED);
        joined(&probe.file("/home/me/app/doc/Dockerfile", "FROM a\n").plan("docker buildx bake").unwrap().args)
    };
    let args = bake("      --allow stringArray   Allow build\n");
    for set in [
        "--set app.contexts.valetkey=/run/l/guest --set app.dockerfile=/run/l/0.my.df",
        "--set lib.contexts.valetkey=/run/l/guest",
        "--allow=fs.read=/run/l/guest",
        "--allow=fs.read=/run/l --",
    ] {
        assert!(args.contains(set), "{set} is not in {args}");
    }
    assert!(!args.contains("lib.dockerfile") && !args.contains("doc.contexts"), "{args}");
    assert!(!bake("").contains("--allow"));
}

#[test]
fn bake_stops_where_a_target_is_fetched_or_its_inline_dockerfile_stays() {
    let printed = r#"{"target": {"app": {"context": "https://h/r.git"}}}"#;
    let mut probe = Scripted::gateway().answer("", printed);
    stops(&mut probe, "docker buildx bake", &["target app", "fetched by the builder itself"]);
    // The same answer to both questions: bake did not take the other text.
    let printed = r#"{"target": {"app": {"dockerfile-inline": "FROM a\nRUN --mount=type=ssh x\n"}}}"#;
    stops(&mut Scripted::gateway().answer("", printed), "docker buildx bake", &["docker buildx bake", "is inline"]);
    let printed = r#"{"target": {"app": {"dockerfile-inline": "FROM a\n"}}}"#;
    assert!(Scripted::gateway().answer("", printed).plan("docker buildx bake").is_ok());
}

#[test]
fn every_id_that_a_step_uses_gets_a_socket_and_one_without_a_grant_is_named() {
    let step = "FROM a\nRUN --mount=type=ssh,id=foo x\n";
    let said = "no grant has the ssh id `foo`, so its steps get what `default` is granted";
    let lent = "--ssh default=/run/l/default.sock --ssh foo=/run/l/default.sock --secret";
    for line in ["docker build .", "docker buildx build .", "podman build .", "buildah build ."] {
        let plan = probe().file("/home/me/app/Dockerfile", step).plan(line).unwrap();
        assert!(joined(&plan.args).contains(lent), "{line}: {:?}", plan.args);
        assert!(plan.warnings.len() == 1 && plan.warnings[0].contains(said), "{line}: {:?}", plan.warnings);
    }
    // What was typed stays, with its own warning.
    let plan = probe().file("/home/me/app/Dockerfile", step).plan("docker build --ssh foo=/mine .").unwrap();
    assert!(joined(&plan.args).ends_with("--ssh foo=/mine ."), "{:?}", plan.args);
    assert!(plan.warnings.len() == 1 && plan.warnings[0].contains("stays at /mine"), "{:?}", plan.warnings);

    let printed = r#"{"target": {"app": {"context": "."}}}"#;
    let bake = Scripted::gateway().answer("…bake --help", "  --allow x\n").answer("", printed);
    let plan = bake.file("/home/me/app/Dockerfile", step).plan("docker buildx bake").unwrap();
    let args = joined(&plan.args);
    assert!(args.contains("--set app.ssh=foo=/run/l/default.sock"), "{args}");
    assert!(args.contains("--allow=fs.read=/run/l/default.sock"), "{args}");
    assert!(plan.warnings.len() == 1 && plan.warnings[0].contains(said), "{:?}", plan.warnings);

    let model = r#"{"services": {"app": {"build": {"context": "."}}}}"#;
    let compose = Scripted::gateway().answer("compose --profile", model).answer("version", "28.0.0");
    let compose = compose.file("/home/me/app/compose.yaml", "").file("/home/me/app/Dockerfile", step);
    let plan = { compose }.plan("docker compose build").unwrap();
    let text = files(&plan).into_iter().find(|(path, _)| path.ends_with(".json")).unwrap().1.to_owned();
    assert!(text.contains(r#""foo":"/run/l/default.sock""#), "{text}");
    assert!(plan.warnings.len() == 1 && plan.warnings[0].contains(said), "{:?}", plan.warnings);
}
