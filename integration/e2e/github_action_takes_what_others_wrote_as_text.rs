//! What others wrote reaches the action by a key's comment, a name that a build asks for, a finding,
//! a file that was planted: none of it is a workflow command, an entry of the runner's files or a
//! part of the summary's form. The runner is a double; the summary is read by GitHub's own Markdown.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use valetkey_integration::github_runner_double::{GithubRunnerDouble, Step};
use valetkey_integration::{Engine, GatewayBuild, Key, Project, Run, folder};

/// Signs of Markdown, HTML, workflow commands and the runner's files.
const HOSTILE: &str = "a | b\n::error title=x::pwned\n##[error]pwned ##[add-mask]a\r\n::set-output name=x::y\nPATH=/evil\nPATH<<E\n/evil\nE\n<script>alert(1)</script><img src=x> `code` **bold** _it_ [a](http://evil.example) www.evil.example ![i](j) <!-- \u{202e}turned \\| %0A::warning::x";

/// The HTML that a summary becomes.
fn rendered(summary: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("summary.md");
    fs::write(&file, summary).expect("a file");
    let extensions = ["-e", "table", "-e", "autolink", "-e", "strikethrough", "-e", "tasklist", "--unsafe"];
    Run::new("cmark-gfm").args(extensions).arg(file).succeed().stdout
}

/// Its tags, apart from those of tables, headings and paragraphs.
fn other_tags(html: &str) -> Vec<&str> {
    let tags = html.split('<').skip(1).map(|rest| rest.split(['>', ' ']).next().unwrap_or_default());
    let plain = ["table", "thead", "tbody", "tr", "th", "td", "h2", "h3", "p", "code"];
    tags.filter(|tag| !plain.contains(&tag.trim_start_matches('/'))).collect()
}

/// The commands of a step, by name: only its own.
#[track_caller]
fn expect_commands(step: &Step, expected: &[&str]) {
    let commands = step.commands();
    // What was lent is hidden from the log; the comment's own command would hide an `a`.
    let own = |name: &str, text: &str| name == "stop-commands" || (name == "add-mask" && text.len() > 8);
    let names: Vec<&str> =
        commands.iter().filter(|(name, text)| !own(name, text)).map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, expected, "{step:#?}");
}

#[test]
fn a_comment_of_a_key() {
    let key = Key::ed25519(HOSTILE);
    let project = Project::new();
    let mut job = GithubRunnerDouble::new(&Engine::named("docker-28"), project.path());
    let main = job.action(&[("key", &key.private()), ("host", "github.com")], &[]).expect_code(0);
    assert!(main.log.contains("::stop-commands::"), "{main:?}");
    expect_commands(&main, &[]);
    let names: Vec<&str> = job.env().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["DOCKER_BUILDKIT", "SSH_AUTH_SOCK", "VALETKEY_BUILD_ARGS", "VALETKEY_KNOWN_HOSTS", "VALETKEY_LEASE"]
    );
    let post = job.posts().remove(0).expect_code(0);
    expect_commands(&post, &[]);
    let html = rendered(&post.summary);
    assert_eq!(other_tags(&html), Vec::<&str>::new(), "{html}");
    assert!(html.matches("<td>").count() == 7 && !html.contains("<code>"), "{html}");
    assert!(html.contains("a | b") && html.contains("&lt;script&gt;"), "the comment is shown as it is: {html}");
    job.end();
}

#[test]
fn a_name_that_a_build_asks_for() {
    let ask = r#"for name in '##[error]pwned' '::error::pwned' 'o/r|<script>`x`' 'o/r"::warning::' "$(printf 'o/r\n::error::pwned')"; do
  ssh -p {port} git@127.0.0.1 "git-upload-pack '$name'" </dev/null || true; done"#;
    let build = GatewayBuild::with_steps("COPY ask /ask\n{step} sh /ask");
    let ask = build.filled(ask);
    let build = build.writing("ask", &ask);
    let mut job = GithubRunnerDouble::new(&Engine::named("docker-28"), build.project.path());
    job.action(&[], &[("DEPLOY_KEY", &build.key.private())]).expect_code(0);
    let built = job
        .run("docker build $VALETKEY_BUILD_ARGS -f \"$(valetkey rewrite)\" --network host --progress plain -t job .");
    assert_eq!(built.code, 0, "{built:?}");
    let post = job.posts().remove(0).expect_code(0);
    let commands = post.commands();
    let annotations: Vec<_> = commands.iter().filter(|(name, _)| name != "stop-commands").collect();
    let ours = |text: &str| text.starts_with("title=valetkey refused");
    assert!(!annotations.is_empty() && annotations.iter().all(|(_, text)| ours(text)), "{post:#?}");
    let html = rendered(&post.summary);
    assert_eq!(other_tags(&html), Vec::<&str>::new(), "{html}");
    assert!(!html.contains("<code>") && html.contains("<h3>Refused</h3>"), "{html}");
    job.end();
}

