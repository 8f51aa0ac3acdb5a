//! `doctor --last` names what is wrong with the key: the server does not take it, it took another
//! one first, or the key may not read the repository.

use valetkey_integration::{Doctor, Engine, GatewayBuild, GitServer, Key, PrivateBuild, Project, Run, SshAgent};

const ENGINE: &str = "docker-28";
const OTHER: &str = "platform/other.git";

fn docker(project: &Project) -> [&str; 9] {
    ["docker", "build", "--progress", "plain", "--network", "host", "--tag", &project.name, "."]
}

#[test]
fn that_the_server_does_not_know() {
    let engine = Engine::named(ENGINE);
    let doctor = Doctor::of(&engine);
    let build = PrivateBuild::new();
    let stranger = Key::ed25519("stranger");
    let run = build.lend(&engine).env("DEPLOY_KEY", stranger.private()).args(docker(&build.project));
    let says = doctor.explains(run, "login-refused", "certain");
    assert_eq!(says, format!("{}@127.0.0.1 does not take the key that was lent", build.server.user()));
}

#[test]
fn that_the_server_does_not_know_through_the_gateway() {
    let engine = Engine::named(ENGINE);
    let doctor = Doctor::of(&engine);
    let build = GatewayBuild::with_steps("{step} git clone {url} /cloned");
    let stranger = Key::ed25519("stranger");
    doctor.explains(build.build(&engine).env("DEPLOY_KEY", stranger.private()), "login-refused", "certain");
}

/// Clones the package, with these keys of an agent in their order.
fn with_keys(engine: &Engine, server: &GitServer, keys: &[&Key], more: &[&str]) -> (SshAgent, Project, Run) {
    let agent = SshAgent::with(keys);
    let project = Project::cloning(&server.url("platform/omnibus.git"));
    let known_hosts = server.known_hosts();
    let flags = ["--key", "agent", "--known-hosts", known_hosts.to_str().expect("a path in UTF-8")];
    let run = engine.lend(&[&flags, more].concat()).env("SSH_AUTH_SOCK", agent.socket());
    let run = run.args(docker(&project)).within(project.path());
    (agent, project, run)
}

#[test]
fn that_was_offered_first_and_opens_another_repository() {
    let engine = Engine::named(ENGINE);
    let doctor = Doctor::of(&engine);
    let (first, second) = (Key::ed25519("first"), Key::ed25519("second"));
    let server = GitServer::with_package(&second);
    server.authorize_only(&first, OTHER);
    // The server's own words are none that are known: it is a guess.
    let (_agent, _project, run) = with_keys(&engine, &server, &[&first, &second], &[]);
    let says = doctor.explains(run, "wrong-key-first", "possible");
    assert!(says.starts_with("the server let in a key that was offered first"), "{says}");
    // The control: in the other order, it works.
    let (_agent, _project, run) = with_keys(&engine, &server, &[&second, &first], &[]);
    run.succeed();
}

#[test]
fn that_was_never_offered_because_others_were_first() {
    let engine = Engine::named(ENGINE);
    let doctor = Doctor::of(&engine);
    let keys: Vec<Key> = (0..8).map(|number| Key::ed25519(&format!("key {number}"))).collect();
    let keys: Vec<&Key> = keys.iter().collect();
    let server = GitServer::with_package(keys[7]);
    let (_agent, _project, run) = with_keys(&engine, &server, &keys, &["--max-identities", "8"]);
    let says = doctor.explains(run, "wrong-key-first", "certain");
    assert_eq!(says, "the server cut the login off before the right key was offered");
}

#[test]
fn that_may_not_read_the_repository_or_there_is_none() {
    let engine = Engine::named(ENGINE);
    let doctor = Doctor::of(&engine);
    let build = PrivateBuild::new();
    let missing = build.server.url("platform/missing.git");
    let steps = format!("{{step}} git clone {missing} /cloned");
    let PrivateBuild { key, server, .. } = build;
    let project = PrivateBuild::with_steps(&steps).project;
    let build = PrivateBuild { key, server, project };
    let run = build.lend(&engine).args(docker(&build.project));
    let says = doctor.explains(run, "repository-refused", "likely");
    assert!(says.starts_with("the server knows the key"), "{says}");
}
