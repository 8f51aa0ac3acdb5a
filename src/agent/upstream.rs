//! (on the keys branch)
