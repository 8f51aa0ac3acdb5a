//! `docker-config`: a `config.json` with the login of one registry, for tools in a step that
//! fetch or push images.

use super::FormError;
use super::out::Out;

/// What Docker's clients call Docker Hub in this file.
const HUB: &str = "https://index.docker.io/v1/";

/// Whether this is a registry: a host, perhaps a port and a path.
#[must_use]
pub fn is_registry(registry: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:/[]".contains(c);
    !registry.is_empty() && registry.len() <= 255 && registry.chars().all(plain) && !registry.contains("://")
}

/// Whether this can be a user's name: a colon ends it.
#[must_use]
pub fn is_login(login: &str) -> bool {
    !login.is_empty() && login.len() <= 255 && !login.contains(':') && !login.chars().any(char::is_control)
}

pub(super) fn write(registry: &str, login: &str, secret: &str, out: &mut Out) -> Result<(), FormError> {
    let registry = if matches!(registry, "docker.io" | "index.docker.io") { HUB } else { registry };
    out.text("{\"auths\":{")?;
    out.quoted(registry)?;
    out.text(":{\"auth\":\"")?;
    out.base64([login.as_bytes(), b":", secret.as_bytes()])?;
    out.text("\"}}}\n")
}

#[cfg(test)]
mod tests {
    use super::super::Form;
    use super::super::tests::file;
    use super::*;

    #[test]
    fn the_login_is_in_base64_under_the_name_that_docker_looks_for() {
        let form = |registry: &str| Form::DockerConfig { registry: registry.into(), login: "ci".into() };
        assert_eq!(
            file(&form("ghcr.io"), b"pass:word").unwrap(),
            "{\"auths\":{\"ghcr.io\":{\"auth\":\"Y2k6cGFzczp3b3Jk\"}}}\n"
        );
        assert!(file(&form("docker.io"), b"p").unwrap().contains("\"https://index.docker.io/v1/\""));
    }

    #[test]
    fn an_odd_registry_or_login_is_refused() {
        for registry in ["", "https://ghcr.io", "a b", "a\"b", &"a".repeat(256)] {
            assert!(!is_registry(registry), "{registry:?}");
        }
        assert!(is_registry("localhost:5000") && is_registry(&"a".repeat(255)));
        for login in ["", "a:b", "a\nb", &"a".repeat(256)] {
            assert!(!is_login(login), "{login:?}");
        }
        assert!(is_login("a b@c") && is_login(&"a".repeat(255)));
    }
}
