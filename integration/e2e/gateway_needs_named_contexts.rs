//! Docker 20.10 knows no named contexts, by which the guest is mounted: valetkey says so before
//! the build and starts nothing. With `--lend agent` the same project builds there.

use valetkey_integration::project::SSH_STEP;
use valetkey_integration::{Engine, GatewayBuild};

#[test]
fn docker_20_is_too_old_and_builds_with_lend_agent() {
    let engine = Engine::named("docker-20.10");
    let build = GatewayBuild::new();
    // The image keeps its SSH client, for the second half.
    let text =
        format!("FROM {}\n{SSH_STEP} {{fresh}} git clone {{url}} /cloned\n", valetkey_integration::engine::BASE_IMAGE);
    let text = build.filled(&text);
    let build = build.writing("Dockerfile", &text);
    let refused = build.lend(&engine).args(build.command(&engine)).finish().expect_code(113);
    let refused = refused.expect("too old for named contexts").expect("--lend agent").expect_not("FROM");
    build.expect_logins(&refused, 0);

    let lent = build.lend_with(&engine, &["--lend", "agent"]).args(build.command(&engine)).succeed();
    let lent = lent.expect("signed 1 login");
    build.expect_logins(&lent, 1);
}
