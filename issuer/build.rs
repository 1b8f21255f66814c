//! Rebuilds the daemon when a file that it embeds appears, changes or goes; the compiler itself sees only changes.

fn main() {
    for folder in ["../www", "../pkg", "../pkg/wasm"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
