//! `[[secret]]` and `--secret`: what is lent as a build secret, and in which form.

use std::path::Path;

use serde::Deserialize;

use super::key_from::{RawSources, placed};
use super::{ConfigError, parse_id, typed};
use crate::builder::KNOWN_HOSTS_ID;
use crate::keys::KeySource;
use crate::keys::from::MAX_SOURCES;
use crate::secret::form::{self, Address, Form, Template, cargo, docker_config, netrc, npmrc};

/// Fields that every secret has.
const COMMON: [&str; 3] = ["id", "source", "form"];
pub(super) const FIELDS: &[&str] =
    &["id", "source", "form", "host", "login", "registry", "scope", "url", "extra", "template"];

/// One secret as it was asked for, before its source is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedSecret {
    /// The id that a step names.
    pub id: String,
    /// Where it comes from: the first of these that is there. Never empty.
    pub sources: Vec<KeySource>,
    /// How it is written.
    pub form: Form,
}

impl WantedSecret {
    /// Its sources, as they were named.
    #[must_use]
    pub fn from(&self) -> String {
        let words: Vec<String> = self.sources.iter().map(ToString::to_string).collect();
        words.join(" or ")
    }
}

#[derive(Deserialize)]
pub(super) struct RawSecret {
    id: String,
    source: RawSources,
    form: Option<String>,
    host: Option<String>,
    login: Option<String>,
    registry: Option<String>,
    scope: Option<String>,
    url: Option<String>,
    extra: Option<bool>,
    template: Option<String>,
}

/// Fields of a form behind [`COMMON`]; those that it needs first, and how many these are.
fn fields_of(form: &str) -> (&'static [&'static str], usize) {
    match form {
        "netrc" => (&["host", "login"], 2),
        "npmrc" => (&["registry", "scope"], 1),
        "pip" => (&["url", "extra"], 1),
        "docker-config" => (&["registry", "login"], 2),
        "cargo" => (&["registry"], 1),
        "template" => (&["template"], 1),
        _ => (&[], 0),
    }
}

