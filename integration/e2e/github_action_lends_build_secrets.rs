//! The GitHub action's input `secrets`: what it takes, what it refuses, and where a value must not
//! be. The runner is a double.

use std::fs;
use std::path::Path;

use valetkey_integration::engine::BASE_IMAGE;
use valetkey_integration::github_runner_double::{GithubRunnerDouble, Step};
use valetkey_integration::{Engine, Project, Run, folder};

/// In each line of each value, and in no other test.
fn mark(name: &str) -> String {
    format!("tok-{name}-{}", std::process::id())
}

/// Several lines of what YAML, shells, Markdown and the runner could take for their own.
fn hostile(mark: &str) -> String {
    format!(
        "{mark} | \"a\" \"\"b\n::error title={mark}::pwned\n##[error]{mark}\nPATH<<{mark}\n/evil {mark}\n{mark}\n\
         <script>{mark}</script> `{mark}` ${{{mark}}} $({mark})\n  {mark}: *x # {mark}\r\nid={mark}==\n"
    )
}

/// An entry in quotation marks, as docker/build-push-action takes it.
fn quoted(id: &str, value: &str) -> String {
    format!("\"{id}={}\"", value.replace('"', "\"\""))
}

/// Whether a file below this folder has this text.
fn holds(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).into_iter().flatten().flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return holds(&path, text);
        }
        fs::read(&path).is_ok_and(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
    })
}

