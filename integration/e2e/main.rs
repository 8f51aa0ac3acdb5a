//! End-to-end tests: one behaviour a file, on real engines, with real ssh, git and sshd.
//! `integration/check` starts what they need.

mod compose_build_clones_a_private_repository;
mod strangers_at_the_socket_get_no_answer;
