//! `docker compose build|up|run|create|watch`, and `docker-compose` on its own: one more Compose
//! file behind the person's own, with `build.ssh` and the known_hosts secret for each service
//! that is built.
//!
//! Compose itself is asked which services those are (`config`, about 60 ms, no engine needed),
//! with every profile active, because `run` and `up SERVICE` switch profiles on.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::compose_model::{Built, Instead};
use super::docker::refuse_legacy;
use super::flags::{self, Flag, Table, Walk};
use super::guest_mount::{self, Dockerfile};
use super::made::Made;
use super::probe::{Output, Question};
use super::{
    BuilderError, Lending, Plan, Probe, RecipeAt, Split, Typed, compose_files, compose_model, git_context, specs,
};

/// `docker compose --help` of 2.26 and 2.40 with hidden flags, and the docker command's own,
/// which it gives its plugins.
#[rustfmt::skip]
const GLOBALS: Table = Table {
    valued: &[
        "ansi", "config", "context", "env-file", "file", "host", "insecure-registry", "log-level",
        "parallel", "profile", "progress", "project-directory", "project-name", "tlscacert", "tlscert", "tlskey",
        "workdir",
    ],
    short: "fpcHl",
    interspersed: false,
};

/// The verbs that build, with their flags that take values.
#[rustfmt::skip]
const VERBS: [(&str, Table); 5] = [
    ("build", Table {
        valued: &["build-arg", "builder", "memory", "progress", "provenance", "sbom", "ssh"],
        short: "m", interspersed: true,
    }),
    ("up", Table {
        valued: &["attach", "exit-code-from", "no-attach", "pull", "scale", "timeout", "wait-timeout"],
        short: "t", interspersed: true,
    }),
    ("run", Table {
        valued: &[
            "cap-add", "cap-drop", "entrypoint", "env", "env-from-file", "label", "name", "publish",
            "pull", "user", "volume", "workdir",
        ],
        short: "elpuvw", interspersed: false,
    }),
    ("create", Table { valued: &["pull", "scale"], short: "", interspersed: true }),
    ("watch", Table { valued: &[], short: "", interspersed: true }),
];

/// How `config` is asked, until one way is answered. Not interpolated first: the interpolated
/// JSON of 2.26 and 2.40 fails over any `build.ssh` with a path. Interpolated next, for includes
/// whose path has a variable. Then with the typed profiles alone, for versions without `*`.
const WAYS: [&[&str]; 3] = [
    &["--profile", "*", "config", "--format", "json", "--no-interpolate", "--no-consistency"],
    &["--profile", "*", "config", "--format", "json"],
    &["config", "--format", "json", "--no-interpolate"],
];

/// `docker-compose`, which may be the 1.x that knows no `build.ssh`.
pub(super) fn standalone(typed: &Typed, lending: &Lending, probe: &mut dyn Probe) -> Result<Plan, BuilderError> {
    let split = Split { typed, at: 0 };
    let Some(command) = command(split) else {
        return Ok(Plan::idle(typed));
    };
    let version = version("docker-compose", split, probe)?;
    if version.starts_with("1.") {
        return Err(BuilderError::ComposeTooOld(version));
    }
    rewrite("docker-compose", split, &command, lending, probe)
}

