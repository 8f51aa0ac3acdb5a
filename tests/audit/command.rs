//! `valetkey audit` as it is typed: exit codes, `--for`, `[[ignore]]`, `--attest` and `--verify`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use super::made::{Layout, tar};

/// A folder with an image that holds a key, one that holds none, and the key.
struct World {
    folder: TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["key", "signer", "other"] {
            let made = world.command("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "x", "-f", name]);
            assert!(made.status.success());
        }
        let key = std::fs::read(world.path("key")).unwrap();
        world.image("leaky.tar", &[("root/.ssh/id_ed25519", &key)]);
        world.image("clean.tar", &[("etc/passwd", b"root")]);
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn image(&self, name: &str, files: &[(&str, &[u8])]) {
        let mut layout = Layout::default();
        let image = layout.image(&[tar(files)], "", <[u8]>::to_vec);
        layout.root(image);
        std::fs::write(self.path(name), layout.archive()).unwrap();
    }

    fn command(&self, program: impl AsRef<Path>, arguments: &[&str]) -> Output {
        let mut command = Command::new(program.as_ref());
        command.env("XDG_CACHE_HOME", self.path("cache")).env("XDG_STATE_HOME", self.path("state"));
        command.args(arguments).current_dir(self.folder.path()).output().unwrap()
    }

    /// What it printed, when it ended with this code.
    fn audit(&self, code: i32, arguments: &[&str]) -> String {
        let arguments = [&["audit"], arguments].concat();
        let done = self.command(env!("CARGO_BIN_EXE_valetkey"), &arguments);
        let text = String::from_utf8(done.stdout).unwrap() + &String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(code), "{arguments:?}: {text}");
        text
    }

    fn fingerprint(&self, name: &str) -> String {
        let told = self.command("ssh-keygen", &["-lf", name]);
        String::from_utf8(told.stdout).unwrap().split(' ').nth(1).unwrap().to_owned()
    }
}

#[test]
fn the_exit_code_says_what_was_found_and_read() {
    let world = World::new();
    assert!(world.audit(0, &["./clean.tar"]).starts_with("no private key in 1 image, 1 layer, 1 file\n"));
    assert!(world.audit(116, &["./leaky.tar"]).contains("root/.ssh/id_ed25519"));
    assert!(world.audit(116, &["./clean.tar", "./leaky.tar"]).contains("in 2 images"));
    world.audit(117, &["./there-is-no-such-file"]);
    world.audit(110, &[]);
    world.audit(110, &["--format", "other", "./clean.tar"]);
    for (format, begin) in [("json", "{"), ("sarif", "{"), ("html", "<!DOCTYPE html>")] {
        let shown = world.audit(116, &["--format", format, "./leaky.tar"]);
        assert!(shown.to_lowercase().starts_with(&begin.to_lowercase()), "{shown}");
    }
}

#[test]
fn a_key_that_is_named_is_told_of_as_a_fact() {
    let world = World::new();
    let fact = format!("this is {}", world.fingerprint("key.pub"));
    let line = std::fs::read_to_string(world.path("key.pub")).unwrap();
    for named in ["file:key", "key", "key.pub", &world.fingerprint("key.pub"), line.trim()] {
        let said: String = world.audit(116, &["--for", named, "./leaky.tar"]).split_whitespace().collect();
        assert!(said.contains(&fact.replace(' ', "")), "{named}: {said}");
    }
    let other = world.audit(116, &["--for", "other.pub", "./leaky.tar"]);
    assert!(!other.contains("this is"), "the control: {other}");
    for wrong in ["SHA256:short", "there-is-no-such-file", "keychain:"] {
        let done = world.command(env!("CARGO_BIN_EXE_valetkey"), &["audit", "--for", wrong, "./clean.tar"]);
        assert!(matches!(done.status.code(), Some(110 | 111)), "{wrong}: {done:?}");
    }
}

#[test]
fn the_seed_alone_is_found_by_the_private_key_and_by_nothing_else() {
    let world = World::new();
    // OpenSSH's container ends with the private section: the seed stands behind its length.
    let script = "import base64; t=open('key').read().split('\\n'); b=base64.b64decode(''.join(t[1:-2])); \
                  i=b.rindex(b'\\0\\0\\0\\x40')+4; open('seed','wb').write(b[i:i+32])";
    assert!(world.command("python3", &["-c", script]).status.success());
    let seed = std::fs::read(world.path("seed")).unwrap();
    assert_eq!(seed.len(), 32);
    world.image("seed.tar", &[("opt/data.bin", &[&b"before"[..], &seed, b"behind"].concat())]);
    let found = world.audit(116, &["--for", "file:key", "./seed.tar"]);
    assert!(found.contains("lent-key") && found.contains("opt/data.bin"), "{found}");
    world.audit(0, &["./seed.tar"]);
    world.audit(0, &["--for", "file:other", "./seed.tar"]);
}

