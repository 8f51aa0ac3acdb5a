//! A layer that an earlier audit read is not read again: a registry is not even asked for it, and
//! of what an engine saves its digest is taken. The findings are the same.

use std::path::Path;

use serde_json::Value;
use valetkey_integration::{Audited, Engine, Finished, Key, Project, Registry};

fn audit(engine: &Engine, home: &Path, arguments: &[&str]) -> Finished {
    let audit = engine.valetkey(&["audit", "--format", "json"]).args(arguments);
    audit.env("XDG_CACHE_HOME", home.join("cache")).env("XDG_STATE_HOME", home.join("state")).finish()
}

fn whole(run: Finished) -> Audited {
    Audited::of(run).expect_code(116).expect_complete()
}

fn layers(audit: &Audited) -> &Vec<Value> {
    audit.images()[0]["layers"].as_array().expect("layers")
}

fn cached(audit: &Audited) -> Vec<bool> {
    layers(audit).iter().map(|layer| layer["cached"] == true).collect()
}

#[test]
fn of_a_registry() {
    let (engine, registry, home) = (Engine::named("docker-28"), Registry::up(), tempfile::tempdir().expect("a folder"));
    let key = Key::ed25519("deploy");
    let project = Project::new().write("key", &key.private()).write("other", "nothing");
    let project = project.write("Dockerfile", "FROM scratch\nCOPY key /id_ed25519\nCOPY other /other\n");
    let name = registry.name("team/app:1");
    engine.command("docker").args(["build", "--tag", &name, "."]).within(project.path()).succeed();
    engine.command("docker").args(["push", "--quiet", &name]).succeed();
    let image = format!("registry://{name}");
    let first = whole(audit(&engine, home.path(), &[&image]));
    assert_eq!(first.of_key(&key.fingerprint()).len(), 1);
    assert_eq!(cached(&first), [false, false]);

    registry.lose(layers(&first)[0]["digest"].as_str().expect("a digest"));
    let second = whole(audit(&engine, home.path(), &[&image]));
    assert_eq!(cached(&second), [true, true]);
    assert_eq!(second.findings(), first.findings());
    // Who reads it sees that it is gone.
    let fresh = Audited::of(audit(&engine, home.path(), &["--no-cache", &image])).expect_code(117);
    assert_eq!(fresh.of_key(&key.fingerprint()).len(), 0, "{:#}", fresh.report());
}

#[test]
fn of_an_engine() {
    let (engine, home) = (Engine::named("docker-28"), tempfile::tempdir().expect("a folder"));
    let key = Key::ed25519("deploy");
    let project = Project::new().write("key", &key.private()).write("other", "nothing");
    let project =
        project.write("Dockerfile", "FROM scratch AS base\nCOPY key /id_ed25519\nFROM base\nCOPY other /other\n");
    let names = ["base", "app"].map(|stage| format!("{}-{stage}", project.name));
    let build = |arguments: &[&str]| {
        engine.command("docker").arg("build").args(arguments).arg(".").within(project.path()).succeed();
    };
    build(&["--target", "base", "--tag", &names[0]]);
    build(&["--tag", &names[1]]);
    let base = whole(audit(&engine, home.path(), &[&names[0]]));
    let app = whole(audit(&engine, home.path(), &[&names[1]]));
    assert_eq!((cached(&base), cached(&app)), (vec![false], vec![true, false]));
    let fresh = whole(audit(&engine, home.path(), &["--no-cache", &names[1]]));
    assert_eq!(app.findings(), fresh.findings());
    assert_eq!(app.of_key(&key.fingerprint()).len(), 1);
    assert_eq!(app.report()["read"], fresh.report()["read"]);
    // A key that is looked for by itself is another question.
    let named = whole(audit(&engine, home.path(), &["--for", &key.fingerprint(), &names[1]]));
    assert_eq!(cached(&named), [false, false]);
}
