//! The fast tests: in process, and with real ssh tools where they matter. One binary, so that
//! what they share is built once. Modules are named here and not found by Cargo: a file of
//! `tests/` itself would become a binary of its own.
#![expect(clippy::unwrap_used, reason = "functions that tests share are tests too")]

#[path = "fixtures/replay.rs"]
mod replay;
#[path = "fixtures/sshd.rs"]
mod sshd;

mod hosts {
    mod binding;
    mod certificate;
    mod command;
    pub(crate) mod keys;
    mod known_hosts;
    mod pins;
    mod published;
}

mod audit {
    mod build_secrets;
    mod cached;
    mod caches;
    mod command;
    mod corpus;
    mod damaged;
    mod fuzz_corpus;
    mod images;
    mod made;
    mod report_attested;
    mod report_ignored;
    pub(crate) mod report_made;
    mod report_page;
    mod report_plain;
    mod report_redacted;
    pub(crate) mod report_schema;
}

mod check {
    mod command;
    mod corpus;
    mod fixes;
    mod hostile;
    mod reports;
}

mod keys {
    pub(crate) mod agent;
    mod certificates;
    mod commands;
    mod containers;
    mod credentials;
    mod cut;
    mod encrypted;
    mod files;
    mod issued;
    mod keychain;
    mod lookalikes;
    pub(crate) mod made;
    mod mutations;
    mod pasted;
    mod prompt;
    mod secrecy;
    pub(crate) mod session;
    mod several;
    mod signatures;
    mod upstream;
    mod vault;
    pub(crate) mod vault_double;
    mod world;
}

mod run {
    mod child;
    mod cleanup;
    mod config;
    mod environment;
    mod exit;
    mod grants;
    mod help;
    mod masking;
    pub(crate) mod place;
    mod report;
    mod secret_forms;
    mod secrets;
    mod signals;
    mod sources;
    pub(crate) mod terminal;
}

mod start {
    mod job;
    mod lifetime;
    mod outputs;
    mod peers;
    mod secrets;
}

mod agent {
    pub(crate) mod client;
    mod file_signatures;
    mod flood;
    mod forged_logins;
    mod idle;
    mod issued;
    pub(crate) mod lending;
    mod limits;
    mod listing;
    mod logins;
    mod messages;
    mod no_descriptors;
    mod places;
    mod refused_logins;
    mod requests;
    pub(crate) mod server;
    mod terminal;
}

mod gateway {
    mod carried;
    mod corpus;
    mod frame_client;
    mod frames;
    mod gate;
    mod guest_args;
    mod handing_over;
    mod inside;
    mod issued;
    mod limits;
    pub(crate) mod place;
    mod refusals;
    mod rsa_alone;
    mod running;
    mod ssh_config;
    mod tunnel;
}

mod builder {
    mod bake;
    mod compose;
    mod compose_files;
    mod docker;
    mod git;
    mod guest;
    mod guest_compose;
    mod other;
    mod podman;
    mod scripted;
    mod secrets;
}

mod init {
    mod command;
    mod from_git;
    mod fuzz_corpus;
    mod hostile;
    mod hostile_formats;
    pub(crate) mod real;
    mod sources;
}

mod image {
    mod archives;
    mod bombs;
    mod mutations;
    mod seen;
    mod stream;
    mod tar;
    mod zip;
}

mod doctor {
    mod examined;
    mod hostile;
    mod hosts;
    mod keychain;
    mod keys;
    mod last;
    mod project;
    mod report;
}

mod docs {
    mod adding_a_rule;
    mod ci;
    mod promises;
    mod rules;
}
