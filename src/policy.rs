//! PURE policy: grants, and the verdict on one sign request.
//!
//! No clock, socket or file: time comes in as a value, host keys through [`HostKeys`]. The
//! order of decisions stands in one function, [`judge()`].

pub mod budget;
pub mod grant;
pub mod judge;
pub mod judge_exec;
pub mod reason;
pub mod repository;

pub use budget::Standing;
pub use grant::{Access, Grant, Limits};
pub use judge::{Allowed, HostKeys, HostSeen, Verdict, judge};
pub use reason::Reason;
pub use repository::RepoPattern;
