//! End-to-end tests: one behaviour a file, on real engines, with real ssh, git and sshd.
//! `integration/check` starts what they need.

mod a_step_that_is_not_root_clones_too;
mod bake_clones_a_private_repository;
mod buildah_bud_clones_a_private_repository;
mod buildah_build_clones_a_private_repository;
mod buildx_build_clones_a_private_repository;
mod compose_build_clones_a_private_repository;
mod compose_create_clones_a_private_repository;
mod compose_run_clones_a_private_repository;
mod compose_up_clones_a_private_repository;
mod docker_build_clones_a_private_repository;
mod docker_image_build_clones_a_private_repository;
mod known_hosts_reaches_the_step_as_a_secret;
mod podman_build_clones_a_private_repository;
mod standalone_compose_clones_a_private_repository;
mod two_services_get_two_keys;
