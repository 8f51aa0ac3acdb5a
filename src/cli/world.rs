//! The real world that keys are loaded from: this process's environment, home folder, standard
//! input, keychain and terminal.

use crate::keys::LoadEnv;
use crate::keys::keychain::OsKeychain;
use crate::keys::passphrase::Person;

/// Hands the world to `act`.
pub(super) fn with_load_env<T>(act: impl FnOnce(&mut LoadEnv<'_>) -> T) -> T {
    let variable = |name: &str| std::env::var_os(name);
    let keychain = OsKeychain::default();
    let mut person = Person::new(&variable);
    act(&mut LoadEnv {
        variable: &variable,
        home: std::env::home_dir(),
        stdin: Some(Box::new(std::io::stdin())),
        keychain: &keychain,
        person: &mut person,
        passphrase_from: None,
        known: Vec::new(),
    })
}