/// `2.40.3`, without a leading `v`.
fn version(name: &str, split: Split<'_>, probe: &mut dyn Probe) -> Result<String, BuilderError> {
    let asked = format!("{name} version");
    let args = split.before().iter().cloned().chain(["version".into(), "--short".into()]).collect();
    let question = Question { program: &split.typed.program, args, env: vec![], stdin: String::new() };
    let output = probe.output(&question).map_err(|source| BuilderError::Ask { asked: asked.clone(), source })?;
    if !output.success {
        return Err(BuilderError::refused(&asked, &output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().trim_start_matches('v').to_owned())
}

/// `split` is behind `compose`.
pub(super) fn plan(
    name: &str,
    split: Split<'_>,
    lending: &Lending,
    probe: &mut dyn Probe,
) -> Result<Plan, BuilderError> {
    match command(split) {
        Some(command) => rewrite(name, split, &command, lending, probe),
        None => Ok(Plan::idle(split.typed)),
    }
}

/// A command that builds, taken apart.
struct Building<'a> {
    globals: &'a [OsString],
    global_flags: Walk,
    verb: &'static str,
    rest: &'a [OsString],
    flags: Walk,
}

/// None where nothing is built.
fn command(split: Split<'_>) -> Option<Building<'_>> {
    let global_flags = flags::walk(split.rest(), &GLOBALS);
    let at = *global_flags.positional.first()?;
    let (verb, table) = VERBS.iter().find(|(verb, _)| split.rest()[at] == *verb)?;
    let rest = split.further(at + 1).rest();
    let flags = flags::walk(rest, table);
    let help = global_flags.has(&["help", "h", "version", "v"]) || flags.has(&["help", "h"]);
    (!help).then_some(Building { globals: &split.rest()[..at], global_flags, verb, rest, flags })
}

fn rewrite(
    name: &str,
    split: Split<'_>,
    command: &Building<'_>,
    lending: &Lending,
    probe: &mut dyn Probe,
) -> Result<Plan, BuilderError> {
    let verb = command.verb;
    let tool = format!("{name} {verb}");
    refuse_legacy(&tool, probe)?;

    let ours = lending.folder.join("compose.valetkey.json");
    let files = compose_files::find(command.globals, &command.global_flags, &ours, lending, probe, &mut |probe| {
        version(name, split, probe)
    })?;
    let stdin = files.stdin.as_ref().map_or("", |(_, text)| text);
    let built = model(name, split, command, stdin, lending.guest.is_some(), probe)?;

    let mut plan = Plan { tool: tool.clone(), ..Plan::default() };
    let recipe = |one: &Built| RecipeAt::of_target(&one.service, &one.context, one.dockerfile.as_deref(), probe);
    plan.recipes = built.iter().filter(|one| one.inline.is_none()).filter_map(recipe).collect();
    for (one, id, path) in built.iter().flat_map(|one| one.ssh.iter().map(move |(id, path)| (one, id, path))) {
        let place = format!("{tool}, service {}", one.service);
        plan.warnings.extend(path.as_ref().map(|path| specs::typed_stays(&place, id, path)));
    }
    let mut rest = command.rest.to_vec();
    let by_flag = fill_flag(&tool, &command.flags, &mut rest, lending, &mut plan.warnings);
    if built.is_empty() {
        plan.warnings.push(format!("{tool}: no service of this project is built, so nothing is lent"));
    }
    let built = with_guest(&tool, built, lending, &mut plan, probe)?;
    for (one, instead) in &built {
        let typed: Vec<String> = one.ssh.iter().map(|(id, _)| id.clone()).chain(by_flag.iter().cloned()).collect();
        let place = format!("{tool}, service {}", one.service);
        plan.warnings.extend(specs::ungranted(&place, lending, &typed, &instead.ids));
        plan.warnings.extend(specs::typed_secrets_stay(&place, lending, &one.secrets));
    }
    if built.iter().any(|(_, instead)| !instead.contexts.is_empty()) {
        // `docker [FLAGS] compose`, or a program of its own that uses the same engine.
        let (program, globals) = match split.before().split_last() {
            Some((_, globals)) => (split.typed.program.as_os_str(), globals),
            None => (OsStr::new("docker"), &[][..]),
        };
        guest_mount::check_engine(&tool, program, globals, probe)?;
    }
    plan.made = made(split, command, stdin);
    plan.files.push((ours, compose_model::override_file(&built, &by_flag, lending)?));
    plan.files.extend(files.stdin);
    plan.compose_files = files.found;
    plan.set_env.extend(files.env);
    plan.set_env.extend(quiet_bake(command, probe));
    plan.args = split.before().to_vec();
    plan.args.extend(files.globals);
    plan.args.push(verb.into());
    plan.args.append(&mut rest);
    Ok(plan)
}

/// `docker compose build --ssh default` means SSH_AUTH_SOCK for every service: it gets the
/// lease's socket. Returns the ids that the flag speaks for. Compose takes the last one alone.
fn fill_flag(
    tool: &str,
    walk: &Walk,
    rest: &mut Vec<OsString>,
    lending: &Lending,
    warnings: &mut Vec<String>,
) -> Vec<String> {
    let Some(flag) = walk.named(&["ssh"]).next_back() else {
        return Vec::new();
    };
    let value = flag.value.as_deref().and_then(OsStr::to_str).unwrap_or_default();
    // An empty value means `default`.
    let spec = specs::ssh(if value.is_empty() { "default" } else { value });
    match (spec.paths, lending.socket_for(spec.id)) {
        (Some(paths), _) => warnings.push(specs::typed_stays(tool, spec.id, paths)),
        (None, Some(socket)) => retype(rest, flag, &specs::lent(spec.id, socket)),
        (None, None) => {}
    }
    vec![spec.id.to_owned()]
}

fn retype(rest: &mut Vec<OsString>, flag: &Flag, value: &str) {
    let retyped = flags::retyped(flag, rest, OsStr::new(value));
    rest.splice(flag.at..flag.at + flag.width, retyped);
}

/// How Compose is asked, when the build has ended, what it built. A file that came on stdin was
/// read already.
fn made(split: Split<'_>, command: &Building<'_>, stdin: &str) -> Made {
    if !stdin.is_empty() {
        return Made::Unknown;
    }
    let ask = |way: &[&str]| {
        split.before().iter().chain(command.globals).cloned().chain(way.iter().map(OsString::from)).collect()
    };
    let typed = command.flags.positional.iter().map(|at| command.rest[*at].to_string_lossy().into_owned());
    Made::Compose {
        ways: vec![ask(WAYS[1]), ask(WAYS[0])],
        services: typed.collect(),
        dependencies: command.verb != "build" || command.flags.has(&["with-dependencies"]),
    }
}

/// Compose 2.40 hands a quiet build to bake in a way that makes bake ask for entitlements, and
/// gives no way to pass `--allow`; this switches that question off for file paths alone.
fn quiet_bake(command: &Building<'_>, probe: &dyn Probe) -> Option<(OsString, OsString)> {
    const VARIABLE: &str = "BUILDX_BAKE_ENTITLEMENTS_FS";
    let quiet: &[&str] = match command.verb {
        "build" | "watch" => &["quiet", "q"],
        _ => &["quiet-build"],
    };
    (command.flags.has(quiet) && probe.var(VARIABLE).is_none()).then(|| (VARIABLE.into(), "0".into()))
}

/// Asks Compose, in its own way of finding files, for the services that are built.
fn model(
    name: &str,
    split: Split<'_>,
    command: &Building<'_>,
    stdin: &str,
    needs_paths: bool,
    probe: &mut dyn Probe,
) -> Result<Vec<Built>, BuilderError> {
    let asked = format!("{name} config");
    let mut globals = command.globals.to_vec();
    for flag in command.global_flags.named(&["dry-run"]).rev() {
        globals.drain(flag.at..flag.at + flag.width);
    }
    let mut refusals = Vec::new();
    // Paths with variables in them are right only where they are interpolated.
    let order = if needs_paths { [WAYS[1], WAYS[0], WAYS[2]] } else { WAYS };
    for way in order {
        let args = split.before().iter().chain(&globals).cloned().chain(way.iter().map(OsString::from)).collect();
        let question = Question { program: &split.typed.program, args, env: vec![], stdin: stdin.into() };
        let Output { success, stdout, stderr } =
            probe.output(&question).map_err(|source| BuilderError::Ask { asked: asked.clone(), source })?;
        if success {
            return compose_model::built(&stdout).ok_or(BuilderError::Answer(asked));
        }
        refusals.push(stderr);
    }
    // The second way reads the files as the command itself would, so its refusal is the one to
    // show, unless it is about the form of the answer.
    let marshal = |stderr: &Vec<u8>| String::from_utf8_lossy(stderr).contains("MarshalJSON");
    let shown = refusals.get(1).filter(|stderr| !marshal(stderr)).or(refusals.first());
    Err(BuilderError::refused(&asked, shown.map_or(&[], Vec::as_slice)))
}

/// Gives the guest to every service whose Dockerfile has a step for it, and clones to what would
/// be fetched past it. A service that cannot be read is only warned about: it may not be the one
/// that is built.
fn with_guest(
    tool: &str,
    built: Vec<Built>,
    lending: &Lending,
    plan: &mut Plan,
    probe: &mut dyn Probe,
) -> Result<Vec<(Built, Instead)>, BuilderError> {
    if lending.guest.is_none() {
        return Ok(built.into_iter().map(|one| (one, Instead::default())).collect());
    }
    let mut with_guest = Vec::new();
    for one in built {
        let place = format!("{tool}, service {}", one.service);
        let instead = instead_of(&place, &one, lending, plan, probe)?;
        with_guest.push((one, instead));
    }
    if !with_guest.is_empty() && with_guest.iter().all(|(_, instead)| instead.contexts.is_empty()) {
        plan.warnings.push(format!("{tool}: no step has --mount=type=ssh, so nothing is lent to any"));
    }
    Ok(with_guest)
}

fn instead_of(
    place: &str,
    one: &Built,
    lending: &Lending,
    plan: &mut Plan,
    probe: &mut dyn Probe,
) -> Result<Instead, BuilderError> {
    let mut instead = Instead::default();
    for (name, context) in &one.named {
        let place = format!("{place}, context {name}");
        match git_context::cloned(&place, context, false, lending, plan, probe) {
            Ok(Some(cloned)) => instead.contexts.push((name.clone(), cloned.text()?.to_owned())),
            Ok(None) => {}
            Err(error) => plan.warnings.push(error.to_string()),
        }
    }
    if let Some(text) = &one.inline {
        let mut inline = Plan { notes: std::mem::take(&mut plan.notes), ..Plan::default() };
        let mounted = guest_mount::mount(
            place,
            Dockerfile { name: "dockerfile_inline", text, ignore: None },
            lending,
            &mut inline,
            false,
            probe,
        )?;
        plan.warnings.append(&mut inline.warnings);
        plan.notes = inline.notes;
        plan.steps.append(&mut inline.steps);
        instead.contexts.extend(mounted.contexts);
        instead.ids = mounted.ids;
        instead.inline = mounted.copy.and_then(|_| inline.files.pop()).map(|(_, text)| text);
        return Ok(instead);
    }
    let cloned = match git_context::cloned(place, &one.context, false, lending, plan, probe) {
        Ok(cloned) => cloned,
        Err(error) => {
            plan.warnings.push(format!("{error}; its ssh steps do not get the guest"));
            return Ok(instead);
        }
    };
    if cloned.is_none() && guest_mount::is_remote(&one.context) {
        plan.warnings.push(format!(
            "{place}: its context is fetched by the builder itself, so its ssh steps do not get the guest"
        ));
        return Ok(instead);
    }
    let name = one.dockerfile.as_deref().unwrap_or("Dockerfile");
    let path = match &cloned {
        Some(cloned) => cloned.file(place, Path::new(name), probe)?,
        None => probe.cwd().join(&one.context).join(name),
    };
    if let Some(cloned) = &cloned {
        instead.context = Some(cloned.text()?.to_owned());
    }
    let (text, ignore) = match (guest_mount::read(&path, probe), guest_mount::ignore_of(&path, probe)) {
        (Ok(text), Ok(ignore)) => (text, ignore),
        _ => {
            plan.warnings
                .push(format!("{place}: {} cannot be read, so its ssh steps do not get the guest", path.display()));
            return Ok(instead);
        }
    };
    let mounted = guest_mount::mount(place, Dockerfile { name, text: &text, ignore }, lending, plan, false, probe)?;
    instead.contexts.extend(mounted.contexts);
    instead.ids = mounted.ids;
    let text = |copy: PathBuf| copy.to_str().map(str::to_owned).ok_or(BuilderError::Path(copy));
    instead.file = mounted.copy.map(text).transpose()?;
    Ok(instead)
}
