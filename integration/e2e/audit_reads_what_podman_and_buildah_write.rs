//! Every form in which podman and buildah save and push an image: archives and folders of OCI's
//! and of docker's, and a registry in each compression. The key is found in its layer, with the
//! layer that hides it, and everything was read.

use valetkey_integration::{Audited, Engine, Key, Project, Registry};

/// A key that the next layer overwrites.
fn hidden(engine: &Engine, key: &Key) -> Project {
    let project = Project::new().write("deploy", &key.private()).write("nothing", "nothing");
    let project = project.write("Dockerfile", "FROM scratch\nCOPY deploy /id_ed25519\nCOPY nothing /id_ed25519\n");
    let build = ["build", "--layers", "--tag", &project.name, "."];
    engine.command("podman").args(build).within(project.path()).succeed();
    project
}

fn is_found(engine: &Engine, key: &Key, image: &str) {
    let audit = Audited::of(engine.valetkey(&["audit", "--format", "json", image]).finish());
    let audit = audit.expect_code(116).expect_complete();
    let found = audit.of_key(&key.fingerprint());
    assert_eq!(found.len(), 1, "{image}: {:#}", audit.report());
    let location = &found[0]["location"];
    assert_eq!(
        (&location["path"], &location["layer"], &location["hidden_by"]),
        (&"id_ed25519".into(), &0.into(), &1.into())
    );
    assert_eq!(audit.images().len(), 1, "{image}");
}

const ENGINES: [&str; 2] = ["podman", "podman-5"];

#[test]
fn what_podman_saves() {
    for engine in ENGINES.map(Engine::named) {
        let key = Key::ed25519("deploy");
        let project = hidden(&engine, &key);
        for format in ["oci-archive", "oci-dir", "docker-archive", "docker-dir"] {
            let saved = project.file(format).display().to_string();
            let save = ["save", "--quiet", "--format", format, "--output", &saved, &project.name];
            engine.command("podman").args(save).succeed();
            is_found(&engine, &key, &saved);
        }
    }
}

#[test]
fn what_buildah_pushes() {
    for engine in ENGINES.map(Engine::named) {
        let key = Key::ed25519("deploy");
        let project = hidden(&engine, &key);
        for (transport, tag) in
            [("oci-archive", ":team/app:1"), ("oci", ":1"), ("docker-archive", ":team/app:1"), ("dir", "")]
        {
            let path = project.file(transport).display().to_string();
            let to = format!("{transport}:{path}{tag}");
            engine.command("buildah").args(["push", "--quiet", &project.name, &to]).succeed();
            is_found(&engine, &key, &path);
        }
    }
}

#[test]
fn what_podman_pushes_to_a_registry() {
    let registry = Registry::up();
    for (engine, compressions) in [("podman", &["gzip", "zstd"][..]), ("podman-5", &["gzip", "zstd", "zstd:chunked"])] {
        let (engine, key) = (Engine::named(engine), Key::ed25519("deploy"));
        let project = hidden(&engine, &key);
        for compression in compressions {
            let name = registry.name(&format!("{}/{}:1", project.name, compression.replace(':', "-")));
            let push = ["push", "--quiet", "--tls-verify=false", "--compression-format", compression];
            engine.command("podman").args(push).args([&project.name, &name]).succeed();
            is_found(&engine, &key, &format!("registry://{name}"));
        }
    }
}
