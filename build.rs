//! What is said to the linker, and nothing else.

use std::env;

/// Unwinding is linked in where the GNU tools are at home, instead of loaded as a library of its own at every start: of a
/// `pub` of one message that is a twentieth of the time from start to exit (benches/clients.py). The flag must stand
/// before the standard library's own, and so it belongs to the library's crate and not to the command.
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux")
        && env::var("CARGO_CFG_TARGET_ENV").as_deref() == Ok("gnu")
    {
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}
