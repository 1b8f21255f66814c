//! Which name was probably meant.

/// Returns the name that differs from `key` in the fewest characters, unless that is most of them.
pub(super) fn nearest(key: &str, names: &[String]) -> Option<String> {
    let ranked = names.iter().map(|name| (distance(key, name), name));
    ranked.min().filter(|(distance, name)| *distance <= name.len() / 2).map(|(_, name)| name.clone())
}

/// Returns how many insertions, deletions and replacements of one character lead from `a` to `b` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut left = i.saturating_add(1);
        let mut diagonal = i;
        for (above, to) in row.iter_mut().skip(1).zip(b.chars()) {
            let replaced = diagonal.saturating_add(usize::from(from != to));
            diagonal = *above;
            left = replaced.min(left.saturating_add(1)).min(above.saturating_add(1));
            *above = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i.saturating_add(1);
        }
    }
    row.last().copied().unwrap_or_default()
}
