//! `docker buildx bake`: `--set TARGET.ssh=…` and `--set TARGET.secrets=…` for each target that
//! will be built, and the entitlements for exactly the files that these name.
//!
//! `--set` replaces a target's list (measured on 0.13 and 0.29), so bake itself is asked for the
//! lists first (`--print`, which covers files, `inherits` and typed `--set`) and each is passed
//! whole: what was there, then what is lent. Typed `--set`s of the two lists are dropped,
//! because several add up and theirs are in the answer already.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use serde::Deserialize;

use super::flags::{self, Flag, Table};
use super::guest_mount::{self, Dockerfile};
use super::made::{Form, Made};
use super::probe::Question;
use super::{BuilderError, Lending, Plan, Probe, RecipeAt, Split, bake_inline, git_context, specs};

/// `docker buildx bake --help` of 0.13 and 0.29, experimental flags included.
#[rustfmt::skip]
const BAKE: Table = Table {
    valued: &[
        "allow", "builder", "call", "file", "list", "metadata-file", "progress", "provenance", "root",
        "sbom", "server-config", "set",
    ],
    short: "f",
    interspersed: true,
};

/// The file of the lease that holds a bake file from stdin.
pub(super) const STDIN: &str = "bake.stdin";

#[derive(Deserialize)]
pub(super) struct Printed {
    #[serde(default)]
    target: BTreeMap<String, Target>,
}

#[derive(Deserialize)]
struct Target {
    #[serde(default)]
    ssh: Vec<Ssh>,
    #[serde(default)]
    secret: Vec<Secret>,
    #[serde(default)]
    contexts: BTreeMap<String, String>,
    context: Option<String>,
    dockerfile: Option<String>,
    #[serde(rename = "dockerfile-inline")]
    inline: Option<String>,
}

/// 0.13 prints the typed form, 0.29 an object.
#[derive(Deserialize)]
#[serde(untagged)]
enum Ssh {
    Text(String),
    Object {
        #[serde(default)]
        id: String,
        #[serde(default)]
        paths: Vec<String>,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Secret {
    Text(String),
    Object {
        #[serde(default)]
        id: String,
        src: Option<String>,
        env: Option<String>,
    },
}

impl Printed {
    /// The inline Dockerfile of a target.
    pub(super) fn inline(&self, target: &str) -> Option<&str> {
        self.target.get(target)?.inline.as_deref()
    }
}

impl Ssh {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Object { id, paths } if paths.is_empty() => id,
            Self::Object { id, paths } => format!("{id}={}", paths.join(",")),
        }
    }
}

impl Secret {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Object { id, src, env } => {
                let fields = [Some(("id", id)), src.map(|src| ("src", src)), env.map(|env| ("env", env))];
                let fields: Vec<String> = fields
                    .into_iter()
                    .flatten()
                    .map(|(key, value)| specs::csv_field(&format!("{key}={value}")))
                    .collect();
                fields.join(",")
            }
        }
    }
}

