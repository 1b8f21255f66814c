//! Lets a release build notice new and removed files of the page and the package: the derive that embeds them sees only
//! the files that were there when it last ran. A debug build reads them from the checkout and embeds nothing.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo:rerun-if-changed=../www");
        println!("cargo:rerun-if-changed=../pkg");
    }
}
