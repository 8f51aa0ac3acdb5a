use super::*;

fn with(script: &str, counts: Counts, variables: &mut Variables) -> Vec<String> {
    let mut reading = Reading::default();
    reading.across.variable(&Place::new("f", 1), "GOPRIVATE", "h.example");
    let mut place = |_: &str| Place::new("f", 1);
    Script { counts, variables, place: &mut place, reading: &mut reading }.read(script.as_bytes());
    let reading = reading.resolved();
    let needs = reading.needs.iter().map(|need| format!("{}: {}", need.what, need.address));
    needs.chain(reading.undecided.iter().map(|undecided| format!("? {}", undecided.why))).collect()
}

fn found(script: &str) -> Vec<String> {
    with(script, Counts::Everything, &mut Variables::default())
}

#[test]
fn what_git_fetches_is_found_in_every_form_of_its_command() {
    for (script, what) in [
        ("git clone git@h.example:o/r.git", "clone"),
        ("git clone --depth 1 -b v1 -- ssh://git@h.example/o/r.git /src", "clone"),
        ("git -C /src -c a.b=c clone --branch=v1 'git@h.example:o/r.git' && make", "clone"),
        ("set -eux; cd /src; /usr/bin/git clone \"git@h.example:o/r.git\"", "clone"),
        ("if ! timeout 60 git clone git@h.example:o/r; then exit 1; fi", "clone"),
        ("(cd /src && sudo -u app git fetch --depth=1 ssh://git@h.example/o/r main)", "fetch"),
        ("git ls-remote git@h.example:o/r.git HEAD", "ls-remote"),
        ("git archive --remote=ssh://git@h.example/o/r.git HEAD | tar x", "archive"),
        ("git init && git remote add origin git@h.example:o/r.git && git pull origin main", "remote add"),
        ("git submodule add -b main git@h.example:o/r.git lib", "submodule add"),
        ("sh -ec 'git clone git@h.example:o/r.git'", "clone"),
        ("A=1 git clone git@h.example:o/r.git", "clone"),
        ("R=o/r git config x y; git clone git@h.example:${R}.git", "clone"),
    ] {
        assert_eq!(found(script), [format!("RUN git {what}: ssh://git@h.example/o/r")], "{script}");
    }
    for script in [
        "git clone /src/a b",
        "git fetch origin",
        "git status",
        "apt-get install git curl go",
        "echo clone git@h.example:o/r",
        "git",
        "git clone",
        "# git clone git@h.example:o/r",
    ] {
        assert_eq!(found(script), Vec::<String>::new(), "{script}");
    }
}

#[test]
fn what_only_the_build_knows_is_asked_about() {
    let said = "? RUN git clone: the address has a variable in it, whose value only the build knows";
    assert_eq!(found("git clone $REPO"), [said]);
    assert_eq!(found("git clone git@h.example:o/${NAME}.git"), [said]);
    assert_eq!(found("git clone ${REPO:-git@h.example:o/r.git}"), ["RUN git clone: ssh://git@h.example/o/r"]);
}

#[test]
fn packages_from_git_are_found_whatever_installs_them() {
    for (script, expected) in [
        ("pip install --no-cache-dir git+ssh://git@h.example/o/r.git@v1", "RUN, a package"),
        ("python3 -m pip install 'r[x] @ git+ssh://git@h.example/o/r.git ; x'", "RUN, a package"),
        ("poetry add git+ssh://git@h.example/o/r.git#main", "RUN, a package"),
        ("npm i git+ssh://git@h.example/o/r.git", "RUN npm"),
        ("npm install --save r@git+ssh://git@h.example/o/r.git#semver:^1", "RUN npm"),
        ("yarn add git@h.example:o/r.git", "RUN yarn"),
        ("cargo install --locked --git ssh://git@h.example/o/r.git tool", "RUN cargo"),
        ("cargo install --git=ssh://git@h.example/o/r.git", "RUN cargo"),
    ] {
        assert_eq!(found(script)[0], format!("{expected}: ssh://git@h.example/o/r"), "{script}");
    }
    assert_eq!(found("npm i github:o/r#v1"), ["RUN npm: ssh://git@github.com/o/r"]);
    assert_eq!(found("npm i lodash@4 @scope/x ./local"), Vec::<String>::new());
    assert_eq!(found("pip install -r requirements.txt requests"), Vec::<String>::new());
}

#[test]
fn go_is_read_with_its_settings_and_git_with_its_rules() {
    assert_eq!(found("go get h.example/o/r@v1"), ["module h.example/o/r: https://h.example/o/r"]);
    assert_eq!(
        found("go install h.example/o/r/cmd/...@latest"),
        ["? module h.example/o/r/cmd: only its host knows which repository it lies in: grant that one by hand"]
    );
    assert_eq!(
        found("go env -w GOPRIVATE=i.example && go get i.example/o/r"),
        ["module i.example/o/r: https://i.example/o/r"]
    );
    for rule in [
        "git config --global url.\"ssh://git@h.example/\".insteadOf https://h.example/",
        "git config --system --add url.git@h.example:.insteadof \"https://h.example/\"",
        "git -c url.ssh://git@h.example/.insteadOf=https://h.example/ version",
    ] {
        let script = format!("{rule} && go get h.example/o/r");
        assert_eq!(found(&script), ["module h.example/o/r: ssh://git@h.example/o/r"], "{rule}");
    }
}

#[test]
fn of_a_script_outside_of_the_build_only_its_variables_count() {
    let script = "git clone git@h.example:o/r\npip install git+ssh://git@h.example/o/r\nnpm i github:o/r\n\
        cargo install --git ssh://git@h.example/o/r\ngit config --global url.git@h.example:.insteadOf https://h.example/\n";
    assert_eq!(with(script, Counts::Variables, &mut Variables::default()), Vec::<String>::new());
}

#[test]
fn a_shell_in_a_shell_is_followed_so_far_and_no_further() {
    let nested = |depth: usize| {
        // Each level quotes the one inside with a backslash more: made by doubling.
        (0..depth).fold("git clone git@h.example:o/r".to_owned(), |script, _| {
            format!("sh -c {}", script.replace('\\', "\\\\").replace(' ', "\\ "))
        })
    };
    assert_eq!(found(&nested(MAX_NESTED)).len(), 1);
    assert_eq!(found(&nested(MAX_NESTED + 1)).len(), 0);
}

#[test]
fn variables_at_their_limits_are_known_and_one_more_is_not() {
    let mut variables = Variables::default();
    variables.set("A", &"a".repeat(MAX_VALUE));
    variables.set("B", &"b".repeat(MAX_VALUE + 1));
    assert_eq!(variables.expand("$A").len(), MAX_VALUE);
    assert_eq!(variables.expand("$B ${B} $ $1 ${B:+x}"), "$B ${B} $ $1 ${B:+x}");
    // What is put together does not grow without end.
    assert!(variables.expand(&"$A".repeat(1000)).len() < 3 * MAX_VALUE);
    let mut variables = Variables::default();
    (0..MAX_VARIABLES + 1).for_each(|at| variables.set(&format!("V{at}"), "x"));
    assert_eq!(variables.expand(&format!("$V{}", MAX_VARIABLES - 1)), "x");
    assert_eq!(variables.expand(&format!("$V{MAX_VARIABLES}")), format!("$V{MAX_VARIABLES}"));
    variables.set("V0", "y");
    assert_eq!(variables.expand("$V0"), "y");
}
