use super::*;
use crate::project::reading::found;

#[test]
fn repositories_are_found_with_their_lines() {
    let text = r#"# syntax=docker/dockerfile:1
ARG REPO=git@h.example:org/e.git
FROM a AS build
ADD --keep-git-dir git@h.example:org/a.git#v1 /a
ADD https://h.example/org/b.git#v1 /b
ADD https://h.example/b.tar.gz a.txt /b/
ADD ["git@h.example:org/c.git", "/c d"]
RUN --mount=type=ssh set -eux; \
    # why
    git clone git@h.example:org/d.git && \
    git clone "$REPO" /e
RUN ["git", "clone", "ssh://git@h.example/org/f.git"]
RUN ["sh", "-c", "git clone ssh://git@h.example/org/g.git"]
RUN <<EOF
set -e
git clone ssh://git@h.example/org/h.git
EOF
COPY --from=build git@h.example:org/no.git /
COPY <<EOF /x
git clone ssh://git@h.example/org/no.git
EOF
ONBUILD RUN git clone git@h.example:org/i.git
"#;
    assert_eq!(
        found(read, "Dockerfile", text),
        [
            "4 ADD: ssh://git@h.example/org/a",
            "5 ADD: https://h.example/org/b",
            "7 ADD: ssh://git@h.example/org/c",
            "10 RUN git clone: ssh://git@h.example/org/d",
            "11 RUN git clone: ssh://git@h.example/org/e",
            "12 RUN git clone: ssh://git@h.example/org/f",
            "13 RUN git clone: ssh://git@h.example/org/g",
            "16 RUN git clone: ssh://git@h.example/org/h",
            "22 RUN git clone: ssh://git@h.example/org/i",
        ]
    );
}

#[test]
fn what_a_dockerfile_tells_go_and_git_counts_for_the_modules() {
    for set in [
        "ENV GOPRIVATE=h.example A=b",
        "ENV GOPRIVATE h.example",
        "ARG GOPRIVATE=h.example",
        "ARG H=h.example\nENV GOPRIVATE=${H}/*",
    ] {
        let mut reading = Reading::default();
        let rule = "git config --global url.\"git@h.example:\".insteadOf \"https://h.example/\"";
        read("Dockerfile", &format!("FROM a\n{set}\nRUN {rule} && go mod download\n"), &mut reading);
        (crate::project::go_mod::MODULES.read)("go.mod", "require h.example/org/a v1\n", &mut reading);
        let needs = reading.resolved().needs;
        let found: Vec<String> = needs.iter().map(|need| need.address.to_string()).collect();
        assert_eq!(found, ["ssh://git@h.example/org/a"], "{set}");
    }
}

#[test]
fn the_usual_names_are_wanted_and_no_others() {
    for path in ["Dockerfile", "a/Dockerfile.dev", "app.Dockerfile", "app.dockerfile", "Containerfile"] {
        assert!((FORMAT.wants)(path), "{path}");
    }
    for path in ["Dockerfile.dockerignore", "dockerfiles", "MyDockerfile", "Dockerfile/x"] {
        assert!(!(FORMAT.wants)(path), "{path}");
    }
}

#[test]
fn many_words_that_are_not_found_in_the_text_take_no_longer_than_the_text() {
    let begin = std::time::Instant::now();
    let clones = "git clone 'git@h.exa'mple:o/r.git;".repeat(50_000);
    let mut reading = Reading::default();
    read("Dockerfile", &format!("FROM a\nRUN {clones}\n"), &mut reading);
    assert!(reading.resolved().needs.len() == 1);
    assert!(begin.elapsed().as_secs() < 20, "{:?}", begin.elapsed());
}

#[test]
fn onbuild_before_onbuild_is_followed_so_far_and_no_further() {
    let text = |times: usize| format!("{}RUN git clone git@h.example:o/r\n", "ONBUILD ".repeat(times));
    assert_eq!(found(read, "Dockerfile", &text(MAX_ONBUILD)).len(), 1);
    assert_eq!(found(read, "Dockerfile", &text(MAX_ONBUILD + 1)).len(), 0);
}
