//! Which key source `valetkey init` proposes: real agents, a real keychain, the CI files of the project.

use valetkey::keys::Secret;
use valetkey::keys::keychain::{Keychain as _, OsKeychain};
use valetkey::signer::fingerprint;

use crate::keys::agent::Agent;
use crate::keys::made::{self, Kind};
use crate::keys::session::{self, Session, within};
use crate::run::place::{Place, Ran, ran};

const NEEDS: &str = "git+ssh://git@github.com/org/lib.git\ngit+ssh://git@github.com/org/app.git\n";

/// The `key` lines of what is written with this agent.
fn keys(place: &Place, agent: Option<&Agent>) -> (Vec<String>, Ran) {
    let mut command = place.valetkey(&["init"]);
    if let Some(agent) = agent {
        command.env("SSH_AUTH_SOCK", &agent.socket);
    }
    let ran = ran(&mut command);
    ran.is(0);
    let path = place.project().join("valetkey.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    assert!(!text.contains("PRIVATE KEY"), "{text}");
    (text.lines().filter(|line| line.starts_with("key = ")).map(str::to_owned).collect(), ran)
}

/// Adds a key to the agent, with this comment, and gives its fingerprint.
fn added(agent: &Agent, folder: &std::path::Path, comment: &str) -> String {
    let path = folder.join(format!("key{}", comment.len()));
    made::run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", made::path_str(&path)]);
    agent.add(&["-q", made::path_str(&path)]);
    fingerprint(&made::blob(&std::fs::read_to_string(path.with_extension("pub")).unwrap()))
}

#[test]
fn the_only_identity_of_an_agent_is_proposed_and_of_several_the_one_whose_comment_fits() {
    let place = Place::new();
    place.write("requirements.txt", NEEDS);
    assert_eq!(keys(&place, None).0, ["key = \"keychain:lib\"", "key = \"keychain:app\""], "the control: no agent");
    let agent = Agent::new(&[Kind::Ed25519]);
    let mine = format!("key = \"agent:{}\"", fingerprint(&made::key(Kind::Ed25519).blob));
    assert_eq!(keys(&place, Some(&agent)).0, [mine.clone(), mine]);
    let deploy = added(&agent, &place.at("tmp"), "git@github.com:org/app.git");
    let (keys, ran) = keys(&place, Some(&agent));
    assert_eq!(keys, ["key = \"keychain:lib\"".to_owned(), format!("key = \"agent:{deploy}\"")]);
    ran.says(&["no key was found for lib:"]);
}

#[test]
fn a_dead_agent_is_no_obstacle() {
    let place = Place::new();
    place.write("requirements.txt", NEEDS);
    let mut command = place.valetkey(&["init"]);
    ran(command.env("SSH_AUTH_SOCK", place.at("nobody"))).is(0).says(&["wrote 2 grants"]);
}

#[test]
fn an_entry_of_the_keychain_is_proposed_by_its_name_and_a_locked_keychain_asks_nobody() {
    let name = "init::sources::an_entry_of_the_keychain_is_proposed_by_its_name_and_a_locked_keychain_asks_nobody";
    within(Session::Keyring, name, || {
        let place = Place::new();
        place.write("requirements.txt", NEEDS);
        // No key: what an entry holds is not looked at.
        OsKeychain::default().set("org-lib", &Secret::new(b"anything".to_vec())).expect("stored");
        let keys = || {
            let bus = std::env::var_os("DBUS_SESSION_BUS_ADDRESS").expect("the session's bus");
            ran(place.valetkey(&["init"]).env("DBUS_SESSION_BUS_ADDRESS", bus)).is(0);
            let path = place.project().join("valetkey.toml");
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::remove_file(path).unwrap();
            text.lines().filter(|line| line.starts_with("key = ")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(keys(), ["key = \"keychain:org-lib\"", "key = \"keychain:app\""]);
        session::lock();
        assert_eq!(keys(), ["key = \"keychain:lib\"", "key = \"keychain:app\""]);
    });
}

#[test]
fn a_secret_of_a_workflow_comes_first_and_is_named_with_its_place() {
    let place = Place::new();
    place.write("requirements.txt", NEEDS);
    std::fs::create_dir_all(place.project().join(".github/workflows")).unwrap();
    let workflow = "jobs:\n  a:\n    steps:\n      - uses: webfactory/ssh-agent@v0.9.0\n        with:\n          ssh-private-key: ${{ secrets.LIB_DEPLOY_KEY }}\n";
    made::write(&place.project().join(".github/workflows"), "ci.yml", workflow);
    let both = ["key = [\"env:LIB_DEPLOY_KEY\", \"keychain:lib\"]", "key = [\"env:LIB_DEPLOY_KEY\", \"keychain:app\"]"];
    assert_eq!(keys(&place, None).0, both, "one secret may be every repository's");
    let more = "          key: ${{ secrets.OTHER }}\n";
    made::write(&place.project().join(".github/workflows"), "ci.yml", format!("{workflow}{more}"));
    assert_eq!(keys(&place, None).0, [both[0], "key = \"keychain:app\""], "of several, the one with its name");
    ran(&mut place.valetkey(&["init"])).is(0);
    let text = std::fs::read_to_string(place.project().join("valetkey.toml")).unwrap();
    for line in [
        "# CI has the secret LIB_DEPLOY_KEY (.github/workflows/ci.yml:6): pass it to valetkey as a variable of that name\n",
        "# CI has the secrets LIB_DEPLOY_KEY, OTHER: env:NAME uses one of them\n",
    ] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn a_source_that_is_named_is_every_grants_and_nothing_is_asked() {
    let place = Place::new();
    place.write("requirements.txt", NEEDS);
    let agent = Agent::new(&[Kind::Ed25519]);
    let mut command = place.valetkey(&["init", "--key", "agent:me@work"]);
    ran(command.env("SSH_AUTH_SOCK", &agent.socket)).is(0).never_says(&["no key was found"]);
    let text = std::fs::read_to_string(place.project().join("valetkey.toml")).unwrap();
    assert_eq!(text.matches("key = \"agent:me@work\"\n").count(), 2, "{text}");
}
