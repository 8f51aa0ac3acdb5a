//! `docker buildx bake`: typed, and what bake prints → planned. The printed forms are those of
//! buildx 0.13.1 and 0.29.1.

use super::scripted::{Scripted, joined, lending, typed};
use valetkey::builder::plan;
use valetkey::exit::Code;
use valetkey::ui::Explain as _;

const OLD: &str = r#"{"group": {"default": {"targets": ["a"]}}, "target": {"a": {"context": ".",
  "secret": ["id=tok,env=TOK"], "ssh": ["default"]}}}"#;
const NEW: &str = r#"{"group": {"default": {"targets": ["a"]}}, "target": {
  "a": {"secret": [{"id": "tok", "env": "TOK"}, {"id": "f", "src": "/a,b"}], "ssh": [{"id": "default"}]},
  "d": {"output": [{"type": "cacheonly"}]}}}"#;
const HELP_OLD: &str = "      --builder string   Override\n";
const HELP_NEW: &str = "      --allow stringArray   Allow build\n";

fn probe(printed: &str, help: &str) -> Scripted {
    Scripted::new().answer("…bake --help", help).answer("…f --help", help).answer("", printed)
}

#[test]
fn buildx_0_13_gets_every_list_whole_and_no_entitlement() {
    for line in ["docker buildx bake", "docker buildx f", "docker-buildx bake"] {
        let plan = probe(OLD, HELP_OLD).plan(line).unwrap();
        let before = line.split_once(' ').unwrap().1;
        assert_eq!(
            joined(&plan.args),
            format!(
                "{before} --set a.ssh=default=/run/l/default.sock --set a.secrets=id=tok,env=TOK \
                     --set a.secrets=id=known_hosts,src=/run/l/known_hosts"
            )
        );
        assert!(!plan.agent_in_env && plan.warnings.is_empty());
    }
}

#[test]
fn buildx_0_29_gets_exactly_the_entitlements_for_what_is_lent() {
    let plan = probe(NEW, HELP_NEW).plan("docker buildx bake --allow network.host a").unwrap();
    assert_eq!(
        joined(&plan.args),
        "buildx bake --allow=fs.read=/run/l/default.sock --allow=fs.read=/run/l/known_hosts \
         --set a.ssh=default=/run/l/default.sock --set a.secrets=id=tok,env=TOK --set a.secrets=id=f,\"src=/a,b\" \
         --set a.secrets=id=known_hosts,src=/run/l/known_hosts --set d.ssh=default=/run/l/default.sock \
         --set d.secrets=id=known_hosts,src=/run/l/known_hosts --allow network.host a"
    );
}

#[test]
fn what_the_user_named_stays_and_asks_for_no_entitlement_of_ours() {
    let printed = r#"{"target": {"a": {"ssh": [{"id": "default", "paths": ["/me.sock"]}],
        "secret": [{"id": "known_hosts", "src": "/mine"}]}}}"#;
    let plan = probe(printed, HELP_NEW).plan("docker buildx bake").unwrap();
    assert_eq!(joined(&plan.args), "buildx bake --set a.ssh=default=/me.sock --set a.secrets=id=known_hosts,src=/mine");
    assert_eq!(plan.warnings.len(), 1);
}

#[test]
fn typed_sets_of_the_two_lists_are_replaced_by_the_whole_lists_and_others_stay() {
    let mut probe = probe(OLD, HELP_OLD);
    let plan = probe
        .plan("docker buildx bake --set *.ssh=default --set=a.args.X=1 --set a.secrets+=id=tok,env=TOK a")
        .unwrap();
    assert!(joined(&plan.args).ends_with("known_hosts --set=a.args.X=1 a"), "{}", joined(&plan.args));
    assert!(!joined(&plan.args).contains("*.ssh"));
    // Bake is asked with all that was typed, before a typed `--` could hide the question.
    assert!(probe.asked[0].0.starts_with("buildx bake --print --set *.ssh=default --set=a.args.X=1"));
}

#[test]
fn every_id_of_the_lease_reaches_every_target() {
    let lending = lending(&["default", "deploy"]);
    let plan = plan(&typed("docker buildx bake"), &lending, &mut probe(OLD, HELP_NEW)).unwrap();
    let args = joined(&plan.args);
    assert!(args.contains("--set a.ssh=default=/run/l/default.sock --set a.ssh=deploy=/run/l/deploy.sock"), "{args}");
    assert!(args.contains("--allow=fs.read=/run/l/deploy.sock"), "{args}");
}

#[test]
fn a_bake_file_on_stdin_is_asked_about_and_kept_for_the_run() {
    let mut probe = probe(OLD, HELP_OLD);
    probe.stdin = Some("target \"a\" {}".into());
    let plan = probe.plan("docker buildx bake -f - -f x.hcl a").unwrap();
    assert_eq!(probe.asked[0], ("buildx bake --print -f - -f x.hcl a".into(), "target \"a\" {}".into()));
    assert!(joined(&plan.args).ends_with("-f /run/l/bake.stdin -f x.hcl a"));
    assert_eq!(plan.files, [("/run/l/bake.stdin".into(), "target \"a\" {}".to_owned())]);
}

#[test]
fn bakes_own_refusal_is_passed_on() {
    let error =
        Scripted::new().refuse("", "#1 reading\nERROR: no such target: x\n").plan("docker buildx bake x").unwrap_err();
    assert_eq!(error.code(), Code::Builder);
    assert!(error.to_string().ends_with("ERROR: no such target: x"), "{error}");
    assert!(Scripted::new().answer("", "no json").plan("docker buildx bake").is_err());
}
