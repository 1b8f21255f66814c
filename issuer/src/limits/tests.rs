//! Budgets over time, and in how much memory.

use super::*;

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn three_a_minute() -> Option<Quota> {
    Quota::new(3, secs(60))
}

#[test]
fn a_budget_is_used_up_and_fills_evenly() {
    let buckets = Buckets::new("test", three_a_minute());
    let left: Vec<u64> =
        (0..3).map(|_| buckets.take(&"a", secs(5)).expect("allowed").expect("a limit").remaining).collect();
    assert_eq!(left, [2, 1, 0]);
    let exceeded = buckets.take(&"a", secs(5)).expect_err("used up");
    assert_eq!((exceeded.retry_after, exceeded.standing.full_in, exceeded.standing.remaining), (20, 60, 0));
    assert_eq!(buckets.take(&"a", secs(24)).expect_err("not yet").retry_after, 1);
    assert!(buckets.take(&"a", secs(25)).is_ok(), "exactly when it was told");
    assert!(buckets.take(&"a", secs(25)).is_err(), "and only one");
    assert!(buckets.take(&"b", secs(25)).is_ok(), "others have their own");
    assert_eq!(buckets.take(&"a", secs(1_000)).expect("full").expect("a limit").remaining, 2);
}

#[test]
fn what_is_refused_costs_nothing() {
    let buckets = Buckets::new("test", three_a_minute());
    let allowed = (0..600).filter(|tenth| buckets.take(&"a", Duration::from_millis(tenth * 100)).is_ok()).count();
    assert_eq!(allowed, 5, "three at once, and one after each 20 seconds of the minute");
}

#[test]
fn no_quota_is_no_limit() {
    assert_eq!(Quota::new(0, secs(1)), None);
    let buckets = Buckets::new("test", None);
    assert!((0..10_000).all(|_| buckets.take(&"a", secs(1)) == Ok(None) && buckets.ask(&"a", secs(1)).is_ok()));
    assert_eq!(buckets.len(), 0);
}

#[test]
fn a_large_quota_is_not_rounded_away() {
    let buckets = Buckets::new("test", Quota::new(10_000, secs(1)));
    let allowed = (0..30_000).filter(|_| buckets.take(&"a", secs(7)).is_ok()).count();
    assert_eq!(allowed, 10_000);
}

#[test]
fn failures_stop_attempts_as_that_client_from_that_address_and_nobody_else() {
    let limiter = Limiter::new(Quotas { failures: three_a_minute(), ..Quotas::default() });
    let (stranger, backend) = (address("192.0.2.1"), address("192.0.2.2"));
    for _ in 0..3 {
        limiter.attempt(stranger, "admin", secs(0)).expect("allowed");
        limiter.failed(stranger, "admin", secs(0));
    }
    assert_eq!(limiter.attempt(stranger, "admin", secs(0)).expect_err("used up").standing.policy, "failures");
    assert!(limiter.attempt(stranger, "other", secs(0)).is_ok());
    assert!(limiter.attempt(backend, "admin", secs(0)).is_ok(), "nobody is locked out by a stranger");
    assert!((0..1_000).all(|_| limiter.attempt(backend, "admin", secs(0)).is_ok()), "what succeeds is not counted");
    assert!(limiter.attempt(stranger, "admin", secs(20)).is_ok());
}

#[test]
fn an_address_cannot_try_one_client_after_the_other_for_ever() {
    let quotas =
        Quotas { failures: three_a_minute(), failures_of_address: Quota::new(5, secs(60)), ..Quotas::default() };
    let limiter = Limiter::new(quotas);
    let tried = (0..100).filter(|number| {
        let id = format!("client-{number}");
        let allowed = limiter.attempt(address("2001:db8::1"), &id, secs(0)).is_ok();
        if allowed {
            limiter.failed(address("2001:db8::2"), &id, secs(0)); // the same network
        }
        allowed
    });
    assert_eq!(tried.count(), 5);
    assert!(limiter.attempt(address("2001:db8:0:1::1"), "client-0", secs(0)).is_ok(), "another network");
}

#[test]
fn classes_and_clients_have_budgets_of_their_own() {
    let one = Quota::new(1, secs(1));
    let quotas = Quotas { client: one, token: one, management: one, ..Quotas::default() };
    let limiter = Limiter::new(quotas);
    let somebody = address("192.0.2.1");
    for class in [Class::Token, Class::Management] {
        assert!(limiter.request(class, somebody, secs(0)).is_ok());
        assert!(limiter.request(class, somebody, secs(0)).is_err());
        assert!(limiter.request(class, address("192.0.2.2"), secs(0)).is_ok());
    }
    assert_eq!(limiter.request(Class::Public, somebody, secs(0)), Ok(None));
    assert!(limiter.request_of("a", secs(0)).is_ok() && limiter.request_of("b", secs(0)).is_ok());
    assert!(limiter.request_of("a", secs(0)).is_err());
}

#[test]
fn another_quota_begins_anew_and_one_that_stays_goes_on() {
    let one = Quota::new(1, secs(60));
    let limiter = Limiter::new(Quotas { client: one, token: one, ..Quotas::default() });
    let somebody = address("192.0.2.1");
    assert!(limiter.request_of("a", secs(0)).is_ok() && limiter.request(Class::Token, somebody, secs(0)).is_ok());
    let limiter = limiter.with(Quotas { client: one, token: Quota::new(2, secs(60)), ..Quotas::default() });
    assert!(limiter.request_of("a", secs(0)).is_err(), "still used up");
    assert!(limiter.request(Class::Token, somebody, secs(0)).is_ok());
}

#[test]
fn memory_is_bounded_and_a_crowd_shares_what_is_left() {
    let buckets = Buckets::new("test", three_a_minute());
    let allowed = (0..200_000_u32).filter(|number| buckets.take(number, secs(1)).is_ok()).count();
    assert!(buckets.len() <= 16 * 4_096 + 16, "{} parties", buckets.len());
    assert!(allowed < 16 * (4_096 + 3) + 1, "{allowed} of 200,000");
    // A minute later all those are forgotten as soon as there is need.
    let allowed = (200_000..260_000_u32).filter(|number| buckets.take(number, secs(62)).is_ok()).count();
    assert!(allowed > 50_000, "{allowed} of 60,000");
}
