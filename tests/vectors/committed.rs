//! Files that are made here and committed: compared with what is made, or written again.

use std::path::PathBuf;

/// Returns the committed text of a file of this folder, after holding it against `made`.
///
/// With `UPDATE_VECTORS=1` in the environment it is written first.
pub(crate) fn committed(name: &str, made: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name);
    if std::env::var_os("UPDATE_VECTORS").is_some_and(|value| value == "1") {
        std::fs::write(&path, made).unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    if let Some((at, (committed, made))) = text.lines().zip(made.lines()).enumerate().find(|(_, (a, b))| a != b) {
        panic!("{name}:{}: committed {committed}\nmade {made}\nUPDATE_VECTORS=1 writes it again", at + 1);
    }
    assert_eq!(text.len(), made.len(), "{name} is not as it is made; UPDATE_VECTORS=1 writes it again");
    text
}

/// A JSON object of these members, given as JSON, one a line.
pub(crate) fn object(members: impl IntoIterator<Item = (String, String)>) -> String {
    let lines: Vec<String> =
        members.into_iter().map(|(name, value)| format!("{}: {value}", crate::forge::quoted(&name))).collect();
    format!("{{\n{}\n}}", lines.join(",\n"))
}

/// A JSON array of these items, one a line.
pub(crate) fn array<T: serde::Serialize>(items: &[T]) -> String {
    let lines: Vec<String> = items.iter().map(|item| serde_json::to_string(item).unwrap()).collect();
    format!("[\n{}\n]", lines.join(",\n"))
}
