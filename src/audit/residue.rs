//! What the usual recipes leave behind.
