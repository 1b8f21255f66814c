//! Builds the module behind the npm package: verifier-wasm for wasm32, then its JavaScript glue into pkg/wasm.
//!
//! wasm-bindgen runs as a library, so that its version is the one of Cargo.lock and nothing has to be installed.

use crate::freshness::Freshness;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};
use wasm_bindgen_cli_support::Bindgen;

const PACKAGE: &str = "countersign-verifier-wasm";
const TARGET: &str = "wasm32-unknown-unknown";
/// The file that cargo writes, and the stem of the files made from it.
const LIBRARY: &str = "verifier_wasm.wasm";
const STEM: &str = "verifier";

/// Builds the module in `profile` and writes `verifier.js`, `verifier.d.ts` and `verifier_bg.wasm` into pkg/wasm.
///
/// # Errors
/// When cargo fails, or the module cannot be read or written.
pub(crate) fn run(root: &Path, profile: &str) -> Result<()> {
    let library = compile(root, profile)?;
    let out = root.join("pkg").join("wasm");
    let freshness = Freshness::of(&library, &out);
    if freshness.holds() {
        return Ok(()); // and the daemon, which embeds these files, is not built again for nothing
    }
    generate(&library, &out)?;
    freshness.record()?;
    let module = out.join(format!("{STEM}_bg.wasm"));
    let size = fs::metadata(&module).with_context(|| format!("reading {}", module.display()))?.len();
    println!("{}: {size} bytes", module.display());
    Ok(())
}

/// Compiles the bindings, and returns where cargo left them.
fn compile(root: &Path, profile: &str) -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root)
        .args(["build", "--locked", "--package", PACKAGE, "--target", TARGET, "--profile", profile])
        .status()
        .context("starting cargo")?;
    if !status.success() {
        bail!("building {PACKAGE} failed ({status})");
    }
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    // Cargo's profile `dev` writes into `debug`; all others into a folder of their own name.
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(root.join(target).join(TARGET).join(folder).join(LIBRARY))
}

/// Writes the module without its names, and the glue for it.
fn generate(library: &Path, out: &Path) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(library)
        .out_name(STEM)
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .omit_default_module_path(true) // pkg's entries say where the module is, each in its runtime's way
        .reset_state_function(true); // pkg/src/instance.js replaces an instance that has trapped
    bindgen.web(true).context("choosing the target")?;
    bindgen.generate(out).with_context(|| format!("writing the glue into {}", out.display()))
}
