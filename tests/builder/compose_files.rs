//! The files that Compose would have found, with ours behind them.

use super::scripted::{Scripted, env, joined};

const OURS: &str = "/run/l/compose.valetkey.json";

fn probe(version: &str) -> Scripted {
    Scripted::new().answer("…version --short", version).answer("", r#"{"services": {"app": {"build": "."}}}"#)
}

fn found(mut probe: Scripted, line: &str) -> String {
    let plan = probe.plan(line).unwrap();
    let env = env(&plan);
    let list = env.iter().find_map(|set| set.strip_prefix("COMPOSE_FILE=")).unwrap_or_default();
    list.strip_suffix(OURS).unwrap_or(list).to_owned()
}

#[test]
fn the_nearest_folder_upwards_gives_the_first_name_and_its_override() {
    for (files, list) in [
        (vec!["/home/me/app/compose.yaml"], "/home/me/app/compose.yaml:"),
        (vec!["/home/me/docker-compose.yml", "/compose.yaml"], "/home/me/docker-compose.yml:"),
        (vec!["/home/me/app/compose.yml", "/home/me/app/compose.yaml"], "/home/me/app/compose.yaml:"),
        (
            vec!["/home/me/app/docker-compose.yaml", "/home/me/app/docker-compose.yml"],
            "/home/me/app/docker-compose.yml:",
        ),
        (
            vec!["/home/me/compose.yaml", "/home/me/compose.override.yaml", "/home/me/compose.override.yml"],
            "/home/me/compose.yaml:/home/me/compose.override.yml:",
        ),
        (
            vec!["/home/me/compose.yaml", "/home/me/docker-compose.override.yaml", "/home/me/app/compose.override.yml"],
            "/home/me/compose.yaml:/home/me/docker-compose.override.yaml:",
        ),
    ] {
        let probe = files.iter().fold(probe("2.40.3"), |probe, file| probe.file(file, ""));
        assert_eq!(found(probe, "docker compose build"), list, "{files:?}");
    }
}

#[test]
fn a_project_directory_is_where_the_search_begins() {
    for line in
        ["docker compose --project-directory /p/q build", "docker compose --project-directory=../../../p/q/. build"]
    {
        let probe = probe("2.40.3").file("/p/compose.yaml", "").file("/home/me/app/compose.yaml", "");
        assert_eq!(found(probe, line), "/p/compose.yaml:", "{line}");
    }
}

#[test]
fn compose_file_is_read_from_the_environment_and_from_env_files() {
    let at = "/home/me/app";
    for (vars, files, line, list) in [
        (vec![("COMPOSE_FILE", "a.yaml:../b.yaml")], vec![], "build", "/home/me/app/a.yaml:/home/me/b.yaml:"),
        (
            vec![("COMPOSE_FILE", "a,b:c"), ("COMPOSE_PATH_SEPARATOR", ",")],
            vec![],
            "build",
            "/home/me/app/a|/home/me/app/b:c|",
        ),
        (vec![("COMPOSE_FILE", "a")], vec![(".env", "COMPOSE_FILE=b")], "build", "/home/me/app/a:"),
        (
            vec![],
            vec![(".env", "COMPOSE_FILE=b;c\nCOMPOSE_PATH_SEPARATOR=;")],
            "build",
            "/home/me/app/b:/home/me/app/c:",
        ),
        (
            vec![],
            vec![(".env", "COMPOSE_FILE=b"), ("e", "COMPOSE_FILE=e.yaml")],
            "--env-file e build",
            "/home/me/app/e.yaml:",
        ),
        (
            vec![("COMPOSE_ENV_FILES", "e,f")],
            vec![("e", "COMPOSE_FILE=1"), ("f", "COMPOSE_FILE=2")],
            "build",
            "/home/me/app/2:",
        ),
        (vec![("D", "/d")], vec![(".env", "COMPOSE_FILE=${D}/x.yaml")], "build", "/d/x.yaml:"),
        (
            vec![("COMPOSE_DISABLE_ENV_FILE", "1")],
            vec![(".env", "COMPOSE_FILE=b"), ("compose.yaml", "")],
            "build",
            "/home/me/app/compose.yaml:",
        ),
    ] {
        let probe = vars.iter().fold(probe("2.40.3"), |probe, (name, value)| probe.var(name, value));
        let probe = files.iter().fold(probe, |probe, (name, text)| probe.file(&format!("{at}/{name}"), text));
        assert_eq!(found(probe, &format!("docker compose {line}")), list, "{vars:?} {files:?}");
    }
}

#[test]
fn releases_differ_in_which_env_file_names_the_files() {
    let app = "/home/me/app";
    for (version, env_files, line, list) in [
        // Beside the compose file: all but one release read it.
        ("2.24.5", vec![app], "build", "/home/me/app/b.yaml:"),
        ("2.26.1-4\n", vec![app], "build", "/home/me/app/b.yaml:"),
        ("v2.27.1", vec![app], "build", "/home/me/app/compose.yaml:"),
        ("v2.27.2", vec![app], "build", "/home/me/app/b.yaml:"),
        // Above the working directory, where the compose file was found.
        ("2.26.1", vec!["/home/me"], "build", "/home/me/app/b.yaml:"),
        ("2.40.3", vec!["/home/me"], "build", "/home/me/compose.yaml:"),
        // A project directory has its own.
        ("2.26.1", vec![app], "--project-directory /home/me/app build", "/home/me/app/b.yaml:"),
        ("2.26.1", vec!["/home/me"], "--project-directory /home/me/app build", "/home/me/compose.yaml:"),
    ] {
        // The compose file lies in the folder of the case, and only there.
        let compose = if list.contains("/home/me/compose") || env_files == ["/home/me"] { "/home/me" } else { app };
        let probe = probe(version).file(&format!("{compose}/compose.yaml"), "");
        let probe = env_files.iter().fold(probe, |probe, at| probe.file(&format!("{at}/.env"), "COMPOSE_FILE=b.yaml"));
        assert_eq!(found(probe, &format!("docker compose {line}")), list, "{version} {env_files:?} {line}");
    }
}

#[test]
fn typed_files_stay_as_typed_with_ours_behind_them() {
    for line in ["-f a.yaml -f sub/b.yaml", "--file=a.yaml", "-fa.yaml -p n", "-f oci://registry.example/x"] {
        let mut probe = probe("2.40.3").var("COMPOSE_FILE", "no").file("/home/me/app/compose.yaml", "");
        let plan = probe.plan(&format!("docker compose {line} build")).unwrap();
        assert_eq!(joined(&plan.args), format!("compose {line} -f {OURS} build"));
        assert!(plan.set_env.is_empty());
    }
}

#[test]
fn a_file_on_stdin_is_asked_about_kept_and_given_the_folder_that_it_had() {
    for (typed, now) in [
        ("-f -", "-f /run/l/compose.stdin.yaml --project-directory /home/me/app"),
        ("-f - -f ../x/b.yaml", "-f /run/l/compose.stdin.yaml -f ../x/b.yaml --project-directory /home/me/x"),
        ("-f b.yaml --file=-", "-f b.yaml --file=/run/l/compose.stdin.yaml"),
        ("-f - --project-directory /p", "-f /run/l/compose.stdin.yaml --project-directory /p"),
    ] {
        let mut probe = probe("2.40.3");
        probe.stdin = Some("services: {}".into());
        let plan = probe.plan(&format!("docker compose {typed} build")).unwrap();
        assert_eq!(joined(&plan.args), format!("compose {now} -f {OURS} build"));
        assert_eq!(plan.files[1], ("/run/l/compose.stdin.yaml".into(), "services: {}".to_owned()));
        assert!(probe.asked[0].0.starts_with(&format!("compose {typed} --profile")), "{:?}", probe.asked[0]);
        assert_eq!(probe.asked[0].1, "services: {}");
    }
}

#[test]
fn stdin_is_left_alone_where_no_file_comes_from_it() {
    // The scripted stdin is None: asking for it would panic.
    let probe = probe("2.40.3").file("/home/me/app/compose.yaml", "");
    assert_eq!(found(probe, "docker compose run app -"), "/home/me/app/compose.yaml:");
}
