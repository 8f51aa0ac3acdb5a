//! podman and buildah: typed → planned.

use super::scripted::{Scripted, joined};

const LENT: &str = "--ssh default=/run/l/default.sock --secret id=known_hosts,src=/run/l/known_hosts";

#[test]
fn every_name_of_podman_build_and_buildah_build_gets_the_socket_and_the_known_hosts() {
    for (line, before, rest) in [
        ("podman build .", "build", "."),
        ("podman image build .", "image build", "."),
        ("podman buildx build .", "buildx build", "."),
        ("podman builder build .", "builder build", "."),
        ("podman --root /r --log-level=debug build", "--root /r --log-level=debug build", ""),
        ("podman --ssh native build .", "--ssh native build", "."),
        ("podman --runtime build --noout build .", "--runtime build --noout build", "."),
        ("podman build -v /a:/b --env --ssh=x .", "build", "-v /a:/b --env --ssh=x ."),
        ("buildah build .", "build", "."),
        ("buildah bud -t x .", "bud", "-t x ."),
        ("buildah build-using-dockerfile .", "build-using-dockerfile", "."),
        ("buildah --storage-driver vfs bud .", "--storage-driver vfs bud", "."),
    ] {
        let plan = Scripted::new().plan(line).unwrap();
        assert_eq!(joined(&plan.args), format!("{before} {LENT} {rest}").trim_end(), "{line}");
        assert!(!plan.agent_in_env && plan.warnings.is_empty() && plan.set_env.is_empty(), "{line}");
    }
}

#[test]
fn what_was_typed_for_podman_stays_or_is_filled_in() {
    for (line, now) in [
        (
            "buildah bud --ssh default .",
            "bud --secret id=known_hosts,src=/run/l/known_hosts --ssh default=/run/l/default.sock .",
        ),
        (
            "podman build --ssh=default=/me .",
            "build --secret id=known_hosts,src=/run/l/known_hosts --ssh=default=/me .",
        ),
        (
            "podman build --secret id=known_hosts,src=/m .",
            "build --ssh default=/run/l/default.sock --secret id=known_hosts,src=/m .",
        ),
    ] {
        assert_eq!(joined(&Scripted::new().plan(line).unwrap().args), now, "{line}");
    }
}

#[test]
fn a_remote_podman_build_is_warned_about() {
    for line in [
        "podman --remote build .",
        "podman -r build .",
        "podman -c x build .",
        "podman --url ssh://h build .",
        "podman-remote build .",
    ] {
        assert_eq!(Scripted::new().plan(line).unwrap().warnings.len(), 1, "{line}");
    }
    assert_eq!(Scripted::new().var("CONTAINER_HOST", "ssh://h").plan("podman build .").unwrap().warnings.len(), 1);
}

#[test]
fn podman_compose_gets_only_ssh_auth_sock_and_says_so() {
    for line in ["podman compose build", "podman --log-level info compose up", "podman-compose build"] {
        let plan = Scripted::new().plan(line).unwrap();
        assert!(plan.agent_in_env && plan.warnings.len() == 1, "{line}");
        assert_eq!(joined(&plan.args), line.split_once(' ').unwrap().1);
    }
}
