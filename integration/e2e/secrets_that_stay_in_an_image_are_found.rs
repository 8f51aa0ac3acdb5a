//! `run --audit` looks for the very secrets that the build was lent, in the encoding that a step
//! left them in, and says nothing where none stayed.

use valetkey_integration::{Engine, SecretBuild};

const ENGINE: &str = "docker-28";

fn audited(step: &str) -> valetkey_integration::Finished {
    let engine = Engine::named(ENGINE);
    // No token that another rule knows.
    let build = SecretBuild::with_steps(b"plain words that nobody knows 4711\n".to_vec(), step);
    let flags = ["--audit", "--secret", &format!("all={}", build.source())];
    engine.lend(&flags).args(build.command(&engine)).within(build.project.path()).finish()
}

#[test]
fn as_they_are_and_in_base64() {
    for kept in ["cat", "base64"] {
        let step = format!("RUN --mount=type=secret,id=all {{fresh}} {kept} </run/secrets/all >/kept");
        audited(&step).expect_code(116).expect("kept").expect("all").expect_not("that nobody knows");
    }
}

#[test]
fn and_not_where_they_were_used_alone() {
    let step = "RUN --mount=type=secret,id=all {fresh} sha256sum /run/secrets/all >/kept";
    audited(step).expect_code(0).expect_not("that nobody knows");
}
