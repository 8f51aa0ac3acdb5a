//! Commands that are no builds, and leases that cannot be written on a command line.

use super::scripted::{Scripted, joined, lending, typed};
use valetkey::builder::plan;
use valetkey::exit::Code;
use valetkey::ui::Explain as _;

#[test]
fn any_other_command_finds_the_agent_in_its_environment() {
    for line in ["./build.sh docker build .", "make -j2", "git clone x", "docker2 build .", "/opt/docker/run build"] {
        let plan = Scripted::new().plan(line).unwrap();
        assert!(plan.agent_in_env && plan.warnings.is_empty() && plan.files.is_empty());
        assert_eq!((plan.tool.as_str(), joined(&plan.args)), ("other", line.split_once(' ').unwrap().1.to_owned()));
    }
}

#[test]
fn a_builders_command_that_builds_nothing_runs_as_typed_with_the_users_own_agent() {
    for line in [
        "docker ps",
        "docker",
        "docker --version",
        "docker --help build",
        "docker build --help",
        "docker run --rm build build",
        "docker image ls",
        "docker image",
        "docker buildx ls",
        "docker buildx",
        "docker buildx build --help",
        "docker buildx bake --print",
        "docker buildx bake --list=targets",
        "docker buildx bake -h",
        "docker compose",
        "docker compose version",
        "docker compose down",
        "docker compose ps build",
        "docker compose logs -f build",
        "docker compose build --help",
        "docker compose run --help app",
        "docker compose --help build",
        "docker compose config",
        "docker-compose down",
        "podman ps",
        "podman build --help",
        "podman image ls",
        "buildah from scratch",
        "buildah --version",
    ] {
        let mut probe = Scripted::new().var("DOCKER_BUILDKIT", "0");
        let plan = probe.plan(line).unwrap();
        let rest = line.split_once(' ').map_or("", |(_, rest)| rest);
        assert_eq!((plan.tool.as_str(), joined(&plan.args)), ("other", rest.to_owned()), "{line}");
        assert!(!plan.agent_in_env && plan.set_env.is_empty() && plan.files.is_empty(), "{line}");
        assert_eq!(plan.warnings.len(), 1, "{line}");
        assert!(probe.asked.is_empty(), "{line}");
    }
}

#[test]
fn a_lease_whose_paths_or_ids_builders_would_misread_is_refused() {
    for folder in ["/run/a,b", "/run/a\"b", "/run/$HOME", "/run/%{x}", "/run/a\nb", "relative"] {
        let mut lending = lending(&["default"]);
        lending.sockets[0].1 = format!("{folder}/s").into();
        let error = plan(&typed("docker build ."), &lending, &mut Scripted::new()).unwrap_err();
        assert_eq!(error.code(), Code::Lease, "{folder}");
    }
    for id in ["", "a=b", "a,b", "a b"] {
        let mut lending = lending(&["default"]);
        lending.sockets[0].0 = id.into();
        let error = plan(&typed("docker build ."), &lending, &mut Scripted::new()).unwrap_err();
        assert_eq!(error.code(), Code::Usage, "{id}");
    }
}
