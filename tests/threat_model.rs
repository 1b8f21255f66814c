//! docs/threat-model.md names a test, or a vector, for each fault of the revocation list and each line of the
//! checklists; here they are looked for.

use std::path::Path;

/// The rows of the tables below the heading, each as its cells.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let below = text.split_once("## Faults of the revocation list").map_or("", |(_, below)| below);
    let lines = below.lines().filter(|line| line.starts_with("| ") && !line.contains("| shown by |"));
    lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

/// Why the row shows nothing, if so.
fn fault(root: &Path, row: &[&str]) -> Option<String> {
    let [what, answer, shown] = row else { return Some(format!("{row:?} has not three cells")) };
    // A fault that our list cannot have, and a line that does not apply, need a reason in the place of a test.
    if *shown == "-" {
        let reasons = ["no verifier", "there are none", "does not apply"];
        return (!reasons.iter().any(|reason| answer.contains(reason))).then(|| format!("{what}: no test"));
    }
    shown.split("<br>").find_map(|one| {
        let Some((file, name)) = one.split_once("`: ") else { return Some(format!("{what}: {one} is no test")) };
        let file = file.trim_start_matches('`');
        let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
        let there = text.contains(&format!("fn {name}("))
            || text.contains(&format!("\"{}\"", name.replace('"', "\\\"")))
            || text.contains(&format!("::{name}"));
        (!there).then(|| format!("{what}: {file} has no {name:?}"))
    })
}

#[test]
fn every_fault_and_every_line_of_a_checklist_has_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = std::fs::read_to_string(root.join("docs/threat-model.md")).unwrap();
    let rows = rows(&text);
    assert!(rows.len() > 120, "{} rows", rows.len());
    let faults: Vec<String> = rows.iter().filter_map(|row| fault(root, row)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    println!("{} rows", rows.len());
}

#[test]
fn a_row_that_names_no_test_is_noticed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for row in [
        ["a fault", "refused", "`tests/vectors/lists.json`: no case of this name"],
        ["a fault", "refused", "`tests/nowhere.rs`: a_test"],
        ["a fault", "refused", "-"],
    ] {
        assert!(fault(root, &row).is_some(), "{row:?}");
    }
}
