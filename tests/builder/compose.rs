//! `docker compose`: typed, and what `config` answers → planned.

use serde_json::{Value, json};

use super::scripted::{Scripted, env, joined, lending, typed};
use valetkey::builder::{Plan, plan};
use valetkey::exit::Code;
use valetkey::ui::Explain as _;

const MODEL: &str = r#"{"services": {
  "app": {"build": {"context": "."}},
  "list": {"build": {"context": ".", "ssh": ["default", "x"], "secrets": [{"source": "known_hosts"}]}},
  "img": {"image": "foo", "build": null},
  "map": {"build": {"context": ".", "ssh": {"default": null, "own": "/me.sock"}, "secrets": [{"source": "s", "target": "t"}]}},
  "short": {"build": "."}
}}"#;

fn probe(model: &str) -> Scripted {
    Scripted::new().file("/home/me/app/compose.yaml", "").answer("…version --short", "2.40.3\n").answer("", model)
}

fn overridden(plan: &Plan) -> Value {
    assert_eq!(plan.files[0].0.to_str(), Some("/run/l/compose.valetkey.json"));
    serde_json::from_str(&plan.files[0].1).unwrap()
}

#[test]
fn the_verbs_that_build_get_one_more_file_and_nothing_else() {
    for line in [
        "docker compose build",
        "docker compose up --build -d app",
        "docker compose run --rm app pytest --ssh x --help",
        "docker compose create",
        "docker compose watch",
        "docker-compose build --no-cache",
        "docker -H ssh://h compose -p name --profile=x --ansi never build",
        "docker compose --env-file e --project-directory /p up",
    ] {
        let mut probe = probe(MODEL).file("/p/compose.yml", "");
        let plan = probe.plan(line).unwrap();
        assert_eq!(joined(&plan.args), line.split_once(' ').unwrap().1, "{line}");
        assert!(
            env(&plan)[0].starts_with("COMPOSE_FILE=/") && env(&plan)[0].ends_with(":/run/l/compose.valetkey.json")
        );
        assert_eq!(env(&plan)[1], "COMPOSE_PATH_SEPARATOR=:");
        assert_eq!(plan.set_env.len(), 2, "{line}");
        assert!(!plan.agent_in_env, "{line}");
    }
}

#[test]
fn the_override_names_built_services_and_keeps_what_they_have() {
    let plan = probe(MODEL).plan("docker compose build").unwrap();
    let secrets = json!([{"source": "valetkey_known_hosts", "target": "known_hosts"}]);
    assert_eq!(
        overridden(&plan),
        json!({
            "services": {
                "app": {"build": {"ssh": {"default": "/run/l/default.sock"}, "secrets": secrets}},
                "list": {"build": {"ssh": {"default": "/run/l/default.sock", "x": "/run/l/default.sock"}}},
                "map": {"build": {"ssh": {"default": "/run/l/default.sock"}, "secrets": secrets}},
                "short": {"build": {"ssh": {"default": "/run/l/default.sock"}, "secrets": secrets}},
            },
            "secrets": {"valetkey_known_hosts": {"file": "/run/l/known_hosts"}},
        })
    );
    assert_eq!(plan.warnings.len(), 1);
    assert!(plan.warnings[0].contains("service map") && plan.warnings[0].contains("/me.sock"), "{:?}", plan.warnings);
}

