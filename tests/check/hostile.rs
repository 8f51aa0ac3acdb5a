//! Damaged and hostile files: each is an answer within a limit of time and memory, or a clear error.

use std::io::Write as _;

use super::command::{check, folder, text};

/// Seconds of a processor, in a debug build. No file here may take longer.
const PATIENCE: u32 = 60;

fn checked(name: &str, content: &[u8]) -> String {
    let dir = folder(&[]);
    let path = dir.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::File::create(path).unwrap().write_all(content).unwrap();
    // 2 GiB of address space: a bomb would need far more.
    let limited = format!("ulimit -v 2097152 -t {PATIENCE}; exec \"$0\" check --fix");
    let done = std::process::Command::new("bash")
        .args(["-c", &limited, env!("CARGO_BIN_EXE_valetkey")])
        .current_dir(dir.path())
        .env("HOME", dir.path())
        .output()
        .unwrap();
    assert!(matches!(done.status.code(), Some(0 | 116 | 117)), "{name}: {done:?}");
    text(&done)
}

#[test]
fn a_line_of_10_mb_is_read() {
    let line = "x".repeat(10 << 20);
    let run = format!("FROM a\nRUN echo {line} && ssh-keyscan h\n");
    assert!(checked("Dockerfile", run.as_bytes()).contains("ssh-keyscan"));
    let words = format!("FROM a\nRUN echo {}\n", "$(a) ".repeat(2 << 20));
    assert!(checked("Dockerfile", words.as_bytes()).contains("not all of it was looked at"));
    let continued = format!("FROM a\nRUN ssh-keyscan h && x {}\n", "\\\n$(y)".repeat(500_000));
    let said = checked("Dockerfile", continued.as_bytes());
    assert!(said.contains("[ssh-keyscan]") && said.contains("not all of it was looked at"), "{said}");
    let yaml = format!("services: {{a: {{build: {{args: {{X: {line}}}}}}}}}\n");
    assert!(checked("compose.yaml", yaml.as_bytes()).contains("nothing found"));
    assert!(checked("docker-bake.hcl", format!("x = \"{line}\"\n").as_bytes()).contains("nothing found"));
    assert!(checked("docker-bake.json", format!("{{\"x\": \"{line}\"}}").as_bytes()).contains("nothing found"));
}

#[test]
fn a_file_past_the_limit_is_said_to_be_too_large() {
    let text = checked("Dockerfile", &vec![b'#'; (16 << 20) + 1]);
    assert!(text.contains("not read: it is larger than 16777216 bytes"), "{text}");
}

#[test]
fn values_that_stand_for_billions_are_refused_and_10_000_services_are_read() {
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for level in 1..12 {
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(",")));
    }
    assert!(checked("compose.yaml", bomb.as_bytes()).contains("it stands for more than"));
    let services: String = (0..10_000).map(|n| format!("  s{n}:\n    build:\n      args:\n        A: 1\n")).collect();
    assert!(checked("compose.yaml", format!("services:\n{services}").as_bytes()).contains("nothing found"));
    let nested = "[".repeat(1 << 20);
    assert!(checked(".gitlab-ci.yml", nested.as_bytes()).contains("not read"));
    assert!(checked("docker-bake.json", nested.as_bytes()).contains("not read"));
    assert!(checked("docker-bake.hcl", format!("x = {nested}").as_bytes()).contains("not read"));
}

#[test]
fn what_includes_or_extends_itself_is_read_once() {
    let dir = folder(&[
        ("compose.yaml", "include: [compose.yaml]\nservices: {a: {extends: {file: compose.yaml, service: a}}}\n"),
        (".gitlab-ci.yml", "include: .gitlab-ci.yml\na: {extends: b}\nb: {extends: a}\n"),
    ]);
    let done = check(dir.path(), &[]);
    assert_eq!(text(&done), "nothing found in 2 files\n");
}

#[test]
fn a_thousand_stages_scans_mounts_or_expressions_of_the_same_take_no_more_than_their_number() {
    let stages: String = (1..3000)
        .map(|n| format!("FROM s{} AS s{n}\nRUN ssh-keyscan h >> ~/.ssh/known_hosts\nRUN --mount=type=ssh x\n", n - 1))
        .collect();
    let commands = vec!["mkdir -m 600 ~/.ssh && ssh-keyscan h > ~/.ssh/known_hosts"; 4_000].join(" && ");
    for (name, text, is_cut) in [
        ("Dockerfile", stages, true),
        ("Dockerfile", format!("FROM a\nRUN {commands}\n"), false),
        ("Dockerfile", format!("FROM a\nRUN{} x\n", " --mount=type=ssh,id=x".repeat(20_000)), true),
        ("Dockerfile", format!("FROM a\n{}RUN echo $A\n", "ENV A=$A\n".repeat(20_000)), false),
        (
            "Dockerfile",
            format!("FROM a\nUSER b\n{}", "RUN --mount=type=ssh git clone git@h:o/r\n".repeat(10_000)),
            true,
        ),
        (
            ".github/workflows/a.yml",
            format!("jobs: {{a: {{steps: [{{run: '{}'}}]}}}}\n", "${{ ".repeat(300_000)),
            false,
        ),
        (
            ".gitlab-ci.yml",
            format!("a:\n  script:\n{}", "    - set -x\n    - docker build --build-arg T=$T .\n".repeat(4_000)),
            false,
        ),
        (
            ".github/workflows/a.yml",
            format!(
                "env:\n{}jobs:\n  a:\n    steps:\n{}",
                (0..20_000).map(|n| format!("  V{n}: x\n")).collect::<String>(),
                "      - run: echo $A $B > c\n".repeat(20_000)
            ),
            true,
        ),
    ] {
        let said = checked(name, text.as_bytes());
        assert_eq!(said.contains("not all of it was looked at"), is_cut, "{said}");
    }
}

#[test]
fn no_utf_8_is_fine_in_a_dockerfile_and_said_elsewhere() {
    assert!(checked("Dockerfile", b"FROM a\nRUN ssh-keyscan \xff\xfe\n").contains("ssh-keyscan"));
    for name in ["compose.yaml", "docker-bake.hcl", ".github/workflows/a.yml"] {
        assert!(checked(name, b"a: \xff\xfe\n").contains("not read: it is no UTF-8"), "{name}");
    }
}

#[test]
fn what_the_builder_itself_rejects_is_read_as_far_as_it_goes() {
    for text in [
        "RUN ssh-keyscan h\n",
        "FROM\nRUN ssh-keyscan h\n",
        "FROM a AS\nFORM b\nRUN --mount= --mount=type ssh-keyscan h\n",
        "FROM a\nRUN <<EOF\nssh-keyscan h\n",
        "FROM a\nRUN --mount=type=ssh,\"x ssh-keyscan h\nRUN ssh-keyscan h \\\n",
    ] {
        assert!(checked("Dockerfile", text.as_bytes()).contains("ssh-keyscan"), "{text}");
    }
    assert!(checked("Dockerfile", &[0; 4096]).contains("nothing found"));
}

#[test]
fn a_pipe_or_a_folder_with_the_name_of_a_dockerfile_is_not_waited_for() {
    let dir = folder(&[("Dockerfile/x", "")]);
    let made = std::process::Command::new("mkfifo").arg(dir.path().join("app.Dockerfile")).status().unwrap();
    assert!(made.success());
    let done = check(dir.path(), &[]);
    assert_eq!(done.status.code(), Some(117));
    assert!(text(&done).contains("app.Dockerfile: not read: it is no regular file"), "{}", text(&done));
}
