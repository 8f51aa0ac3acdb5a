//! A Debian image with Python, Git, OpenSSH, a C toolchain and a hundred PyPI packages has no key
//! but those that packages ship for their tests, and the audit says so; a key of nobody's that
//! lies among such tests is named all the same, because no path is passed over.

use valetkey_integration::engine::PACKAGES_IMAGE;
use valetkey_integration::{Audited, Engine, Key, Project};

/// Packages in the image, of which the audit must have seen a key: what was not looked at would
/// have none. Of modules, of files with nothing but a key, and of binaries.
const SHIP_KEYS: [&str; 5] = ["twisted ", "tornado ", "jwcrypto ", "openssl ", "libgnutls30 "];

/// The tests of a package, where it ships them.
const TESTS: &str = "usr/local/lib/python3.11/dist-packages/twisted/test";

fn audit(engine: &Engine, image: &str) -> Audited {
    Audited::of(engine.valetkey(&["audit", "--no-config", "--format", "json", image]).finish()).expect_complete()
}

#[test]
fn nothing_but_known_test_keys_in_an_image_that_was_read_wholly() {
    let engine = Engine::named("docker-28");
    let audit = audit(&engine, PACKAGES_IMAGE).expect_code(0);
    for finding in audit.findings() {
        assert_eq!(finding["severity"], "note", "{finding:#}");
        assert!(finding["key"].is_null() || finding["key"]["known_test_key"].is_string(), "{finding:#}");
    }
    for package in SHIP_KEYS {
        let seen = |known: Option<&str>| known.is_some_and(|known| known.starts_with(package));
        let mut findings = audit.findings().iter();
        assert!(findings.any(|finding| seen(finding["key"]["known_test_key"].as_str())), "none of {package}");
    }
    let files = audit.report()["read"]["files"].as_u64().unwrap_or_default();
    assert!(files > 40_000, "{files} files: this is not the image that is meant");
}

#[test]
fn and_a_fresh_key_among_the_tests_of_a_package_is_named() {
    let engine = Engine::named("docker-28");
    let key = Key::ed25519("planted");
    let project = Project::new().write("planted", &key.private());
    let project = project.write("Dockerfile", &format!("FROM {PACKAGES_IMAGE}\nCOPY planted /{TESTS}/id_ed25519\n"));
    engine.in_image(PACKAGES_IMAGE, &["test", "-e", &format!("/{TESTS}/server.pem")]).succeed();
    engine.command("docker").args(["build", "--tag", &project.name, "."]).within(project.path()).succeed();
    let audit = audit(&engine, &project.name).expect_code(116);
    let secrets = audit.secrets();
    let [secret] = secrets[..] else { panic!("one key was planted: {secrets:#?}") };
    assert_eq!(secret["key"]["fingerprint"], key.fingerprint());
    assert_eq!(secret["location"]["path"], format!("{TESTS}/id_ed25519"));
}