/// Checks an entry. Values are not repeated: one may be a secret in the wrong place.
pub(super) fn secret(raw: RawSecret, place: &str, folder: &Path) -> Result<WantedSecret, ConfigError> {
    let error = |field, message: &str, hint: Option<String>| ConfigError::Value {
        field,
        place: place.to_owned(),
        message: message.to_owned(),
        hint,
    };
    let id = secret_id(&raw.id).map_err(|message| error("id", &message, None))?;
    let texts = raw.source.into_texts();
    if texts.is_empty() || texts.len() > MAX_SOURCES {
        let hint = "source = [\"keychain:pip\", \"env:PIP_TOKEN\"]: the first that is there is used";
        return Err(error("source", &format!("a secret has 1 to {MAX_SOURCES} sources"), Some(hint.into())));
    }
    let source = |text: &String| {
        let source = secret_source(text).map_err(|(message, hint)| error("source", &message, hint))?;
        Ok(placed(source, folder))
    };
    let sources = texts.iter().map(source).collect::<Result<_, ConfigError>>()?;
    let name = raw.form.as_deref().unwrap_or("raw");
    let Some(&name) = form::NAMES.iter().find(|known| **known == name) else {
        return Err(error("form", "there is no such form", Some(format!("forms: {}", form::NAMES.join(", ")))));
    };
    let (fields, needed) = fields_of(name);
    let given = [
        ("host", raw.host.is_some()),
        ("login", raw.login.is_some()),
        ("registry", raw.registry.is_some()),
        ("scope", raw.scope.is_some()),
        ("url", raw.url.is_some()),
        ("extra", raw.extra.is_some()),
        ("template", raw.template.is_some()),
    ];
    let known = || format!("fields of form = \"{name}\": {}", [&COMMON, fields].concat().join(", "));
    for (field, is_given) in given {
        let at = fields.iter().position(|of| *of == field);
        if is_given && at.is_none() {
            return Err(error(field, "this form has no such field", Some(known())));
        }
        if !is_given && at.is_some_and(|at| at < needed) {
            return Err(error(field, "this form needs it, and it is not there", Some(known())));
        }
    }
    let value = |field: Option<String>| field.unwrap_or_default();
    let address = |field, text: &str| {
        let hint = "write it as https://HOST/PATH, without a token";
        Address::parse(text).map_err(|message| error(field, message, Some(hint.into())))
    };
    let refuse = |field, message: &str, hint: &str| Err(error(field, message, Some(hint.into())));
    let form = match name {
        "netrc" => {
            let (host, login) = (value(raw.host), value(raw.login));
            if !netrc::is_host(&host) {
                return refuse(
                    "host",
                    "this is no host name",
                    "name the server alone, without port: \"git.example.com\"",
                );
            }
            if !netrc::is_login(&login) {
                return refuse(
                    "login",
                    "this cannot be a user's name in a netrc",
                    "it has no spaces or quotation marks",
                );
            }
            Form::Netrc { host, login }
        }
        "npmrc" => {
            let registry = address("registry", &value(raw.registry))?;
            if registry.user().is_some() {
                return refuse("registry", "it has a user name", "npm takes a token alone: write https://HOST/PATH");
            }
            if raw.scope.as_deref().is_some_and(|scope| !npmrc::is_scope(scope)) {
                return refuse("scope", "this is no scope", "it begins with an at sign: scope = \"@org\"");
            }
            Form::Npmrc { registry, scope: raw.scope }
        }
        "pip" => Form::Pip { url: address("url", &value(raw.url))?, extra: raw.extra.unwrap_or(false) },
        "docker-config" => {
            let (registry, login) = (value(raw.registry), value(raw.login));
            if !docker_config::is_registry(&registry) {
                return refuse("registry", "this is no registry", "name it as in an image: \"ghcr.io\", \"docker.io\"");
            }
            if !docker_config::is_login(&login) {
                return refuse("login", "this cannot be a user's name in a registry", "it has no colon");
            }
            Form::DockerConfig { registry, login }
        }
        "cargo" => {
            let registry = value(raw.registry);
            if !cargo::is_registry(&registry) {
                return refuse(
                    "registry",
                    "this is no registry's name",
                    "name it as in Cargo's configuration, or \"crates-io\"",
                );
            }
            Form::Cargo { registry }
        }
        "template" => {
            let hint = "write {{secret}}, {{secret|base64}}, {{secret|url}} or {{secret|json}} where it is to stand";
            let template = Template::parse(&value(raw.template));
            Form::Template(template.map_err(|message| error("template", message, Some(hint.into())))?)
        }
        _ => Form::Raw,
    };
    Ok(WantedSecret { id, sources, form })
}

/// No two secrets have one id: a step could not tell them apart.
pub(super) fn check_ids(secrets: &[WantedSecret], place: impl FnOnce(usize) -> String) -> Result<(), ConfigError> {
    let again = |at: usize| secrets[..at].iter().any(|before| before.id == secrets[at].id);
    match (0..secrets.len()).find(|&at| again(at)) {
        None => Ok(()),
        Some(at) => Err(ConfigError::Value {
            field: "id",
            place: place(at),
            message: format!("there is another secret with the id {}", secrets[at].id),
            hint: Some("give each secret an id of its own".into()),
        }),
    }
}

/// Reads `ID=SOURCE` as `--secret` takes it: a secret as it is.
///
/// # Errors
/// [`ConfigError::Value`], which repeats nothing that may be the secret itself.
pub fn parse_secret_flag(text: &str) -> Result<WantedSecret, ConfigError> {
    let flag = |message, hint| typed("--secret", message, hint);
    let Some((id, source)) = text.split_once('=') else {
        let hint = "write ID=SOURCE, such as pip=env:PIP_TOKEN; forms other than raw stand in valetkey.toml";
        return Err(flag("it has no id".into(), Some(hint.into())));
    };
    let id = secret_id(id).map_err(|message| flag(message, None))?;
    let source = secret_source(source).map_err(|(message, hint)| flag(message, hint))?;
    Ok(WantedSecret { id, sources: vec![source], form: Form::Raw })
}

