//! `--for-secret`: build secrets planted in an image, in every encoding that the corpus of keys has.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::made::{Layout, tar};
use crate::run::place::{Place, ran};
use valetkey::image::digest::Digest;

const TOKEN: &str = "npm_Pa55/wo+rd=9d8c7b6a5f4e3d2c1b0a0123";

/// Writes a file for each encoding of the corpus, with the bytes of a file in it.
const WRAP: &str = "
import sys, pathlib, traceback
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
import wrapping
data, out = pathlib.Path(sys.argv[2]).read_bytes(), pathlib.Path(sys.argv[3])
forms = {**wrapping.ANY, **wrapping.ARCHIVES, **wrapping.LARGE}
try:
    data.decode('ascii')
    forms |= wrapping.TEXT
except UnicodeDecodeError:
    pass
for name, encode in forms.items():
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(data).data)
";

/// A folder with a secret in it.
struct World(TempDir);

impl World {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file that nobody else can open.
    fn secret(&self, name: &str, bytes: &[u8]) {
        crate::keys::made::write(self.0.path(), name, bytes);
    }

    fn command(&self, program: impl AsRef<Path>, arguments: &[&str]) -> Output {
        let mut command = Command::new(program.as_ref());
        command.env("XDG_CACHE_HOME", self.path("cache")).env("XDG_STATE_HOME", self.path("state"));
        command.env("TOKEN", TOKEN).args(arguments).current_dir(self.0.path()).output().unwrap()
    }

    /// What was printed, when it ended with this code.
    #[track_caller]
    fn audit(&self, code: i32, arguments: &[&str]) -> String {
        let done = self.command(env!("CARGO_BIN_EXE_valetkey"), &[&["audit"], arguments].concat());
        let text = String::from_utf8(done.stdout).unwrap() + &String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(code), "{arguments:?}: {text}");
        text
    }

    fn image(&self, name: &str, files: &[(&str, &[u8])]) {
        let mut layout = Layout::default();
        let image = layout.image(&[tar(files)], "", <[u8]>::to_vec);
        layout.root(image);
        std::fs::write(self.path(name), layout.archive()).unwrap();
    }

    /// An image with `secret` in every encoding, and the names of these.
    fn encoded(&self, secret: &[u8], image: &str) -> BTreeSet<String> {
        let folder = format!("forms of {image}");
        std::fs::create_dir(self.path(&folder)).unwrap();
        std::fs::write(self.path("planted"), secret).unwrap();
        let wrapping = concat!(env!("CARGO_MANIFEST_DIR"), "/integration/audit-corpus.d");
        let made = self.command("python3", &["-c", WRAP, wrapping, "planted", &folder]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let files: Vec<(String, Vec<u8>)> = std::fs::read_dir(self.path(&folder))
            .unwrap()
            .map(|file| file.unwrap())
            .map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap()))
            .collect();
        let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        self.image(image, &files);
        files.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    /// The files of an image in which a build secret was found.
    fn found(&self, code: i32, arguments: &[&str]) -> BTreeSet<String> {
        let report = self.audit(code, &[&["--format", "json"], arguments].concat());
        let report: Value = serde_json::from_str(&report).unwrap();
        let findings = report["findings"].as_array().unwrap().iter().filter(|one| one["rule"] == "lent-secret");
        findings.map(|one| one["location"]["path"].as_str().unwrap().to_owned()).collect()
    }
}

/// A file of credentials of several lines, with everything in it that is hard to write.
fn credentials() -> Vec<u8> {
    let mut text = b"machine packages.example.com\n  login \"build\"\n\tpassword a$b`c'd\\e%41&f\r\n".to_vec();
    text.extend((0..20).flat_map(|line| {
        format!("//packages.example.com/{line}/:_authToken={:032x}\n", line * 0x1234_5678_9abc_u128).into_bytes()
    }));
    text
}

fn differs(secret: &[u8]) -> Vec<u8> {
    // One byte of each line, so that no part is left either.
    let line = |line: &[u8]| {
        let mut line = line.to_vec();
        let middle = line.len() / 2;
        if let Some(byte) = line.get_mut(middle) {
            *byte ^= 1;
        }
        line
    };
    secret.split(|byte| *byte == b'\n').map(line).collect::<Vec<_>>().join(&b'\n')
}

