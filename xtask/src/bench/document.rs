//! The parts of docs/benchmarks.md that are written by measurements. What lies outside the markers is never touched.
//!
//! ```text
//! <!-- bench:verify -->
//! …
//! <!-- /bench:verify -->
//! ```

use anyhow::Context;

/// The document with the text between the subject's markers replaced.
///
/// # Errors
/// When the document does not hold both markers, in order.
pub(crate) fn replace(document: &str, subject: &str, text: &str) -> anyhow::Result<String> {
    let (open, close) = (format!("<!-- bench:{subject} -->"), format!("<!-- /bench:{subject} -->"));
    let (before, rest) = document.split_once(&open).with_context(|| format!("the document holds {open}"))?;
    let (_, after) = rest.split_once(&close).with_context(|| format!("the document holds {close} after {open}"))?;
    Ok(format!("{before}{open}\n{}\n{close}{after}", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "# A\n<!-- bench:a -->\nold\n<!-- /bench:a -->\n# B\n<!-- bench:b --><!-- /bench:b -->\n";

    #[test]
    fn only_the_part_between_the_markers_changes() {
        let changed = replace(DOCUMENT, "a", "new\n").unwrap();
        assert_eq!(changed, "# A\n<!-- bench:a -->\nnew\n<!-- /bench:a -->\n# B\n<!-- bench:b --><!-- /bench:b -->\n");
        assert_eq!(replace(&changed, "a", "old").unwrap(), DOCUMENT);
    }

    #[test]
    fn a_document_without_the_markers_is_left_alone() {
        assert!(replace(DOCUMENT, "c", "new").is_err());
        assert!(replace("<!-- /bench:a --><!-- bench:a -->", "a", "new").is_err());
    }
}
