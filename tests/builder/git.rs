//! Repositories over SSH that the builder would fetch past the guest: clones take their place in
//! what is typed, in Compose's override and in bake's settings, and what cannot be cloned stops.

use super::scripted::{Scripted, joined, lending, typed};
use valetkey::builder::{BuilderError, Lending, plan};
use valetkey::exit::Code;
use valetkey::ui::Explain as _;

const HELP: &str = "      --build-context stringArray   Additional build contexts\n";
const LENT: &str = "--ssh default=/run/l/default.sock --secret id=known_hosts,src=/run/l/known_hosts";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const STEP: &str = "FROM a\nRUN --mount=type=ssh git clone x\n";

/// Two repositories; the first is cloned to `/run/l/git/0`, and so on.
fn probe() -> Scripted {
    let mut probe = Scripted::gateway().answer("…--help", HELP);
    for url in ["git@h:o/r.git", "ssh://git@h:22/o/q"] {
        probe.repositories.insert(url.into(), COMMIT.into());
    }
    probe
}

fn with_dockerfile(text: &str) -> Scripted {
    probe().file("/home/me/app/Dockerfile", text)
}

#[test]
fn an_add_of_a_repository_is_copied_from_a_context() {
    let mut probe = with_dockerfile("FROM a\nADD git@h:o/r.git#v1:lib /a\nADD --keep-git-dir ssh://git@h:22/o/q /b\n");
    let plan = probe.plan("docker build .").unwrap();
    assert_eq!(
        joined(&plan.args),
        format!(
            "build --build-context valetkey-add-0-0=/run/l/git/0 --build-context valetkey-add-0-1=/run/l/git/1 \
             --file /run/l/0.Dockerfile {LENT} ."
        )
    );
    let text = "FROM a\nCOPY --from=valetkey-add-0-0 repo/lib/ /a\nCOPY --from=valetkey-add-0-1  repo/ /b\n";
    assert_eq!(plan.files, [("/run/l/0.Dockerfile".into(), text.into())]);
    let asked = [("git@h:o/r.git".into(), Some("v1".into()), false), ("ssh://git@h:22/o/q".into(), None, true)];
    assert_eq!(probe.cloned, asked);
    assert_eq!((plan.notes.len(), plan.warnings.len()), (2, 0), "{:?}", plan.warnings);
    assert!(
        plan.notes[0].contains(&format!("cloned git@h:o/r.git at {COMMIT} through the gateway")),
        "{:?}",
        plan.notes
    );
}

#[test]
fn a_git_context_is_the_clones_folder_and_its_dockerfile_is_looked_for_there() {
    for (line, dockerfile, now) in [
        (
            "docker build git@h:o/r.git",
            "/run/l/git/0/repo/Dockerfile",
            "--file /run/l/0.Dockerfile {LENT} /run/l/git/0/repo",
        ),
        (
            "docker build -t x git@h:o/r.git#main:sub --pull",
            "/run/l/git/0/repo/sub/Dockerfile",
            "--file /run/l/0.Dockerfile {LENT} -t x /run/l/git/0/repo/sub --pull",
        ),
        ("docker build -f d/D git@h:o/r.git", "/run/l/git/0/repo/d/D", "{LENT} -f /run/l/0.D /run/l/git/0/repo"),
    ] {
        let plan = probe().file(dockerfile, STEP).plan(line).unwrap();
        let now = now.replace("{LENT}", LENT);
        assert_eq!(joined(&plan.args), format!("build --build-context valetkey=/run/l/guest {now}"), "{line}");
    }
    // Without a step for the guest, a typed Dockerfile is still the clone's.
    let plan = probe().file("/run/l/git/0/repo/D", "FROM a\n").plan("docker build -f D git@h:o/r.git").unwrap();
    assert_eq!(joined(&plan.args), format!("build {LENT} -f /run/l/git/0/repo/D /run/l/git/0/repo"));
}

#[test]
fn a_folder_whose_name_looks_like_an_address_is_a_folder() {
    let mut probe = probe().file("/home/me/app/git@h:o", "").file("/home/me/app/git@h:o/Dockerfile", STEP);
    let plan = probe.plan("docker build git@h:o").unwrap();
    assert!(joined(&plan.args).ends_with(" git@h:o") && probe.cloned.is_empty());
}

#[test]
fn a_git_context_keeps_its_git_folder_where_buildkit_would() {
    for (arg, kept) in
        [("BUILDKIT_CONTEXT_KEEP_GIT_DIR=1", true), ("BUILDKIT_CONTEXT_KEEP_GIT_DIR=0", false), ("A=1", false)]
    {
        let mut probe = probe().file("/run/l/git/0/repo/Dockerfile", STEP);
        probe.plan(&format!("docker build --build-arg {arg} git@h:o/r.git")).unwrap();
        assert_eq!(probe.cloned, [("git@h:o/r.git".into(), None, kept)], "{arg}");
    }
}

#[test]
fn a_named_context_that_is_a_repository_is_a_clone() {
    let plan = with_dockerfile("FROM a\n")
        .plan("docker build --build-context lib=git@h:o/r.git#main --build-context x=docker-image://y .")
        .unwrap();
    let args = joined(&plan.args);
    assert_eq!(
        args,
        format!("build {LENT} --build-context lib=/run/l/git/0/repo --build-context x=docker-image://y .")
    );
}

