//! The program that is `ssh` inside a build step, as bytes to mount there.
//!
//! It is a program of its own, built by `build.rs` for the machine that valetkey is built for:
//! `src/guest/main.rs`, without libc and heap. What of it is pure is a part of this library
//! too, so that it is tested here.

pub mod args;

/// The static program, for the architecture of this build; empty where there is none.
pub const PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/ssh"));
/// The name that it is mounted by: what Git looks for in PATH.
pub const NAME: &str = "ssh";
