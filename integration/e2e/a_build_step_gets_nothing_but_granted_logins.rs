//! What a hostile install script would try with the forwarded agent, from inside a RUN step of a
//! real build: each attack fails there, is named on the terminal, and does not keep the granted
//! login of the same step from working.

use valetkey_integration::{Engine, Finished, GitServer, Key, Project};

const ENGINE: &str = "docker-28";
/// Logs in to a server as a user, trusting any host key as an attacker does, with further options.
const LOGIN: &str = r#"
login() { # USER PORT OPTION…
  user=$1 port=$2
  shift 2
  code=0
  ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "$@" -p "$port" "$user@127.0.0.1" || code=$?
  [ "$code" = 52 ]
}
"#;

/// A key that is lent, and the server that the grant is for.
struct Granted {
    key: Key,
    server: GitServer,
}

impl Granted {
    fn new() -> Self {
        let key = Key::ed25519("deploy");
        let server = GitServer::up();
        server.authorize(&key);
        Self { key, server }
    }

    /// Builds with one step that tries `attack`, and then the granted login. The build fails if
    /// the attack works or the login does not.
    fn build_trying(&self, attack: &str, flags: &[&str]) -> Finished {
        let port = self.server.port;
        let script = format!(
            "{LOGIN}\nif {attack}; then echo 'the attack worked' >&2; exit 9; fi\n\
             login git {port} || {{ echo 'the control failed' >&2; exit 8; }}\n"
        );
        let project = Project::with_steps("COPY attack /attack\nRUN --mount=type=ssh sh /attack");
        // The ports in it make the step this build's own, never one of a cache.
        let project = project.write("attack", &script);
        let (known_hosts, host) = (self.server.known_hosts(), self.server.host());
        let all = ["--key", "env:DEPLOY_KEY", "--host", &host, "--known-hosts", known_hosts.to_str().unwrap()];
        let run = Engine::named(ENGINE).lend(&[&all, flags].concat());
        let run = run.args(["docker", "build", "--progress", "plain", "--network", "host", "-t", &project.name, "."]);
        run.env("DEPLOY_KEY", self.key.private()).within(project.path()).succeed()
    }

    /// The control of every attack: one login, bound to the granted host.
    #[track_caller]
    fn expect_one_login(&self, built: Finished) -> Finished {
        assert_eq!(self.server.accepted(), 1, "{}", self.server.log());
        built.expect(&format!("signed 1 login, bound to [127.0.0.1]:{}", self.server.port))
    }
}

#[test]
fn a_file_is_not_signed() {
    let granted = Granted::new();
    let sign = "ssh-add -L >/key.pub && echo words >/words && ssh-keygen -Y sign -n file -f /key.pub /words";
    let built = granted.build_trying(sign, &[]);
    granted.expect_one_login(built).expect("refused: a signature of a file or commit (SSHSIG) was asked for");
}

#[test]
fn nobody_logs_in_as_another_user() {
    let granted = Granted::new();
    let built = granted.build_trying(&format!("login other {}", granted.server.port), &[]);
    let built = granted.expect_one_login(built);
    built.expect("refused: the login is as user \"other\"; the grant is for \"git\"").expect("--user other");
    assert!(!granted.server.log().contains("Accepted publickey for other"), "{}", granted.server.log());
}

#[test]
fn nobody_logs_in_to_another_host() {
    let granted = Granted::new();
    let other = GitServer::up();
    other.authorize(&granted.key);
    let known_hosts = other.known_hosts();
    let flags = ["--known-hosts", known_hosts.to_str().unwrap()];
    let built = granted.build_trying(&format!("login git {}", other.port), &flags);
    let reason = format!("refused: the login is to [127.0.0.1]:{}, which is not granted", other.port);
    granted.expect_one_login(built).expect(&reason).expect(&format!("--host [127.0.0.1]:{}", other.port));
    assert_eq!(other.accepted(), 0, "{}", other.log());
}

#[test]
fn nobody_logs_in_to_a_server_that_nothing_pins() {
    let granted = Granted::new();
    let unknown = GitServer::up();
    unknown.authorize(&granted.key);
    let built = granted.build_trying(&format!("login git {}", unknown.port), &[]);
    granted.expect_one_login(built).expect("refused: the login is to a server with an unknown host key (SHA256:");
    assert_eq!(unknown.accepted(), 0, "{}", unknown.log());
}

#[test]
fn nobody_hides_the_host_of_a_login_to_a_host_that_binds() {
    let granted = Granted::new();
    let attack = format!("login git {} -o PubkeyAuthentication=unbound", granted.server.port);
    let built = granted.build_trying(&attack, &[]);
    granted.expect_one_login(built).expect("refused: the login does not show its host");
}
