use super::facts::tests::facts;
use super::*;
use crate::decision_log::Cause;

/// What a real build printed, and its Dockerfile (tests/fixtures/build-output/ORIGIN.md).
macro_rules! build {
    ($name:literal) => {
        (
            include_str!(concat!("../../tests/fixtures/build-output/", $name, ".recipe")),
            include_str!(concat!("../../tests/fixtures/build-output/", $name, ".txt")),
        )
    };
}

fn with_output((dockerfile, output): (&str, &str)) -> Facts {
    let mut watch = Watch::default();
    watch.see(output.as_bytes());
    facts(dockerfile).with_signs(watch.finish())
}

fn refused(cause: Cause) -> Refused {
    Refused { cause, reason: "the reason".into(), hint: Some("the hint".into()), count: 2 }
}

/// The ids of all diagnoses, with the first letter of how certain they are.
fn ids(facts: &Facts) -> Vec<String> {
    explain(facts).iter().map(|one| format!("{}:{}", one.id, &one.certainty.to_string()[..1])).collect()
}

#[track_caller]
fn is(facts: &Facts, expected: &[&str], says: &str) {
    let told = explain(facts);
    assert_eq!(ids(facts), expected, "{told:#?}");
    assert!(told[0].says.contains(says), "{says:?} is not in {told:#?}");
    for diagnosis in &told {
        assert!(!diagnosis.seen.is_empty() && !diagnosis.remedy.is_empty(), "{diagnosis:#?}");
        assert!(!diagnosis.says.ends_with('.'), "{diagnosis:#?}");
    }
}

#[test]
fn a_step_without_a_mount_is_named() {
    is(&with_output(build!("no-mount")), &["no-mount:c"], "line 3 of Dockerfile");
    is(&with_output(build!("podman-no-mount")), &["no-mount:c"], "line 3 of Dockerfile");
    // The guest itself says so, of a step that cannot be found.
    let guest = ("FROM x\n", "valetkey: SSH_AUTH_SOCK is not set in this step: give its RUN --mount=type=ssh");
    is(&with_output(guest), &["no-mount:c"], "a step that runs ssh has no ssh mount");
}

#[test]
fn without_output_the_dockerfiles_say_what_may_be() {
    let terminal = |dockerfile| Facts { watched: Watched::Terminal, ..facts(dockerfile) };
    is(&terminal("FROM x\nRUN git clone x\n"), &["no-mount:l"], "line 2 of Dockerfile");
    let with_another = "FROM x\nRUN --mount=type=ssh git clone x\nRUN pip install x\nRUN echo\n";
    is(&terminal(with_another), &["no-mount:p"], "line 3 of Dockerfile");
    let closed = "FROM x\nUSER 1000\nRUN --mount=type=ssh git clone x\n";
    is(&terminal(closed), &["closed-socket:p"], "as user 1000");
    // Somebody asked: a step has reached the socket.
    is(&Facts { asked: 1, ..terminal(with_another) }, &["nothing-asked:p"], "though it was asked for");
}

#[test]
fn a_socket_that_the_steps_user_cannot_open_is_named_with_its_user() {
    is(&with_output(build!("closed-socket")), &["closed-socket:c"], "line 5 of Dockerfile");
    is(&with_output(build!("podman-closed-socket")), &["closed-socket:c"], "as user app");
    let by_gateway = Facts { lending: "gateway".into(), ..with_output(build!("guest-alone")) };
    is(&by_gateway, &["closed-socket:c"], "as user app");
    // Somebody asked, if not that step.
    is(&Facts { asked: 1, ..with_output(build!("closed-socket")) }, &["closed-socket:l"], "as user app");
}

#[test]
fn a_key_that_the_server_does_not_take_is_told_from_one_that_was_not_offered() {
    let asked = Facts { asked: 1, ..with_output(build!("login-refused")) };
    is(&asked, &["login-refused:c"], "git@127.0.0.1 does not take the key");
    is(&Facts { asked: 1, ..with_output(build!("compose")) }, &["login-refused:c"], "git@127.0.0.1");
    is(&with_output(build!("login-refused")), &["agent-not-asked:l"], "did not ask the lent agent");
    let unplaced = ("FROM x\n", "git@git.example.com: Permission denied (publickey).");
    is(&with_output(unplaced), &["agent-not-reached:l"], "did not reach the lent agent");
    let by_gateway = Facts { refusals: vec![refused(Cause::LoginRefused)], carried: 1, ..facts("FROM x\n") };
    is(&by_gateway, &["login-refused:c"], "the server does not take");
}

