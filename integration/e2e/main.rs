//! End-to-end tests: one behaviour a file, on real engines, with real ssh, git and sshd.
//! `integration/check` starts what they need.

mod a_build_step_gets_no_more_signatures_than_granted;
mod a_build_step_gets_nothing_but_granted_logins;
mod a_killed_lease_answers_nobody;
mod compose_build_clones_a_private_repository;
mod strangers_at_the_socket_get_no_answer;
mod the_key_cannot_be_read_out_of_valetkey;
mod the_key_is_found_nowhere_but_in_valetkey;
mod what_another_user_planted_is_not_used;
