//! PURE policy: grants, and the verdict on one sign request.
//!
//! No clock, socket or file: time comes in as a value, host keys through [`HostKeys`]. The
//! order of decisions stands in one function, [`judge()`].

pub mod budget;
pub mod grant;
pub mod judge;
pub mod reason;

pub use budget::Standing;
pub use grant::{Grant, Limits};
pub use judge::{Allowed, HostKeys, HostSeen, Verdict, judge};
pub use reason::Reason;