#[test]
fn every_id_of_the_lease_reaches_every_built_service() {
    let mut probe = probe(r#"{"services": {"a": {"build": {"ssh": {"deploy": "/me"}}}, "b": {"build": {}}}}"#);
    let plan = plan(&typed("docker compose build"), &lending(&["default", "deploy"]), &mut probe).unwrap();
    let file = overridden(&plan);
    assert_eq!(file["services"]["a"]["build"]["ssh"], json!({"default": "/run/l/default.sock"}));
    assert_eq!(
        file["services"]["b"]["build"]["ssh"],
        json!({"default": "/run/l/default.sock", "deploy": "/run/l/deploy.sock"})
    );
}

#[test]
fn a_typed_ssh_flag_speaks_for_its_id_alone() {
    for (typed, now, lent) in [
        ("build --ssh default", "build --ssh default=/run/l/default.sock", false),
        ("build --ssh=", "build --ssh=default=/run/l/default.sock", false),
        ("build --ssh default=/me app", "build --ssh default=/me app", false),
        ("build --ssh own=/me", "build --ssh own=/me", true),
        // Compose takes the last one alone.
        ("build --ssh default=/me --ssh own=/me", "build --ssh default=/me --ssh own=/me", true),
    ] {
        let plan = probe(r#"{"services": {"a": {"build": {}}}}"#).plan(&format!("docker compose {typed}")).unwrap();
        assert_eq!(joined(&plan.args), format!("compose {now}"));
        assert_eq!(overridden(&plan)["services"]["a"]["build"]["ssh"].is_object(), lent, "{typed}");
    }
}

#[test]
fn an_id_of_the_flag_is_not_repeated_for_a_service_that_names_it_without_a_socket() {
    let model = r#"{"services": {"a": {"build": {"ssh": ["default", "x"]}}}}"#;
    let plan = probe(model).plan("docker compose build --ssh default").unwrap();
    assert_eq!(overridden(&plan)["services"]["a"]["build"]["ssh"], json!({"x": "/run/l/default.sock"}));
}

#[test]
fn a_quiet_build_switches_off_bakes_question_about_files_and_only_a_quiet_one() {
    for (line, set) in [
        ("build -q", true),
        ("build --quiet", true),
        ("up --quiet-build", true),
        ("run --quiet-build app", true),
        ("watch --quiet", true),
        ("build", false),
        ("up --quiet-pull", false),
        ("run -q app", false),
        ("run app sh -q --quiet-build", false),
        ("build --quiet=false", false),
    ] {
        let plan = probe(MODEL).plan(&format!("docker compose {line}")).unwrap();
        assert_eq!(env(&plan).contains(&"BUILDX_BAKE_ENTITLEMENTS_FS=0".to_owned()), set, "{line}");
    }
    let plan = probe(MODEL).var("BUILDX_BAKE_ENTITLEMENTS_FS", "1").plan("docker compose build -q").unwrap();
    assert!(!env(&plan).iter().any(|set| set.starts_with("BUILDX")));
}

#[test]
fn compose_is_asked_with_its_own_flags_and_every_profile_but_never_for_a_dry_run() {
    let mut probe = probe(MODEL);
    probe.plan("docker -c x compose --dry-run -p n --profile y up app").unwrap();
    assert_eq!(
        probe.asked[0].0,
        "-c x compose -p n --profile y --profile * config --format json --no-interpolate --no-consistency"
    );
    assert_eq!(probe.asked.len(), 1);
}

#[test]
fn compose_is_asked_again_where_a_way_of_asking_is_refused() {
    let mut probe = Scripted::new()
        .file("/home/me/app/compose.yaml", "")
        .refuse("…--no-consistency", "open ${LIB}.yaml: no such file")
        .answer("compose --profile * config --format json", MODEL);
    assert!(probe.plan("docker compose build").is_ok());

    let mut probe =
        Scripted::new().refuse("…--no-consistency", "first").refuse("…json", "services.app: bad\n").refuse("", "third");
    let error = probe.plan("docker compose build").unwrap_err();
    assert!(error.to_string().ends_with("services.app: bad"), "{error}");
    assert_eq!(error.code(), Code::Builder);
    assert_eq!(probe.asked.len(), 3);
}

#[test]
fn a_project_that_builds_nothing_runs_and_says_so() {
    let plan = probe(r#"{"services": {"img": {"image": "x"}}}"#).plan("docker compose up").unwrap();
    assert_eq!(overridden(&plan), json!({"services": {}}));
    assert_eq!(plan.warnings.len(), 1);
}

#[test]
fn an_answer_that_is_no_model_is_refused() {
    for answer in ["", "[]x", r#"{"services": []}"#, r#"{"services": "x"}"#] {
        assert!(probe(answer).plan("docker compose build").is_err(), "{answer}");
    }
}

#[test]
fn docker_compose_1_is_too_old_for_the_verbs_that_build() {
    let mut probe = Scripted::new().answer("version --short", "1.29.2\n");
    let error = probe.plan("docker-compose -f x up").unwrap_err();
    assert_eq!(error.code(), Code::Builder);
    assert!(error.to_string().contains("1.29.2"), "{error}");
    assert!(probe.plan("docker-compose ps").is_ok());
}
