//! What `valetkey check` says of mounts is what the builder does: it refuses what is said to be refused,
//! takes what is not, and a step reads what it is said to read.

use std::fs;

use valetkey::check::dockerfile;
use valetkey::check::mount_faults::faults;
use valetkey_integration::{Engine, Project, Run, SshAgent, valetkey};

const FLAGS: [&str; 34] = [
    "--mount=type=ssh",
    "--mount=type=SSH,id=,ro",
    "--mount=type=ssh,required=false,mode=0666,uid=0,gid=0",
    "--mount=type=ssh,target=/tmp/x.sock",
    "--mount=type=ssh,target=x.sock",
    "--mount=type=ssh,type=secret,id=t",
    "--mount=type=\"ssh\"",
    "--mount=type=ssh,",
    "--mount=type=ssh,,mode=0666",
    "--mount=\"type=ssh, mode=0666\"",
    "--mount=type=shs",
    "--mount=type=ssh;",
    "--mount=ssh",
    "--mount=type=ssh,nothing",
    "--mount=type=ssh,id",
    "--mount=type=ssh,requird=false",
    "--mount=type=ssh,required=yes",
    "--mount=required=false,type=ssh",
    "--mount=type=ssh,source=x",
    "--mount=type=ssh,size=1",
    "--mount=type=ssh,sharing=locked",
    "--mount=type=ssh,mode=0888",
    "--mount=type=ssh,mode=u+r",
    "--mount=type=ssh,uid=app",
    "--mount=type=bind,target=/x,mode=0644",
    "--mount=type=cache,target=/x,sharing=lokced",
    "--mount=type=cache,target=/x,sharing=locked,uid=1",
    "--mount=type=tmpfs,target=/x,size=1m",
    "--mount=type=tmpfs,target=/x,uid=1",
    "--mount=type=secret",
    "--mount=type=secret,id=t,source=t",
    "--mount=type=secret,id=t,sharing=locked",
    "--mount=type=secret,target=/x/t,mode=400",
    "--mount=type=secret,source=t,required=0",
];

fn refuses(engine: &str) {
    let engine = Engine::named(engine);
    for flag in FLAGS {
        let project = Project::with_steps(&format!("RUN {flag} :"));
        let text = fs::read(project.file("Dockerfile")).expect("the Dockerfile");
        let file = dockerfile::read(&text);
        let mounts = file.stages.iter().flat_map(|stage| &stage.instructions).flat_map(|step| &step.mounts);
        let said: Vec<String> = mounts.flat_map(faults).map(|fault| fault.message).collect();
        let is_refused =
            said.iter().any(|message| message.contains("refuses") || message.contains("takes one of them"));
        let build = engine.command("docker").args(["build", "--network", "host", "."]).within(project.path()).finish();
        let expected = if is_refused { "refused" } else { "taken" };
        assert_eq!(build.code == 0, !is_refused, "{flag} is {expected}, says {said:?}: {}", build.report());
    }
}

#[test]
fn on_docker_28() {
    refuses("docker-28");
}

#[test]
fn on_docker_26() {
    refuses("docker-26");
}

/// A mount, the user of the step, and whether that reads it.
const USERS: [(&str, &str, bool); 11] = [
    ("type=ssh", "root", true),
    ("type=ssh", "1234", false),
    ("type=ssh,mode=0644", "1234", false),
    ("type=ssh,mode=0666", "1234", true),
    ("type=ssh,uid=1234", "1234", true),
    ("type=ssh,uid=1000", "1234", false),
    ("type=secret,id=t", "1234", false),
    ("type=secret,id=t,mode=0444", "1234", true),
    ("type=secret,id=t,uid=1234", "1234", true),
    ("type=secret,id=t,uid=1000", "1234", false),
    ("type=secret,id=t,target=/root/t,mode=0444", "1234", false),
];

#[test]
fn a_step_reads_what_it_is_said_to_read() {
    let engine = Engine::named("docker-28");
    let agent = SshAgent::with(&[]);
    for (mount, user, reads) in USERS {
        // ssh-add ends with 1 where an agent has no key, and with 2 where it reaches none.
        let look = match mount.strip_prefix("type=ssh") {
            Some(_) => "ssh-add -l; test $? = 1",
            None if mount.contains("/root/t") => "cat /root/t",
            None => "cat /run/secrets/t",
        };
        let project = Project::with_steps(&format!("USER {user}\nRUN --mount={mount} {look}")).write("secret", "text");
        let checked = Run::new(valetkey()).args(["check", "--no-config", "Dockerfile"]).within(project.path()).finish();
        assert_eq!(checked.output().contains("[mount-unreadable]"), !reads, "{mount}: {}", checked.report());
        let ssh = format!("default={}", agent.socket().display());
        let command = ["build", "--no-cache", "--network", "host", "--secret", "id=t,src=secret", "--ssh", &ssh, "."];
        let build = engine.command("docker").args(command).within(project.path()).finish();
        assert_eq!(build.code == 0, reads, "{mount} as {user}: {}", build.report());
    }
}
