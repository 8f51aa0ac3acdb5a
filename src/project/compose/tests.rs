use super::*;
use crate::project::reading::found;

#[test]
fn contexts_in_every_form_are_found() {
    let text = "services:\n  a:\n    build: git@h.example:org/a.git\n  b:\n    build:\n      context: https://h.example/org/b.git#v1\n\
        \x20     additional_contexts:\n        lib: ssh://git@h.example/org/lib.git\n        base: docker-image://a\n\
        \x20 c:\n    build:\n      context: .\n      additional_contexts:\n        - x=git@h.example:org/x.git\n        - y=../y\n\
        \x20     dockerfile_inline: |\n        FROM a\n        ADD git@h.example:org/d.git /d\n\
        \x20 e:\n    build: ${CONTEXT:-git@h.example:org/e.git}\n  f:\n    build: ${CONTEXT}\n  g:\n    build: ./${DIR}\n";
    assert_eq!(
        found(read, "compose.yaml", text),
        [
            "3 build context of a: ssh://git@h.example/org/a",
            "6 build context of b: https://h.example/org/b",
            "8 build context lib of b: ssh://git@h.example/org/lib",
            "14 build context x of c: ssh://git@h.example/org/x",
            "18 ADD: ssh://git@h.example/org/d",
            "20 build context of e: ssh://git@h.example/org/e",
            "22? build context of f: it is a variable",
        ]
    );
}

#[test]
fn included_and_extended_files_are_followed_inside_the_project() {
    let text = "include:\n  - a.yaml\n  - path: [sub/b.yaml, ../../out.yaml]\n  - git@h.example:org/r.git#main:x\n  - oci://h.example/x\n\
        services:\n  a:\n    extends: {file: ../base.yml, service: a}\n    build:\n      context: app\n      dockerfile: build.txt\n  b:\n    extends: a\n";
    let mut reading = Reading::default();
    read("deploy/compose.yaml", text, &mut reading);
    let followed: Vec<&str> = reading.follow.iter().map(|followed| followed.file.as_str()).collect();
    assert_eq!(followed, ["deploy/a.yaml", "deploy/sub/b.yaml", "base.yml", "deploy/app/build.txt"]);
    assert_eq!(
        found(read, "deploy/compose.yaml", text),
        [
            "4 an included compose file: ssh://git@h.example/org/r",
            "3? an included compose file outside of the project, which was not read",
        ]
    );
}

#[test]
fn patterns_of_private_modules_are_found_in_args_and_environment() {
    for set in [
        "environment: {GOPRIVATE: h.example}",
        "environment:\n      - GOPRIVATE=h.example",
        "build:\n      args: {GOPRIVATE: h.example}",
        "build:\n      args: [\"GOPRIVATE=h.example\"]",
    ] {
        let mut reading = Reading::default();
        read("compose.yaml", &format!("services:\n  a:\n    {set}\n"), &mut reading);
        (crate::project::go_mod::MODULES.read)("go.mod", "require h.example/org/a v1\n", &mut reading);
        assert_eq!(reading.resolved().needs.len(), 1, "{set}");
    }
}

#[test]
fn ten_thousand_services_are_read() {
    let services: String =
        (0..10_000).map(|at| format!("  s{at}:\n    build: git@h.example:org/r{at}.git\n")).collect();
    assert_eq!(found(read, "compose.yaml", &format!("services:\n{services}")).len(), 10_000);
}

#[test]
fn what_is_no_compose_file_gives_nothing_but_that() {
    for text in
        ["services: [", "a: b: c", "&a [*a]", "services: {a: {build: [x]}}", "- 1", "services:\n  a:\n    build:\n"]
    {
        assert!(found(read, "compose.yaml", text).iter().all(|line| line.contains('?')), "{text}");
    }
}