#[test]
fn any_text_is_one_cell_of_a_table_and_shown_as_it_is() {
    let script = r#"const { MAX_CELL, MAX_ROWS, table } = require(process.argv[1]);
        const signs = ['|', '\\', '`', '<', '>', '&', '&#124;', '[', ']', '(', ')', '!', '*', '_', '~', '#', '@', ':', '"', "'", ' ', 'a', 'é', '\n', '\r', '\t', '\0', '\x1b', '\u202e', '\u2028', '\ud800', '😀', 'www.', 'http://', '<a href=x>', '-->', '{{', '$', '---', '1.'];
        let seed = 1; const next = () => (seed = (seed * 48271) % 2147483647);
        const text = () => Array.from({ length: 1 + next() % 9 }, () => signs[next() % signs.length]).join('');
        let out = '';
        for (let i = 0; i < 40; i += 1) out += table('T', ['A', 'B'], Array.from({ length: MAX_ROWS }, () => [text(), 'end']));
        out += table('Long', ['A'], [['|'.repeat(MAX_CELL)], ['|'.repeat(MAX_CELL + 1)]]);
        out += table('Many', ['A'], Array.from({ length: MAX_ROWS + 1 }, () => ['x']));
        out += table('None', ['A'], []);
        process.stdout.write(out);"#;
    let shown = Run::new("node").args(["-e", script, "--"]).arg(folder().join("github/markdown.js")).succeed().stdout;
    let html = rendered(&shown);
    assert_eq!(other_tags(&html), Vec::<&str>::new());
    assert!(!html.contains("<code>") && !html.contains("<h3>None"));
    assert_eq!(html.matches("<td>end</td>").count(), 4000);
    assert_eq!(html.matches("<td>").count(), 8000 + 2 + 100);
    assert_eq!(html.matches(&format!("<td>{}</td>", "|".repeat(400))).count(), 1);
    assert_eq!(html.matches(&format!("<td>{}…</td>", "|".repeat(400))).count(), 1);
    assert!(html.contains("<p>1 more are not shown.</p>"));
}

/// Whether a file below this folder holds the key.
fn holds(folder: &Path, key: &Key) -> bool {
    fs::read_dir(folder).into_iter().flatten().flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() { holds(&path, key) } else { fs::read(&path).is_ok_and(|bytes| key.is_in(&bytes)) }
    })
}

#[test]
fn a_private_key_that_is_pasted_where_it_would_be_written_down_is_refused_before_that() {
    let key = Key::ed25519("deploy");
    let project = Project::new();
    let mut job = GithubRunnerDouble::new(&Engine::named("docker-28"), project.path());
    let main = job.action(&[("grants", &format!("[[grant]]\nkey = \"\"\"{}\"\"\"\n", key.private()))], &[]);
    let main = main.expect_code(110).expect("a private key stands where it would be written to disk");
    assert!(!key.is_in(main.log.as_bytes()) && !holds(&job.temp(), &key), "{main:?}");
    job.posts().remove(0).expect_code(0);
    job.end();
}

