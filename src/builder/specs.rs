//! PURE reading and writing of `--ssh` and `--secret` values, as BuildKit's clients and buildah
//! read them: `ID[=SOCKET|KEY[,KEY…]]`, and a line of CSV with `key=value` fields.

use super::{BuilderError, Lending};

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

/// The ids of the lease that were not typed, and those that a step uses (`used`) and no grant
/// names, as `--ssh` values. Without one, the step would run without a socket and fail late.
pub(super) fn missing(lending: &Lending, typed: &[String], used: &[String]) -> Result<Vec<String>, BuilderError> {
    let mut values = Vec::new();
    for (id, path) in &lending.sockets {
        let socket = path.to_str().ok_or_else(|| BuilderError::Path(path.clone()))?;
        if !typed.contains(id) {
            values.push(lent(id, socket));
        }
    }
    let mut named = typed.to_vec();
    for id in used.iter().filter(|id| is_plain_id(id)) {
        if !lending.has(id) && !named.contains(id) {
            values.extend(lending.socket_for(id).map(|socket| lent(id, socket)));
            named.push(id.clone());
        }
    }
    Ok(values)
}

/// What a person is told about ids that steps use and no grant names, and that were not typed.
pub(super) fn ungranted(place: &str, lending: &Lending, typed: &[String], used: &[String]) -> Vec<String> {
    let first = lending.sockets.first().map_or("", |(id, _)| id.as_str());
    let ungranted = used.iter().filter(|id| !lending.has(id) && !typed.contains(id));
    let mut said: Vec<String> = ungranted
        .map(|id| {
            let shown = crate::wire::text::shown(id.as_bytes());
            if is_plain_id(id) {
                format!("{place}: no grant has the ssh id `{shown}`, so its steps get what `{first}` is granted; for a grant of its own: id = \"{shown}\"")
            } else {
                format!("{place}: the ssh id `{shown}` is known to the builder alone, so its steps get nothing; use letters, digits, `.`, `_` and `-`")
            }
        })
        .collect();
    said.dedup();
    said
}

/// An id that every builder reads as one, without variables in it.
fn is_plain_id(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

/// `(--secret value, file)` of each secret of the lease whose id was not typed.
pub(super) fn missing_secrets<'a>(lending: &'a Lending, typed: &[String]) -> Vec<(String, &'a str)> {
    let missing = lending.lent_secrets().filter(|(id, _)| !typed.iter().any(|typed| typed == id));
    missing.map(|(id, path)| (format!("id={id},src={path}"), path)).collect()
}

/// The id of a typed `--secret` value.
pub(super) fn secret_id(value: &str) -> Option<&str> {
    value.split(',').find_map(|field| {
        let (key, id) = field.trim_matches('"').split_once('=')?;
        key.eq_ignore_ascii_case("id").then_some(id)
    })
}

/// What a person is told about secrets that were typed, or stand in a build file, under ids of the
/// lease. The host keys are anybody's, and there is nothing to say of them.
pub(super) fn typed_secrets_stay(place: &str, lending: &Lending, typed: &[String]) -> Vec<String> {
    let lent = lending.secrets.iter().filter(|(id, _)| typed.contains(id));
    lent.map(|(id, _)| format!("{place}: the secret `{id}` stays as typed, so its steps do not get the lent one"))
        .collect()
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
    fn an_id_that_a_step_uses_gets_the_socket_of_its_name_or_else_the_first() {
        let lending = Lending {
            sockets: vec![("default".into(), "/d".into()), ("lib".into(), "/l".into())],
            secrets: vec![],
            known_hosts: "/k".into(),
            guest: None,
            git: None,
            folder: "/f".into(),
        };
        let ids = |ids: &[&str]| -> Vec<String> { ids.iter().map(|id| (*id).to_owned()).collect() };
        for (typed, used, values, warned) in [
            (&[][..], &["default", "lib"][..], &["default=/d", "lib=/l"][..], None),
            (&[], &["foo"], &["default=/d", "lib=/l", "foo=/d"], Some("`foo`, so its steps get what `default`")),
            (&["foo"], &["foo"], &["default=/d", "lib=/l"], None),
            (&["default", "lib"], &["foo", "foo"], &["foo=/d"], Some("id = \"foo\"")),
            (&[], &["$X"], &["default=/d", "lib=/l"], Some("`$X` is known to the builder alone")),
            (&[], &["a=b"], &["default=/d", "lib=/l"], Some("`a=b`")),
        ] {
            assert_eq!(missing(&lending, &ids(typed), &ids(used)).unwrap(), values, "{used:?}");
            let said = ungranted("docker build", &lending, &ids(typed), &ids(used));
            assert_eq!(said.len(), usize::from(warned.is_some()), "{said:?}");
            assert!(said.iter().all(|said| said.contains(warned.unwrap())), "{said:?}");
        }
    }

    #[test]
    fn a_secret_is_known_by_its_id_alone() {
        for (value, id) in [
            ("id=known_hosts,src=/x", Some("known_hosts")),
            ("type=file,id=known_hosts,src=/x", Some("known_hosts")),
            ("src=/x,ID=pip", Some("pip")),
            ("\"id=known_hosts\",\"src=/a,b\"", Some("known_hosts")),
            ("id=x,src=known_hosts", Some("x")),
            ("known_hosts", None),
        ] {
            assert_eq!(secret_id(value), id, "{value}");
        }
    }

    #[test]
    fn secrets_that_were_not_typed_are_lent_and_host_keys_only_beside_a_socket() {
        let mut lending = Lending {
            sockets: vec![("default".into(), "/d".into())],
            secrets: vec![("pip".into(), "/p".into()), ("npm".into(), "/n".into())],
            known_hosts: "/k".into(),
            guest: None,
            git: None,
            folder: "/f".into(),
        };
        let values = |lending: &Lending, typed: &[&str]| -> Vec<String> {
            let typed: Vec<String> = typed.iter().map(|id| (*id).to_owned()).collect();
            missing_secrets(lending, &typed).into_iter().map(|(value, _)| value).collect()
        };
        assert_eq!(values(&lending, &[]), ["id=known_hosts,src=/k", "id=pip,src=/p", "id=npm,src=/n"]);
        assert_eq!(values(&lending, &["known_hosts", "npm"]), ["id=pip,src=/p"]);
        let typed = ["known_hosts".to_owned(), "npm".to_owned(), "other".to_owned()];
        let said = typed_secrets_stay("docker build", &lending, &typed);
        assert_eq!(said, ["docker build: the secret `npm` stays as typed, so its steps do not get the lent one"]);
        lending.sockets.clear();
        assert_eq!(values(&lending, &[]), ["id=pip,src=/p", "id=npm,src=/n"]);
    }

    #[test]
    fn a_field_is_quoted_only_where_csv_needs_it() {
        assert_eq!(csv_field("src=/a"), "src=/a");
        assert_eq!(csv_field("src=/a,b"), "\"src=/a,b\"");
        assert_eq!(csv_field("src=\""), "\"src=\"\"\"");
    }
}
