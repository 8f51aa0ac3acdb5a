//! Fast tests: in process, with real ssh tools where they matter, without any engine.
#![expect(
    clippy::unwrap_used,
    reason = "functions that tests share are tests too"
)]

mod builder {
    mod bake;
    mod compose;
    mod compose_files;
    mod docker;
    mod other;
    mod podman;
    mod scripted;
}
