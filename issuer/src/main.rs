//! The daemon and its command line; everything is in the library, where tests reach it.

fn main() -> std::process::ExitCode {
    issuer::cli::main()
}
