//! The SSH agent of a lease: its socket, who may speak to it, and what it answers.
//!
//! Answers two messages, list and sign, and refuses everything else. One thread a connection:
//! a slow RSA signature or a half-sent request holds up nobody but its own client.

pub mod connection;
pub mod listener;
pub mod peer;
pub mod service;
pub mod socket;
pub mod upstream;

pub use listener::Listener;
pub use service::Service;
