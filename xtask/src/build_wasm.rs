//! Builds the modules behind the npm package: verifier-wasm for wasm32, once for every engine and once for those with
//! 128-bit vectors, then the JavaScript glue that both share, into pkg/wasm.
//!
//! wasm-bindgen runs as a library, so that its version is the one of Cargo.lock and nothing has to be installed.

use crate::freshness::Freshness;
use crate::{signing_code, traps};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};
use walrus::Module;
use wasm_bindgen_cli_support::{Bindgen, Output};

const PACKAGE: &str = "countersign-verifier-wasm";
const TARGET: &str = "wasm32-unknown-unknown";
/// The file that cargo writes.
const LIBRARY: &str = "verifier_wasm.wasm";
/// The stem of the glue's files.
const STEM: &str = "verifier";

/// Inlining less makes the modules a sixth smaller and nothing slower: what is hot is large, and called where it is. Still
/// less would be no smaller, and engines spend some 10 µs on each function that is called for the first time.
const SPARING: &str = "-Cllvm-args=--inline-threshold=40";

/// One of the modules.
struct Build {
    /// Its file in pkg/wasm.
    module: &'static str,
    /// Flags of rustc besides [`SPARING`].
    flags: &'static [&'static str],
    /// Folder below cargo's own, for cargo would build everything anew whenever the flags change.
    folder: &'static str,
}

const SCALAR: Build = Build { module: "verifier_bg.wasm", flags: &[], folder: "" };
const SIMD: Build =
    Build { module: "verifier_simd_bg.wasm", flags: &["-Ctarget-feature=+simd128"], folder: "wasm-simd" };

/// Builds the modules in `profile` and writes `verifier.js`, `verifier.d.ts` and both modules into pkg/wasm.
///
/// # Errors
/// When cargo fails, the modules want different glue or hold signing code, or a file cannot be read or written.
pub(crate) fn run(root: &Path, profile: &str) -> Result<()> {
    let (scalar, simd) = (compile(root, profile, &SCALAR)?, compile(root, profile, &SIMD)?);
    let out = root.join("pkg").join("wasm");
    let freshness = Freshness::of(&scalar, &[&simd], &out);
    if freshness.holds() {
        return Ok(()); // and the daemon, which embeds these files, is not built again for nothing
    }
    for library in [&scalar, &simd] {
        let found = signing_code::names_in(&fs::read(library)?);
        if !found.is_empty() {
            bail!("{} holds signing code: {}", library.display(), found.join(", "));
        }
    }
    generate(&scalar, &simd, &out)?;
    freshness.record()?;
    for module in [SCALAR.module, SIMD.module] {
        let path = out.join(module);
        let size = fs::metadata(&path).with_context(|| format!("reading {}", path.display()))?.len();
        println!("{}: {size} bytes", path.display());
    }
    Ok(())
}

/// Writes both modules of the same build into `out` with the names of their functions, for those who profile them.
///
/// # Errors
/// As [`run`].
pub(crate) fn write_with_names(root: &Path, profile: &str, out: &Path) -> Result<()> {
    fs::create_dir_all(out).with_context(|| format!("making {}", out.display()))?;
    for build in [&SCALAR, &SIMD] {
        let library = compile(root, profile, build)?;
        let path = out.join(build.module);
        let module = bound(&library, Names::Kept)?.wasm_mut().emit_wasm();
        fs::write(&path, module).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// Whether a module keeps the names of its functions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Kept,
    Removed,
}

/// Compiles the bindings, and returns where cargo left them.
fn compile(root: &Path, profile: &str, build: &Build) -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut flags = [&[SPARING], build.flags].concat().join("\u{1f}");
    for source in registry_sources()? {
        flags += &format!("\u{1f}--remap-path-prefix={}/=", source.display());
    }
    let status = Command::new(cargo)
        .current_dir(root)
        .args(["build", "--locked", "--package", PACKAGE, "--target", TARGET, "--profile", profile])
        .env("CARGO_TARGET_DIR", target(root, build))
        .env("CARGO_ENCODED_RUSTFLAGS", flags) // which cargo prefers to all other sources of flags
        .status()
        .context("starting cargo")?;
    if !status.success() {
        bail!("building {PACKAGE} failed ({status})");
    }
    // Cargo's profile `dev` writes into `debug`; all others into a folder of their own name.
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(target(root, build).join(TARGET).join(folder).join(LIBRARY))
}

/// Where cargo keeps the sources of dependencies: names of this machine, which the module's panics would show.
fn registry_sources() -> Result<Vec<PathBuf>> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo"))).context("finding cargo's home")?;
    let sources = home.join("registry").join("src");
    let Ok(entries) = fs::read_dir(&sources) else { return Ok(Vec::new()) }; // nothing has been downloaded yet
    entries.map(|entry| Ok(entry.with_context(|| format!("reading {}", sources.display()))?.path())).collect()
}

/// Cargo's target directory of this build.
fn target(root: &Path, build: &Build) -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    root.join(target).join(build.folder)
}

/// Writes both modules without their names, and the glue that fits both.
fn generate(scalar: &Path, simd: &Path, out: &Path) -> Result<()> {
    let (mut glue, mut other) = (bound(scalar, Names::Removed)?, bound(simd, Names::Removed)?);
    if (glue.js(), glue.ts()) != (other.js(), other.ts()) {
        bail!("{} needs other glue than {}", simd.display(), scalar.display());
    }
    glue.emit(out).with_context(|| format!("writing the glue into {}", out.display()))?;
    let module = out.join(SIMD.module);
    fs::write(&module, other.wasm_mut().emit_wasm()).with_context(|| format!("writing {}", module.display()))
}

/// Returns the module and its glue, not yet written.
fn bound(library: &Path, names: Names) -> Result<Output> {
    let mut module = Module::from_file(library).with_context(|| format!("reading {}", library.display()))?;
    traps::shorten(&mut module);
    let mut bindgen = Bindgen::new();
    bindgen
        .input_bytes(STEM, module.emit_wasm())
        .typescript(true)
        .remove_name_section(names == Names::Removed)
        .remove_producers_section(true)
        .omit_default_module_path(true) // pkg's entries say where the module is, each in its runtime's way
        .reset_state_function(true); // pkg/src/instance.js replaces an instance that has trapped
    bindgen.web(true).context("choosing the target")?;
    let mut output = bindgen.generate_output().with_context(|| format!("binding {}", library.display()))?;
    traps::shorten(output.wasm_mut()); // without what described the bindings more of it is called nowhere
    Ok(output)
}
