//! A double of GitHub's runner: a process named `Runner.Worker`, whose children are the steps of one
//! job, each with the files and variables that the runner gives to it. The action is run by its
//! own entry points under Node, with the inputs and defaults of its own action.yml.

mod commands;
mod entries;
mod workflow;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::yaml::Yaml;
use crate::{Engine, Run, folder, valetkey};

/// How long a step may take.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often it is looked whether a step has ended.
const POLL: Duration = Duration::from_millis(10);
/// What the runner waits after SIGINT before it sends SIGTERM, and after that before it kills.
const CANCEL: [Duration; 2] = [Duration::from_millis(7500), Duration::from_millis(2500)];

/// The worker: runs each step that it is told as a child of its own.
const WORKER: &str = r#"while read -r step; do
  python3 -c "$0" "$step" >"$step/log" 2>&1 </dev/null &
  echo "$!" >"$step/pid.part" && mv "$step/pid.part" "$step/pid"
  wait "$!"
  echo "$?" >"$step/code.part" && mv "$step/code.part" "$step/code"
done"#;

/// Begins a step: in a group of its own, with the environment and the words of two files, which are
/// gone then. Variables with a hyphen, which the runner gives to actions, no shell can set.
const LAUNCH: &str = r#"import os, signal, sys
def read(name):
    path = os.path.join(sys.argv[1], name)
    with open(path, "rb") as file:
        parts = file.read().split(b"\0")[:-1]
    os.remove(path)
    return parts
env = dict(os.environb)
env.update(part.split(b"=", 1) for part in read("environment"))
words = read("words")
os.setpgid(0, 0)
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.chdir(words[0])
os.execvpe(words[1], words[1:], env)
"#;

/// Texts by their names.
pub type Texts = BTreeMap<String, String>;

/// A job.
pub struct GithubRunnerDouble {
    folder: TempDir,
    worker: Child,
    told: Option<ChildStdin>,
    workspace: PathBuf,
    env: Texts,
    secrets: Texts,
    masks: Vec<String>,
    outputs: BTreeMap<String, Texts>,
    posts: Vec<(Texts, Texts)>,
    steps: usize,
}

/// A step that runs.
pub struct Running {
    folder: PathBuf,
    pid: i32,
}

/// A step that has ended.
pub struct Step {
    /// Its exit code.
    pub code: i32,
    /// What it printed, as the runner shows it.
    pub log: String,
    /// What it printed.
    printed: String,
    /// Its summary, as Markdown.
    pub summary: String,
    /// Its outputs.
    pub outputs: Texts,
    state: Texts,
}

impl GithubRunnerDouble {
    /// A job whose workspace is this folder, with an engine's tools and `valetkey` on its PATH.
    #[must_use]
    pub fn new(engine: &Engine, workspace: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("gh.").tempdir().expect("a temp folder");
        for name in ["_temp", "steps"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        let bash = engine.find("bash").expect("bash");
        let name = folder.path().join("Runner.Worker");
        symlink(bash, &name).expect("a link");
        let program = valetkey();
        let path = format!("{}:{}", program.parent().expect("a folder").display(), engine.var("PATH"));
        let run = engine.command(name.to_str().expect("a path in UTF-8")).args(["-c", WORKER, LAUNCH]);
        let mut worker = run.env("PATH", path).stdin(Stdio::piped()).spawn();
        let told = worker.stdin.take();
        Self {
            folder,
            worker,
            told,
            workspace: workspace.to_owned(),
            env: Texts::new(),
            secrets: Texts::new(),
            masks: Vec::new(),
            outputs: BTreeMap::new(),
            posts: Vec::new(),
            steps: 0,
        }
    }

    /// The folder that the runner empties after a job.
    #[must_use]
    pub fn temp(&self) -> PathBuf {
        self.folder.path().join("_temp")
    }

    /// Variables that steps gave to those after them.
    #[must_use]
    pub fn env(&self) -> &Texts {
        &self.env
    }

    /// The number of the worker.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.worker.id()
    }

    /// The action as a step, with these inputs and this `env`.
    pub fn action(&mut self, inputs: &[(&str, &str)], env: &[(&str, &str)]) -> Step {
        let running = self.begin_action(inputs, env);
        self.end_main(running)
    }

    /// The same, begun.
    pub fn begin_action(&mut self, inputs: &[(&str, &str)], env: &[(&str, &str)]) -> Running {
        self.begin_main(texts(inputs), &texts(env))
    }

    fn begin_main(&mut self, given: Texts, env: &Texts) -> Running {
        let action = Yaml::read(&folder().join("github/action.yml"));
        let declared = action.get(&["inputs"]).expect("inputs");
        for name in given.keys() {
            assert!(declared.names().contains(name), "the action has no input {name}");
        }
        let mut all = env.clone();
        for name in declared.names() {
            let default = declared.text(&[&name, "default"]).unwrap_or_default();
            let default = default.replace("${{ github.workspace }}", &self.workspace.display().to_string());
            let value = given.get(&name).cloned().unwrap_or(default);
            all.insert(format!("INPUT_{}", name.replace(' ', "_").to_uppercase()), value);
        }
        // Registered when it begins: a main that fails or is cancelled has its post all the same.
        self.posts.push((all.clone(), Texts::new()));
        self.begin(&all, &["node", &entry_point(&action, "main")])
    }

    /// Waits for a main, and keeps its state for its post.
    pub fn end_main(&mut self, running: Running) -> Step {
        let step = self.end_step(running);
        self.posts.last_mut().expect("its post").1.clone_from(&step.state);
        step
    }