/// `split` is behind `bake`.
pub(super) fn plan(
    tool: &str,
    split: Split<'_>,
    lending: &Lending,
    probe: &mut dyn Probe,
) -> Result<Plan, BuilderError> {
    let walk = flags::walk(split.rest(), &BAKE);
    if walk.has(&["help", "h", "print"]) || walk.last(&["list"]).is_some() {
        return Ok(Plan::idle(split.typed));
    }
    let mut plan = Plan { tool: tool.into(), ..Plan::default() };
    let mut rest = split.rest().to_vec();
    keep_stdin(&walk, &mut rest, &mut plan, lending, probe)?;
    let stdin = plan.files.first().map_or("", |(_, text)| text);
    let printed = printed(tool, split, split.rest(), stdin, lending, probe)?;

    let mut sets = Vec::new();
    let mut reads = Vec::new();
    let mut inline = BTreeMap::new();
    for (name, target) in printed.target {
        let mut set = |key: &str, value: &str| sets.push(format!("{name}.{key}={value}"));
        let place = format!("{tool}, target {name}");
        if target.inline.is_none() {
            let context = target.context.as_deref().unwrap_or(".");
            plan.recipes.extend(RecipeAt::of_target(&name, context, target.dockerfile.as_deref(), probe));
        }
        let instead = if lending.guest.is_some() {
            let recipe = Recipe {
                context: target.context.unwrap_or_else(|| ".".into()),
                named: target.contexts,
                name: target.dockerfile.unwrap_or_else(|| "Dockerfile".into()),
                inline: target.inline,
            };
            instead_of(&place, recipe, lending, &mut plan, probe)?
        } else {
            Instead::default()
        };
        for value in lent_ssh(&place, target.ssh, &instead.ids, lending, &mut plan.warnings, &mut reads)? {
            set("ssh", &value);
        }
        let mut secrets: Vec<String> = target.secret.into_iter().map(Secret::text).collect();
        let typed: Vec<String> =
            secrets.iter().filter_map(|value| specs::secret_id(value)).map(str::to_owned).collect();
        plan.warnings.extend(specs::typed_secrets_stay(&place, lending, &typed));
        for (value, path) in specs::missing_secrets(lending, &typed) {
            secrets.push(value);
            reads.push(path.to_owned());
        }
        for value in &secrets {
            set("secrets", value);
        }
        for (key, value) in instead.sets {
            set(&key, &value);
        }
        if let Some(text) = instead.inline {
            inline.insert(name.clone(), text);
        }
        reads.extend(instead.reads);
    }
    reads.sort();
    reads.dedup();

    if !inline.is_empty() {
        bake_inline::replace(tool, split, &walk, &mut rest, &inline, lending, &mut plan, probe)?;
    }
    plan.args = split.before().to_vec();
    plan.made = Made::file(Form::Metadata, &walk, plan.args.len());
    if !reads.is_empty() && knows_allow(tool, split, probe)? {
        plan.args.extend(reads.iter().map(|path| OsString::from(format!("--allow=fs.read={path}"))));
    }
    plan.args.extend(sets.into_iter().flat_map(|set| [OsString::from("--set"), set.into()]));
    for flag in walk.named(&["set"]).rev().filter(|flag| replaces_lists(flag)) {
        rest.drain(flag.at..flag.at + flag.width);
    }
    plan.args.append(&mut rest);
    Ok(plan)
}

/// What bake would build. 0.13 checks the sockets while it prints, so that SSH_AUTH_SOCK has to
/// name one; the lease's does where nothing else is needed.
pub(super) fn printed(
    tool: &str,
    split: Split<'_>,
    rest: &[OsString],
    stdin: &str,
    lending: &Lending,
    probe: &mut dyn Probe,
) -> Result<Printed, BuilderError> {
    let asked = format!("{tool} --print");
    let mut args = split.before().to_vec();
    args.push("--print".into());
    args.extend_from_slice(rest);
    let mut env = Vec::new();
    if let Some((_, socket)) = lending.sockets.first() {
        env.push(("SSH_AUTH_SOCK".into(), socket.clone().into_os_string()));
    }
    let program = split.typed.program.as_os_str();
    let question = Question { program, args, env, stdin: stdin.into() };
    let output = probe.output(&question).map_err(|source| BuilderError::Ask { asked: asked.clone(), source })?;
    if !output.success {
        return Err(BuilderError::refused(&asked, &output.stderr));
    }
    serde_json::from_slice(&output.stdout).map_err(|_| BuilderError::Answer(asked))
}

/// Whether this bake has entitlements: 0.13 does not, and does not know the flag.
fn knows_allow(tool: &str, split: Split<'_>, probe: &mut dyn Probe) -> Result<bool, BuilderError> {
    let mut args = split.before().to_vec();
    args.push("--help".into());
    let question = Question { program: &split.typed.program, args, env: vec![], stdin: String::new() };
    let asked = || format!("{tool} --help");
    let output = probe.output(&question).map_err(|source| BuilderError::Ask { asked: asked(), source })?;
    Ok(String::from_utf8_lossy(&output.stdout).contains("--allow "))
}

/// A target's ssh list with what is lent; the sockets of the lease that it names go to `reads`.
fn lent_ssh(
    place: &str,
    typed: Vec<Ssh>,
    used: &[String],
    lending: &Lending,
    warnings: &mut Vec<String>,
    reads: &mut Vec<String>,
) -> Result<Vec<String>, BuilderError> {
    let mut values = Vec::new();
    let mut ids = Vec::new();
    for text in typed.into_iter().map(Ssh::text) {
        let spec = specs::ssh(&text);
        ids.push(spec.id.to_owned());
        match (spec.paths, lending.socket_for(spec.id)) {
            (None, Some(socket)) => {
                reads.push(socket.to_owned());
                values.push(specs::lent(spec.id, socket));
            }
            (paths, _) => {
                warnings.extend(paths.map(|paths| specs::typed_stays(place, spec.id, paths)));
                values.push(text);
            }
        }
    }
    warnings.extend(specs::ungranted(place, lending, &ids, used));
    for value in specs::missing(lending, &ids, used)? {
        reads.extend(specs::ssh(&value).paths.map(str::to_owned));
        values.push(value);
    }
    Ok(values)
}

