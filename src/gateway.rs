//! The gateway: a build step's Git commands are judged and carried out here, so that the step
//! holds no key and reaches no server.
//!
//! **One private clone:** the guest's request comes as the data of a sign request →
//! [`tunnel`] → [`exec_request`] (pure) → [`crate::policy::judge_exec`] (pure) →
//! [`upstream`] opens the session with the pinned host key and the grant's identity (with russh;
//! for a server whose only host key is RSA with the system's `ssh`) → bytes go through
//! [`channel`] both ways.

pub mod channel;
pub mod exec_request;
mod host_key;
pub mod limits;
mod login;
mod pieces;
pub mod reference_list;
pub mod route;
mod session;
mod ssh_hop;
pub mod tunnel;
pub mod upstream;
mod upstream_error;
pub mod visit;

pub use limits::TimeLimits;
pub use tunnel::Tunnel;
pub use upstream::Upstreams;
