//! Build secrets: typed → planned, with every tool, beside a key and alone.

use serde_json::{Value, json};

use super::scripted::{Scripted, joined, lending, typed};
use valetkey::builder::{BuilderError, Lending, Plan, plan};

/// A lease of two secrets, and of keys under these ids.
fn with_secrets(ids: &[&str]) -> Lending {
    let secrets = vec![("pip".into(), "/proc/7/fd/3".into()), ("npm".into(), "/proc/7/fd/4".into())];
    Lending { secrets, ..lending(ids) }
}

fn planned(line: &str, lending: &Lending, mut probe: Scripted) -> Plan {
    plan(&typed(line), lending, &mut probe).unwrap()
}

#[test]
fn every_builder_of_images_gets_each_secret_beside_the_key_and_alone() {
    let lent = "--secret id=pip,src=/proc/7/fd/3 --secret id=npm,src=/proc/7/fd/4";
    for line in ["docker build .", "docker buildx build .", "docker-buildx build .", "podman build .", "buildah bud ."]
    {
        let (before, rest) = line.split_once(' ').unwrap().1.rsplit_once(' ').unwrap();
        let alone = planned(line, &with_secrets(&[]), Scripted::new());
        assert_eq!(joined(&alone.args), format!("{before} {lent} {rest}"), "{line}");
        assert!(!alone.agent_in_env && alone.warnings.is_empty(), "{line}: {:?}", alone.warnings);
        let beside = planned(line, &with_secrets(&["default"]), Scripted::new());
        let keys = "--ssh default=/run/l/default.sock --secret id=known_hosts,src=/run/l/known_hosts";
        assert_eq!(joined(&beside.args), format!("{before} {keys} {lent} {rest}"), "{line}");
    }
}

#[test]
fn an_id_that_was_typed_stays_with_a_warning_and_the_typed_ssh_id_means_the_users_own_agent() {
    let line = "docker build --secret id=pip,env=MINE --ssh default .";
    let plan = planned(line, &with_secrets(&[]), Scripted::new());
    assert_eq!(joined(&plan.args), "build --secret id=npm,src=/proc/7/fd/4 --secret id=pip,env=MINE --ssh default .");
    assert_eq!(plan.warnings, ["docker build: the secret `pip` stays as typed, so its steps do not get the lent one"]);
}

#[test]
fn bake_gets_each_secret_in_each_list_and_leave_to_read_exactly_these() {
    let printed = r#"{"target": {"a": {"secret": [{"id": "pip", "env": "MINE"}]}, "b": {}}}"#;
    let probe = || Scripted::new().answer("…bake --help", "  --allow stringArray\n").answer("", printed);
    let plan = planned("docker buildx bake", &with_secrets(&[]), probe());
    assert_eq!(
        joined(&plan.args),
        "buildx bake --allow=fs.read=/proc/7/fd/3 --allow=fs.read=/proc/7/fd/4 --set a.secrets=id=pip,env=MINE \
         --set a.secrets=id=npm,src=/proc/7/fd/4 --set b.secrets=id=pip,src=/proc/7/fd/3 \
         --set b.secrets=id=npm,src=/proc/7/fd/4"
    );
    assert_eq!(plan.warnings.len(), 1);
    assert!(plan.warnings[0].contains("target a: the secret `pip` stays"), "{:?}", plan.warnings);
}

#[test]
fn compose_gets_each_secret_for_each_built_service_that_has_none_of_that_id() {
    let model = r#"{"services": {"app": {"build": {}}, "db": {"image": "x"},
        "own": {"build": {"secrets": ["npm", {"source": "s", "target": "pip"}]}}}}"#;
    let probe = || {
        let probe = Scripted::new().file("/home/me/app/compose.yaml", "");
        probe.answer("…version --short", "2.40.3\n").answer("", model)
    };
    let plan = planned("docker compose build", &with_secrets(&[]), probe());
    let file: Value = serde_json::from_str(&plan.files[0].1).unwrap();
    let listed = json!([{"source": "valetkey_pip", "target": "pip"}, {"source": "valetkey_npm", "target": "npm"}]);
    assert_eq!(
        file,
        json!({
            "services": {"app": {"build": {"secrets": listed}}},
            "secrets": {"valetkey_pip": {"file": "/proc/7/fd/3"}, "valetkey_npm": {"file": "/proc/7/fd/4"}},
        })
    );
    assert_eq!(plan.warnings.len(), 2, "{:?}", plan.warnings);
    assert!(plan.warnings.iter().all(|text| text.contains("service own: the secret `")), "{:?}", plan.warnings);
}

#[test]
fn who_gets_no_secret_is_told_so() {
    let plan = planned("./build.sh", &with_secrets(&[]), Scripted::new());
    assert_eq!(plan.warnings, ["build.sh is no builder that valetkey knows: no secret is lent to it"]);
    let plan = planned("podman compose build", &with_secrets(&[]), Scripted::new());
    assert!(plan.warnings[0].contains("no secret"), "{:?}", plan.warnings);
    assert!(planned("./build.sh", &lending(&["default"]), Scripted::new()).warnings.is_empty());
}

#[test]
fn an_id_or_a_path_that_a_builder_would_read_as_something_else_is_refused() {
    for (id, path) in [("a,b", "/p"), ("", "/p"), ("a=b", "/p"), ("a", "/p,q"), ("a", "/p$q"), ("a", "p")] {
        let lending = Lending { secrets: vec![(id.into(), path.into())], ..lending(&[]) };
        let error = plan(&typed("docker build ."), &lending, &mut Scripted::new()).unwrap_err();
        assert!(matches!(error, BuilderError::Path(_) | BuilderError::Id(_)), "{id:?} {path:?}");
    }
}
