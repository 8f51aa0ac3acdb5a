//! Every file of the fuzz targets' corpora, through the very functions that are fuzzed.

use crate::replay::{EVERYWHERE, replay};

#[path = "../../integration/fuzz/targets/dockerfile.rs"]
mod dockerfile;
#[path = "../../integration/fuzz/targets/exec_request.rs"]
mod exec_request;
#[path = "../../integration/fuzz/targets/guest_args.rs"]
mod guest_args;
#[path = "../../integration/fuzz/targets/tunnel.rs"]
mod tunnel;

#[test]
fn every_tunnel_frame_of_the_corpus_holds() {
    replay("tunnel", EVERYWHERE, tunnel::check);
}

#[test]
fn every_exec_request_of_the_corpus_holds() {
    replay("exec_request", EVERYWHERE, exec_request::check);
}

#[test]
fn every_dockerfile_of_the_corpus_holds() {
    replay("dockerfile", EVERYWHERE, dockerfile::check);
}

#[test]
fn every_command_line_of_the_corpus_holds() {
    replay("guest_args", EVERYWHERE, guest_args::check);
}
