//! More than one small clone: eight at once, a large repository, shallow and partial clones,
//! submodules, and a fetch in a later step. What arrives is whole.

use std::path::Path;

use valetkey_integration::gateway_build::{GRANTED, sessions};
use valetkey_integration::{Engine, GatewayBuild, GitServer, Run};

const ENGINE: &str = "docker-28";
/// Bytes of the large repository: random, so that no compression makes it small.
const LARGE: usize = 200 * 1000 * 1000;

/// A shell script with Git at a repository of the server, as root, whose it is not.
fn at_the_server(server: &GitServer, name: &str, script: &str) {
    let path = server.state().join("srv/repositories").join(name);
    let author = ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"];
    let run = author.iter().fold(Run::new("sh"), |run, variable| run.env(variable, "tests@valetkey.invalid"));
    let run = run.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "safe.directory").env("GIT_CONFIG_VALUE_0", "*");
    run.args(["-e", "-c", script]).env("GIT_DIR", path).succeed();
}

/// A file of random bytes.
fn write_random(path: &Path, bytes: usize) {
    Run::new("sh").args(["-c", "head -c \"$0\" /dev/urandom >\"$1\"", &bytes.to_string()]).arg(path).succeed();
}

#[test]
fn eight_clones_at_once() {
    let clones = "{step} for n in 1 2 3 4 5 6 7 8; do { git clone -q {url} /$n && git -C /$n fsck; } & pids=\"$pids $!\"; done; \
        for pid in $pids; do wait $pid || exit 1; done";
    let build = GatewayBuild::with_steps(clones);
    assert_eq!(sessions(&build.run(&Engine::named(ENGINE))), 8);
}

#[test]
fn a_large_repository() {
    let source = tempfile::tempdir().expect("a temp folder");
    write_random(&source.path().join("random"), LARGE);
    let build = GatewayBuild::new().granting(&["large/random"]);
    build.server.add_repository("large/random.git", source.path());
    let url = build.server.url("large/random.git");
    // A tmpfs, because the clone is no part of what is tested.
    let step = format!(
        "RUN --mount=type=ssh --mount=type=tmpfs,target=/clone {{fresh}} git clone -q --bare {url} /clone/it && \
         git -C /clone/it fsck --full && git -C /clone/it cat-file -s HEAD:random"
    );
    let build = build.stepping(&step);
    let finished = build.build(&Engine::named(ENGINE)).succeed().expect(&LARGE.to_string()).expect_not("refused");
    build.expect_logins(&finished, 1);
    let finished = finished.expect(&build.carried("large/random"));
    assert!(finished.stderr.contains("1 session, 200."), "{}", finished.report());
}

/// Shallow, then all of the rest in a later step; and partial, where the blobs come later.
#[test]
fn shallow_and_partial_clones_and_a_fetch_in_a_later_step() {
    let build = GatewayBuild::with_steps(
        "{step} git clone --depth 1 {url} /shallow && git -C /shallow rev-parse --is-shallow-repository | grep true\n\
         {step} git -C /shallow fetch --unshallow && git -C /shallow log --format=%s | grep 'The first version'\n\
         {step} git clone --filter=blob:none --no-checkout {url} /partial && \
         git -C /partial rev-list --objects --all --missing=print | grep -q '^?'\n\
         {step} git -C /partial checkout -q main && test -s /partial/pyproject.toml && git -C /partial fsck",
    );
    let repository = format!("{GRANTED}.git");
    at_the_server(
        &build.server,
        &repository,
        "git config uploadpack.allowFilter true; commit=$(git commit-tree -p main -m second 'main^{tree}'); \
        git update-ref refs/heads/main $commit",
    );
    // Git decides how often it fetches blobs; each time is a session and a login.
    assert!(sessions(&build.run(&Engine::named(ENGINE))) >= 4);
}

/// A submodule by a URL of its own, and one by a URL relative to the outer's; what they name has
/// to be granted like any repository.
#[test]
fn submodules_that_are_granted_and_no_others() {
    let build = GatewayBuild::new();
    build.server.add_package("team/outer.git");
    // The two have the same files and so the same first commit: the submodule is at that one.
    let url = build.server.url(&format!("{GRANTED}.git"));
    let module = |path: &str, url: &str| format!("[submodule \\\"{path}\\\"]\\n\\tpath = {path}\\n\\turl = {url}\\n");
    let modules = [module("part", &url), module("near", &format!("../../{GRANTED}.git"))].concat();
    let add = format!(
        "export GIT_INDEX_FILE=$GIT_DIR/index; git read-tree main; \
        modules=$(printf \"{modules}\" | git hash-object -w --stdin); \
        git update-index --add --cacheinfo 100644,$modules,.gitmodules; \
        for path in part near; do git update-index --add --cacheinfo 160000,$(git rev-parse main),$path; done; \
        commit=$(git commit-tree -p main -m part $(git write-tree)); git update-ref refs/heads/main $commit"
    );
    at_the_server(&build.server, "team/outer.git", &add);
    let outer = build.server.url("team/outer.git");
    let clone = format!(
        "{{step}} git clone --recurse-submodules {outer} /outer && \
         test -s /outer/part/pyproject.toml && test -s /outer/near/pyproject.toml"
    );
    // And where the builder would fetch it itself.
    let added = format!(
        "{clone}\nADD {outer} /added\n\
         RUN test -s /added/part/pyproject.toml && test -s /added/near/pyproject.toml && ! find /added -name .git | grep ."
    );
    let build = build.granting(&["team/outer", GRANTED]).stepping(&added);
    let finished = build.build(&Engine::named(ENGINE)).succeed().expect_not("refused");
    build.expect_logins(&finished, 6);

    let build = build
        .granting(&["team/outer"])
        .stepping(&clone.replace("/outer", "/outer2").replace("team/outer2", "team/outer"));
    let finished = build.build(&Engine::named(ENGINE)).finish().expect_failure();
    finished.expect(&format!("valetkey: [127.0.0.1]:{}/{GRANTED} is not granted", build.server.port));
}
