//! How many tests a program says it ran. Three ways of saying it are understood: libtest's, Node's test runner's, and
//! the plain line `N passed, N failed`.

use std::ops::AddAssign;

/// What came of a number of tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Ran and held.
    pub(crate) passed: u64,
    /// Ran and did not hold.
    pub(crate) failed: u64,
    /// Did not run, for a reason that is shown.
    pub(crate) not_run: u64,
}

impl Counts {
    /// One passed.
    pub(crate) const PASS: Self = Self { passed: 1, failed: 0, not_run: 0 };
    /// One failed.
    pub(crate) const FAIL: Self = Self { passed: 0, failed: 1, not_run: 0 };

    /// The counts a line of output states, if it states any.
    pub(crate) fn in_line(line: &str) -> Option<Self> {
        libtest(line).or_else(|| node(line)).or_else(|| plain(line))
    }

    /// These counts when some of the tests that passed said that they had not run.
    pub(crate) fn without(self, withheld: u64) -> Self {
        let withheld = withheld.min(self.passed);
        Self { passed: self.passed - withheld, failed: self.failed, not_run: self.not_run + withheld }
    }

    /// Whether no test is counted at all.
    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed = self.passed.saturating_add(other.passed);
        self.failed = self.failed.saturating_add(other.failed);
        self.not_run = self.not_run.saturating_add(other.not_run);
    }
}

/// `test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s`
fn libtest(line: &str) -> Option<Counts> {
    let (_, parts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |word: &str| parts.split("; ").find_map(|part| part.strip_suffix(word)?.trim().parse().ok());
    Some(Counts { passed: count("passed")?, failed: count("failed")?, not_run: count("ignored")? })
}

/// `# pass 5`, or `ℹ pass 5`: Node prints one line for each kind.
fn node(line: &str) -> Option<Counts> {
    let rest = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ "))?;
    let (word, count) = rest.split_once(' ')?;
    let count = count.trim().parse().ok()?;
    match word {
        "pass" => Some(Counts { passed: count, ..Counts::default() }),
        "fail" | "cancelled" => Some(Counts { failed: count, ..Counts::default() }),
        "skipped" | "todo" => Some(Counts { not_run: count, ..Counts::default() }),
        _ => None,
    }
}

/// `5 passed, 0 failed`
fn plain(line: &str) -> Option<Counts> {
    let (passed, failed) = line.trim().split_once(" passed, ")?;
    let failed = failed.strip_suffix(" failed")?;
    Some(Counts { passed: passed.parse().ok()?, failed: failed.parse().ok()?, not_run: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libtest_states_passed_failed_and_ignored() {
        let line = "test result: FAILED. 7 passed; 2 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.10s";
        assert_eq!(Counts::in_line(line), Some(Counts { passed: 7, failed: 2, not_run: 1 }));
    }

    #[test]
    fn node_states_one_kind_a_line_in_either_reporter() {
        assert_eq!(Counts::in_line("# pass 12"), Some(Counts { passed: 12, failed: 0, not_run: 0 }));
        assert_eq!(Counts::in_line("ℹ fail 3"), Some(Counts { passed: 0, failed: 3, not_run: 0 }));
        assert_eq!(Counts::in_line("ℹ cancelled 1"), Some(Counts { passed: 0, failed: 1, not_run: 0 }));
        assert_eq!(Counts::in_line("# skipped 4"), Some(Counts { passed: 0, failed: 0, not_run: 4 }));
    }

    #[test]
    fn the_plain_line_is_understood_and_other_lines_are_not() {
        assert_eq!(Counts::in_line("5 passed, 0 failed"), Some(Counts { passed: 5, failed: 0, not_run: 0 }));
        for line in ["", "pass 5", "# tests 5", "5 passed", "x passed, y failed", "test result: ok."] {
            assert_eq!(Counts::in_line(line), None, "{line:?}");
        }
    }
}