/// Whether a typed `--set` is about one of the two lists (`*.ssh=…`, `app.secrets+=…`).
fn replaces_lists(flag: &Flag) -> bool {
    let value = flag.value.as_deref().and_then(OsStr::to_str).unwrap_or_default();
    let key = value.split('=').next().unwrap_or_default().trim_end_matches('+');
    key.split_once('.').is_some_and(|(_, key)| key == "ssh" || key == "secrets")
}

/// `-f -`: bake is asked before it runs, so stdin is kept in a file of the lease.
fn keep_stdin(
    walk: &flags::Walk,
    rest: &mut Vec<OsString>,
    plan: &mut Plan,
    lending: &Lending,
    probe: &mut dyn Probe,
) -> Result<(), BuilderError> {
    for flag in walk.named(&["file", "f"]).rev().filter(|flag| flag.value.as_deref() == Some(OsStr::new("-"))) {
        let path = lending.folder.join(STDIN);
        if plan.files.is_empty() {
            plan.files.push((path.clone(), probe.stdin().map_err(BuilderError::Stdin)?));
        }
        let retyped = flags::retyped(flag, rest, path.as_os_str());
        rest.splice(flag.at..flag.at + flag.width, retyped);
    }
    Ok(())
}

/// What a target is built from.
struct Recipe {
    context: String,
    named: BTreeMap<String, String>,
    /// The Dockerfile's name.
    name: String,
    inline: Option<String>,
}

/// What it is built from instead.
#[derive(Default)]
struct Instead {
    /// `--set TARGET.` of these.
    sets: Vec<(String, String)>,
    /// This Dockerfile, by its text.
    inline: Option<String>,
    /// What bake must be allowed to read for it.
    reads: Vec<String>,
    /// The ids that its steps use.
    ids: Vec<String>,
}

impl Instead {
    fn set(&mut self, key: &str, path: &str) {
        self.sets.push((key.to_owned(), path.to_owned()));
        self.reads.push(path.to_owned());
    }
}

/// The guest for one target, and clones of what would be fetched past it.
fn instead_of(
    place: &str,
    recipe: Recipe,
    lending: &Lending,
    plan: &mut Plan,
    probe: &mut dyn Probe,
) -> Result<Instead, BuilderError> {
    let mut instead = Instead::default();
    for (name, context) in &recipe.named {
        let place = format!("{place}, context {name}");
        if let Some(cloned) = git_context::cloned(&place, context, false, lending, plan, probe)? {
            instead.set(&format!("contexts.{name}"), cloned.text()?);
        }
    }
    let cloned = git_context::cloned(place, &recipe.context, false, lending, plan, probe)?;
    let is_inline = recipe.inline.is_some();
    let (text, ignore) = match (recipe.inline, &cloned) {
        (Some(text), _) => (text, None),
        (None, None) if guest_mount::is_remote(&recipe.context) => {
            if lending.git.is_none() {
                return Ok(instead);
            }
            let what = "the context is fetched by the builder itself, past the gateway";
            return Err(BuilderError::Context { place: place.to_owned(), what });
        }
        (None, cloned) => {
            let path = match cloned {
                Some(cloned) => cloned.file(place, Path::new(&recipe.name), probe)?,
                None => probe.cwd().join(&recipe.context).join(&recipe.name),
            };
            (guest_mount::read(&path, probe)?, guest_mount::ignore_of(&path, probe)?)
        }
    };
    if let Some(cloned) = &cloned {
        instead.set("context", cloned.text()?);
    }
    let mounted =
        guest_mount::mount(place, Dockerfile { name: &recipe.name, text: &text, ignore }, lending, plan, true, probe)?;
    instead.ids = mounted.ids;
    for (name, folder) in &mounted.contexts {
        instead.set(&format!("contexts.{name}"), folder);
    }
    match mounted.copy {
        // bake takes a Dockerfile's text from its files alone.
        Some(_) if is_inline => instead.inline = plan.files.pop().map(|(_, text)| text),
        Some(copy) => {
            let copy = copy.to_str().ok_or_else(|| BuilderError::Path(copy.clone()))?;
            instead.sets.push(("dockerfile".into(), copy.to_owned()));
            instead.reads.push(lending.folder.to_string_lossy().into_owned());
        }
        None => {}
    }
    Ok(instead)
}
