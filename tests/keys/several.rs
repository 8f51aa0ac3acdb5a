//! Several sources of one key: the next is tried where one is not there, and nowhere else.

use super::made::{self, Kind};
use super::vault_double::{Double, Exchange};
use super::world::{World, blobs, said};
use crate::run::place::{Place, ran};

/// A world that has a key in OMNIBUS_KEY, and something in other places.
fn world() -> World {
    let mut world = World { secrets_folder: "/nowhere".into(), ..World::default() };
    world.variables.insert("OMNIBUS_KEY", (&made::key(Kind::Ed25519).text).into());
    world
}

#[test]
fn each_kind_of_source_that_is_not_there_lets_the_next_be_tried() {
    let fingerprint = "agent:SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
    for absent in [
        "keychain:omnibus",
        "env:NOTHING",
        "file:/nowhere/key",
        "command:/nowhere/op read x",
        "credential:omnibus",
        "vault:secret/ci#key",
        "agent",
        fingerprint,
    ] {
        let (loaded, source) = world().load_first(&[absent, "env:OMNIBUS_KEY", "env:NOTHING"]).expect(absent);
        assert_eq!(blobs(&loaded), [&made::key(Kind::Ed25519).blob[..]], "{absent}");
        assert_eq!(source, "env:OMNIBUS_KEY");
    }
    // A server that has no such secret, too; a double says so.
    let double = Double::expecting(vec![Exchange::get("secret/data/ci", "s.t").gives(404, r#"{"errors":[]}"#)]);
    let mut world = world();
    world.variables.extend([("VAULT_ADDR", double.address().into()), ("VAULT_TOKEN", "s.t".into())]);
    let (_, source) = world.load_first(&["vault:secret/ci#key", "env:OMNIBUS_KEY"]).expect("a key");
    assert_eq!(source, "env:OMNIBUS_KEY");
    double.was_asked();
}

#[test]
fn the_first_that_is_there_is_used_and_the_rest_is_not_read() {
    let mut world = world();
    world.keychain.0.insert("omnibus".to_owned(), made::key(Kind::P256).text.clone().into_bytes());
    let folder = made::folder();
    let ran = folder.path().join("ran");
    let touch = format!("command:touch {}", ran.display());
    let (loaded, source) = world.load_first(&["keychain:omnibus", &touch]).expect("a key");
    assert_eq!((blobs(&loaded), source.as_str()), (vec![&made::key(Kind::P256).blob[..]], "keychain:omnibus"));
    assert!(!ran.exists());
}

#[test]
fn one_that_is_there_and_of_no_use_stops_it_and_says_which() {
    let folder = made::folder();
    let locked = made::write(folder.path(), "locked", &made::key(Kind::Ed25519).text);
    made::run("ssh-keygen", &["-q", "-p", "-a", "1", "-N", "hunter two", "-f", made::path_str(&locked)]);
    let open = made::write(folder.path(), "open", &made::key(Kind::Ed25519).text);
    made::run("chmod", &["644", made::path_str(&open)]);
    let (locked, open) = (format!("file:{}", locked.display()), format!("file:{}", open.display()));
    for (source, words) in [
        ("env:EMPTY", "it is empty"),
        ("env:PUBLIC", "it is a public key"),
        (&*locked, "the passphrase from env:WRONG is wrong"),
        (&*open, "others can read or write it"),
        ("command:false", "the program ended with status 1"),
        ("vault:secret/ci#key", "the server cannot be reached"),
    ] {
        let mut world = world();
        world.passphrase_from = Some("env:WRONG");
        world.variables.extend([
            ("EMPTY", "".into()),
            ("PUBLIC", (&made::key(Kind::Ed25519).line).into()),
            ("WRONG", "hunter".into()),
            ("VAULT_ADDR", "http://127.0.0.1:1".into()),
            ("VAULT_TOKEN", "s.t".into()),
        ]);
        let error = world.load_first(&["env:NOTHING", source, "env:OMNIBUS_KEY"]).expect_err(source);
        let said = said(&error);
        assert!(said.starts_with(&format!("no usable key from {source}: ")) && said.contains(words), "{said}");
    }
}

#[test]
fn where_none_is_there_each_is_named_with_its_reason() {
    let error = world().load_first(&["keychain:omnibus", "env:NOTHING", "file:/nowhere/key"]).expect_err("none");
    let said = said(&error);
    let words = "no usable key from keychain:omnibus or env:NOTHING or file:/nowhere/key: none of them is there \
                 (keychain:omnibus: the keychain has no entry of this name for valetkey; env:NOTHING: the variable \
                 is not set; file:/nowhere/key: there is no such file)\nvaletkey key list shows";
    assert!(said.starts_with(words), "{said}");
    // One alone is as it was.
    let said = super::world::said(&world().load_first(&["env:NOTHING"]).expect_err("none"));
    assert!(said.starts_with("no usable key from env:NOTHING: the variable is not set\n"), "{said}");
}

#[test]
fn the_same_file_serves_a_laptop_and_a_job_and_says_which_source_it_was() {
    let place = Place::new();
    place.write("id", &made::key(Kind::P256).text);
    place.write("valetkey.toml", "[[grant]]\nkey = [\"env:DEPLOY_KEY\", \"file:id\"]\n");
    let run = |variable: Option<&str>| {
        let mut valetkey = place.valetkey(&["run", "--receipt", "receipt", "--", "sh", "-c", "env; ssh-add -l"]);
        let ran = ran(valetkey.envs(variable.map(|key| ("DEPLOY_KEY", key))));
        let receipt = std::fs::read_to_string(place.project().join("receipt")).unwrap_or_default();
        let receipt: serde_json::Value = serde_json::from_str(&receipt).unwrap_or_default();
        (ran, receipt["identities"][0]["source"].clone())
    };
    let (job, source) = run(Some(&made::key(Kind::Ed25519).text));
    job.is(0).shows(&["(ED25519)"]).says(&["from env:DEPLOY_KEY as ssh id default"]).never_says(&["DEPLOY_KEY="]);
    assert_eq!(source, "env:DEPLOY_KEY");
    let file = format!("file:{}", place.project().join("id").display());
    let (laptop, source) = run(None);
    laptop.is(0).shows(&["(ECDSA)"]).says(&["from file:"]);
    assert_eq!(source, file.as_str());
    let (broken, _) = run(Some("not a key"));
    broken.is(111).says(&["no usable key from env:DEPLOY_KEY: "]);
    // What was not used is kept from the command as well.
    place.write("valetkey.toml", "[[grant]]\nkey = [\"file:id\", \"env:DEPLOY_KEY\"]\n");
    let (unused, _) = run(Some(&made::key(Kind::Ed25519).text));
    unused.is(0).shows(&["(ECDSA)"]).never_says(&["DEPLOY_KEY="]);
    // A dry run names them all.
    ran(&mut place.valetkey(&["run", "--dry-run", "--", "true"]))
        .shows(&[&format!("# lend {file} or env:DEPLOY_KEY as ssh id default"), "unset DEPLOY_KEY"]);
}
