//! What `docker build`, `docker buildx build`, `podman build` and `buildah build` have in
//! common: `--ssh` for each id of the lease, and `--secret` for the known_hosts lines and each secret.
//!
//! Ours go directly behind the verb, before whatever was typed, so that a typed `--` cannot
//! turn them into positional arguments.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::flags::{self, Flag, Table, Walk};
use super::guest_mount::{self, Dockerfile, Mounted};
use super::made::{Form, Made};
use super::{BuilderError, Lending, Plan, Probe, RecipeAt, Split, git_context, go_client, specs};

/// The plan of an image build; one that lends nothing where only help was asked for.
pub(super) fn plan(
    tool: &str,
    split: Split<'_>,
    table: &Table,
    lending: &Lending,
    probe: &mut dyn Probe,
) -> Result<Plan, BuilderError> {
    let walk = flags::walk(split.rest(), table);
    if walk.has(&["help", "h"]) {
        return Ok(Plan::idle(split.typed));
    }
    let mut plan = Plan { tool: tool.into(), recipes: recipes(tool, &walk, split.rest(), probe), ..Plan::default() };
    let mut rest = split.rest().to_vec();
    let mut ids = Vec::new();
    // From the back, so that an index stays right when a flag before it is retyped.
    for flag in walk.named(&["ssh"]).rev() {
        let Some(value) = flag.value.as_deref().and_then(OsStr::to_str) else {
            continue;
        };
        let spec = specs::ssh(value);
        ids.push(spec.id.to_owned());
        if let Some(paths) = spec.paths {
            plan.warnings.insert(0, specs::typed_stays(tool, spec.id, paths));
        } else if let Some(socket) = lending.socket_for(spec.id) {
            // It would mean SSH_AUTH_SOCK: the person's whole agent, lent to every step.
            let filled = flags::retyped(flag, &rest, OsStr::new(&specs::lent(spec.id, socket)));
            rest.splice(flag.at..flag.at + flag.width, filled);
        }
    }
    let typed_secrets: Vec<String> = walk
        .named(&["secret"])
        .filter_map(|flag| flag.value.as_deref().and_then(OsStr::to_str).and_then(specs::secret_id))
        .map(str::to_owned)
        .collect();
    plan.warnings.extend(specs::typed_secrets_stay(tool, lending, &typed_secrets));
    let mut guest = Vec::new();
    let mut used = Vec::new();
    if lending.guest.is_some() {
        clone_contexts(tool, &walk, &mut rest, lending, &mut plan, probe)?;
        let mounted = mount_guest(tool, &walk, &mut rest, lending, &mut plan, probe)?;
        if !mounted.contexts.is_empty() {
            guest_mount::check_contexts(tool, split, probe)?;
        }
        for (name, folder) in mounted.contexts {
            guest.extend([OsString::from("--build-context"), format!("{name}={folder}").into()]);
        }
        used = mounted.ids;
        guest.extend(mounted.copy.into_iter().flat_map(|copy| ["--file".into(), copy.into_os_string()]));
    }
    plan.args = split.before().to_vec();
    plan.made = Made::file(Form::Id, &walk, plan.args.len());
    plan.args.append(&mut guest);
    plan.warnings.extend(specs::ungranted(tool, lending, &ids, &used));
    for value in specs::missing(lending, &ids, &used)? {
        plan.args.extend([OsString::from("--ssh"), value.into()]);
    }
    for (value, _) in specs::missing_secrets(lending, &typed_secrets) {
        plan.args.extend([OsString::from("--secret"), value.into()]);
    }
    plan.args.append(&mut rest);
    if tool.starts_with("docker") {
        plan.set_env.extend(go_client::settings(&walk, lending, probe));
    }
    Ok(plan)
}

/// Where its Dockerfiles are, as they were typed. What comes on stdin or is fetched is none of them.
fn recipes(tool: &str, walk: &Walk, rest: &[OsString], probe: &dyn Probe) -> Vec<RecipeAt> {
    let context = walk.positional.first().and_then(|at| rest.get(*at)).map_or(OsStr::new("."), OsString::as_os_str);
    if context == "-" || context.to_str().is_none_or(guest_mount::is_remote) {
        return Vec::new();
    }
    let folder = probe.cwd().join(context);
    let typed = walk.named(&["file", "f"]).filter_map(|flag| flag.value.as_deref());
    let typed: Vec<RecipeAt> = typed
        .filter(|value| *value != "-" && !value.to_str().is_none_or(guest_mount::is_remote))
        .map(|value| RecipeAt { target: None, paths: vec![probe.cwd().join(value), folder.join(value)] })
        .collect();
    if walk.has(&["file", "f"]) {
        return typed;
    }
    vec![RecipeAt { target: None, paths: names(tool).iter().map(|name| folder.join(name)).collect() }]
}

