//! Which images a build makes, for `run --audit` (PURE): how the tool can be asked, and what its
//! answer says. Ours are only added where nothing was typed, so a script's own `--iidfile` stays.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Typed;
use super::flags::{self, Table, Walk};

/// How to learn which images a build made, once it has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Made {
    /// There is no way: the tool is not one that is known, or it builds nothing.
    #[default]
    Unknown,
    /// The builder writes into a file.
    File {
        /// What it writes.
        form: Form,
        /// The file that was typed.
        typed: Option<PathBuf>,
        /// Where in the plan's arguments a flag for ours would go.
        at: usize,
    },
    /// Compose is asked for its model, in these ways until one is answered.
    Compose {
        /// Arguments behind the program.
        ways: Vec<Vec<OsString>>,
        /// The services that were typed; none means all.
        services: Vec<String>,
        /// Whether those that they depend on are built as well.
        dependencies: bool,
    },
}

/// What a builder writes of the images it made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `--iidfile`: one digest.
    Id,
    /// `--metadata-file` of bake: JSON, a digest for each target.
    Metadata,
}

impl Form {
    /// The flag that asks for it.
    #[must_use]
    pub fn flag(self) -> &'static str {
        match self {
            Self::Id => "--iidfile",
            Self::Metadata => "--metadata-file",
        }
    }

    /// The images that such a file names, in order.
    #[must_use]
    pub fn images(self, text: &str) -> Vec<String> {
        match self {
            Self::Id => Some(text.trim().to_owned()).filter(|id| !id.is_empty()).into_iter().collect(),
            Self::Metadata => {
                let targets: Option<serde_json::Map<String, Value>> = serde_json::from_str(text).ok();
                let digest = |target: &Value| target.get("containerimage.digest")?.as_str().map(str::to_owned);
                targets.iter().flat_map(serde_json::Map::values).filter_map(digest).collect()
            }
        }
    }
}

impl Made {
    /// Of a builder that writes a file where one of these flags was typed.
    pub(super) fn file(form: Form, walk: &Walk, at: usize) -> Self {
        let typed = walk.last(&[form.flag().trim_start_matches('-')]).map(PathBuf::from);
        Self::File { form, typed, at }
    }

    /// The plan's arguments with a flag for `ours`, and the file that will say it.
    #[must_use]
    pub fn ask(&self, mut args: Vec<OsString>, ours: &Path) -> (Vec<OsString>, Option<(Form, PathBuf)>) {
        match self {
            Self::File { form, typed: Some(typed), .. } => (args, Some((*form, typed.clone()))),
            Self::File { form, typed: None, at } => {
                let at = (*at).min(args.len());
                args.splice(at..at, [OsString::from(form.flag()), ours.into()]);
                (args, Some((*form, ours.to_owned())))
            }
            Self::Unknown | Self::Compose { .. } => (args, None),
        }
    }
}

