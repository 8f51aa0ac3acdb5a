//! A registry that wants a login is read with what `docker login` keeps for it; with another
//! password, or none, nothing is read, and that is said.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use valetkey_integration::{Audited, Engine, Key, Project, Registry};

const USER: &str = "carol";
const PASSWORD: &str = "a password with spaces: and a colon";

/// A registry with an image that has a key.
struct Locked {
    engine: Engine,
    registry: Registry,
    project: Project,
    key: Key,
}

impl Locked {
    fn up() -> Self {
        let (engine, key) = (Engine::named("docker-28"), Key::ed25519("deploy"));
        let registry = Registry::with_login(USER, PASSWORD);
        let project = Project::new().write("deploy", &key.private()).write("password", PASSWORD);
        let project = project.write("Dockerfile", "FROM scratch\nCOPY deploy /id_ed25519\n");
        let locked = Self { engine, registry, project, key };
        let config = locked.config("right", None);
        let docker = |arguments: &[&str]| locked.engine.command("docker").env("DOCKER_CONFIG", &config).args(arguments);
        let password = fs::File::open(locked.project.file("password")).expect("the password");
        docker(&["login", "--username", USER, "--password-stdin", &locked.registry.name("")]).stdin(password).succeed();
        docker(&["build", "--tag", &locked.image(), "."]).within(locked.project.path()).succeed();
        docker(&["push", "--quiet", &locked.image()]).succeed();
        locked
    }

    fn image(&self) -> String {
        self.registry.name("team/app:1.2")
    }

    /// A folder for DOCKER_CONFIG.
    fn config(&self, name: &str, content: Option<&str>) -> PathBuf {
        let folder = self.project.file(name);
        fs::create_dir_all(&folder).expect("a folder");
        let plugins = Path::new(self.engine.var("DOCKER_CONFIG")).join("cli-plugins");
        std::os::unix::fs::symlink(plugins, folder.join("cli-plugins")).expect("a link");
        if let Some(content) = content {
            fs::write(folder.join("config.json"), content).expect("written");
        }
        folder
    }

    fn audit(&self, config: &Path, format: &str) -> valetkey_integration::Finished {
        let image = format!("registry://{}", self.image());
        self.engine.valetkey(&["audit", "--format", format, &image]).env("DOCKER_CONFIG", config).finish()
    }
}

#[test]
fn the_right_password_an_old_one_and_none() {
    let locked = Locked::up();
    let right = Audited::of(locked.audit(&locked.project.file("right"), "json")).expect_code(116).expect_complete();
    assert_eq!(right.of_key(&locked.key.fingerprint()).len(), 1, "{:#}", right.report());

    // "carol:changed since" in base64.
    let old = format!(r#"{{"auths": {{"{}": {{"auth": "Y2Fyb2w6Y2hhbmdlZCBzaW5jZQ=="}}}}}}"#, locked.registry.name(""));
    let old = locked.config("old", Some(&old.replace("/\"", "\"")));
    let refused = locked.audit(&old, "table").expect_code(117).expect("failed to pull").expect("401");
    refused.expect_not("changed since").expect_not(&locked.key.fingerprint());

    let none = locked.config("none", Some("{}"));
    let refused = locked.audit(&none, "table").expect_code(117).expect("it wants a login").expect("docker login");
    refused.expect_not(&locked.key.fingerprint());
}

#[test]
fn a_credential_helper_is_asked_for_this_registry() {
    let locked = Locked::up();
    let host = locked.registry.name("");
    let host = host.trim_end_matches('/');
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = get ] && [ \"$(cat)\" = '{host}' ] || exit 1\n\
         echo '{{\"ServerURL\": \"{host}\", \"Username\": \"{USER}\", \"Secret\": \"{PASSWORD}\"}}'\n"
    );
    let helper = locked.project.file("docker-credential-valetkey-test");
    fs::write(&helper, script).expect("written");
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).expect("executable");
    let path = format!("{}:{}", locked.project.path().display(), locked.engine.var("PATH"));
    let config = locked.config("helped", Some(&format!(r#"{{"credHelpers": {{"{host}": "valetkey-test"}}}}"#)));
    let image = format!("registry://{}", locked.image());
    let audit = locked.engine.valetkey(&["audit", "--format", "json", &image]).env("DOCKER_CONFIG", &config);
    let audit = Audited::of(audit.env("PATH", path).finish()).expect_code(116).expect_complete();
    assert_eq!(audit.of_key(&locked.key.fingerprint()).len(), 1, "{:#}", audit.report());
}