#[test]
fn another_key_that_was_offered_first_is_told_where_several_were_lent() {
    let one = Facts { logins: 1, asked: 1, ..with_output(build!("repository-refused")) };
    is(&one, &["repository-refused:l"], "the server knows the key");
    let two = Facts { ids: vec!["default".into(); 2], ..one.clone() };
    is(&two, &["wrong-key-first:l"], "a key that was offered first");
    // Under ids of their own each socket offers one.
    is(&Facts { ids: vec!["a".into(), "b".into()], ..one }, &["repository-refused:l"], "the server knows the key");
    // A server whose words are not known, and Git's own.
    let unknown =
        ("FROM x\n", "refused: platform/lib.git, with this key\nfatal: Could not read from remote repository.");
    let unknown = Facts { ids: vec!["default".into(); 2], logins: 1, ..with_output(unknown) };
    is(&unknown, &["wrong-key-first:p"], "offered first");
    is(&Facts { logins: 0, ..unknown }, &["nothing-asked:p"], "nothing in it asked");
    let too_many = ("FROM x\n", "Received disconnect from 127.0.0.1 port 22:2: Too many authentication failures");
    is(&Facts { asked: 1, ..with_output(too_many) }, &["wrong-key-first:c"], "cut the login off");
    // What the forges say, by their documentation.
    for line in [
        "ERROR: Repository not found.",
        "ERROR: Permission to org/repo.git denied to deploy key",
        "remote: ERROR: The project you were looking for could not be found or you don't have permission to view it.",
        "remote: Repository not found",
        "Gitea: Unauthorized",
    ] {
        let facts = Facts { ids: vec!["default".into(); 2], logins: 1, ..with_output(("FROM x\n", line)) };
        is(&facts, &["wrong-key-first:l"], "offered first");
    }
}

#[test]
fn a_host_key_that_changed_is_told_from_one_that_is_not_known() {
    let by = |output| Facts { asked: 0, ..with_output(output) };
    is(&by(build!("host-key-changed")), &["host-key-changed:c"], "line 3 of Dockerfile");
    is(&by(build!("host-unknown")), &["host-unknown:c"], "line 3 of Dockerfile does not know");
    for (cause, id) in [(Cause::HostKeyChanged, "host-key-changed:c"), (Cause::HostUnknown, "host-unknown:c")] {
        is(&Facts { refusals: vec![refused(cause)], ..facts("FROM x\n") }, &[id], "host key");
    }
    let by_gateway = Facts { lending: "gateway".into(), ..with_output(build!("host-unknown")) };
    is(&by_gateway, &["not-the-guest:l"], "another ssh than valetkey's guest");
}

#[test]
fn a_tool_that_did_not_use_ssh_is_named_with_its_setting() {
    let by_gateway = |facts: Facts| Facts { lending: "gateway".into(), ..facts };
    let asked = vec![refused(Cause::AskedForKeys)];
    let cargo = Facts { refusals: asked.clone(), asked: 1, ..by_gateway(with_output(build!("cargo-own-git"))) };
    is(&cargo, &["cargo-own-git:c"], "cargo used a Git of its own in the step on line 5");
    assert!(explain(&cargo)[0].remedy.contains("CARGO_NET_GIT_FETCH_WITH_CLI=true"));
    // Without the lent known_hosts it comes no further than that.
    let host = (
        "FROM x\nRUN --mount=type=ssh cargo build\n",
        "#7 [2/2] RUN --mount=type=ssh cargo build\n#7 0.1   error: unknown SSH host key",
    );
    is(&by_gateway(with_output(host)), &["cargo-own-git:c"], "line 2");
    is(&with_output(host), &["host-unknown:c"], "line 2");
    // Without the output, what the Dockerfile runs.
    let unseen = |dockerfile| by_gateway(Facts { refusals: asked.clone(), asked: 1, ..facts(dockerfile) });
    is(&unseen("FROM x\nRUN --mount=type=ssh cargo build\n"), &["cargo-own-git:l"], "line 2");
    let set = "FROM x\nENV CARGO_NET_GIT_FETCH_WITH_CLI=true\nRUN --mount=type=ssh cargo build\n";
    is(&unseen(set), &["not-the-guest:l"], "asked for keys itself");
    // Poetry's own Git runs the guest.
    is(&unseen("FROM x\nRUN --mount=type=ssh poetry install\n"), &["not-the-guest:l"], "asked for keys itself");

    let poetry = with_output(build!("poetry-own-git"));
    is(&poetry, &["poetry-own-git:c"], "line 4 of Dockerfile");
    assert!(explain(&poetry)[0].remedy.contains("POETRY_SYSTEM_GIT_CLIENT=true"));
    let https = with_output(build!("https-address"));
    is(&https, &["https-address:c"], "by HTTPS");
    is(&with_output(build!("no-ssh")), &["no-ssh:c"], "line 4 of Dockerfile has no ssh client");
}

