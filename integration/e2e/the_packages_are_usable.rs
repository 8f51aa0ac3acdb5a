//! What valetkey is handed out as: the Debian package is installed and removed with dpkg in a Debian
//! image; the container image has the program as one static file, which works without anything else.

use std::path::PathBuf;

use valetkey_integration::engine::BASE_IMAGE;
use valetkey_integration::{Engine, Project, Run, folder};

/// What `integration/check` made.
fn made(variable: &str) -> PathBuf {
    std::env::var_os(variable)
        .map(PathBuf::from)
        .unwrap_or_else(|| panic!("{variable} is not set: run integration/check"))
}

#[test]
fn the_debian_package_is_installed_and_removed() {
    let engine = Engine::named("docker-28");
    // The base image leaves manual pages out of what is installed, this one is to have them.
    let steps = r#"COPY valetkey.deb /tmp/
RUN dpkg --path-include='/usr/share/man/*' --path-include='/usr/share/doc/*' -i /tmp/valetkey.deb
RUN valetkey --version && valetkey status && valetkey run --help | grep -q Examples
RUN gzip -t /usr/share/man/man1/valetkey.1.gz /usr/share/man/man1/valetkey-run.1.gz /usr/share/man/man1/valetkey-start.1.gz
RUN bash -c '. /usr/share/bash-completion/completions/valetkey && complete -p valetkey'
RUN ls /usr/share/zsh/vendor-completions/_valetkey /usr/share/fish/vendor_completions.d/valetkey.fish /usr/share/doc/valetkey/copyright
RUN dpkg --purge valetkey && ! command -v valetkey && [ -z "$(find / -xdev -name '*valetkey*' -not -path '/proc/*' -not -path '/tmp/*')" ]"#;
    let project = Project::with_steps(&steps.replace("RUN dpkg --path", "ARG JOB\nRUN : $JOB && dpkg --path"));
    std::fs::copy(made("VALETKEY_DEB"), project.file("valetkey.deb")).expect("the package");
    let job = format!("JOB={}", project.name);
    let build = ["build", "--network", "host", "--build-arg", &job, "--progress", "plain", "."];
    engine.command("docker").args(build).within(project.path()).succeed();
}

#[test]
fn the_container_image_holds_one_file_that_works_alone_and_in_another_image() {
    let engine = Engine::named("docker-28");
    let project = Project::new();
    let image = format!("{}-alone", project.name);
    let binary = made("VALETKEY_STATIC");
    let linked = Run::new("ldd").arg(&binary).finish();
    assert!(
        linked.output().contains("statically linked") || linked.output().contains("not a dynamic"),
        "{}",
        linked.report()
    );
    let dockerfile = folder().join("package/Dockerfile");
    let build = ["build", "--tag", &image, "--file"];
    let context = binary.parent().expect("a folder");
    engine.command("docker").args(build).arg(dockerfile).arg(context).succeed();
    let shown = engine.command("docker").args(["run", "--rm", "--network", "host", &image, "--version"]).succeed();
    assert!(shown.stdout.starts_with("valetkey "), "{}", shown.report());
    // It reads an image of itself, and finds no key.
    let audited = r#"docker save "$0" | docker run --rm --interactive --network host "$0" audit -"#;
    engine.command("bash").args(["-o", "pipefail", "-c", audited, &image]).succeed();
    let steps =
        format!("COPY --from={image} /valetkey /usr/local/bin/valetkey\nRUN valetkey status && valetkey host list");
    let project = project.write("Dockerfile", &format!("FROM {BASE_IMAGE}\n{steps}\n"));
    engine.command("docker").args(["build", "--network", "host", "."]).within(project.path()).succeed();
}
