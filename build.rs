//! Builds the guest, the static program that is `ssh` inside a build step, and puts its bytes
//! where `src/guest.rs` embeds them. Stable Rust and a C compiler as linker are all it needs.

use std::env;
use std::path::PathBuf;
use std::process::Command;

fn main() {
    for path in ["build.rs", "src/guest", "src/wire/tunnel.rs"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("ssh");
    let of = |name: &str| env::var(name).expect("cargo sets it");
    let known = matches!(of("CARGO_CFG_TARGET_ARCH").as_str(), "x86_64" | "aarch64");
    if of("CARGO_CFG_TARGET_OS") != "linux" || !known {
        // The gateway then says that it has no guest for this system.
        std::fs::write(out, []).expect("OUT_DIR can be written");
        return;
    }
    let link = "-nostartfiles -static -nodefaultlibs -Wl,--build-id=none -Wl,-z,norelro -Wl,-z,noexecstack";
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc
        .args(["--edition", "2024", "--crate-name", "ssh", "--crate-type", "bin", "--target", &of("TARGET")])
        .args(["-C", "panic=abort", "-C", "opt-level=2", "-C", "lto=fat", "-C", "codegen-units=1"])
        .args(["-C", "relocation-model=static", "-C", "strip=symbols", "-C", &format!("link-args={link}")])
        .arg("src/guest/main.rs")
        .arg("-o")
        .arg(&out)
        .env("VALETKEY_VERSION", of("CARGO_PKG_VERSION"));
    // A cross build names its linker to cargo.
    if let Some(linker) = env::var_os("RUSTC_LINKER") {
        rustc.arg("-C").arg(format!("linker={}", linker.to_string_lossy()));
    }
    let status = rustc.status().expect("rustc can be started");
    assert!(status.success(), "failed to build the guest (src/guest/main.rs)");
}