#[test]
fn what_the_config_ignores_with_a_reason_is_counted_and_does_not_fail() {
    let world = World::new();
    let config = "[[ignore]]\nrule = \"openssh-private-key\"\npath = \"root/.ssh/id_*\"\nreason = \"a throwaway\"\n";
    std::fs::write(world.path("valetkey.toml"), config).unwrap();
    let ignored = world.audit(0, &["./leaky.tar"]);
    assert!(ignored.contains("1 finding ignored") && ignored.contains("a throwaway"), "{ignored}");
    world.audit(116, &["--no-config", "./leaky.tar"]);
    world.audit(116, &["--for", "key.pub", "./leaky.tar"]);
    std::fs::write(world.path("valetkey.toml"), "[[ignore]]\nrule = \"openssh-private-key\"\n").unwrap();
    assert!(world.audit(110, &["./leaky.tar"]).contains("reason"));
}

#[test]
fn a_statement_is_signed_and_verifies_for_its_image_and_signer_alone() {
    let world = World::new();
    world.audit(0, &["--attest", "file:signer", "./clean.tar"]);
    let line = std::fs::read_to_string(world.path("signer.pub")).unwrap();
    std::fs::write(world.path("allowed"), format!("ci@example.com {line}")).unwrap();
    let check = "ssh-keygen -Y verify -n valetkey-audit -I ci@example.com -f allowed -s valetkey-audit.json.sig <valetkey-audit.json";
    assert!(world.command("sh", &["-c", check]).status.success(), "ssh-keygen checks it");

    let verify = |code, allowed: &str, image: &str| {
        world.audit(code, &["--verify", "valetkey-audit.json", "--allowed-signers", allowed, image])
    };
    assert!(verify(0, "allowed", "./clean.tar").contains("good statement about this very image"));
    assert!(verify(0, "signer.pub", "./clean.tar").contains("no private key"));
    assert!(verify(111, "other.pub", "./clean.tar").contains("no allowed signer"));
    assert!(verify(111, "allowed", "./leaky.tar").contains("is not about"));
    let text = std::fs::read_to_string(world.path("valetkey-audit.json")).unwrap();
    std::fs::write(world.path("valetkey-audit.json"), text.replacen("true", "true ", 1)).unwrap();
    assert!(verify(111, "allowed", "./clean.tar").contains("not one of this statement"));

    world.audit(116, &["--attest", "file:signer", "--attest-to", "leaky.json", "./leaky.tar"]);
    let said = world.audit(116, &["--verify", "leaky.json", "--allowed-signers", "allowed", "./leaky.tar"]);
    assert!(said.contains("findings"), "a signed statement of findings is no pass: {said}");
}

#[test]
fn every_report_and_statement_names_all_rules_once() {
    let world = World::new();
    let parsed = |text: String| serde_json::from_str::<serde_json::Value>(&text).unwrap();
    let ids = |rules: &serde_json::Value| -> Vec<String> {
        let id = |rule: &serde_json::Value| rule["id"].as_str().or(rule.as_str()).unwrap().to_owned();
        rules.as_array().unwrap().iter().map(id).collect()
    };
    let json = ids(&parsed(world.audit(0, &["--format", "json", "./clean.tar"]))["rules"]);
    for family in ["openssh-private-key", "github-token", "npmrc-token", "url-password", "ssh-keyscan"] {
        assert!(json.iter().any(|id| id == family), "{family} is not in {json:?}");
    }
    let mut once = json.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), json.len(), "{json:?}");
    assert!(!json.contains(&"lent-key".to_owned()), "no number was looked for");
    let sarif = parsed(world.audit(0, &["--format", "sarif", "./clean.tar"]));
    assert_eq!(ids(&sarif["runs"][0]["tool"]["driver"]["rules"]), json);
    let named = ids(&parsed(world.audit(0, &["--for", "file:key", "--format", "json", "./clean.tar"]))["rules"]);
    assert_eq!(named.last().map(String::as_str), Some("lent-key"));
    world.audit(0, &["--attest", "file:signer", "./clean.tar"]);
    let statement = parsed(std::fs::read_to_string(world.path("valetkey-audit.json")).unwrap());
    let rules = &statement["predicate"]["rules"];
    assert_eq!(ids(&rules["ids"]), json);
    let version = rules["version"].as_str().unwrap();
    assert!(version.starts_with(concat!(env!("CARGO_PKG_VERSION"), "+")), "{version}");
}
