//! What a failed step's output says of the tests that did not hold. It stands at the very end of the whole check's
//! output, since where that is shown in part, the part is the end.

/// How many lines are shown of each failure.
const LINES: usize = 40;

/// The failures a step's output tells of, each with its name and the first [`LINES`] lines of what it said. libtest's,
/// those of Node's test runner in both its ways of saying it, and a compiler's errors are understood.
pub(crate) fn of(output: &str) -> Vec<&str> {
    let mut left = 0;
    let told = |line: &&str| {
        if begins(line) {
            left = LINES;
        } else if ends(line) {
            left = 0;
        }
        let shown = left > 0;
        left = left.saturating_sub(1);
        shown
    };
    output.lines().filter(told).collect()
}

fn begins(line: &str) -> bool {
    let of_libtest = line.starts_with("---- ") && line.ends_with(" stdout ----");
    let of_node = line.trim_start().starts_with("not ok ") || line == "✖ failing tests:";
    of_libtest || of_node || line.starts_with("error: ") || line.starts_with("error[")
}

fn ends(line: &str) -> bool {
    let next_target = line.trim_start().starts_with("Running ");
    line == "failures:" || line.starts_with("test result: ") || line.trim() == "..." || next_target
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_libtest_each_test_that_failed_and_what_it_said() {
        let output = "test a::b ... FAILED\ntest c ... ok\n\nfailures:\n\n---- a::b stdout ----\nthread 'a::b' panicked at x.rs:1:2:\nleft: 1\n\nfailures:\n    a::b\n\ntest result: FAILED. 1 passed; 1 failed\n\nerror: test failed, to rerun pass `-p x`\n     Running d\ntest e ... ok";
        let said = [
            "---- a::b stdout ----",
            "thread 'a::b' panicked at x.rs:1:2:",
            "left: 1",
            "",
            "error: test failed, to rerun pass `-p x`",
        ];
        assert_eq!(of(output), said);
    }

    #[test]
    fn of_nodes_runner_too() {
        let output = "ok 1 - c\n    not ok 2 - b\n      ---\n      error: 'no'\n      ...\n    ok 3 - d\n# fail 1";
        assert_eq!(of(output), ["    not ok 2 - b", "      ---", "      error: 'no'"]);
        let output = "✔ c (1ms)\n✖ b (2ms)\nℹ fail 1\n\n✖ failing tests:\n\ntest at a.js:1:1\n✖ b (2ms)\n  no";
        assert_eq!(of(output), ["✖ failing tests:", "", "test at a.js:1:1", "✖ b (2ms)", "  no"]);
    }

    #[test]
    fn no_failure_takes_the_place_of_the_next_and_none_is_none() {
        let output = format!("error[E0001]: one\n{}error: two\n", "much\n".repeat(99));
        assert_eq!((of(&output).len(), of(&output).last()), (LINES + 1, Some(&"error: two")));
        assert!(of("test c ... ok\ntest result: ok. 1 passed; 0 failed\n").is_empty());
    }
}
