#![no_main]

#[path = "../targets/shared"]
mod shared {
    pub(crate) mod reported;
}
#[path = "../targets/manifest.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::check(data));
