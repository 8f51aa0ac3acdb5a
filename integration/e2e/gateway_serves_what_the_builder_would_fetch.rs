//! Repositories that a builder fetches itself, past the guest: `ADD git@…`, a Git URL as the
//! build context, and as a named context. The gateway serves them from a clone on this machine:
//! the same files, the same pins, the same grants; and a hostile repository gains nothing.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use valetkey_integration::engine::BASE_IMAGE;
use valetkey_integration::private_build::private_text;
use valetkey_integration::{Engine, Finished, GatewayBuild, GitServer, Run};

/// A build without any step, whose Dockerfile has these lines behind the base image.
fn with_lines(lines: &str) -> GatewayBuild {
    let build = GatewayBuild::new();
    let text = build.filled(&format!("FROM {BASE_IMAGE}\n{lines}\n"));
    build.writing("Dockerfile", &text)
}

/// Adds a repository with what `fill` puts into its folder.
fn add_repository(server: &GitServer, name: &str, fill: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().expect("a temp folder");
    fill(folder.path());
    server.add_repository(name, folder.path());
}

/// A build that may read `platform/recipe.git` too, which holds what `fill` puts there.
fn with_recipe(fill: impl FnOnce(&Path)) -> GatewayBuild {
    let build = GatewayBuild::new().granting(&["platform/omnibus", "platform/recipe"]);
    add_repository(&build.server, "platform/recipe.git", fill);
    build
}

fn write(path: impl AsRef<Path>, text: &str) {
    fs::create_dir_all(path.as_ref().parent().expect("a folder")).expect("a folder");
    fs::write(path, text).expect("a file");
}

fn commit(server: &GitServer) -> String {
    let path = server.state().join("srv/repositories/platform/omnibus.git");
    let git = Run::new("git").args(["-c", "safe.directory=*", "--git-dir"]).arg(path);
    git.args(["rev-parse", "v1.0.0^{commit}"]).succeed().stdout.trim().to_owned()
}

fn shown(engine: &Engine, image: &str, script: &str) -> String {
    engine.in_image(image, &["sh", "-c", script]).succeed().stdout
}

const ADDS: &str = "ADD {url} /plain\n\
    ADD --chown=1000:1000 \\\n  {url}#v1.0.0:omnibus /sub/\n\
    ADD --keep-git-dir=true --checksum={commit} {url}#main /kept";

fn adds(engine: &str) {
    let engine = Engine::named(engine);
    let build = with_lines("");
    let sum = commit(&build.server);
    let lines = build.filled(&ADDS.replace("{commit}", &sum));
    let build = build.writing("Dockerfile", &format!("FROM {BASE_IMAGE}\n{lines}\n"));
    let finished =
        build.build(&engine).succeed().expect(&build.carried("platform/omnibus")).expect(&format!(" at {sum}"));
    let found = shown(
        &engine,
        &build.project.name,
        "cat /plain/omnibus/__init__.py /sub/__init__.py /kept/omnibus/__init__.py
         stat -c %u /sub/__init__.py; ls -d /plain/.git; git -c safe.directory='*' -C /kept status --porcelain
         git -c safe.directory='*' -C /kept rev-parse HEAD",
    );
    assert_eq!(found, format!("{}1000\n{sum}\n", private_text().repeat(3)), "{}", finished.report());
    // HEAD, the tag, and main with its `.git`: three clones, one login each.
    build.expect_logins(&finished, 3);
}

#[test]
fn an_add_on_docker_28() {
    adds("docker-28");
}

#[test]
fn an_add_on_podman() {
    adds("podman");
}

#[test]
fn an_add_is_cached_and_says_no_name_that_the_dockerfile_did_not() {
    let engine = Engine::named("docker-28");
    let build = with_lines("ADD {url}#v1.0.0 /plain");
    build.build(&engine).succeed();
    let again = build.build(&engine).succeed();
    again.expect("CACHED").expect_not("refused");
    let config = engine.command("docker").args(["image", "inspect", &build.project.name]).succeed().stdout;
    let history = engine.command("docker").args(["history", "--no-trunc", &build.project.name]).succeed().stdout;
    assert!(history.contains("COPY"), "{history}");
    for text in [config, history] {
        assert!(!text.contains("omnibus") && !text.contains("127.0.0.1"), "{text}");
    }
}

