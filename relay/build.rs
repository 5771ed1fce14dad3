//! Packs the relocations (DT_RELR) where the machine's own C library knows them: a relay, a window, and a bridge are each some
//! 250 KiB smaller, and touch as much less memory when they start. For another machine than this one nothing is done: its
//! library may be an older one, which would not start the program.

use std::env;
use std::process::Command;

/// The first glibc that knows them.
const FIRST: (u32, u32) = (2, 36);

fn main() {
    println!("cargo::rerun-if-changed=../relay/build.rs");
    let is_own = env::var_os("TARGET") == env::var_os("HOST");
    let is_gnu = env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|library| library == "gnu");
    let is_linux = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux");
    if is_own && is_gnu && is_linux && glibc().is_some_and(|version| version >= FIRST) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Major and minor number, from `glibc 2.41`.
fn glibc() -> Option<(u32, u32)> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    let minor = minor.split('.').next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
