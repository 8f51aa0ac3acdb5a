//! Neither image, history nor provenance of a build through the gateway holds the guest, or a
//! host or repository name that the Dockerfile did not hold.

use std::fs;

use valetkey_integration::gateway_build::GRANTED;
use valetkey_integration::{Engine, GatewayBuild, Run};

/// Bytes of the guest: its name for the pseudo-identity.
const OF_THE_GUEST: &str = "valetkey-tunnel-1";

/// The URL comes out of a file that is mounted, and what Git wrote down of it goes.
fn build(and: &str) -> GatewayBuild {
    let steps = format!(
        "RUN --mount=type=ssh --mount=type=bind,source=url,target=/url {{fresh}} \
         git clone $(cat /url) /cloned && rm -r /cloned/.git {and}"
    );
    let build = GatewayBuild::with_steps(&steps);
    let url = build.filled("{url}");
    build.writing("url", &url)
}

fn names(build: &GatewayBuild) -> [String; 2] {
    [GRANTED.to_owned(), format!("127.0.0.1:{}", build.server.port)]
}

fn holds_nothing(engine: &str) {
    let engine = Engine::named(engine);
    let clean = build("");
    clean.run(&engine);
    let [repository, host] = names(&clean);
    let found = engine.found_in_image(&clean.project.name, &[OF_THE_GUEST, &repository, &host]);
    assert!(found.is_empty(), "{found:?} in the image");
    engine.in_image(&clean.project.name, &["test", "!", "-e", "/usr/local/bin/ssh"]).succeed();

    // The control: the same search finds what a step kept.
    let kept = build("&& cp /usr/local/bin/ssh /kept && cp /url /kept-url");
    kept.run(&engine);
    let [repository, host] = names(&kept);
    let mut found = engine.found_in_image(&kept.project.name, &[OF_THE_GUEST, &repository, &host]);
    found.sort();
    let mut all = [OF_THE_GUEST.to_owned(), repository, host];
    all.sort();
    assert_eq!(found, all, "the search misses what is there");
}

#[test]
fn with_docker_28() {
    holds_nothing("docker-28");
}

#[test]
fn with_podman_5() {
    holds_nothing("podman-5");
}

/// All of the provenance (`mode=max`) of a build: every string of it, and what those hold in
/// base64, among them the Dockerfile.
fn provenance(engine: &Engine, build: &GatewayBuild) -> String {
    // Outside of the project, which is to stay as it was.
    let folder = tempfile::tempdir().expect("a temp folder");
    let path = folder.path().join("metadata");
    // All of it, into the metadata: this driver attaches none to the image.
    let command = ["docker", "buildx", "build", "--network", "host", "--metadata-file"];
    build.check(build.lend(engine).args(command).arg(&path).arg(".").env("BUILDX_METADATA_PROVENANCE", "max"));
    let text = fs::read_to_string(&path).expect("the metadata");
    assert!(text.contains("buildx.build.provenance"), "{text}");
    let metadata: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let mut decoded = text;
    for info in metadata.pointer("/buildx.build.provenance/metadata").and_then(sources).expect("the Dockerfile") {
        let data = info["data"].as_str().expect("base64");
        decoded.push_str(&Run::new("sh").args(["-c", "printf %s \"$0\" | base64 -d", data]).succeed().stdout);
    }
    decoded
}

/// Where BuildKit keeps the Dockerfiles.
fn sources(metadata: &serde_json::Value) -> Option<&Vec<serde_json::Value>> {
    metadata.get("https://mobyproject.org/buildkit@v1#metadata")?.pointer("/source/infos")?.as_array()
}

#[test]
fn and_nothing_in_the_provenance() {
    let engine = Engine::named("docker-28");
    let clean = build("");
    let text = provenance(&engine, &clean);
    // The control: it was read, and the Dockerfile in it with the guest's mount.
    assert!(text.contains("RUN --mount=type=bind,from=valetkey,source=ssh,target=/usr/local/bin/ssh"), "{text}");
    assert!(text.contains("git clone $(cat /url)"), "{text}");
    let [repository, host] = names(&clean);
    for name in [OF_THE_GUEST, &repository, &host, "agent.sock", "/valetkey-0/"] {
        assert!(!text.contains(name), "{name} is in the provenance: {text}");
    }

    // The control: names that the Dockerfile does hold are found by the same search.
    let named = GatewayBuild::with_steps("{step} git clone {url} /cloned");
    let text = provenance(&engine, &named);
    for name in names(&named) {
        assert!(text.contains(&name), "{name} is not found in {text}");
    }
}