#[test]
fn a_secret_is_found_in_every_encoding_of_the_corpus_and_one_that_differs_in_none() {
    let binary: Vec<u8> =
        (0..90_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).chain(*b"\0\x1b[31m\xff\0").collect();
    for secret in [TOKEN.as_bytes().to_vec(), credentials(), binary] {
        let world = World::new();
        world.secret("secret", &secret);
        let expected = world.encoded(&secret, "leaky.tar");
        assert!(expected.len() > 30);
        let found = world.found(116, &["--for-secret", "file:secret", "./leaky.tar"]);
        let missed: Vec<_> = expected.difference(&found).collect();
        assert!(missed.is_empty(), "{} bytes are not found in {missed:?}", secret.len());
        world.encoded(&differs(&secret), "near.tar");
        let found = world.found(0, &["--no-config", "--for-secret", "file:secret", "./near.tar"]);
        assert_eq!(found, BTreeSet::new());
    }
}

#[test]
fn a_secret_that_no_window_holds_is_found_once_in_each_file_and_so_is_a_part_of_it() {
    for separator in [None, Some(b'\n')] {
        let world = World::new();
        let mut state = 7_u64;
        let mut letter = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[(state >> 58) as usize]
        };
        let text: Vec<u8> =
            (1..=200 * 1024).map(|at| separator.filter(|_| at % 80 == 0).unwrap_or_else(&mut letter)).collect();
        world.secret("secret", &text);
        let filler = vec![b'.'; 300 * 1024];
        let files = [
            ("whole", [&filler, text.as_slice(), b"end"].concat()),
            ("part", [b"before ", &text[100 * 1024..150 * 1024]].concat()),
            ("none", filler),
        ];
        let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
        world.image("image.tar", &files);
        let report = world.audit(116, &["--format", "json", "--for-secret", "big=file:secret", "./image.tar"]);
        let report: Value = serde_json::from_str(&report).unwrap();
        let mut paths: Vec<_> = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["location"]["path"].as_str().unwrap())
            .collect();
        paths.sort_unstable();
        assert_eq!(paths, ["part", "whole"]);
    }
}