    /// A `run` step.
    pub fn run(&mut self, script: &str) -> Step {
        let running = self.begin_run(script, &Texts::new());
        self.end_step(running)
    }

    /// The same, begun, with its `env`.
    pub fn begin_run(&mut self, script: &str, env: &Texts) -> Running {
        let file = self.temp().join(format!("{}.sh", self.steps));
        fs::write(&file, script).expect("a script");
        self.begin(env, &["bash", "--noprofile", "--norc", "-eo", "pipefail", file.to_str().expect("a path in UTF-8")])
    }

    /// The posts of the actions that were begun, last first, whatever happened.
    pub fn posts(&mut self) -> Vec<Step> {
        let action = Yaml::read(&folder().join("github/action.yml"));
        assert_eq!(action.text(&["runs", "post-if"]).as_deref(), Some("always()"));
        let mut steps = Vec::new();
        while let Some((mut env, state)) = self.posts.pop() {
            env.extend(state.into_iter().map(|(name, value)| (format!("STATE_{name}"), value)));
            let running = self.begin(&env, &["node", &entry_point(&action, "post")]);
            steps.push(self.end_step(running));
        }
        steps
    }

    fn begin(&mut self, env: &Texts, words: &[&str]) -> Running {
        let step = self.folder.path().join("steps").join(self.steps.to_string());
        self.steps += 1;
        fs::create_dir(&step).expect("a folder");
        let mut all = self.env.clone();
        all.extend(env.clone());
        for (name, file) in entries::FILES {
            fs::write(step.join(file), "").expect("a file");
            all.insert(name.to_owned(), step.join(file).display().to_string());
        }
        let workspace = self.workspace.display().to_string();
        let github = [("GITHUB_ACTIONS", "true"), ("CI", "true"), ("GITHUB_WORKSPACE", &workspace)];
        all.extend(texts(&github));
        all.insert("RUNNER_TEMP".into(), self.temp().display().to_string());
        let environment: String = all.iter().map(|(name, value)| format!("{name}={value}\0")).collect();
        fs::write(step.join("environment"), environment).expect("a file");
        let words: String = [&[workspace.as_str()], words].concat().iter().map(|word| format!("{word}\0")).collect();
        fs::write(step.join("words"), words).expect("a file");
        writeln!(self.told.as_mut().expect("a worker"), "{}", step.display()).expect("a worker that listens");
        let pid = awaited(&step.join("pid")).expect("a step that began").trim().parse().expect("a number");
        Running { folder: step, pid }
    }

    /// Waits for a step, and takes what it wrote into the runner's files.
    pub fn end_step(&mut self, running: Running) -> Step {
        let step = running.folder;
        let code = awaited(&step.join("code")).unwrap_or_else(|| panic!("a step hangs: {}", read(&step.join("log"))));
        let entries = |name: &str| entries::parse(&read(&step.join(entries::file(name))));
        self.env.extend(entries("GITHUB_ENV"));
        let printed = read(&step.join("log"));
        // It is not hidden there what the runner hides.
        fs::remove_file(step.join("log")).expect("a log");
        Step {
            code: code.trim().parse().expect("a number"),
            log: commands::shown(&printed, &mut self.masks),
            printed,
            summary: read(&step.join(entries::file("GITHUB_STEP_SUMMARY"))),
            outputs: entries("GITHUB_OUTPUT"),
            state: entries("GITHUB_STATE"),
        }
    }

    /// Ends the worker, as the end of a job does.
    pub fn end(mut self) {
        drop(self.told.take());
        assert!(self.worker.wait().expect("a worker").success());
    }
}

impl Drop for GithubRunnerDouble {
    fn drop(&mut self) {
        drop(self.told.take());
        let _ = self.worker.wait();
    }
}

impl Running {
    /// Cancels the step as the runner does: SIGINT, SIGTERM, and then an end to all of it.
    pub fn cancel(&self) {
        for (signal, patience) in ["-INT", "-TERM"].into_iter().zip(CANCEL) {
            self.signal(signal, &self.pid.to_string());
            if until(patience, || self.folder.join("code").exists().then_some(())).is_some() {
                return;
            }
        }
        self.signal("-KILL", &format!("-{}", self.pid));
    }

    fn signal(&self, signal: &str, to: &str) {
        let _ = Run::new("kill").args([signal, "--", to]).finish();
    }
}

/// Without what the runner does not show.
impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "code {}\n{}\n{}\n{:?}", self.code, self.log, self.summary, self.outputs)
    }
}

impl Step {
    /// It must have ended with this code.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// Its log must have this.
    #[track_caller]
    pub fn expect(self, text: &str) -> Self {
        assert!(self.log.contains(text), "expected {text:?}: {self:#?}");
        self
    }

    /// The workflow commands of its log, `NAME` and all behind it, as the runner finds them.
    #[must_use]
    pub fn commands(&self) -> Vec<(String, String)> {
        commands::found(&self.printed)
    }
}

fn entry_point(action: &Yaml, name: &str) -> String {
    assert_eq!(action.text(&["runs", "using"]).as_deref(), Some("node20"));
    let file = action.text(&["runs", name]).expect("an entry point");
    folder().join("github").join(file).display().to_string()
}

fn texts(pairs: &[(&str, &str)]) -> Texts {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

fn awaited(path: &Path) -> Option<String> {
    until(PATIENCE, || fs::read_to_string(path).ok())
}

fn until<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + patience;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(POLL);
    }
}