/// Reads all of `--secret`.
///
/// # Errors
/// [`ConfigError::Value`].
pub fn parse_secret_flags(texts: &[String]) -> Result<Vec<WantedSecret>, ConfigError> {
    let secrets = texts.iter().map(|text| parse_secret_flag(text)).collect::<Result<Vec<_>, _>>()?;
    check_ids(&secrets, |_| "--secret on the command line".into())?;
    Ok(secrets)
}

/// An id that every builder takes, and that is not the one of the host keys.
fn secret_id(text: &str) -> Result<String, String> {
    if text == KNOWN_HOSTS_ID {
        return Err(format!("`{KNOWN_HOSTS_ID}` is the secret with the host keys, which every build is lent"));
    }
    parse_id(text).map_err(|_| "a secret's id has 1 to 64 letters, digits, `_`, `.` or `-`".into())
}

/// A source that a secret can come from, or message and hint. A secret can look like anything, so
/// no word of what was written is repeated.
fn secret_source(text: &str) -> Result<KeySource, (String, Option<String>)> {
    let forms = || {
        Some(
            "a secret comes from one of keychain:NAME, env:NAME, file:PATH, stdin, command:…, credential:NAME, vault:…"
                .to_owned(),
        )
    };
    match text.parse::<KeySource>() {
        Ok(KeySource::Agent(_)) => Err(("an agent gives signatures, and no text".into(), forms())),
        Ok(source) => Ok(source),
        Err(_) => Err(("this names no place that a secret can come from".into(), forms())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Config, parse};
    use super::*;
    use crate::ui::Explain as _;

    fn parsed(text: &str) -> Result<Config, ConfigError> {
        parse(text, Path::new("/project/valetkey.toml"))
    }

    #[test]
    fn every_form_is_read_with_its_fields() {
        let text = r#"
            [[secret]]
            id = "pip"
            source = "env:PIP_TOKEN"
            form = "pip"
            url = "https://ci@pypi.example/simple/"
            extra = true
            [[secret]]
            id = "plain"
            source = ["file:token", "env:TOKEN"]
            [[secret]]
            id = "netrc"
            source = "keychain:git"
            form = "netrc"
            host = "git.example.com"
            login = "oauth2"
            [[secret]]
            id = "npmrc"
            source = "env:NPM"
            form = "npmrc"
            registry = "https://npm.example.com/"
            [[secret]]
            id = "docker"
            source = "env:D"
            form = "docker-config"
            registry = "ghcr.io"
            login = "me"
            [[secret]]
            id = "cargo"
            source = "env:C"
            form = "cargo"
            registry = "private"
            [[secret]]
            id = "own"
            source = "env:O"
            form = "template"
            template = '{"token": {{secret|json}}}'
        "#;
        let secrets = parsed(text).unwrap().secrets;
        let url = Address::parse("https://ci@pypi.example/simple/").unwrap();
        assert_eq!(
            secrets[0],
            WantedSecret {
                id: "pip".into(),
                sources: vec![KeySource::Env("PIP_TOKEN".into())],
                form: Form::Pip { url, extra: true }
            }
        );
        assert_eq!((&secrets[1].form, secrets[1].from().as_str()), (&Form::Raw, "file:/project/token or env:TOKEN"));
        let registry = Address::parse("https://npm.example.com/").unwrap();
        assert_eq!(secrets[3].form, Form::Npmrc { registry, scope: None });
        let names: Vec<_> = secrets.iter().map(|secret| secret.form.name()).collect();
        assert_eq!(names, ["pip", "raw", "netrc", "npmrc", "docker-config", "cargo", "template"]);
    }

    #[test]
    fn what_is_wrong_with_a_secret_is_said_with_a_hint_and_no_value() {
        let nine = format!("source = [{}]", "\"env:A\",".repeat(MAX_SOURCES + 1));
        for (entry, field) in [
            ("id = \"a b\"", "id"),
            ("id = \"known_hosts\"", "id"),
            ("id = \"\"", "id"),
            ("source = \"hunter2\"", "source"),
            ("source = []", "source"),
            ("source = [\"env:A\", \"hunter2\"]", "source"),
            (&nine, "source"),
            ("source = \"hunter2:x\"", "source"),
            ("source = \"/hunter2\"", "source"),
            ("source = \"agent:hunter2\"", "source"),
            ("form = \"hunter2\"", "form"),
            ("host = \"hunter2\"", "host"),
            ("form = \"raw\"\nlogin = \"hunter2\"", "login"),
            ("form = \"cargo\"\nregistry = \"a\"\ntemplate = \"hunter2\"", "template"),
            ("form = \"netrc\"\nhost = \"a\"", "login"),
            ("form = \"netrc\"\nhost = \"hunter2:1\"\nlogin = \"a\"", "host"),
            ("form = \"netrc\"\nhost = \"a\"\nlogin = \"hunter2 x\"", "login"),
            ("form = \"npmrc\"\nscope = \"hunter2\"", "registry"),
            ("form = \"npmrc\"\nregistry = \"https://a/\"\nscope = \"hunter2\"", "scope"),
            ("form = \"npmrc\"\nregistry = \"hunter2\"", "registry"),
            ("form = \"npmrc\"\nregistry = \"https://hunter2@a/\"", "registry"),
            ("form = \"pip\"", "url"),
            ("form = \"pip\"\nurl = \"https://u:hunter2@a/\"", "url"),
            ("form = \"docker-config\"\nregistry = \"https://hunter2\"\nlogin = \"a\"", "registry"),
            ("form = \"docker-config\"\nregistry = \"a\"\nlogin = \"a:hunter2\"", "login"),
            ("form = \"cargo\"", "registry"),
            ("form = \"cargo\"\nregistry = \"hunter2]\"", "registry"),
            ("form = \"template\"\ntemplate = \"hunter2\"", "template"),
        ] {
            let id = if entry.starts_with("id") { "" } else { "id = \"x\"\n" };
            let source = if entry.starts_with("source") { "" } else { "source = \"env:X\"\n" };
            let error = parsed(&format!("[[secret]]\n{id}{source}{entry}\n")).unwrap_err();
            let said = format!("{error} {:?} {error:?}", error.hint());
            assert!(said.starts_with(&format!("failed to understand {field} in [[secret]] 1 of")), "{entry}: {said}");
            assert!(!said.contains("hunter2") && (error.hint().is_some() || field == "id"), "{entry}: {said}");
        }
    }

    #[test]
    fn an_unknown_field_and_a_second_secret_of_one_id_are_refused() {
        let error = parsed("[[secret]]\nid = \"x\"\nsource = \"env:X\"\nregistri = \"y\"\n").unwrap_err();
        assert!(error.to_string().contains("unknown field \"registri\" in [[secret]]"), "{error}");
        assert_eq!(error.hint().unwrap(), "did you mean \"registry\"?");
        let twice = "[[secret]]\nid = \"x\"\nsource = \"env:X\"\n".repeat(2);
        let error = parsed(&twice).unwrap_err();
        assert!(error.to_string().starts_with("failed to understand id in [[secret]] 2 of"), "{error}");
    }

    #[test]
    fn a_secret_flag_names_an_id_and_a_source_and_is_not_repeated() {
        let wanted = parse_secret_flag("pip=env:PIP_TOKEN").unwrap();
        assert_eq!((wanted.id.as_str(), wanted.form), ("pip", Form::Raw));
        assert_eq!(parse_secret_flag("a=file:x=y").unwrap().sources, [KeySource::File("x=y".into())]);
        for text in
            ["hunter2", "pip=hunter2", "pip=/hunter2", "pip=hunter2:x", "hunter2!=env:X", "known_hosts=env:X", "=env:X"]
        {
            let error = parse_secret_flag(text).unwrap_err();
            assert!(!format!("{error} {error:?} {:?}", error.hint()).contains("hunter2"), "{text}");
        }
        assert!(parse_secret_flags(&["a=env:X".into(), "a=env:Y".into()]).is_err());
    }
}