#[test]
fn the_key_is_in_no_file_of_the_runner_while_it_is_lent() {
    let key = Key::ed25519("deploy");
    let project = Project::new();
    let mut job = GithubRunnerDouble::new(&Engine::named("docker-28"), project.path());
    let grants = "[[grant]]\nkey = \"env:DEPLOY_KEY\"\nhost = \"github.com\"\n";
    for (inputs, env) in [
        (vec![("key", key.private())], vec![]),
        (vec![("grants", grants.to_owned())], vec![("DEPLOY_KEY", key.private())]),
    ] {
        let inputs: Vec<_> = inputs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let env: Vec<_> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let main = job.action(&inputs, &env).expect_code(0);
        assert!(Path::new(&main.outputs["lease"]).starts_with(job.temp()), "{main:?}");
        assert!(!holds(job.temp().parent().expect("a folder"), &key) && !holds(project.path(), &key));
        // Nor in what a later step is given.
        let seen = job.run("env; cat /proc/self/environ");
        assert!(!key.is_in(seen.log.as_bytes()) && !seen.log.contains("VALETKEY_KEY="), "{seen:?}");
        let left = fs::read_dir(job.temp()).expect("a folder").flatten();
        assert!(left.into_iter().all(|entry| !entry.file_name().to_string_lossy().ends_with(".toml")));
    }
    assert_eq!(job.posts().len(), 2);
    job.end();
}

#[test]
fn what_a_later_step_prints_of_the_key_is_hidden_by_the_runner() {
    let key = Key::ed25519("deploy");
    let project = Project::new();
    let mut job = GithubRunnerDouble::new(&Engine::named("docker-28"), project.path());
    job.action(&[("key", &key.private())], &[]).expect_code(0);
    let env = [("LEAKED".to_owned(), key.private())].into();
    let running = job.begin_run("printf '%s\\n' \"$LEAKED\"; echo printed", &env);
    let step = job.end_step(running).expect_code(0).expect("***").expect("printed");
    assert!(!key.is_in(step.log.as_bytes()), "{step:?}");
    job.posts().remove(0).expect_code(0);
    job.end();
}

#[test]
fn a_receipt_that_is_a_link_is_replaced_and_never_written_through() {
    let key = Key::ed25519("deploy");
    let project = Project::new().write("victim", "before");
    symlink(project.file("victim"), project.file("receipt.json")).expect("a link");
    let mut job = GithubRunnerDouble::new(&Engine::named("docker-28"), project.path());
    job.action(&[("key", &key.private()), ("receipt", "receipt.json")], &[]).expect_code(0);
    job.posts().remove(0).expect_code(0);
    assert_eq!(fs::read_to_string(project.file("victim")).expect("a file"), "before");
    let receipt = fs::read_to_string(project.file("receipt.json")).expect("a receipt");
    assert!(receipt.contains("valetkey-receipt/1") && !project.file("receipt.json").is_symlink(), "{receipt}");
    assert_eq!(project.files().len(), 2, "{:?}", project.files());
    job.action(&[("key", &key.private()), ("receipt", "missing/receipt.json")], &[]).expect_code(0);
    let post = job.posts().remove(0).expect_code(114);
    assert!(post.commands().iter().any(|(name, text)| name == "error" && text.contains("missing/")), "{post:?}");
    assert!(post.summary.contains("### Lent"), "{post:?}");
    job.end();
}

#[test]
fn an_image_with_the_lent_key_or_one_that_is_not_there_fails_the_job_in_its_post() {
    let engine = Engine::named("docker-28");
    let key = Key::ed25519("deploy");
    let project = Project::new().write("lent", &key.private()).write("Dockerfile", "FROM scratch\nCOPY lent /lent\n");
    let mut job = GithubRunnerDouble::new(&engine, project.path());
    let image = &project.name;
    for (name, code, said) in
        [(image.clone(), 116, "a key that was lent"), ("missing-image".into(), 117, "missing-image")]
    {
        let inputs = [("key", key.private()), ("audit", name), ("compose", "false".into())];
        let inputs: Vec<_> = inputs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        job.action(&inputs, &[]).expect_code(0);
        let built = job.run(&format!("docker build --network host -t {image} ."));
        assert_eq!(built.code, 0, "{built:?}");
        let post = job.posts().remove(0).expect_code(code);
        expect_commands(&post, &["error"]);
        let html = rendered(&post.summary);
        assert!(html.contains(said) && !key.is_in(html.as_bytes()), "{said}: {html}");
        assert!(!key.is_in(post.log.as_bytes()), "{post:?}");
    }
    job.end();
}
