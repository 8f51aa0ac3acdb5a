//! `credential:` reads what a service manager or an engine provides, and nothing beside it.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use super::made::{self, Kind};
use super::world::{World, blobs, said};

/// A world in which systemd has one folder and Docker another.
fn world(systemd: &Path, docker: &Path) -> World {
    let mut world = World { secrets_folder: docker.to_owned(), ..World::default() };
    world.variables.insert("CREDENTIALS_DIRECTORY", systemd.as_os_str().to_owned());
    world
}

#[test]
fn systemds_folder_comes_before_the_mounted_one() {
    let (systemd, docker) = (made::folder(), made::folder());
    made::write(docker.path(), "deploy.key", &made::key(Kind::P256).text);
    let load = || world(systemd.path(), docker.path()).load("credential:deploy.key").expect("a key");
    assert_eq!(blobs(&load()), [&made::key(Kind::P256).blob[..]]);
    made::write(systemd.path(), "deploy.key", &made::key(Kind::Ed25519).text);
    assert_eq!(blobs(&load()), [&made::key(Kind::Ed25519).blob[..]]);
    let mut without = World { secrets_folder: docker.path().to_owned(), ..World::default() };
    assert_eq!(blobs(&without.load("credential:deploy.key").expect("a key")), [&made::key(Kind::P256).blob[..]]);
}

#[test]
fn a_credential_may_be_open_to_others_and_a_link_as_kubernetes_makes_them() {
    let folder = made::folder();
    let data = folder.path().join("..2026_01_01");
    std::fs::create_dir(&data).expect("a folder");
    let path = made::write(&data, "key", &made::key(Kind::Ed25519).text);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).expect("a mode");
    symlink("..2026_01_01", folder.path().join("..data")).expect("a link");
    symlink("..data/key", folder.path().join("key")).expect("a link");
    let loaded = world(Path::new("/nowhere"), folder.path()).load("credential:key").expect("a key");
    assert_eq!(blobs(&loaded), [&made::key(Kind::Ed25519).blob[..]]);
}

#[test]
fn what_is_missing_or_no_file_is_said_and_a_pipe_is_not_waited_for() {
    let folder = made::folder();
    let error = |name: &str| {
        let error = world(Path::new("/nowhere"), folder.path()).load(&format!("credential:{name}"));
        said(&error.expect_err(name))
    };
    let missing = error("none");
    assert!(missing.contains("there is no such credential") && missing.contains("LoadCredential="), "{missing}");
    std::fs::create_dir(folder.path().join("folder")).expect("a folder");
    assert!(error("folder").contains("is no file"));
    made::run("mkfifo", &[made::path_str(&folder.path().join("pipe"))]);
    assert!(error("pipe").contains("is no file"));
    symlink("/dev/zero", folder.path().join("device")).expect("a link");
    assert!(error("device").contains("is no file"));
    symlink("loop", folder.path().join("loop")).expect("a link");
    assert!(error("loop").contains("cannot be read"));
}

#[test]
fn a_folder_that_is_relative_is_not_looked_into() {
    let folder = made::folder();
    made::write(folder.path(), "key", &made::key(Kind::Ed25519).text);
    let relative = std::env::current_dir().expect("a folder").components().skip(1).map(|_| "..").collect::<Vec<_>>();
    let relative = format!("{}{}", relative.join("/"), folder.path().display());
    let error = world(Path::new(&relative), Path::new("/nowhere")).load("credential:key").expect_err("not there");
    assert!(said(&error).contains("there is no such credential"));
    // The control: the same folder by its whole path.
    world(folder.path(), Path::new("/nowhere")).load("credential:key").expect("a key");
}

#[test]
fn a_credential_is_read_up_to_its_limit() {
    let folder = made::folder();
    let path = made::write(folder.path(), "key", &made::key(Kind::Ed25519).text);
    let limit = u64::try_from(valetkey::keys::SOURCE_LIMIT).expect("small");
    let file = std::fs::OpenOptions::new().write(true).open(&path).expect("a file");
    let load = || world(folder.path(), Path::new("/nowhere")).load("credential:key");
    file.set_len(limit).expect("longer");
    load().expect("a key and zeros");
    for past in [limit + 1, 1 << 40] {
        file.set_len(past).expect("longer");
        assert!(said(&load().expect_err("too long")).contains("longer than 256 KiB"));
    }
}

#[test]
fn a_real_run_takes_a_credential_of_its_folder() {
    let place = crate::run::place::Place::new();
    std::fs::create_dir(place.at("credentials")).expect("a folder");
    made::write(&place.at("credentials"), "deploy", &made::key(Kind::Ed25519).text);
    let mut valetkey: Command = place.valetkey(&["run", "--key", "credential:deploy", "--", "ssh-add", "-l"]);
    valetkey.env("CREDENTIALS_DIRECTORY", place.at("credentials"));
    crate::run::place::ran(&mut valetkey).is(0).shows(&[made::COMMENT]);
}
