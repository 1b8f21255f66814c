//! Safeguards of signatures: what their tests notice.

use super::mutations::Mutation;

const VERDICTS: &[&str] = &["--package", "countersign-ed25519", "--lib", "tests::verdict"];
const TABLES: &[&str] = &["--package", "countersign-ed25519", "--lib", "tests::tables"];
const FIELD: &[&str] = &["--package", "countersign-ed25519", "--lib", "tests::field"];
const POINTS: &[&str] = &["--package", "countersign-ed25519", "--lib", "tests::point"];

const DOOR: &str = "token/ed25519/src/lib.rs";
const BUDGET: &str = "token/ed25519/src/tables.rs";
const POINT: &str = "token/ed25519/src/scalar/point.rs";
const LANES: &str = "token/ed25519/src/vector/sum.rs";
const WIDE: &str = "token/ed25519/src/scalar/wide.rs";

/// Of verdicts, of tables, of the arithmetic.
pub(super) const SIGNATURES: &[Mutation] = &[
    Mutation {
        name: "s is below the order",
        file: DOOR,
        text: "order::is_canonical(&s) && !is_low_order(&r)",
        instead: "!is_low_order(&r)",
        test: VERDICTS,
    },
    Mutation {
        name: "R is not of low order",
        file: DOOR,
        text: "order::is_canonical(&s) && !is_low_order(&r)",
        instead: "order::is_canonical(&s)",
        test: VERDICTS,
    },
    Mutation {
        name: "a key is not of low order",
        file: DOOR,
        text: "if point.is_low_order() {",
        instead: "if false {",
        test: VERDICTS,
    },
    Mutation {
        name: "a key has one encoding",
        file: POINT,
        text: "then_some(point)",
        instead: "then_some(point).or(Some(point))",
        test: VERDICTS,
    },
    Mutation {
        name: "forgeries make no tables",
        file: DOOR,
        text: "        if holds {",
        instead: "        if holds || true {",
        test: TABLES,
    },
    Mutation {
        name: "a refused signature takes nobody's sum in a batch",
        file: DOOR,
        text: "Sum::Refused => None,",
        instead: "Sum::Refused => from_tables.next(),",
        test: VERDICTS,
    },
    Mutation {
        name: "sums of a batch stay in their lanes",
        file: LANES,
        text: "Projective { x: xc, y: yc, z: zc },",
        instead: "Projective { x: xc, y: yc, z: zb },",
        test: POINTS,
    },
    Mutation {
        name: "sums that are left over are made",
        file: LANES,
        text: ".chain(rest.iter().map(sum))",
        instead: ".chain(rest.iter().skip(1).map(sum))",
        test: POINTS,
    },
    Mutation {
        name: "tables have a budget",
        file: BUDGET,
        text: "(taken < self.most).then_some",
        instead: "true.then_some",
        test: TABLES,
    },
    Mutation {
        name: "a dropped key gives its place back",
        file: BUDGET,
        text: "self.0.taken.fetch_sub(1, Ordering::Relaxed);",
        instead: "",
        test: TABLES,
    },
    Mutation {
        name: "a list's key has no tables",
        file: BUDGET,
        text: "self.wanted == Tables::Never || ",
        instead: "",
        test: TABLES,
    },
    Mutation {
        name: "a second carry comes back",
        file: WIDE,
        text: "Self([a.plus(if carry { 38 } else { 0 }), b, c, d])",
        instead: "Self([a, b, c, d])",
        test: FIELD,
    },
    Mutation {
        name: "a second borrow comes back",
        file: WIDE,
        text: "Self([a.minus(if borrow { 38 } else { 0 }), b, c, d])",
        instead: "Self([a, b, c, d])",
        test: FIELD,
    },
];