/// The recipe of a Git context: a step that clones, and a file of the context.
fn recipe(folder: &Path, build_of: &str) {
    let text = format!(
        "FROM {BASE_IMAGE}\nRUN rm /usr/bin/ssh\nCOPY hello /\n\
         RUN --mount=type=ssh git clone -q $(cat /hello) /cloned && : {build_of}\n"
    );
    write(folder.join("docker/Dockerfile"), &text);
    write(folder.join("docker/secret"), "left out");
    write(folder.join("docker/.dockerignore"), "secret\n");
}

/// A build of `platform/recipe.git`, whose steps clone the granted package.
fn of_recipe() -> GatewayBuild {
    let build = GatewayBuild::new().granting(&["platform/omnibus", "platform/recipe"]);
    add_repository(&build.server, "platform/recipe.git", |folder| {
        recipe(folder, &build.project.name);
        write(folder.join("docker/hello"), &build.server.url("platform/omnibus.git"));
    });
    build
}

fn expect_cloned(engine: &Engine, image: &str, finished: &Finished) {
    let found = shown(engine, image, "cat /cloned/omnibus/__init__.py");
    assert_eq!(found, private_text(), "{}", finished.report());
}

fn builds_context(engine: &str) {
    let engine = Engine::named(engine);
    let build = of_recipe();
    let context = format!("{}#main:docker", build.server.url("platform/recipe.git"));
    let command = [engine.tool(), "build", "--network", "host", "--tag", &build.project.name, &context];
    let finished = build.lend(&engine).args(command).succeed();
    let finished = finished.expect(&build.carried("platform/recipe")).expect(&build.carried("platform/omnibus"));
    expect_cloned(&engine, &build.project.name, &finished);
    build.expect_logins(&finished, 2);
}

#[test]
fn a_git_context_on_docker_28() {
    builds_context("docker-28");
}

#[test]
fn a_git_context_on_podman() {
    builds_context("podman");
}

#[test]
fn a_git_context_of_a_compose_service_and_its_named_context() {
    let engine = Engine::named("docker-28");
    let build = of_recipe();
    let (recipe, package) = (build.server.url("platform/recipe.git"), build.server.url("platform/omnibus.git"));
    let text = format!(
        "name: {}\nservices:\n  app:\n    build: {{context: '{recipe}#main:docker', network: host}}\n  \
         lib:\n    build:\n      context: .\n      network: host\n      additional_contexts: {{package: '{package}'}}\n",
        build.project.name
    );
    let build = build.writing("compose.yaml", &text);
    let build = build.writing("Dockerfile", &format!("FROM {BASE_IMAGE}\nCOPY --from=package . /cloned\n"));
    let finished = build.lend(&engine).args(["docker", "compose", "build"]).succeed();
    for service in ["app", "lib"] {
        expect_cloned(&engine, &format!("{}-{service}", build.project.name), &finished);
    }
}

/// bake, with a Git context, a named one, and an inline Dockerfile.
#[test]
fn bake_with_a_git_context_a_named_one_and_an_inline_dockerfile() {
    let engine = Engine::named("docker-28");
    let build = of_recipe();
    let (recipe, package) = (build.server.url("platform/recipe.git"), build.server.url("platform/omnibus.git"));
    let name = &build.project.name;
    let text = format!(
        "group \"default\" {{ targets = [\"app\", \"lib\", \"in\"] }}\n\
         target \"app\" {{\n context = \"{recipe}#main:docker\"\n network = \"host\"\n tags = [\"{name}-app\"]\n}}\n\
         target \"lib\" {{\n contexts = {{ package = \"{package}\" }}\n tags = [\"{name}-lib\"]\n}}\n\
         target \"in\" {{\n network = \"host\"\n tags = [\"{name}-in\"]\n dockerfile-inline = <<EOF\n{}EOF\n}}\n",
        inline(&package)
    );
    let build = build.writing("docker-bake.hcl", &text);
    let build = build.writing("Dockerfile", &format!("FROM {BASE_IMAGE}\nCOPY --from=package . /cloned\n"));
    let finished = build.lend(&engine).args(["docker", "buildx", "bake", "--allow", "network.host"]).succeed();
    for target in ["app", "lib", "in"] {
        expect_cloned(&engine, &format!("{}-{target}", build.project.name), &finished);
    }
}

