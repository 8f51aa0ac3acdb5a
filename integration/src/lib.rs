//! The harness that the end-to-end tests and benchmarks share.
