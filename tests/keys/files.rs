//! `file:` follows the rules that ssh and ssh-add have for key files.

use std::os::unix::fs::PermissionsExt as _;

use super::made::{self, Kind};
use super::world::{World, blobs, said};

fn error(world: &mut World, source: &str) -> String {
    said(&world.load(source).expect_err(source))
}

#[test]
fn what_is_wrong_with_a_path_is_said() {
    let folder = made::folder();
    let mut world = World::default();
    let at = folder.path().display();
    assert!(error(&mut world, &format!("file:{at}/none")).contains("there is no such file"));
    assert!(error(&mut world, &format!("file:{at}")).contains("it is a folder"));
    let through = made::write(folder.path(), "file", "x");
    let through = format!("file:{}/key", through.display());
    assert!(error(&mut world, &through).contains("there is no such file"));
    assert!(error(&mut world, "file:~/key").contains("home folder is not known"));
    assert!(error(&mut world, "env:NOTHING").contains("the variable is not set"));
}

#[test]
fn a_key_that_others_can_read_is_refused_as_ssh_add_refuses_it() {
    let folder = made::folder();
    let path = made::write(folder.path(), "key", &made::key(Kind::Ed25519).text);
    let source = format!("file:{}", path.display());
    let mut world = World::default();
    for mode in [0o640, 0o604, 0o620, 0o610] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a mode");
        let said = error(&mut world, &source);
        assert!(said.contains(&format!("chmod 600 {}", path.display())), "{said}");
        // The control: the real ssh-keygen refuses the same file.
        let real = std::process::Command::new("ssh-keygen")
            .args(["-y", "-P", "", "-f", made::path_str(&path)])
            .output()
            .expect("ssh-keygen is needed for this test");
        assert!(!real.status.success(), "mode {mode:o}");
    }
    for mode in [0o600, 0o400, 0o700] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a mode");
        let loaded = world.load(&source).expect("a key");
        assert_eq!(blobs(&loaded), [&made::key(Kind::Ed25519).blob[..]]);
    }
}

#[test]
fn a_key_is_read_through_a_link() {
    let folder = made::folder();
    let path = made::write(folder.path(), "key", &made::key(Kind::Ed25519).text);
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(path, &link).expect("a link");
    World::default().load(&format!("file:{}", link.display())).expect("a key");
}

#[test]
fn a_file_is_read_up_to_its_limit() {
    let folder = made::folder();
    let path = made::write(folder.path(), "key", &made::key(Kind::Ed25519).text);
    let source = format!("file:{}", path.display());
    let limit = u64::try_from(valetkey::keys::SOURCE_LIMIT).expect("small");
    let file = std::fs::OpenOptions::new().write(true).open(&path).expect("a file");
    file.set_len(limit).expect("longer");
    World::default().load(&source).expect("a key and zeros");
    for past in [limit + 1, 1 << 40] {
        file.set_len(past).expect("longer");
        let said = error(&mut World::default(), &source);
        assert!(said.contains("longer than 256 KiB"), "{said}");
    }
}