/// A Dockerfile with a variable of its own, as HCL and Compose write it in theirs.
fn inline(url: &str) -> String {
    format!(
        "FROM {BASE_IMAGE}\nRUN rm /usr/bin/ssh\nARG X=1\n\
         RUN --mount=type=ssh test $${{X}} = 1 && git clone -q {url} /cloned\n"
    )
}

/// Its HCL files know no `network`, its Compose files do.
#[test]
fn bake_of_docker_26_with_an_inline_dockerfile() {
    let engine = Engine::named("docker-26");
    let build = GatewayBuild::new();
    let lines = inline(&build.server.url("platform/omnibus.git")).replace('\n', "\n        ");
    let name = &build.project.name;
    let text = format!(
        "services:\n  app:\n    image: {name}\n    build:\n      network: host\n      dockerfile_inline: |\n        {lines}\n"
    );
    let build = build.writing("compose.yaml", &text);
    let finished = build.lend(&engine).args(["docker", "buildx", "bake"]).succeed();
    expect_cloned(&engine, &build.project.name, &finished);
}

#[test]
fn a_dockerfile_on_stdin_without_a_context() {
    let engine = Engine::named("docker-28");
    let build = GatewayBuild::with_steps("{step} git clone {url} /cloned");
    let dockerfile = fs::File::open(build.project.path().join("Dockerfile")).expect("a Dockerfile");
    let run = build.lend(&engine).args(["docker", "build", "--network", "host", "--tag", &build.project.name, "-"]);
    let finished = build.check(run.stdin(dockerfile));
    expect_cloned(&engine, &build.project.name, &finished);
}

#[test]
fn a_repository_that_is_not_granted_is_not_added() {
    let build = with_lines("ADD {url} /plain");
    build.server.add_package("platform/payroll.git");
    let other = build.server.url("platform/payroll.git");
    let build = build.writing("Dockerfile", &format!("FROM {BASE_IMAGE}\nADD {other} /plain\n"));
    let finished = build.build(&Engine::named("docker-28")).finish().expect_failure();
    finished
        .expect("error: failed to clone")
        .expect(&format!("[127.0.0.1]:{}/platform/payroll is not granted to this build", build.server.port))
        .expect("hint: ");
    assert_eq!(build.server.accepted(), 0, "{}", build.server.log());
}

#[test]
fn a_commit_that_the_checksum_does_not_name_is_not_added() {
    let sum = "0123456789abcdef0123456789abcdef01234567";
    let build = with_lines(&format!("ADD --checksum={sum} {{url}} /plain"));
    let finished = build.build(&Engine::named("docker-28")).finish().expect_failure();
    finished.expect(&format!("it asks for commit {sum}, and the repository has {}", commit(&build.server)));
}

/// A server whose host key is another one than was pinned.
#[test]
fn a_changed_host_key_is_not_cloned_from() {
    let build = with_lines("ADD {url} /plain");
    let other = GitServer::up();
    let pinned = fs::read_to_string(other.known_hosts())
        .expect("pins")
        .replace(&other.port.to_string(), &build.server.port.to_string());
    let config = fs::read_to_string(build.project.path().join("valetkey.toml")).expect("a config");
    let config = config.replace(&build.server.known_hosts().display().to_string(), "pins");
    let build = build.writing("pins", &pinned).writing("valetkey.toml", &config);
    build.build(&Engine::named("docker-28")).finish().expect_failure().expect("the host key of").expect("has changed");
    assert_eq!(build.server.accepted(), 0, "{}", build.server.log());
}

