//! What the Cargo.toml of a crate depends on, outside its tests.

use crate::table::Crate;

/// The dependencies that the crate's row does not name, one sentence each.
pub(crate) fn violations(of: &Crate, manifest: &str) -> Vec<String> {
    let Some(allowed) = of.dependencies else { return Vec::new() };
    let named = dependencies(manifest);
    let extra = named.iter().filter(|name| !allowed.contains(&name.as_str()));
    extra.map(|name| format!("{}/Cargo.toml: may not depend on `{name}`", of.folder)).collect()
}

/// The names in `[dependencies]`, in `[build-dependencies]` and in those of single targets.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_table = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.split(']').next().unwrap_or_default();
            let (table, name) = header.rsplit_once("dependencies.").unwrap_or((header, ""));
            in_table = header.ends_with("dependencies") && !header.ends_with("dev-dependencies");
            if !name.is_empty() && !table.ends_with("dev-") {
                found.push(name.to_owned()); // [dependencies.name]
            }
        } else if in_table && !line.is_empty() && !line.starts_with('#') {
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
            found.push(name.trim_matches('"').to_owned());
        }
    }
    found
}
