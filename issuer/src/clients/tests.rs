//! What a client may ask for, and what becomes of its secrets.

use super::*;

fn at(secs: u64) -> UnixTime {
    UnixTime::from_secs(1_800_000_000 + secs).unwrap()
}

fn client() -> ClientRecord {
    ClientRecord::administrator("backend", [1; 32], at(0))
}

fn hashes(client: &ClientRecord) -> Vec<(u8, Option<UnixTime>)> {
    client.secrets.iter().map(|secret| (secret.hash[0], secret.expires_at)).collect()
}

#[test]
fn the_secret_before_holds_for_the_overlap_and_no_third_one_does() {
    let client = client().with_secret([2; 32], 100, at(10));
    assert_eq!(hashes(&client), [(1, Some(at(110))), (2, None)]);
    let client = client.with_secret([3; 32], 50, at(20));
    assert_eq!(hashes(&client), [(2, Some(at(70))), (3, None)]);
    assert!(client.secrets[0].holds(at(69)) && !client.secrets[0].holds(at(70)));
    assert_eq!(hashes(&client.clone().with_secret([4; 32], 0, at(21))), [(4, None)]);
    assert!(client.secrets.len() <= MAX_SECRETS);
}

#[test]
fn a_secret_that_ends_before_the_overlap_is_not_revived_by_it() {
    let mut client = client();
    client.secrets[0].expires_at = Some(at(30));
    assert_eq!(hashes(&client.clone().with_secret([2; 32], 100, at(10))), [(1, Some(at(30))), (2, None)]);
    assert_eq!(hashes(&client.with_secret([2; 32], 100, at(30))), [(2, None)]);
}

#[test]
fn a_secret_is_removed_by_its_id_alone() {
    let client = client().with_secret([2; 32], 100, at(10));
    let [first, second] = [client.secrets[0].id(), client.secrets[1].id()];
    assert!(first != second && first.len() == 12);
    assert_eq!(hashes(&client.clone().without_secret(&second).unwrap()), [(1, Some(at(110)))]);
    assert_eq!(hashes(&client.clone().without_secret(&first).unwrap()), [(2, None)]);
    assert_eq!(client.without_secret("AAAAAAAAAAAA"), None);
}

#[test]
fn what_is_not_listed_is_not_allowed_and_without_a_list_everything_is() {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let any = Allowed::everything();
    assert!(any.audiences(&texts(&["a", "b"])) && any.scope(Some("a b")) && any.claim("roles"));
    let some =
        Allowed { audiences: Some(texts(&["a"])), scopes: Some(texts(&["r", "w"])), claims: Some(vec![]), ..any };
    assert!(some.audiences(&texts(&["a"])) && some.scope(Some("w r")) && some.scope(None));
    for audiences in [texts(&["b"]), texts(&["a", "b"]), texts(&["A"]), texts(&[""])] {
        assert!(!some.audiences(&audiences), "{audiences:?}");
    }
    for scope in ["x", "r x", "rw", "", "r  w", "R"] {
        assert!(!some.scope(Some(scope)), "{scope}");
    }
    assert!(!some.claim("tenant"));
}

#[test]
fn a_set_of_grants_reads_as_it_was_written() {
    for bits in 0..=u8::MAX {
        match Grants::from_bits(bits) {
            Some(grants) => assert_eq!((grants.bits(), grants.iter().collect::<Grants>()), (bits, grants)),
            None => assert!(bits >= 16),
        }
    }
    assert!(GrantType::ALL.into_iter().all(|grant| GrantType::parse(grant.name()) == Some(grant)));
    assert_eq!(GrantType::parse("password"), None);
}