/// The names of the images that Compose builds, from its model (`config --format json`).
#[must_use]
pub fn compose_images(model: &[u8], services: &[String], dependencies: bool) -> Option<Vec<String>> {
    let model: Value = serde_json::from_slice(model).ok()?;
    let project = model.get("name").and_then(Value::as_str).unwrap_or_default();
    let all = model.get("services")?.as_object()?;
    let mut wanted: Vec<&str> = if services.is_empty() {
        all.keys().map(String::as_str).collect()
    } else {
        services.iter().map(String::as_str).collect()
    };
    let mut next = 0;
    while dependencies && next < wanted.len() {
        let needs = all.get(wanted[next]).and_then(|service| service.get("depends_on"));
        let needs = match needs {
            Some(Value::Object(needs)) => needs.keys().map(String::as_str).collect(),
            Some(Value::Array(needs)) => needs.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        for need in needs {
            if !wanted.contains(&need) {
                wanted.push(need);
            }
        }
        next += 1;
    }
    let image = |name: &&str| {
        let service = all.get(*name)?;
        service.get("build").filter(|build| !build.is_null())?;
        let named = service.get("image").and_then(Value::as_str).map(str::to_owned);
        Some(named.unwrap_or_else(|| format!("{project}-{name}")))
    };
    let mut images: Vec<String> = wanted.iter().filter_map(image).collect();
    images.sort();
    images.dedup();
    Some(images)
}

/// The client that can save what was built: the typed one with its global flags. Buildah keeps
/// its images where podman finds them; plugins on their own belong to docker.
#[must_use]
pub fn engine(typed: &Typed) -> Vec<OsString> {
    let name = super::base_name(&typed.program);
    let globals = |table: &Table| {
        let walk = flags::walk(&typed.args, table);
        typed.args[..walk.positional.first().copied().unwrap_or(0)].to_vec()
    };
    let (program, globals) = match name.as_str() {
        "docker" => (typed.program.clone(), globals(&super::docker::GLOBALS)),
        "podman" | "podman-remote" => (typed.program.clone(), globals(&super::podman::GLOBALS)),
        "buildah" => (OsString::from("podman"), globals(&super::buildah::GLOBALS)),
        _ => (OsString::from("docker"), Vec::new()),
    };
    [program].into_iter().chain(globals).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compose_names_what_it_builds_and_nothing_else() {
        let model = serde_json::json!({ "name": "shop", "services": {
            "app": { "build": {}, "depends_on": { "lib": {}, "db": {} } },
            "lib": { "build": { "context": "." }, "image": "org/lib:1", "depends_on": ["app"] },
            "db": { "image": "postgres" },
            "tool": { "build": {} },
        }})
        .to_string();
        let of = |services: &[&str], dependencies| {
            let services: Vec<String> = services.iter().map(|name| (*name).to_owned()).collect();
            compose_images(model.as_bytes(), &services, dependencies).unwrap()
        };
        assert_eq!(of(&[], false), ["org/lib:1", "shop-app", "shop-tool"]);
        assert_eq!(of(&["app"], false), ["shop-app"]);
        assert_eq!(of(&["app"], true), ["org/lib:1", "shop-app"], "in a circle, too");
        assert_eq!(of(&["db"], true), [""; 0]);
        assert_eq!(compose_images(b"{}", &[], false), None);
    }

    #[test]
    fn what_a_builder_wrote_is_read() {
        assert_eq!(Form::Id.images("sha256:ab\n"), ["sha256:ab"]);
        assert_eq!(Form::Id.images("\n"), [""; 0]);
        let metadata =
            r#"{"a":{"containerimage.digest":"sha256:1","x":2},"b":{"image.name":"n"},"buildx.build.warnings":[]}"#;
        assert_eq!(Form::Metadata.images(metadata), ["sha256:1"]);
        assert_eq!(Form::Metadata.images("no JSON"), [""; 0]);
    }

    #[test]
    fn a_flag_of_ours_is_added_only_where_none_was_typed() {
        let args = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        let ours = Path::new("/lease/made");
        let none = Made::File { form: Form::Id, typed: None, at: 1 };
        let (added, file) = none.ask(args(&["build", "."]), ours);
        assert_eq!(added, args(&["build", "--iidfile", "/lease/made", "."]));
        assert_eq!(file, Some((Form::Id, ours.to_owned())));
        let typed = Made::File { form: Form::Id, typed: Some("id".into()), at: 1 };
        let (kept, file) = typed.ask(args(&["build", "--iidfile=id", "."]), ours);
        assert_eq!(kept, args(&["build", "--iidfile=id", "."]));
        assert_eq!(file, Some((Form::Id, "id".into())));
    }

    #[test]
    fn the_engine_is_asked_with_the_flags_that_the_build_had() {
        let of = |line: &str| {
            let mut words = line.split(' ').map(OsString::from);
            let typed = Typed { program: words.next().unwrap(), args: words.collect() };
            engine(&typed).iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of("docker --context far build -t a ."), "docker --context far");
        assert_eq!(of("/usr/bin/podman --root /r build ."), "/usr/bin/podman --root /r");
        assert_eq!(of("buildah --root /r bud ."), "podman --root /r");
        assert_eq!(of("docker-compose build"), "docker");
    }
}