#[test]
fn limits_that_ran_out_are_told() {
    let with = |cause| Facts { refusals: vec![refused(cause)], logins: 1, ..facts("FROM x\n") };
    is(&with(Cause::Budget), &["budget:c"], "more often than the grant allows");
    is(&with(Cause::TimeLimit), &["time-limit:c"], "time limit");
    let early = Facts { ended_by: Some("time-limit".into()), ..facts("FROM x\n") };
    is(&early, &["time-limit:l"], "time limit");
    is(&Facts { exit_code: Some(0), ..early }, &["time-limit:p"], "time limit");
}

#[test]
fn what_was_not_granted_and_what_was_not_lent_are_told() {
    let with = |cause| Facts { refusals: vec![refused(cause)], ..facts("FROM x\n") };
    is(&with(Cause::NotGranted), &["not-granted:c"], "not granted");
    is(&with(Cause::Unbound), &["unbound:c"], "did not show to which host");
    is(&with(Cause::Stranger), &["stranger:l"], "not for");
    is(&with(Cause::Other), &["refused:p"], "never answered");
    is(&with_output(build!("not-forwarded")), &["not-forwarded:c"], "\"other\"");
    is(&with_output(build!("podman-not-forwarded")), &["not-forwarded:c"], "\"other\"");
    is(&with_output(build!("unreachable")), &["unreachable:c"], "127.0.0.1 could not be reached");
}

#[test]
fn a_step_from_the_cache_is_named_and_is_no_cause_of_a_failure() {
    for output in [build!("cached"), build!("podman-cached")] {
        let facts = Facts { exit_code: Some(0), ..with_output(output) };
        is(&facts, &["cached:c"], "line 3 of Dockerfile came from the build cache");
        assert_eq!(line(&facts), None);
    }
    let failed = with_output(build!("cached"));
    is(&failed, &["cached:p", "nothing-asked:p"], "build cache");
    assert!(line(&failed).unwrap().starts_with("the command failed, and nothing in it asked"));
    let unseen = Facts { exit_code: Some(0), watched: Watched::Terminal, ..facts("FROM x\nRUN --mount=type=ssh a\n") };
    is(&unseen, &["cached:l"], "line 2 of Dockerfile");
    assert_eq!(explain(&Facts { logins: 1, ..unseen }), []);
}

#[test]
fn the_line_of_a_run_is_there_where_access_may_be_the_cause_and_nowhere_else() {
    let told = line(&with_output(build!("no-mount")));
    assert_eq!(
        told.unwrap(),
        "the step on line 3 of Dockerfile has no ssh mount; \"valetkey doctor --last\" says more"
    );
    let bare = "FROM x\nRUN --mount=type=ssh git clone x\nRUN pip install x\n";
    assert!(line(&facts(bare)).unwrap().starts_with("perhaps the step on line 3"));
    let nothing = facts("FROM x\n");
    assert!(line(&nothing).is_some());
    for unrelated in [
        Facts { exit_code: Some(0), ..nothing.clone() },
        // Logins happened, and no sign.
        Facts { logins: 1, ..nothing.clone() },
        Facts { carried: 1, ..nothing.clone() },
        // `docker ps`, or secrets alone.
        Facts { lends: false, ..nothing.clone() },
        // Ctrl-C.
        Facts { exit_code: Some(130), ..nothing.clone() },
    ] {
        assert_eq!(line(&unrelated), None, "{unrelated:#?}");
    }
    let after_a_login = Facts { logins: 1, ..nothing };
    assert!(line(&Facts { refusals: vec![refused(Cause::Budget)], ..after_a_login.clone() }).is_some());
    assert!(line(&Facts { ended_by: Some("time-limit".into()), ..after_a_login }).is_some());
    assert!(line(&Facts { exit_code: Some(255), ..facts("FROM x\n") }).is_some(), "ssh's own failure is no signal");
}

#[test]
fn the_more_certain_come_first() {
    let mut facts = with_output(build!("host-unknown"));
    facts.refusals = vec![refused(Cause::Other), refused(Cause::Stranger)];
    assert_eq!(ids(&facts), ["host-unknown:c", "stranger:l", "refused:p"]);
}