/// Audits with a secret in every place of an image that a report quotes.
#[test]
fn no_form_of_the_report_holds_the_secret_though_instructions_and_names_do() {
    let world = World::new();
    let mut layout = Layout::default();
    let layer = tar(&[(&format!("opt/{TOKEN}/file"), b"nothing"), (&format!("opt/{TOKEN}/key"), TOKEN.as_bytes())]);
    let config = json!({
        "os": "linux", "architecture": "amd64",
        "config": { "Env": [format!("A={TOKEN}")], "Labels": { TOKEN: "x" } },
        "rootfs": { "type": "layers", "diff_ids": [Digest::of(&layer).to_string()] },
        "history": [{ "created_by": format!("RUN curl -u me {TOKEN} # buildkit") }],
    });
    let layer = layout.blob("application/vnd.oci.image.layer.v1.tar", &layer);
    let image = layout.manifest(&config, &[layer]);
    layout.root(image);
    std::fs::write(world.path("image.tar"), layout.archive()).unwrap();
    for format in ["table", "json", "sarif", "html"] {
        let shown = world.audit(116, &["--format", format, "--for-secret", "npm=env:TOKEN", "./image.tar"]);
        let letters: String = shown.split_whitespace().collect();
        assert!(!letters.contains(TOKEN) && !letters.contains(&TOKEN.replace('/', "\\/")), "{format}: {shown}");
        assert!(shown.contains("lent-secret") && letters.contains("npm"), "{format}: {shown}");
    }
    let json: Value =
        serde_json::from_str(&world.audit(116, &["--format", "json", "--for-secret", "npm=env:TOKEN", "./image.tar"]))
            .unwrap();
    let kinds: BTreeSet<_> =
        json["findings"].as_array().unwrap().iter().map(|one| one["location"]["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, BTreeSet::from(["config", "history", "layer"]), "{json:#}");
    assert!(json["findings"].as_array().unwrap().iter().all(|one| one["key"].is_null()));
    let signer = world.command("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", "signer"]);
    assert!(signer.status.success());
    world.audit(116, &["--attest", "file:signer", "--for-secret", "env:TOKEN", "./image.tar"]);
    let statement = std::fs::read_to_string(world.path("valetkey-audit.json")).unwrap();
    assert!(!statement.contains(TOKEN) && statement.contains("lent-secret"), "{statement}");
}

#[test]
fn a_cached_layer_does_not_hide_a_secret_and_the_cache_tells_nothing_of_it() {
    let world = World::new();
    world.image("image.tar", &[("etc/npmrc", format!("token={TOKEN}").as_bytes())]);
    for (code, arguments) in [(0, &["./image.tar"][..]), (116, &["--for-secret", "env:TOKEN", "./image.tar"])] {
        world.audit(code, arguments);
        world.audit(code, arguments);
    }
    world.secret("other", b"another-secret-1");
    world.audit(0, &["--for-secret", "file:other", "./image.tar"]);
    // The names of its folders stand for what was looked for: the same elsewhere, they would tell.
    let folders = |world: &World| -> BTreeSet<_> {
        let layers = std::fs::read_dir(world.path("cache/valetkey/layers")).unwrap();
        layers.map(|folder| folder.unwrap().file_name()).collect()
    };
    let elsewhere = World::new();
    elsewhere.image("image.tar", &[("a", b"b")]);
    elsewhere.audit(0, &["--for-secret", "env:TOKEN", "./image.tar"]);
    assert_eq!((folders(&world).len(), folders(&elsewhere).len()), (3, 1));
    assert!(folders(&world).is_disjoint(&folders(&elsewhere)));
    let grep = world.command("grep", &["-r", "-a", "-F", TOKEN, "cache"]);
    assert_eq!(grep.status.code(), Some(1), "{grep:?}");
}

#[test]
fn what_cannot_be_looked_for_stops_the_audit_and_is_not_repeated() {
    let world = World::new();
    world.image("image.tar", &[("a", b"b")]);
    world.secret("short", b"1234567\n");
    world.secret("eight", b"12345678\n");
    world.secret("empty", b"");
    world.audit(0, &["--for-secret", "file:eight", "./image.tar"]);
    for (code, source, says) in [
        (111, "file:short", "fewer than 8 bytes"),
        (111, "file:empty", ""),
        (111, "env:NOT_THERE", "NOT_THERE"),
        (111, "file:not-there", "not-there"),
        (111, "agent", ""),
        (110, "x=nothing", "--for-secret"),
        (110, TOKEN, "--for-secret"),
    ] {
        let said = world.audit(code, &["--for-secret", source, "./image.tar"]);
        assert!(said.contains(says), "{source}: {said}");
        assert!(!said.contains(TOKEN) && !said.contains("1234567"), "{said}");
    }
}

#[test]
fn a_secret_that_was_lent_is_ignored_by_its_rule_and_not_by_its_place() {
    let world = World::new();
    world.image("image.tar", &[("etc/npmrc", TOKEN.as_bytes())]);
    for (entry, code) in [
        ("path = \"etc/*\"", 116),
        ("rule = \"lent-secret\"\npath = \"etc/*\"", 0),
        ("rule = \"lent-secret\"\npath = \"opt/*\"", 116),
    ] {
        std::fs::write(world.path("valetkey.toml"), format!("[[ignore]]\n{entry}\nreason = \"a test\"\n")).unwrap();
        world.audit(code, &["--for-secret", "env:TOKEN", "./image.tar"]);
    }
}

#[test]
fn the_engine_that_saves_an_image_does_not_see_what_is_looked_for() {
    let place = Place::new();
    // A double of an engine's client: it says what it sees, and has no image.
    let engine = place.write("engine", "#!/bin/sh\nenv >\"$SEEN\"; exit 1\n");
    std::fs::set_permissions(&engine, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let seen = place.project().join("seen");
    let args = ["audit", "--engine", "./engine", "--for", "env:KEY", "--for-secret", "npm=env:TOKEN", "app:latest"];
    let mut command = place.valetkey(&args);
    let asked = ran(command.env("TOKEN", "s3cret-of-a-test").env("SEEN", &seen).env("CONTROL", "seen"));
    assert_ne!(asked.code, Some(0), "{asked:?}");
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(seen.contains("CONTROL=seen"), "the control: {seen}");
    assert!(!seen.contains("s3cret-of-a-test") && !seen.contains("PRIVATE KEY"), "{seen}");
}
