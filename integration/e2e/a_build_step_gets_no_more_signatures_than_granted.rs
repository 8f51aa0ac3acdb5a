//! The budget of signatures holds across the connections and steps of a build.

use valetkey_integration::engine::BASE_IMAGE;
use valetkey_integration::project::SSH_STEP;
use valetkey_integration::{Engine, GitServer, Key, Project};

#[test]
fn the_second_clone_of_a_budget_of_one_fails_and_says_why() {
    let key = Key::ed25519("deploy");
    let server = GitServer::with_package(&key);
    let url = server.url("platform/omnibus.git");
    let known_hosts = server.known_hosts();
    let build = |max: &str| {
        let project = Project::new();
        // Two steps, and so two connections; the name makes them this build's own.
        let steps = format!(
            "{SSH_STEP} : {0} && git clone {url} /first\n{SSH_STEP} : {0} && git clone {url} /second\n",
            project.name
        );
        let project = project.write("Dockerfile", &format!("FROM {}\n{steps}", BASE_IMAGE));
        let known_hosts = known_hosts.to_str().unwrap();
        let flags = ["--key", "env:DEPLOY_KEY", "--known-hosts", known_hosts, "--max-signatures", max];
        let run = Engine::named("docker-28").lend(&flags);
        let run = run.args(["docker", "build", "--progress", "plain", "--network", "host", "-t", &project.name, "."]);
        run.env("DEPLOY_KEY", key.private()).within(project.path()).finish()
    };
    let built = build("1").expect_failure().expect("refused: the budget of 1 signatures is used up");
    built.expect("hint: raise it with --max-signatures").expect("signed 1 login, bound to ");
    assert_eq!(server.accepted(), 1, "{}", server.log());

    build("2").expect_code(0).expect("signed 2 logins, bound to ").expect_not("refused");
    assert_eq!(server.accepted(), 3, "{}", server.log());
}