/// The processes whose environment or arguments have this text.
fn processes(file: &str, text: &str) -> Vec<String> {
    let all = fs::read_dir("/proc").expect("processes").flatten();
    let found = all.filter(|entry| {
        let bytes = fs::read(entry.path().join(file)).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    });
    found.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// The annotations of a step.
fn annotations(step: &Step) -> Vec<(String, String)> {
    step.commands().into_iter().filter(|(name, _)| !["stop-commands", "add-mask"].contains(&name.as_str())).collect()
}

fn project(steps: &str) -> Project {
    let project = Project::new();
    let steps = steps.replace("{fresh}", &format!(": {} &&", project.name));
    project.write("Dockerfile", &format!("FROM {BASE_IMAGE}\n{steps}\n"))
}

const BUILD: &str = "docker build $VALETKEY_BUILD_ARGS --network host -t";

#[test]
fn a_value_of_several_lines_reaches_the_build_byte_for_byte_and_nothing_else() {
    let (engine, mark) = (Engine::named("docker-28"), mark("lines"));
    let value = hostile(&mark);
    let project = project("RUN --mount=type=secret,id=all {fresh} sha256sum </run/secrets/all >/digest");
    let mut job = GithubRunnerDouble::new(&engine, project.path());
    let secrets = format!("plain={mark}==\n\n{}\r\n  last=  {mark} \n", quoted("all", &value));
    let inputs = [("secrets", secrets.as_str()), ("audit", &project.name), ("receipt", "receipt.json")];
    let main = job.action(&inputs, &[("VALETKEY_SECRET_1", "another")]).expect_code(0);
    assert_eq!(annotations(&main), []);
    let lease = job.env()["VALETKEY_LEASE"].clone();
    // While it is lent: the runner's files, its temp folder with the lease, and the workspace.
    assert!(!holds(job.temp().parent().expect("a folder"), &mark) && !holds(project.path(), &mark));
    assert!(!format!("{:?}{:?}{}", job.env(), main.outputs, main.log).contains(&mark), "{main:?}");
    // The lease's process alone was started with it, and is closed to all but root.
    let document = fs::read_to_string(Path::new(&lease).join("lease.json")).expect("the lease");
    let own = processes("environ", &mark);
    assert!(own.iter().all(|pid| document.contains(&format!("\"pid\":{pid},"))), "{own:?} in {document}");
    assert_eq!(processes("cmdline", &mark), Vec::<String>::new());
    let env = [("LEAKED".to_owned(), value.clone())].into();
    let running = job.begin_run("printf '%s\\n' \"$LEAKED\" | grep -v '^##' | grep -v '^::'; env", &env);
    let leaked = job.end_step(running).expect_code(0);
    // The env of that step has it in lines too.
    assert!(!leaked.log.contains(&format!("<script>{mark}")), "{leaked:?}");
    job.run(&format!("{BUILD} {} .", project.name)).expect_code(0);
    let digest = Run::new("sh").args(["-c", "printf '%s' \"$0\" | sha256sum", &value]).succeed().stdout;
    assert_eq!(engine.in_image(&project.name, &["cat", "/digest"]).succeed().stdout, digest);
    let post = job.posts().remove(0).expect_code(0);
    assert_eq!(annotations(&post), []);
    assert!(!format!("{}{}", post.summary, post.log).contains(&mark), "{post:?}");
    let bytes = [mark.len() + 2, value.len(), mark.len() + 2];
    for (id, bytes) in ["plain", "all", "last"].iter().zip(bytes) {
        assert!(post.summary.contains(&format!("| {id} | raw | {bytes} | the input secrets |")), "{post:?}");
    }
    assert!(!holds(project.path(), &mark) && !Path::new(&lease).exists());
    job.end();
}

#[test]
fn what_is_no_id_and_value_is_refused_without_a_word_of_it() {
    let mark = mark("wrong");
    let project = Project::new();
    let mut job = GithubRunnerDouble::new(&Engine::named("docker-28"), project.path());
    let long = format!("{}={mark}", "i".repeat(65));
    let lines = format!("pem=-----BEGIN {mark}\n{mark}==\n");
    for (secrets, said) in [
        (mark.clone(), "entry 1 of secrets is not ID=VALUE"),
        (format!("={mark}"), "entry 1 of secrets is not ID=VALUE"),
        (format!("{mark} | **a**={mark}"), "entry 1 of secrets is not ID=VALUE"),
        (format!("<script>{mark}={mark}"), "entry 1 of secrets is not ID=VALUE"),
        (format!("::error::{mark}={mark}"), "entry 1 of secrets is not ID=VALUE"),
        (format!("##[error]{mark}={mark}"), "entry 1 of secrets is not ID=VALUE"),
        (quoted(&format!("a\n::error::{mark}"), &mark), "entry 1 of secrets is not ID=VALUE"),
        (format!("a,src=/etc/passwd={mark}"), "entry 1 of secrets is not ID=VALUE"),
        (format!("fine={mark}\n\"all={mark} \" {mark}\n\""), "entry 2 of secrets is not ID=VALUE"),
        (format!("fine={mark}\n\"all={mark}"), "entry 2 of secrets is not ID=VALUE"),
        (format!("fine={mark}\nempty="), "entry 2 of secrets has no value"),
        (lines, "entry 2 of secrets has no value"),
        (long, "entry 1 of secrets is not ID=VALUE"),
        (format!("a={mark}\na={mark}"), "another secret with the id a"),
        (format!("known_hosts={mark}"), "the secret with the host keys"),
    ] {
        let main = job.action(&[("secrets", &secrets)], &[]).expect_code(110);
        let errors = annotations(&main);
        assert!(errors.len() == 1 && errors[0].0 == "error" && errors[0].1.contains(said), "{said}: {main:?}");
        assert!(!main.log.contains(&mark), "{said}: {main:?}");
        job.posts().remove(0).expect_code(0).expect("no lease was begun");
    }
    assert!(!job.env().contains_key("VALETKEY_LEASE") && !holds(job.temp().parent().expect("a folder"), &mark));
    job.end();
}

#[test]
fn a_hundred_are_taken_and_one_more_is_refused() {
    let script = "const { MAX_SECRETS, parsed } = require(process.argv[1]);
        const all = (count) => Array.from({ length: count }, (_, at) => `id${at}=v`).join('\\n');
        const [most, over] = [parsed(all(MAX_SECRETS)), parsed(all(MAX_SECRETS + 1))];
        console.log(most.secrets.length, most.reason === '', over.secrets.length, over.reason);
        const lengths = [64, 65].map((length) => parsed(`${'i'.repeat(length)}=v`).secrets.length);
        console.log(...lengths, parsed('\"'.repeat(100001)).secrets.length);";
    let said = Run::new("node").args(["-e", script, "--"]).arg(folder().join("github/secrets.js")).succeed().stdout;
    assert_eq!(said, "100 true 0 secrets has more than 100 entries\n1 0 0\n");
}

#[test]
fn an_image_that_kept_a_secret_fails_the_job_in_its_post_by_the_input_and_by_grants() {
    let (engine, mark) = (Engine::named("docker-28"), mark("kept"));
    let config = "[[secret]]\nid = \"all\"\nsource = \"env:TOKEN\"\n";
    for inputs in [("secrets", format!("all={mark}")), ("grants", config.to_owned())] {
        let project = project("RUN --mount=type=secret,id=all {fresh} base64 /run/secrets/all >/kept");
        let mut job = GithubRunnerDouble::new(&engine, project.path());
        job.action(&[(inputs.0, &inputs.1), ("audit", &project.name)], &[("TOKEN", &mark)]).expect_code(0);
        job.run(&format!("{BUILD} {} .", project.name)).expect_code(0);
        let post = job.posts().remove(0).expect_code(116);
        let errors = annotations(&post);
        assert!(errors.len() == 1 && errors[0].0 == "error", "{post:?}");
        assert!(post.summary.contains("this is the build secret &#34;all&#34;&#44;"), "{post:?}");
        assert!(!format!("{}{}", post.summary, post.log).contains(&mark), "{post:?}");
        job.end();
    }
}

#[test]
fn a_secret_that_cannot_be_looked_for_is_said_and_the_others_are_looked_for() {
    let (engine, mark) = (Engine::named("docker-28"), mark("short"));
    let project = project("RUN --mount=type=secret,id=all {fresh} cp /run/secrets/all /kept");
    let project = project.write("token", "of a file alone");
    Run::new("chmod").arg("600").arg(project.file("token")).succeed();
    let mut job = GithubRunnerDouble::new(&engine, project.path());
    let file = format!("[[secret]]\nid = \"filed\"\nsource = \"file:{}\"\n", project.file("token").display());
    let config = format!("{file}[[secret]]\nid = \"short\"\nsource = \"env:SHORT\"\n");
    let config = format!("{config}[[secret]]\nid = \"all\"\nsource = \"env:TOKEN\"\n");
    job.action(&[("grants", &config), ("audit", &project.name)], &[("TOKEN", &mark), ("SHORT", "seven77")])
        .expect_code(0);
    job.run(&format!("{BUILD} {} .", project.name)).expect_code(0);
    let post = job.posts().remove(0).expect_code(116);
    for (id, why) in [("filed", "it does not come from a variable"), ("short", "fewer than 8 bytes")] {
        let said = annotations(&post).into_iter().find(|(_, text)| text.contains(&format!("build secret {id} ")));
        assert!(said.is_some_and(|(name, text)| name == "warning" && text.contains(why)), "{id}: {post:?}");
        assert!(post.summary.contains(&format!("the build secret {id} | not looked for")), "{id}: {post:?}");
    }
    assert!(post.summary.contains("this is the build secret &#34;all&#34;"), "{post:?}");
    job.end();
}

/// A step ends the lease and leaves a receipt of its own making.
#[test]
fn a_forged_receipt_starts_no_command_and_is_text_in_the_summary() {
    let mark = mark("forged");
    let project = project("RUN true");
    let mut job = GithubRunnerDouble::new(&Engine::named("docker-28"), project.path());
    let secrets = format!("all={mark}");
    let inputs = [("secrets", secrets.as_str()), ("audit", &project.name), ("receipt", "receipt.json")];
    job.action(&inputs, &[]).expect_code(0);
    let planted = project.file("planted").display().to_string();
    let forge = r#"valetkey stop --receipt receipt.json
python3 - "$PLANTED" <<'END'
import json, sys
receipt = json.load(open("receipt.json"))
command = "command:touch " + sys.argv[1]
receipt["secrets"] = [
    {"id": "a", "form": "raw", "bytes": 1, "source": command},
    {"id": "a=" + command, "form": "raw", "bytes": 1, "source": "env:HOME"},
    {"id": "a", "form": "raw", "bytes": 1, "source": command + "\nenv:HOME"},
    {"id": "x | <script>\n::error::pwned", "form": "`x`", "bytes": "|", "source": "env:HOME"},
]
json.dump(receipt, open("receipt.json", "w"))
END
docker build --network host -t "$IMAGE" ."#;
    let env = [("PLANTED".to_owned(), planted), ("IMAGE".to_owned(), project.name.clone())].into();
    let running = job.begin_run(forge, &env);
    job.end_step(running).expect_code(0);
    let post = job.posts().remove(0).expect_code(0);
    assert!(!project.file("planted").exists(), "{post:?}");
    let warnings = annotations(&post);
    assert!(warnings.len() == 4 && warnings.iter().all(|(name, _)| name == "warning"), "{post:?}");
    assert!(post.summary.contains("not looked for") && !post.summary.contains("<script>"), "{post:?}");
    job.end();
}
