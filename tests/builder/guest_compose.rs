//! The guest's mount for Compose: the override names a copy of each Dockerfile that needs it.

use serde_json::{Value, json};

use super::scripted::Scripted;
use valetkey::builder::{BuilderError, Plan};
use valetkey::exit::Code;
use valetkey::ui::Explain as _;

const STEP: &str = "FROM a\nRUN --mount=type=ssh x\n";
const MOUNT: &str = "--mount=type=bind,from=valetkey,source=ssh,target=/usr/local/bin/ssh";

fn plan(services: &Value, change: impl FnOnce(Scripted) -> Scripted) -> Result<Plan, BuilderError> {
    let model = json!({ "services": services }).to_string();
    let probe = Scripted::gateway()
        .file("/home/me/app/compose.yaml", "services: {}")
        .file("/home/me/app/Dockerfile", STEP)
        .answer("…config --format json", &model);
    change(probe).plan("docker compose build")
}

fn service<'a>(plan: &'a Plan, over: &'a mut Value, name: &str) -> &'a Value {
    let (_, text) = plan.files.iter().find(|(path, _)| path.ends_with("compose.valetkey.json")).unwrap();
    *over = serde_json::from_str(text).unwrap();
    &over["services"][name]["build"]
}

#[test]
fn a_service_builds_from_a_copy_of_its_dockerfile() {
    let services = json!({
        "app": { "build": { "context": "/home/me/app" } },
        "lib": { "build": { "context": "/src", "dockerfile": "my.df" } },
        "own": { "build": { "context": "/own" } },
        "doc": { "build": { "context": "/doc" } },
        "db": { "image": "postgres" },
    });
    let plan = plan(&services, |probe| {
        let probe =
            probe.file("/src/my.df", STEP).file("/src/my.df.dockerignore", "x").file("/doc/Dockerfile", "FROM a\n");
        probe.file("/own/Dockerfile", &STEP.replace("--mount", &format!("{MOUNT} --mount")))
    });
    let plan = plan.unwrap();
    let mut over = Value::Null;
    let app = service(&plan, &mut over, "app").clone();
    assert_eq!(app["additional_contexts"], json!({ "valetkey": "/run/l/guest" }));
    assert_eq!(app["ssh"], json!({ "default": "/run/l/default.sock" }));
    let copies: Vec<(String, &str)> =
        plan.files.iter().map(|(path, text)| (path.display().to_string(), text.as_str())).collect();
    let text_of = |path: &Value| copies.iter().find(|(own, _)| json!(own) == *path).map(|(_, text)| *text);
    assert!(text_of(&app["dockerfile"]).unwrap().contains(&format!("RUN {MOUNT} --mount=type=ssh x")));
    let lib = service(&plan, &mut over, "lib").clone();
    assert!(lib["dockerfile"].as_str().unwrap().ends_with(".my.df") && lib["dockerfile"] != app["dockerfile"]);
    assert_eq!(text_of(&json!(format!("{}.dockerignore", lib["dockerfile"].as_str().unwrap()))), Some("x"));
    let own = service(&plan, &mut over, "own").clone();
    assert_eq!((&own["dockerfile"], &own["additional_contexts"]["valetkey"]), (&Value::Null, &json!("/run/l/guest")));
    let doc = service(&plan, &mut over, "doc").clone();
    assert_eq!((&doc["dockerfile"], &doc["additional_contexts"]), (&Value::Null, &Value::Null));
    assert_eq!(over["services"]["db"], Value::Null);
    assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
}

#[test]
fn an_inline_dockerfile_stays_inline_and_keeps_its_doubled_dollars() {
    let inline = "FROM a\nENV PATH=/opt:$$PATH\nRUN --mount=type=ssh echo $$HOME\n";
    let plan = plan(&json!({ "app": { "build": { "dockerfile_inline": inline } } }), |probe| probe).unwrap();
    let mut over = Value::Null;
    let app = service(&plan, &mut over, "app");
    assert_eq!(app["dockerfile_inline"], json!(inline.replace("RUN", &format!("RUN {MOUNT}"))));
    assert_eq!(app["dockerfile"], Value::Null);
    assert_eq!(app["additional_contexts"]["valetkey"], json!("/run/l/guest"));
    assert_eq!(plan.files.len(), 1, "the override alone is written");
    assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
}

#[test]
fn a_service_that_cannot_get_the_guest_is_named_and_the_others_get_it() {
    let services = json!({
        "app": { "build": { "context": "/home/me/app" } },
        "far": { "build": { "context": "https://h/o/r.git" } },
        "gone": { "build": { "context": "/gone" } },
        "add": { "build": { "context": "/add" } },
    });
    let plan = plan(&services, |probe| probe.file("/add/Dockerfile", "FROM a\nADD git@h:o/r /x\n")).unwrap();
    let mut over = Value::Null;
    assert_ne!(service(&plan, &mut over, "app")["additional_contexts"], Value::Null);
    assert_eq!(service(&plan, &mut over, "far")["additional_contexts"], Value::Null);
    for said in [
        "service far: its context is fetched by the builder itself",
        "service gone: /gone/Dockerfile cannot be read",
        "failed to clone git@h:o/r for docker compose build, service add, Dockerfile: not granted",
    ] {
        assert!(plan.warnings.iter().any(|warning| warning.contains(said)), "{said}: {:?}", plan.warnings);
    }
}

#[test]
fn an_engine_without_named_contexts_is_known_before_the_build() {
    let services = json!({ "app": { "build": { "context": "." } } });
    for (version, stops) in [("20.10.24\n", true), ("22.9", true), ("23.0.0\n", false), ("28.5.1", false), ("", false)]
    {
        let planned = plan(&services, |probe| probe.answer("version --format", version));
        match planned {
            Ok(_) => assert!(!stops, "{version}"),
            Err(error) => {
                assert!(stops && matches!(error, BuilderError::NoContexts(_)), "{version}: {error}");
                assert!(error.to_string().contains(version.trim()), "{error}");
                assert_eq!(error.code(), Code::Builder);
            }
        }
    }
    // A project that needs no guest is not asked about its engine.
    let doc = json!({ "doc": { "build": { "dockerfile_inline": "FROM a\n" } } });
    assert!(plan(&doc, |probe| probe.answer("version --format", "20.10.24")).is_ok());
}
