//! The clock: `exp` and `nbf` to the second (RFC 7519 §4.1.4: "on or after" `exp` is too late), under every leeway.

use crate::forge::{Draft, EXP, NOW};
use crate::verdict::{Case, Expect, accepted, claim, expired};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for leeway in [0, 1, 5, 60] {
        cases.extend(expiry(leeway));
        cases.extend(maturity(leeway));
    }
    cases.extend(corners());
    cases
}

fn expiry(leeway: i64) -> Vec<Case> {
    let token = Draft::new().token();
    [(-1, 0), (0, 0), (1, 0), (-1, leeway), (0, leeway), (1, leeway), (3600, leeway)]
        .into_iter()
        .filter(|(_, base)| leeway != 0 || *base == leeway)
        .map(|(offset, base)| offset + base)
        .collect::<std::collections::BTreeSet<i64>>()
        .into_iter()
        .map(|at| {
            let expect = if at < leeway { accepted() } else { expired() };
            Case::new(format!("{at} s after exp with {leeway} s of leeway"), &token, expect)
                .at_exp(at)
                .with(|options| options.leeway = leeway.unsigned_abs())
        })
        .collect()
}

fn maturity(leeway: i64) -> Vec<Case> {
    let token = Draft::new().claim("nbf", &(NOW + 100).to_string()).token();
    [-1, 0, 1, -1 - leeway, -leeway, 1 - leeway]
        .into_iter()
        .collect::<std::collections::BTreeSet<i64>>()
        .into_iter()
        .map(|at| {
            let expect = if at + leeway >= 0 { accepted() } else { claim("nbf", "check_failed") };
            Case::new(format!("{at} s after nbf with {leeway} s of leeway"), &token, expect)
                .at((NOW + 100).checked_add_signed(at).unwrap())
                .with(|options| options.leeway = leeway.unsigned_abs())
        })
        .collect()
}

fn corners() -> Vec<Case> {
    let last = 253_402_300_799;
    let case = |name: &str, draft: Draft, now: u64, expect: Expect| {
        Case::new(name, draft.token(), expect).at(now).without_revocations()
    };
    let never = Draft::new().expiring(last, 7);
    vec![
        case("exp at the end of time holds a second before it", never.clone(), last - 1, accepted()),
        case("exp at the end of time holds until its leeway", never.clone(), last, accepted()),
        case("exp at the end of time without leeway does not hold then", never, last, expired())
            .with(|options| options.leeway = 0),
        case("at time 0 a token holds", Draft::new(), 0, accepted()),
        case("at time 0 exp 0 has passed without leeway", Draft::new().expiring(0, 7), 0, expired())
            .with(|options| options.leeway = 0),
        case("at time 0 exp 0 holds with leeway", Draft::new().expiring(0, 7), 0, accepted()),
        case("nbf 0 is always past", Draft::new().claim("nbf", "0"), 0, accepted()),
        case(
            "nbf after exp never holds",
            Draft::new().claim("nbf", &(EXP + 100).to_string()),
            EXP - 1,
            claim("nbf", "check_failed"),
        ),
        case(
            "nbf after exp has expired once it has come",
            Draft::new().claim("nbf", &(EXP + 100).to_string()),
            EXP + 100,
            expired(),
        ),
        case(
            "an exp before its iat has just passed",
            Draft::new().claim("iat", &(NOW + 50_000).to_string()),
            EXP + 5,
            expired(),
        ),
        Case::new("a clock that runs behind a list revives no token", Draft::new().token(), expired())
            .list("an hour ahead"),
        Case::new(
            "a clock that runs behind a list lets a token begin when the list was signed",
            Draft::new().expiring(NOW + 7200, 7).claim("nbf", &(NOW + 3600).to_string()).token(),
            accepted(),
        )
        .list("an hour ahead"),
    ]
}
