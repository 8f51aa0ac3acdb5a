//! PURE: what a build has to be passed that valetkey does not start itself.

use super::dockerfile::CONTEXT;
use super::{BuilderError, Lending, specs};

/// Values of the flags of one build, in the form of `docker build`, without the flags themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// Of `--ssh`: `ID=SOCKET`.
    pub ssh: Vec<String>,
    /// Of `--build-context`: `NAME=FOLDER`.
    pub contexts: Vec<String>,
    /// Of `--secret`: `id=ID,src=FILE`.
    pub secrets: Vec<String>,
}

impl Arguments {
    /// Of everything that is lent.
    ///
    /// # Errors
    /// Where a path of the lease cannot stand in such a value.
    pub fn of(lending: &Lending) -> Result<Self, BuilderError> {
        lending.check_paths()?;
        let ssh = specs::missing(lending, &[], &[])?;
        let paths = lending.sockets.iter().chain(&lending.secrets).map(|(_, path)| path);
        for path in paths.chain(&lending.guest).chain([&lending.known_hosts]) {
            if !path.to_str().is_some_and(|text| text.chars().all(is_plain)) {
                return Err(BuilderError::Path(path.clone()));
            }
        }
        let contexts = lending.guest.iter().map(|folder| format!("{CONTEXT}={}", folder.display())).collect();
        let secrets = specs::missing_secrets(lending, &[]).into_iter().map(|(value, _)| value);
        Ok(Self { ssh, contexts, secrets: secrets.collect() })
    }

    /// The flags and their values. No word has white space or a character that a shell would read,
    /// so that they may stand in one variable: `docker build $VALETKEY_BUILD_ARGS .`
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let flags = |flag: &'static str, values: &[String]| -> Vec<String> {
            values.iter().flat_map(|value| [flag.to_owned(), value.clone()]).collect()
        };
        let all =
            [flags("--ssh", &self.ssh), flags("--build-context", &self.contexts), flags("--secret", &self.secrets)];
        all.concat()
    }
}

/// Whether a shell takes a character for itself, in quotes and out of them.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/._-+=:@".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lending() -> Lending {
        Lending {
            sockets: vec![("default".into(), "/l/agent.sock".into()), ("lib".into(), "/l/agent1.sock".into())],
            secrets: vec![("pip".into(), "/l/secret0".into())],
            known_hosts: "/l/known_hosts".into(),
            guest: Some("/l/guest".into()),
            git: None,
            folder: "/l".into(),
        }
    }

    #[test]
    fn every_socket_the_guest_the_host_keys_and_every_secret_are_passed() {
        let words = Arguments::of(&lending()).unwrap().words().join(" ");
        assert_eq!(
            words,
            "--ssh default=/l/agent.sock --ssh lib=/l/agent1.sock --build-context valetkey=/l/guest --secret id=known_hosts,src=/l/known_hosts --secret id=pip,src=/l/secret0"
        );
    }

    #[test]
    fn a_path_that_a_shell_or_builder_would_split_is_refused() {
        for path in ["/a b/agent.sock", "/a,b", "/a$b", "/a\"b", "/a*", "/a;b"] {
            let lending = Lending { sockets: vec![("default".into(), path.into())], ..lending() };
            assert!(Arguments::of(&lending).is_err(), "{path}");
            let lending = Lending { secrets: vec![("pip".into(), path.into())], ..self::lending() };
            assert!(Arguments::of(&lending).is_err(), "{path}");
        }
    }
}
