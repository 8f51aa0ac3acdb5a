//! PURE reading and writing of `--ssh` and `--secret` values, as BuildKit's clients and buildah
//! read them: `ID[=SOCKET|KEY[,KEY…]]`, and a line of CSV with `key=value` fields.

use super::{BuilderError, KNOWN_HOSTS_ID, Lending};

/// What a typed `--ssh` value asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SshSpec<'a> {
    /// The id that a step names.
    pub(super) id: &'a str,
    /// The socket or keys. None means the agent of SSH_AUTH_SOCK: `default`, `default=`.
    pub(super) paths: Option<&'a str>,
}

/// Reads a typed `--ssh` value.
pub(super) fn ssh(value: &str) -> SshSpec<'_> {
    match value.split_once('=') {
        Some((id, paths)) if !paths.is_empty() => SshSpec { id, paths: Some(paths) },
        Some((id, _)) => SshSpec { id, paths: None },
        None => SshSpec { id: value, paths: None },
    }
}

/// The `--ssh` value that lends `socket` under `id`.
pub(super) fn lent(id: &str, socket: &str) -> String {
    format!("{id}={socket}")
}

/// The ids of the lease that were not typed, as `--ssh` values.
pub(super) fn missing(lending: &Lending, typed: &[String]) -> Result<Vec<String>, BuilderError> {
    let mut values = Vec::new();
    for (id, path) in &lending.sockets {
        let socket = path.to_str().ok_or_else(|| BuilderError::Path(path.clone()))?;
        if !typed.contains(id) {
            values.push(lent(id, socket));
        }
    }
    Ok(values)
}

/// The `--secret` value that lends the known_hosts lines.
pub(super) fn known_hosts(lending: &Lending) -> String {
    format!("id={KNOWN_HOSTS_ID},src={}", lending.known_hosts())
}

/// Whether a typed `--secret` value has the id of the known_hosts lines.
pub(super) fn is_known_hosts(value: &str) -> bool {
    value.split(',').any(|field| {
        let field = field.trim_matches('"');
        field.split_once('=').is_some_and(|(key, id)| key.eq_ignore_ascii_case("id") && id == KNOWN_HOSTS_ID)
    })
}

/// What a person is told about a typed socket or key. `place` is the command, service or target.
pub(super) fn typed_stays(place: &str, id: &str, paths: &str) -> String {
    format!("{place}: the ssh id `{id}` stays at {paths} as typed, so steps that use it do not reach the lease")
}

/// One field of a CSV line, quoted where it has to be.
pub(super) fn csv_field(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ssh_value_without_paths_names_no_socket() {
        for (value, id, paths) in [
            ("default", "default", None),
            ("default=", "default", None),
            ("x=/a", "x", Some("/a")),
            ("x=/a,/b=c", "x", Some("/a,/b=c")),
            ("", "", None),
        ] {
            assert_eq!(ssh(value), SshSpec { id, paths }, "{value}");
        }
    }

    #[test]
    fn a_secret_is_known_hosts_by_its_id_alone() {
        for (value, is) in [
            ("id=known_hosts,src=/x", true),
            ("type=file,id=known_hosts,src=/x", true),
            ("src=/x,ID=known_hosts", true),
            ("\"id=known_hosts\",\"src=/a,b\"", true),
            ("id=known_hosts2", false),
            ("id=x,src=known_hosts", false),
            ("known_hosts", false),
        ] {
            assert_eq!(is_known_hosts(value), is, "{value}");
        }
    }

    #[test]
    fn a_field_is_quoted_only_where_csv_needs_it() {
        assert_eq!(csv_field("src=/a"), "src=/a");
        assert_eq!(csv_field("src=/a,b"), "\"src=/a,b\"");
        assert_eq!(csv_field("src=\""), "\"src=\"\"\"");
    }
}
