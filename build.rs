//! Builds the guest, the static program that is `ssh` inside a build step, and puts its bytes
//! where `src/guest.rs` embeds them. Stable Rust and a C compiler as linker are all it needs.

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// What decides what an audit finds.
const RULES: [&str; 4] = ["src/audit", "src/image", "src/audit.rs", "src/image.rs"];

fn main() {
    for path in ["build.rs", "src/guest", "src/wire/tunnel.rs"].into_iter().chain(RULES) {
        println!("cargo::rerun-if-changed={path}");
    }
    println!("cargo::rustc-env=VALETKEY_RULES={:016x}", rules());
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

/// A checksum over the sources of the rules (FNV-1a, 64 bits): no more than a version that nobody
/// can forget to raise.
fn rules() -> u64 {
    let mut files: Vec<PathBuf> = Vec::new();
    let mut folders: Vec<PathBuf> = Vec::new();
    for path in RULES.map(PathBuf::from) {
        if path.is_dir() { folders.push(path) } else { files.push(path) }
    }
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the sources can be read") {
            let path = entry.expect("the sources can be read").path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files.iter().fold(0xcbf2_9ce4_8422_2325, |sum, path| {
        let content = std::fs::read(path).expect("the sources can be read");
        let name = path.to_string_lossy().into_owned().into_bytes();
        name.iter()
            .chain(&[0])
            .chain(&content)
            .fold(sum, |sum: u64, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
    })
}