/// What a builder looks for: the first of its two.
fn names(tool: &str) -> &'static [&'static str] {
    if tool.starts_with("docker") || tool.starts_with("buildx") {
        &["Dockerfile", "dockerfile"]
    } else {
        &["Containerfile", "Dockerfile"]
    }
}

/// Named contexts that are repositories over SSH (`--build-context lib=git@…`): clones of them.
fn clone_contexts(
    tool: &str,
    walk: &Walk,
    rest: &mut Vec<OsString>,
    lending: &Lending,
    plan: &mut Plan,
    probe: &mut dyn Probe,
) -> Result<(), BuilderError> {
    for flag in walk.named(&["build-context"]).rev() {
        let Some((name, value)) = flag.value.as_deref().and_then(OsStr::to_str).and_then(|value| value.split_once('='))
        else {
            continue;
        };
        let place = format!("{tool}, context {name}");
        if let Some(cloned) = git_context::cloned(&place, value, false, lending, plan, probe)? {
            let value = format!("{name}={}", cloned.text()?);
            let retyped = flags::retyped(flag, rest, OsStr::new(&value));
            rest.splice(flag.at..flag.at + flag.width, retyped);
        }
    }
    Ok(())
}

/// Where the Dockerfiles of a build are looked for.
enum Context {
    /// A folder, absolute.
    Folder(PathBuf),
    /// The clone of a repository.
    Clone(git_context::Cloned),
}

impl Context {
    /// The path of a Dockerfile in it.
    fn file(&self, tool: &str, name: &Path, probe: &mut dyn Probe) -> Result<PathBuf, BuilderError> {
        match self {
            Self::Folder(folder) => Ok(folder.join(name)),
            Self::Clone(cloned) => cloned.file(tool, name, probe),
        }
    }
}

/// The typed context, with a clone in its place where it is a repository over SSH. `None` where
/// the builder fetches it with a lent key.
fn context(
    tool: &str,
    walk: &Walk,
    rest: &mut [OsString],
    lending: &Lending,
    plan: &mut Plan,
    probe: &mut dyn Probe,
) -> Result<Option<Context>, BuilderError> {
    let failed = |what| BuilderError::Context { place: tool.to_owned(), what };
    let typed = typed_context(walk, rest).cloned().unwrap_or_else(|| ".".into());
    if let Some(address) = typed.to_str() {
        // As BuildKit: its own word for a repository that keeps its `.git`.
        let kept = |flag: &&Flag| {
            let value = flag.value.as_deref().and_then(OsStr::to_str).and_then(|value| value.split_once('='));
            value.is_some_and(|(name, value)| name == "BUILDKIT_CONTEXT_KEEP_GIT_DIR" && matches!(value, "1" | "true"))
        };
        let keep_git = walk.named(&["build-arg"]).any(|flag| kept(&flag));
        if let Some(cloned) = git_context::cloned(tool, address, keep_git, lending, plan, probe)? {
            if let Some(word) = typed_context(walk, rest) {
                cloned.files.as_os_str().clone_into(word);
            }
            return Ok(Some(Context::Clone(cloned)));
        }
        // A folder of that name comes first, as with docker.
        let is_remote = guest_mount::is_remote(address) && !probe.exists(&probe.cwd().join(address));
        match (is_remote, &lending.git) {
            (true, Some(_)) => return Err(failed("the context is fetched by the builder itself, past the gateway")),
            (true, None) => return Ok(None),
            (false, _) => {}
        }
    }
    Ok(Some(Context::Folder(probe.cwd().join(&typed))))
}

