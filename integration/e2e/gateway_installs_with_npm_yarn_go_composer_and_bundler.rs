//! The package managers that run Git themselves, through the gateway: two private packages, in an
//! image without any SSH client, with the Dockerfile as people write it. Where both are granted,
//! both are installed and run, and the receipt names them and no other; where one is not, the
//! tool fails and shows why.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use valetkey_integration::engine::TOOLS_IMAGE;
use valetkey_integration::{Engine, Finished, GatewayBuild, Project, folder};

const ENGINE: &str = "docker-28";
const PACKAGES: [&str; 2] = ["pricing", "rounding"];

/// A project that depends on both packages.
struct Tool {
    /// What is copied into the image. `{pricing}` and `{rounding}` are the URLs of the packages.
    files: &'static [(&'static str, &'static str)],
    /// Behind `FROM`, `WORKDIR /app` and `COPY . ./`.
    steps: &'static str,
    /// Prints what both packages say.
    show: &'static str,
}

const PACKAGE_JSON: &str = r#"{"name": "orders", "version": "1.0.0", "private": true, "dependencies": {
    "pricing": "git+{pricing}#v1.0.0", "rounding": "git+{rounding}#v1.0.0"}}"#;
const NODE: &str = r#"node -e 'console.log(require("pricing"), require("rounding"))'"#;

const NPM: Tool = Tool {
    files: &[("package.json", PACKAGE_JSON)],
    steps: "{step} npm install --no-audit && npm ci --no-audit",
    show: NODE,
};

/// Yarn asks for archives (`git archive --remote`) where the server has them.
const YARN_1: Tool = Tool { files: &[("package.json", PACKAGE_JSON)], steps: "{step} yarn install", show: NODE };

const YARN_4: Tool = Tool {
    files: &[
        ("package.json", PACKAGE_JSON),
        (
            ".yarnrc.yml",
            "yarnPath: /opt/yarn-4/node_modules/@yarnpkg/cli-dist/bin/yarn.js\nnodeLinker: node-modules\nenableTelemetry: false\napprovedGitRepositories: [\"ssh://git@127.0.0.1:*/**\"]\n",
        ),
    ],
    steps: "{step} yarn install",
    show: NODE,
};

const GO: Tool = Tool {
    files: &[
        (
            "go.mod",
            "module orders\n\ngo 1.19\n\nrequire (\n\tgithub.com/platform/pricing v1.0.0\n\tgithub.com/platform/rounding v1.0.0\n)\n",
        ),
        (
            "main.go",
            "package main\n\nimport (\n\tpricing \"github.com/platform/pricing\"\n\trounding \"github.com/platform/rounding\"\n)\n\nfunc main() {\n\tprintln(pricing.Name(), rounding.Name())\n}\n",
        ),
    ],
    steps: "ENV GOPRIVATE=github.com/platform GOFLAGS=-mod=mod CGO_ENABLED=0\n\
        RUN git config --global url.{server}.insteadOf https://github.com/\n\
        {step} go mod download\n\
        RUN go build -o /usr/local/bin/orders .",
    show: "orders 2>&1",
};

const COMPOSER: Tool = Tool {
    files: &[(
        "composer.json",
        r#"{"require": {"platform/pricing": "1.0.0", "platform/rounding": "1.0.0"}, "repositories": [
            {"packagist.org": false}, {"type": "vcs", "url": "{pricing}"}, {"type": "vcs", "url": "{rounding}"}]}"#,
    )],
    steps: "ENV COMPOSER_ALLOW_SUPERUSER=1\n{step} composer install --no-interaction --no-progress",
    show: r#"php -r 'require "vendor/autoload.php"; echo pricing(), " ", rounding(), "\n";'"#,
};

const BUNDLER: Tool = Tool {
    files: &[(
        "Gemfile",
        "source \"https://rubygems.org\"\n\ngem \"pricing\", git: \"{pricing}\", tag: \"v1.0.0\"\ngem \"rounding\", git: \"{rounding}\", tag: \"v1.0.0\"\n",
    )],
    steps: "{step} bundle install",
    show: r#"bundle exec ruby -e 'require "pricing"; require "rounding"; puts [Pricing::NAME, Rounding::NAME].join(" ")'"#,
};

