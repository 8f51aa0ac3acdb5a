#![no_main]

#[path = "../targets/shared"]
mod shared {
    pub(crate) mod checksums;
    pub(crate) mod reported;
    pub(crate) mod uneven;
}
#[path = "../targets/archive.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::check(data));