/// Puts copies with the guest in the place of the Dockerfiles. The copy of the answer is one to
/// add a flag for; typed flags name theirs already.
fn mount_guest(
    tool: &str,
    walk: &Walk,
    rest: &mut Vec<OsString>,
    lending: &Lending,
    plan: &mut Plan,
    probe: &mut dyn Probe,
) -> Result<Mounted, BuilderError> {
    let typed: Vec<&Flag> = walk.named(&["file", "f"]).filter(|flag| flag.value.is_some()).collect();
    if typed_context(walk, rest).is_some_and(|word| word == "-") {
        return without_context(tool, walk, rest, typed.is_empty(), lending, plan, probe);
    }
    let Some(context) = context(tool, walk, rest, lending, plan, probe)? else { return Ok(Mounted::default()) };
    if typed.is_empty() {
        let folder = match &context {
            Context::Clone(cloned) => &cloned.files,
            Context::Folder(folder) => folder,
        };
        let name = names(tool).iter().find(|name| probe.exists(&folder.join(name))).unwrap_or(&"Dockerfile");
        let path = context.file(tool, Path::new(name), probe)?;
        let (text, ignore) = (guest_mount::read(&path, probe)?, guest_mount::ignore_of(&path, probe)?);
        let mounted = guest_mount::mount(tool, Dockerfile { name, text: &text, ignore }, lending, plan, true, probe)?;
        warn_of_nothing(tool, &mounted, plan);
        return Ok(mounted);
    }
    let mut all = Mounted::default();
    // Docker reads the last `-f`, podman and buildah read all. From the back, as above.
    for flag in typed.into_iter().rev() {
        let value = flag.value.as_deref().unwrap_or_default();
        let name = value.to_string_lossy().into_owned();
        let mut instead = None;
        let (text, ignore) = if value == "-" {
            (probe.stdin().map_err(BuilderError::Stdin)?, None)
        } else if guest_mount::is_remote(&name) {
            let what = "the Dockerfile is fetched by the builder itself";
            return Err(BuilderError::Context { place: tool.to_owned(), what });
        } else {
            let typed = probe.cwd().join(value);
            let path = match &context {
                // podman and buildah look in the context too.
                Context::Folder(_) if probe.exists(&typed) => typed,
                context => context.file(tool, Path::new(value), probe)?,
            };
            // The builder would look for it in this folder.
            instead = matches!(context, Context::Clone(_)).then(|| path.clone());
            (guest_mount::read(&path, probe)?, guest_mount::ignore_of(&path, probe)?)
        };
        let name = if value == "-" { "Dockerfile".to_owned() } else { name };
        let mounted =
            guest_mount::mount(tool, Dockerfile { name: &name, text: &text, ignore }, lending, plan, true, probe)?;
        // What was read from stdin and stays as it is goes on as a file.
        let copy = mounted.copy.or(instead).or_else(|| (value == "-").then(|| kept(text, lending, plan)));
        if let Some(copy) = copy {
            let retyped = flags::retyped(flag, rest, copy.as_os_str());
            rest.splice(flag.at..flag.at + flag.width, retyped);
        }
        // Every file with a step for the guest names its context.
        let new = mounted.contexts.into_iter().filter(|context| !all.contexts.contains(context));
        all.contexts.extend(new.collect::<Vec<_>>());
        all.ids.extend(mounted.ids);
    }
    warn_of_nothing(tool, &all, plan);
    Ok(all)
}

/// The word of the context, where one was typed.
fn typed_context<'a>(walk: &Walk, rest: &'a mut [OsString]) -> Option<&'a mut OsString> {
    walk.positional.first().and_then(|&at| rest.get_mut(at))
}

/// `docker build - < Dockerfile`: stdin is the Dockerfile, and there is no context.
fn without_context(
    tool: &str,
    walk: &Walk,
    rest: &mut [OsString],
    is_alone: bool,
    lending: &Lending,
    plan: &mut Plan,
    probe: &mut dyn Probe,
) -> Result<Mounted, BuilderError> {
    let failed = |what| BuilderError::Context { place: tool.to_owned(), what };
    if !is_alone {
        return Err(failed("the context comes on stdin, and its Dockerfile does not"));
    }
    let text = probe.stdin().map_err(|_| failed("the context comes on stdin, and is no Dockerfile"))?;
    // tar has NUL bytes in its headers; every compressed archive is no UTF-8.
    if text.contains('\0') {
        return Err(failed("the context comes on stdin, as an archive"));
    }
    let mut mounted = guest_mount::mount(
        tool,
        Dockerfile { name: "Dockerfile", text: &text, ignore: None },
        lending,
        plan,
        true,
        probe,
    )?;
    warn_of_nothing(tool, &mounted, plan);
    mounted.copy = mounted.copy.or_else(|| Some(kept(text, lending, plan)));
    let empty = lending.folder.join("empty");
    if let Some(word) = typed_context(walk, rest) {
        empty.as_os_str().clone_into(word);
    }
    plan.folders.push(empty);
    Ok(mounted)
}

/// A Dockerfile that was read from stdin, as a file of the lease.
fn kept(text: String, lending: &Lending, plan: &mut Plan) -> PathBuf {
    let path = lending.folder.join(format!("{}.Dockerfile", plan.files.len()));
    plan.files.push((path.clone(), text));
    path
}

fn warn_of_nothing(tool: &str, mounted: &Mounted, plan: &mut Plan) {
    if mounted.contexts.is_empty() {
        plan.warnings.push(format!("{tool}: no step has --mount=type=ssh, so nothing is lent to any"));
    }
}