/// A package that says its name, in every language; `examples/pricing` under another name.
fn package(name: &str) -> Project {
    let source = folder().join("examples/pricing");
    let renamed = |text: &str| {
        let capital = name[..1].to_uppercase() + &name[1..];
        text.replace("pricing", name).replace("Pricing", &capital)
    };
    let mut project = Project::new();
    for path in [
        "package.json",
        "index.js",
        "yarn.lock",
        "go.mod",
        "pricing.go",
        "composer.json",
        "pricing.php",
        "pricing.gemspec",
        "lib/pricing.rb",
    ] {
        let text = fs::read_to_string(source.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        project = project.write(&renamed(path), &renamed(&text));
    }
    project
}

/// A build whose grant names these of the packages; the key opens both.
fn granting(granted: &[&str], tool: &Tool) -> GatewayBuild {
    let mut build = GatewayBuild::new();
    for name in PACKAGES {
        build.server.add_repository(&format!("platform/{name}.git"), package(name).path());
    }
    let repos: Vec<String> = granted.iter().map(|name| format!("platform/{name}")).collect();
    build = build.granting(&repos.iter().map(String::as_str).collect::<Vec<_>>());
    let filled = |text: &str| {
        let text = PACKAGES.iter().fold(text.to_owned(), |text, name| {
            text.replace(&format!("{{{name}}}"), &build.server.url(&format!("platform/{name}.git")))
        });
        build.filled(&text).replace("{server}", &build.server.url(""))
    };
    let text = format!("FROM {TOOLS_IMAGE}\nWORKDIR /app\nCOPY . ./\n{}\n", tool.steps);
    let files: Vec<_> = tool.files.iter().map(|(path, content)| (*path, filled(content))).collect();
    let files =
        [files, vec![("Dockerfile", filled(&text)), (".dockerignore", "Dockerfile\nvaletkey.toml\n".into())]].concat();
    files.iter().fold(build, |build, (path, content)| build.writing(path, content))
}

/// How the build ended, and its receipt.
fn built(build: &GatewayBuild) -> (Finished, Value) {
    let receipts = tempfile::tempdir().expect("a temp folder");
    let receipt = receipts.path().join("receipt.json");
    let flags = ["--receipt", receipt.to_str().expect("a plain path")];
    let run = build.lend_with(&Engine::named(ENGINE), &flags).args(build.command(&Engine::named(ENGINE)));
    let finished = run.args(["--progress", "plain"]).finish();
    let text = fs::read_to_string(&receipt).unwrap_or_else(|error| panic!("{error}\n{}", finished.report()));
    (finished, serde_json::from_str(&text).expect("JSON"))
}

/// The repositories of which the receipt says that they were read.
fn read(receipt: &Value) -> BTreeSet<&str> {
    let carried = receipt["repositories"].as_array().expect("repositories");
    carried.iter().map(|one| one["repository"].as_str().expect("a name")).collect()
}

#[track_caller]
fn installs(tool: &Tool) {
    let build = granting(&PACKAGES, tool);
    let (finished, receipt) = built(&build);
    let finished = finished.expect_code(0).expect_not("refused");
    assert_eq!(read(&receipt), PACKAGES.map(|name| ["platform/", name].concat()).iter().map(String::as_str).collect());
    let sessions = receipt["repositories"].as_array().map_or(0, Vec::len);
    build.expect_logins(&finished, sessions);
    // Neither a client that the image had all along nor the guest.
    let show = format!("! command -v ssh && {}", tool.show);
    let shown = Engine::named(ENGINE).in_image(&build.project.name, &["sh", "-c", &show]).succeed();
    assert_eq!(shown.stdout.trim(), "the private pricing the private rounding", "{}", shown.report());
}

/// Behind [`installs`], which is the control: the same project, with the second grant missing.
#[track_caller]
fn is_refused(tool: &Tool) {
    let build = granting(&["pricing"], tool);
    let (finished, receipt) = built(&build);
    let reason = format!("[127.0.0.1]:{}/platform/rounding is not granted to this build", build.server.port);
    let finished = finished.expect_failure();
    // In the step's own output, whose lines begin with the step's number (Yarn 4 makes a title of
    // the word in front of the reason); and in the summary.
    for place in ["#", "valetkey: refused"] {
        let shown = finished.stderr.lines().any(|line| line.starts_with(place) && line.contains(&reason));
        assert!(shown, "no line {place:?} says {reason:?}\n{}", finished.report());
    }
    assert!(!read(&receipt).contains("platform/rounding"), "{receipt}");
    let sessions = receipt["repositories"].as_array().map_or(0, Vec::len);
    build.expect_logins(&finished, sessions);
}

#[test]
fn npm_installs_what_is_granted() {
    installs(&NPM);
}

#[test]
fn npm_is_refused_what_is_not_granted() {
    is_refused(&NPM);
}

#[test]
fn yarn_1_installs_what_is_granted() {
    installs(&YARN_1);
}

#[test]
fn yarn_1_is_refused_what_is_not_granted() {
    is_refused(&YARN_1);
}

#[test]
fn yarn_4_installs_what_is_granted() {
    installs(&YARN_4);
}

#[test]
fn yarn_4_is_refused_what_is_not_granted() {
    is_refused(&YARN_4);
}

#[test]
fn go_installs_what_is_granted() {
    installs(&GO);
}

#[test]
fn go_is_refused_what_is_not_granted() {
    is_refused(&GO);
}

#[test]
fn composer_installs_what_is_granted() {
    installs(&COMPOSER);
}

#[test]
fn composer_is_refused_what_is_not_granted() {
    is_refused(&COMPOSER);
}

#[test]
fn bundler_installs_what_is_granted() {
    installs(&BUNDLER);
}

#[test]
fn bundler_is_refused_what_is_not_granted() {
    is_refused(&BUNDLER);
}