#[test]
fn compose_gets_clones_for_contexts_named_contexts_and_adds() {
    let model = r#"{"services": {
        "app": {"build": {"context": "git@h:o/r.git#main:sub", "dockerfile": "D"}},
        "lib": {"build": {"context": "/home/me/app", "additional_contexts": {"q": "ssh://git@h:22/o/q", "z": "./z"}}},
        "in": {"build": {"context": ".", "dockerfile_inline": "FROM a\nADD git@h:o/r.git /x\n"}}}}"#;
    let probe = probe().answer("…--no-consistency", model).answer("compose config", model).answer("", model);
    let probe = probe.file("/run/l/git/0/repo/sub/D", STEP).file("/home/me/app/Dockerfile", "FROM a\n");
    let plan = probe.file("/home/me/app/compose.yaml", "").plan("docker compose build").unwrap();
    let (_, over) = plan.files.iter().find(|(path, _)| path.ends_with("compose.valetkey.json")).unwrap();
    let over: serde_json::Value = serde_json::from_str(over).unwrap();
    let build = |service: &str, key: &str| over["services"][service]["build"][key].clone();
    assert_eq!(build("app", "context"), "/run/l/git/0/repo/sub");
    assert_eq!(build("app", "dockerfile"), "/run/l/0.D");
    assert_eq!(build("app", "additional_contexts")["valetkey"], "/run/l/guest");
    // In the order of their names: app, in, lib.
    assert_eq!(build("in", "dockerfile_inline"), "FROM a\nCOPY --from=valetkey-add-0-0 repo/ /x\n");
    assert_eq!(build("in", "additional_contexts")["valetkey-add-0-0"], "/run/l/git/1");
    assert_eq!(build("lib", "additional_contexts"), serde_json::json!({ "q": "/run/l/git/2/repo" }));
    assert_eq!(build("lib", "context"), serde_json::Value::Null);
    assert_eq!((plan.notes.len(), plan.warnings.len()), (3, 0), "{:?}", plan.warnings);
}

#[test]
fn a_dockerfile_on_stdin_is_built_in_an_empty_folder_and_an_archive_is_refused() {
    let with = |text: &str| {
        let mut probe = probe();
        probe.stdin = Some(text.into());
        probe.plan("docker build -t x -")
    };
    let plan = with(STEP).unwrap();
    assert_eq!(
        joined(&plan.args),
        format!("build --build-context valetkey=/run/l/guest --file /run/l/0.Dockerfile {LENT} -t x /run/l/empty")
    );
    assert_eq!(plan.folders, ["/run/l/empty"].map(std::path::PathBuf::from));
    let plan = with("FROM a\n").unwrap();
    assert_eq!(joined(&plan.args), format!("build --file /run/l/0.Dockerfile {LENT} -t x /run/l/empty"));
    let error = with("Dockerfile\0\0 644").unwrap_err();
    assert!(error.to_string().contains("on stdin, as an archive"), "{error}");
    let error = probe().plan("docker build -f D -").unwrap_err();
    assert!(error.to_string().contains("its Dockerfile does not"), "{error}");
}

#[test]
fn what_cannot_be_cloned_stops_before_the_build_and_says_why() {
    for (add, said) in [
        ("ADD git@h:o/other /x", "failed to clone git@h:o/other for docker build, Dockerfile: not granted"),
        (
            "ADD git@h:o/r.git#$REF /x",
            "Dockerfile line 2: the builder would fetch this ADD itself, past the gateway, and its address has a variable",
        ),
        ("ADD git@h:o/r.git a /x/", "and it has other sources beside it"),
        ("ADD --checksum=89abcdef0123456789abcdef0123456789abcdef git@h:o/r.git /x", "asks for commit 89abcdef"),
    ] {
        let error = with_dockerfile(&format!("FROM a\n{add}\n")).plan("docker build .").unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert_eq!(error.code(), Code::Builder);
        assert!(error.hint().is_some(), "{error}");
    }
    let error = probe().plan("docker build git@h:o/r.git?ref=x").unwrap_err();
    assert!(error.to_string().contains("its address has a query"), "{error}");
}

#[test]
fn a_link_that_leads_out_of_the_repository_is_not_followed() {
    let outside = |line: &str, link: &str| {
        let mut probe = probe().file("/run/l/git/0/repo/Dockerfile", STEP).file(link, STEP);
        probe.links.push(link.into());
        let error = probe.plan(line).unwrap_err();
        assert!(matches!(error, BuilderError::Outside { .. }), "{line}: {error}");
    };
    outside("docker build git@h:o/r.git", "/run/l/git/0/repo/Dockerfile");
    outside("docker build -f D git@h:o/r.git", "/run/l/git/0/repo/D");
    outside("docker build git@h:o/r.git", "/run/l/git/0/repo/Dockerfile.dockerignore");
    outside("docker build git@h:o/r.git#main:sub", "/run/l/git/0/repo/sub");
    let mut probe = with_dockerfile("FROM a\nADD git@h:o/r.git#main:sub /x\n").file("/run/l/git/0/repo/sub", "");
    probe.links.push("/run/l/git/0/repo/sub".into());
    assert!(matches!(probe.plan("docker build ."), Err(BuilderError::Outside { .. })));
}

#[test]
fn where_default_is_lent_by_agent_the_builder_fetches_and_a_warning_says_so() {
    let lending = || Lending { guest: Some("/run/l/guest".into()), ..lending(&["default", "lib"]) };
    let mut probe = with_dockerfile("FROM a\nADD git@h:o/r.git /x\n");
    let planned = plan(&typed("docker build ."), &lending(), &mut probe).unwrap();
    assert!(planned.files.is_empty() && probe.cloned.is_empty());
    assert!(
        planned.warnings[0].contains("Dockerfile line 2: this ADD is a Git repository that the builder fetches itself"),
        "{:?}",
        planned.warnings
    );
    let planned = plan(&typed("docker build git@h:o/r.git"), &lending(), &mut probe).unwrap();
    assert!(joined(&planned.args).ends_with(" git@h:o/r.git"));
    assert!(planned.warnings[0].contains("its context is a Git repository"), "{:?}", planned.warnings);
}
