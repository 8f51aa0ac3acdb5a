//! The fast tests: in process, and with real ssh tools where they matter. One binary, so that
//! what they share is built once. Modules are named here and not found by Cargo: a file of
//! `tests/` itself would become a binary of its own.
#![expect(clippy::unwrap_used, reason = "functions that tests share are tests too")]

#[path = "fixtures/sshd.rs"]
mod sshd;

mod hosts {
    mod binding;
    mod certificate;
    mod command;
    mod keys;
    mod known_hosts;
    mod pins;
    mod published;
}

mod keys {
    mod agent;
    mod certificates;
    mod containers;
    mod cut;
    mod encrypted;
    mod files;
    mod keychain;
    mod lookalikes;
    mod made;
    mod mutations;
    mod pasted;
    mod prompt;
    mod secrecy;
    mod session;
    mod signatures;
    mod upstream;
    mod world;
}

mod gateway {
    mod corpus;
    mod frames;
    mod guest_args;
}

mod builder {
    mod bake;
    mod compose;
    mod compose_files;
    mod docker;
    mod guest;
    mod guest_compose;
    mod other;
    mod podman;
    mod scripted;
}
