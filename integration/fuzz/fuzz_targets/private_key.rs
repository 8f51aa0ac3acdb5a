#![no_main]

#[path = "../targets/private_key.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::check(data));
