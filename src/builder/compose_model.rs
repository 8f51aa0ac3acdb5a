//! PURE reading of `docker compose config --format json`, and writing of the override.
//!
//! The override is JSON (which is YAML) and names only services that are built already: naming
//! another would turn it into a build. `build.ssh` is a map there, which merges over a list, a
//! map and nothing; a list over a list would be refused. Paths hold no `$`
//! ([`super::Lending::check_paths`]), which Compose would replace.

use serde_json::{Map, Value, json};

use super::{BuilderError, Lending, specs};

/// What the names of our secrets in the project begin with, before their ids in a step. Names of
/// their own, so that a project's secret `known_hosts` stays what it is.
const SECRET: &str = "valetkey_";

/// The parts of a built service that matter here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Built {
    /// The service's name.
    pub(super) service: String,
    /// `(id, socket or keys)` of its `build.ssh`. None means the agent of SSH_AUTH_SOCK.
    pub(super) ssh: Vec<(String, Option<String>)>,
    /// The ids of its `build.secrets`.
    pub(super) secrets: Vec<String>,
    /// Its context: a folder, or what the builder fetches.
    pub(super) context: String,
    /// Its Dockerfile, where it names one.
    pub(super) dockerfile: Option<String>,
    /// Its named contexts.
    pub(super) named: Vec<(String, String)>,
    /// The Dockerfile itself, `$` doubled as in every Compose file.
    pub(super) inline: Option<String>,
}

/// What a service builds from instead, so that its steps get the guest, and repositories that
/// the builder would fetch itself come from clones.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Instead {
    /// This context.
    pub(super) context: Option<String>,
    /// This Dockerfile, by its path.
    pub(super) file: Option<String>,
    /// This Dockerfile, by its text.
    pub(super) inline: Option<String>,
    /// With these named contexts.
    pub(super) contexts: Vec<(String, String)>,
    /// For steps that use these ssh ids.
    pub(super) ids: Vec<String>,
}

/// The services that are built; None where the model is not one.
pub(super) fn built(model: &[u8]) -> Option<Vec<Built>> {
    let model: Value = serde_json::from_slice(model).ok()?;
    let none = Map::new();
    let services = match model.get("services") {
        None | Some(Value::Null) => &none,
        Some(services) => services.as_object()?,
    };
    let built = services.iter().filter(|(_, service)| service.get("build").is_some_and(|build| !build.is_null()));
    Some(built.map(|(name, service)| one(name, &service["build"])).collect())
}

fn one(service: &str, build: &Value) -> Built {
    let ssh = match build.get("ssh") {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(listed).collect(),
        Some(Value::Object(map)) => map.iter().map(|(id, path)| (id.clone(), path_of(path.as_str()))).collect(),
        Some(Value::String(text)) => vec![listed(text)],
        _ => Vec::new(),
    };
    let secrets = build.get("secrets").and_then(Value::as_array);
    let secrets = secrets.into_iter().flatten().map(|secret| secret_id(secret).to_owned()).collect();
    // `build: .` in the answer of `--no-interpolate`.
    let text = |key: &str| build.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let context = build.as_str().map(str::to_owned).or_else(|| text("context")).unwrap_or_else(|| ".".into());
    let (dockerfile, inline) = (text("dockerfile"), text("dockerfile_inline"));
    let named = build.get("additional_contexts").and_then(Value::as_object);
    let named =
        named.into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    let named = named.collect();
    Built { service: service.to_owned(), ssh, secrets, context, dockerfile, named, inline }
}

fn listed(text: &str) -> (String, Option<String>) {
    let spec = specs::ssh(text);
    (spec.id.to_owned(), path_of(spec.paths))
}

fn path_of(path: Option<&str>) -> Option<String> {
    path.filter(|path| !path.is_empty()).map(str::to_owned)
}

/// A secret's id in the step: its target, else its source.
fn secret_id(secret: &Value) -> &str {
    let of = |key: &str| secret.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    secret.as_str().or_else(|| of("target")).or_else(|| of("source")).unwrap_or_default()
}

/// The override for these services, each with what it builds from instead. `by_flag` are ids that
/// were typed with `--ssh`, which hold for every service and which 2.26 refuses to see twice.
pub(super) fn override_file(
    built: &[(Built, Instead)],
    by_flag: &[String],
    lending: &Lending,
) -> Result<String, BuilderError> {
    let mut services = Map::new();
    let mut secrets = Map::new();
    for (one, instead) in built {
        let mut ssh = Map::new();
        let typed: Vec<String> = one.ssh.iter().map(|(id, _)| id.clone()).chain(by_flag.iter().cloned()).collect();
        for value in specs::missing(lending, &typed, &instead.ids)? {
            let spec = specs::ssh(&value);
            ssh.insert(spec.id.to_owned(), json!(spec.paths));
        }
        // No path means SSH_AUTH_SOCK: the person's whole agent, lent to every step.
        for (id, _) in one.ssh.iter().filter(|(id, path)| path.is_none() && !by_flag.contains(id)) {
            ssh.extend(lending.socket_for(id).map(|socket| (id.clone(), json!(socket))));
        }
        let mut build = Map::new();
        if !ssh.is_empty() {
            build.insert("ssh".into(), ssh.into());
        }
        let lent = lending.lent_secrets().filter(|(id, _)| !one.secrets.iter().any(|own| own == id));
        let lent = lent.map(|(id, path)| {
            let source = format!("{SECRET}{id}");
            let listed = json!({ "source": source, "target": id });
            secrets.insert(source, json!({ "file": path }));
            listed
        });
        let lent: Vec<Value> = lent.collect();
        if !lent.is_empty() {
            build.insert("secrets".into(), lent.into());
        }
        if !instead.contexts.is_empty() {
            let contexts: Map<String, Value> =
                instead.contexts.iter().map(|(name, folder)| (name.clone(), json!(folder))).collect();
            build.insert("additional_contexts".into(), contexts.into());
        }
        let texts =
            [("context", &instead.context), ("dockerfile", &instead.file), ("dockerfile_inline", &instead.inline)];
        for (key, text) in texts {
            build.extend(text.as_ref().map(|text| (key.to_owned(), json!(text))));
        }
        if !build.is_empty() {
            services.insert(one.service.clone(), json!({ "build": build }));
        }
    }
    let mut file = json!({ "services": services });
    if !secrets.is_empty() {
        file["secrets"] = secrets.into();
    }
    Ok(file.to_string())
}