/// Builds a hostile repository as the context: it must fail for this reason, or build an image in
/// which nothing of this machine is.
#[track_caller]
fn hostile(fragment: &str, fill: impl FnOnce(&Path)) -> (GatewayBuild, Engine, Finished) {
    let engine = Engine::named("docker-28");
    let build = with_recipe(fill);
    let context = format!("{}{fragment}", build.server.url("platform/recipe.git"));
    let command = ["docker", "build", "--network", "host", "--tag", &build.project.name, &context];
    let finished = build.lend(&engine).args(command).env("PRIVATE_FILE", "x").finish();
    (build, engine, finished)
}

#[test]
fn a_dockerfile_that_links_to_a_file_of_this_machine_is_not_read() {
    let outside = tempfile::NamedTempFile::new().expect("a file");
    fs::write(outside.path(), "FROM scratch\nLABEL a=the-private-file\n").expect("written");
    let (_, _, finished) = hostile("", |folder| symlink(outside.path(), folder.join("Dockerfile")).expect("a link"));
    finished.expect_failure().expect("it is a link that leads out of the repository").expect_not("the-private-file");
}

#[test]
fn a_subfolder_that_links_to_a_folder_of_this_machine_is_not_sent() {
    let outside = tempfile::tempdir().expect("a folder");
    write(outside.path().join("Dockerfile"), "FROM scratch\nCOPY private /\n");
    write(outside.path().join("private"), "x");
    let (_, _, finished) = hostile("#main:out", |folder| symlink(outside.path(), folder.join("out")).expect("a link"));
    finished.expect_failure().expect("it is a link that leads out of the repository");
}

#[test]
fn hooks_filters_and_submodules_of_a_repository_run_nothing_on_this_machine() {
    let outside = tempfile::tempdir().expect("a folder");
    let mark = outside.path().join("mark");
    let attack = format!("touch {}", mark.display());
    let (build, engine, finished) = hostile("", |folder| {
        write(folder.join("Dockerfile"), &format!("FROM {BASE_IMAGE}\nCOPY . /all\n"));
        write(folder.join(".gitattributes"), "* filter=evil\n");
        write(
            folder.join(".gitconfig"),
            &format!("[filter \"evil\"]\n\tsmudge = {attack}\n[core]\n\tfsmonitor = {attack}\n"),
        );
        write(folder.join("hooks/post-checkout"), &format!("#!/bin/sh\n{attack}\n"));
        let modules = format!(
            "[submodule \"a\"]\n\tpath = a\n\turl = file://{}\n\tupdate = !{attack}\n\
             [submodule \"b\"]\n\tpath = b\n\turl = ext::{attack}\n",
            outside.path().display()
        );
        write(folder.join(".gitmodules"), &modules);
    });
    // The positive control: what is a plain file in there is in the image.
    let finished = finished.expect(&build.carried("platform/recipe"));
    assert_eq!(finished.code, 0, "{}", finished.report());
    let names = shown(&engine, &build.project.name, "ls -A /all");
    assert!(
        names.contains("hooks") && names.contains(".gitmodules") && !names.lines().any(|name| name == ".git"),
        "{names}"
    );
    assert!(!mark.exists(), "the repository ran a command: {}", finished.report());
}

#[test]
fn a_lease_that_has_ended_leaves_no_clone() {
    let engine = Engine::named("docker-28");
    let runtime = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir();
    let runtime = runtime.expect("a folder");
    let build = with_lines("ADD {url}#v1.0.0 /plain");
    build.build(&engine).env("XDG_RUNTIME_DIR", runtime.path()).succeed();
    let left = Run::new("find").arg(runtime.path()).args(["-mindepth", "2", "-not", "-name", ".lock"]).succeed().stdout;
    assert_eq!(left, "", "the clone stayed");
}
