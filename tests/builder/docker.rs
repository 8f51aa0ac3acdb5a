//! `docker build` and its other names: typed → planned.

use super::scripted::{Scripted, env, joined, lending, typed};
use valetkey::builder::plan;
use valetkey::exit::Code;
use valetkey::ui::Explain as _;

/// What is added where nothing was typed.
const LENT: &str = "--ssh default=/run/l/default.sock --secret id=known_hosts,src=/run/l/known_hosts";

#[test]
fn every_name_of_docker_build_gets_the_socket_and_the_known_hosts() {
    for (line, before, rest) in [
        ("docker build .", "build", "."),
        ("/usr/bin/docker build -t app .", "build", "-t app ."),
        ("docker image build .", "image build", "."),
        ("docker builder build .", "builder build", "."),
        ("docker buildx build .", "buildx build", "."),
        ("docker buildx b .", "buildx b", "."),
        ("docker buildx --builder x build .", "buildx --builder x build", "."),
        ("docker buildx --builder=build b .", "buildx --builder=build b", "."),
        ("docker-buildx build .", "build", "."),
        ("buildx build .", "build", "."),
        ("docker -H tcp://h -D --config /c build .", "-H tcp://h -D --config /c build", "."),
        ("docker -Htcp://h build .", "-Htcp://h build", "."),
        ("docker --context=x -l debug build .", "--context=x -l debug build", "."),
        ("docker -Dc build image build .", "-Dc build image build", "."),
        ("docker --tls --tlscacert build build .", "--tls --tlscacert build build", "."),
        ("docker build -", "build", "-"),
        ("docker build -- .", "build", "-- ."),
        ("docker build --build-arg --ssh=default . -f -", "build", "--build-arg --ssh=default . -f -"),
        ("docker build -t --help .", "build", "-t --help ."),
        ("docker build . -- --ssh x", "build", ". -- --ssh x"),
        ("docker build --secret id=npm,src=/n .", "build", "--secret id=npm,src=/n ."),
    ] {
        let plan = Scripted::new().plan(line).unwrap();
        assert_eq!(joined(&plan.args), format!("{before} {LENT} {rest}"), "{line}");
        assert!(!plan.agent_in_env && plan.warnings.is_empty(), "{line}");
    }
}

#[test]
fn an_id_that_names_a_socket_stays_and_one_that_names_none_gets_the_leases() {
    let secret = "--secret id=known_hosts,src=/run/l/known_hosts";
    for (line, now, warned) in [
        ("docker build --ssh default=/me.sock .", format!("build {secret} --ssh default=/me.sock ."), true),
        ("docker build --ssh default .", format!("build {secret} --ssh default=/run/l/default.sock ."), false),
        ("docker build . --ssh=default=", format!("build {secret} . --ssh=default=/run/l/default.sock"), false),
        ("docker build --ssh other .", format!("build {LENT} --ssh other=/run/l/default.sock ."), false),
        (
            "docker build --ssh a --ssh=b=/k1,/k2 --ssh default .",
            format!("build {secret} --ssh a=/run/l/default.sock --ssh=b=/k1,/k2 --ssh default=/run/l/default.sock ."),
            true,
        ),
        (
            "docker build --secret type=file,id=known_hosts,src=/mine .",
            "build --ssh default=/run/l/default.sock --secret type=file,id=known_hosts,src=/mine .".into(),
            false,
        ),
    ] {
        let plan = Scripted::new().plan(line).unwrap();
        assert_eq!(joined(&plan.args), now, "{line}");
        assert_eq!(!plan.warnings.is_empty(), warned, "{line}");
    }
}

#[test]
fn every_id_of_the_lease_is_passed_and_a_typed_one_keeps_its_own_socket() {
    let lending = lending(&["default", "deploy"]);
    let plan = plan(&typed("docker build --ssh deploy ."), &lending, &mut Scripted::new()).unwrap();
    assert_eq!(
        joined(&plan.args),
        "build --ssh default=/run/l/default.sock --secret id=known_hosts,src=/run/l/known_hosts --ssh deploy=/run/l/deploy.sock ."
    );
}

#[test]
fn docker_build_is_told_to_use_buildkit_unless_the_user_said_so() {
    for (value, set) in [(None, true), (Some(""), true), (Some("1"), false), (Some("true"), false)] {
        for line in ["docker build .", "docker image build ."] {
            let mut probe = Scripted::new();
            if let Some(value) = value {
                probe = probe.var("DOCKER_BUILDKIT", value);
            }
            let plan = probe.plan(line).unwrap();
            assert_eq!(env(&plan).contains(&"DOCKER_BUILDKIT=1".to_owned()), set, "{value:?}");
        }
    }
    assert!(Scripted::new().plan("docker buildx build .").unwrap().set_env.is_empty());
}

#[test]
fn dockers_client_keeps_to_one_of_two_processors_where_the_tunnel_goes_through_it() {
    let set = |probe: Scripted, line: &str| -> Vec<String> {
        let probe = probe.file("/home/me/app/Dockerfile", "FROM a\nRUN --mount=type=ssh true\n");
        let mut probe = probe.answer("…--help", "--build-context stringArray");
        let env = env(&probe.plan(line).unwrap());
        env.into_iter().filter(|set| set.starts_with("GO")).collect()
    };
    let both = ["GOMAXPROCS=1", "GOGC=400"];
    for line in ["docker build .", "docker buildx build .", "docker build --build-arg GOPROXY --build-arg GOGC=100 ."] {
        assert_eq!(set(Scripted::gateway().processors(2), line), both, "{line}");
        assert_eq!(set(Scripted::gateway().processors(1), line), both, "{line}");
        assert!(set(Scripted::gateway().processors(3), line).is_empty(), "{line}");
        assert!(set(Scripted::new().processors(2), line).is_empty(), "agent lending: {line}");
        for name in ["GOGC", "GOMAXPROCS"] {
            assert!(set(Scripted::gateway().processors(2).var(name, "50"), line).is_empty(), "{line}");
        }
    }
    // The build would get the value that was meant for the client.
    assert!(set(Scripted::gateway().processors(2), "docker build --build-arg GOGC .").is_empty());
    assert!(set(Scripted::gateway().processors(2), "docker build --build-arg=GOMAXPROCS .").is_empty());
    assert!(set(Scripted::gateway().processors(2), "podman build .").is_empty());
}

#[test]
fn the_legacy_builder_is_refused_because_it_forwards_no_agent() {
    for value in ["0", "false", "F"] {
        for line in ["docker build .", "docker compose build", "docker builder build ."] {
            let error = Scripted::new().var("DOCKER_BUILDKIT", value).plan(line).unwrap_err();
            assert_eq!(error.code(), Code::Builder);
            assert!(error.to_string().contains("legacy builder"), "{error}");
        }
        // It concerns neither buildx, nor what builds nothing.
        for line in ["docker buildx build .", "docker ps"] {
            assert!(Scripted::new().var("DOCKER_BUILDKIT", value).plan(line).is_ok());
        }
    }
}
