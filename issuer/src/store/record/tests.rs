//! Every record reads as it was written, and nothing else reads at all.

use super::*;
use crate::audit::{Link, Run};
use crate::clients::{Allowed, ClientKey, ClientRecord, ClientSecret, Grants};
use crate::rules::Rules;
use crate::session::{Access, EndReason, Ended, Exchanged, Grant, Live, Renewal, Session, SessionId};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use token::time::UnixTime;

fn time() -> impl Strategy<Value = UnixTime> {
    (0..=UnixTime::MAX.as_secs()).prop_map(|secs| UnixTime::from_secs(secs).unwrap())
}

fn grant() -> impl Strategy<Value = Grant> {
    (".*", vec(".*", 0..4), of(".*"), vec(".*", 0..4), vec(".*", 0..4), of(time()), of(time()), ".*", any::<bool>())
        .prop_map(|(sub, aud, scope, roles, permissions, auth_time, nbf, claims, status)| Grant {
            sub,
            aud,
            scope,
            roles,
            permissions,
            auth_time,
            nbf,
            claims,
            status,
        })
}

fn ended() -> impl Strategy<Value = Ended> {
    let reason = prop_oneof![Just(EndReason::Revoked), Just(EndReason::Reused), Just(EndReason::AboveNewest)];
    (reason, time()).prop_map(|(reason, at)| Ended { reason, at })
}

fn session() -> impl Strategy<Value = Session> {
    let access = (".*", time(), time(), any::<u32>(), of(".*")).prop_map(|(kid, iat, exp, index, scope)| Access {
        kid,
        iat,
        exp,
        index,
        scope,
    });
    let renewal =
        (any::<u64>(), time(), any::<u64>(), time()).prop_map(|(idle_secs, ends_at, generation, expires_at)| Renewal {
            idle_secs,
            ends_at,
            generation,
            expires_at,
        });
    let live = (time(), any::<u32>()).prop_map(|(exp, index)| Live { exp, index });
    let exchanged = (time(), any::<u32>(), time(), ".*").prop_map(|(exp, index, iat, client_id)| Exchanged {
        exp,
        index,
        iat,
        client_id,
    });
    (
        any::<[u8; 16]>(),
        ".*",
        time(),
        grant(),
        any::<u64>(),
        access,
        of(renewal),
        (vec(live, 0..20), vec(exchanged, 0..4)),
        of(ended()),
        of(".*"),
    )
        .prop_map(
            |(sid, client_id, began, grant, access_ttl_secs, last, renewal, (live, exchanged), ended, device)| {
                Session {
                    sid: SessionId(sid),
                    client_id,
                    began,
                    grant,
                    device,
                    access_ttl_secs,
                    last,
                    renewal,
                    live,
                    exchanged,
                    ended,
                }
            },
        )
}

fn publication() -> impl Strategy<Value = Publication> {
    (any::<u64>(), time(), time(), any::<[u8; 16]>(), any::<u64>(), any::<u32>(), of(time()), any::<u64>()).prop_map(
        |(seq, iat, exp, id, upto, low, cut_all, rules)| Publication {
            seq,
            iat,
            exp,
            id: ListId::from_bytes(id),
            upto,
            low,
            cut_all,
            rules,
        },
    )
}

fn key() -> impl Strategy<Value = SealedKey> {
    let purpose = prop_oneof![Just(Purpose::Token), Just(Purpose::Revocations)];
    let algorithm = prop_oneof![Just(Algorithm::EdDsa), Just(Algorithm::Ed25519)];
    let state = prop_oneof![
        Just(KeyState::Next),
        Just(KeyState::Active),
        Just(KeyState::Retired),
        Just(KeyState::Kept),
        Just(KeyState::Withdrawn)
    ];
    let signed = of((time(), of(time())).prop_map(|(from, until)| Signed { from, until }));
    let half = prop_oneof![Just(Half::Private), Just(Half::Public)];
    let life = (state, time(), signed, half);
    (".*", purpose, algorithm, life, any::<[u8; 24]>(), any::<[u8; 32]>(), any::<[u8; 16]>()).prop_map(
        |(kid, purpose, algorithm, (state, since, signed, half), nonce, seed, tag)| {
            let mut sealed = [0; 48];
            sealed[..32].copy_from_slice(&seed);
            sealed[32..].copy_from_slice(&tag);
            SealedKey { kid, purpose, algorithm, state, since, signed, half, nonce, sealed }
        },
    )
}

fn client() -> impl Strategy<Value = ClientRecord> {
    let secret = (any::<[u8; 32]>(), time(), of(time())).prop_map(|(hash, created, expires_at)| ClientSecret {
        hash,
        created,
        expires_at,
    });
    let key = (".*", any::<[u8; 32]>()).prop_map(|(kid, public)| ClientKey { kid, public });
    let texts = || of(vec(".*", 0..4));
    let allowed = (0..16_u8, [texts(), texts(), texts()], [of(any::<u64>()), of(any::<u64>()), of(any::<u64>())])
        .prop_map(|(grants, [audiences, scopes, claims], [access, refresh, session])| Allowed {
            grants: Grants::from_bits(grants).unwrap(),
            audiences,
            scopes,
            claims,
            access_ttl_secs: access,
            refresh_ttl_secs: refresh,
            session_ttl_secs: session,
        });
    (".*", ".*", time(), any::<[bool; 2]>(), vec(secret, 0..3), vec(key, 0..5), allowed).prop_map(
        |(client_id, name, created, [administrator, disabled], secrets, keys, allowed)| ClientRecord {
            client_id,
            name,
            created,
            administrator,
            disabled,
            secrets,
            keys,
            allowed,
        },
    )
}

fn rules() -> impl Strategy<Value = Rules> {
    let timed = || proptest::collection::btree_map(".*", time(), 0..5);
    (any::<u64>(), any::<[u8; 16]>(), any::<u64>(), of(time()), of(time()), timed(), timed()).prop_map(
        |(version, salt, life_secs, all, tokens, keys, clients)| Rules {
            version,
            salt,
            life_secs,
            all,
            tokens,
            keys,
            clients,
        },
    )
}

/// The record reads as written; with any byte more, fewer or other it does not.
fn holds<R: Record + PartialEq + std::fmt::Debug>(value: &R, at: usize, flip: u8) -> Result<(), TestCaseError> {
    let record = value.encode(b"key");
    let read = R::decode(b"key", &record);
    prop_assert_eq!(read.as_ref(), Ok(value));
    let mut changed = record.clone();
    let at = at % changed.len();
    changed[at] ^= flip.max(1);
    prop_assert!(R::decode(b"key", &changed).is_err());
    prop_assert!(R::decode(b"key", &record[..at]).is_err());
    // A payload that goes on, correctly closed, is refused too.
    let mut writer = Writer::new(R::VERSION);
    value.write(&mut writer);
    writer.byte(0);
    prop_assert!(R::decode(b"key", &writer.finish(b"key")).is_err());
    Ok(())
}

/// Bytes under a right checksum are what a decoder sees of a damaged writer.
fn never_panics<R: Record>(payload: &[u8]) {
    let mut writer = Writer::new(R::VERSION);
    writer.array(payload);
    drop(R::decode(b"key", &writer.finish(b"key")));
    drop(R::decode(b"key", payload));
}

#[test]
fn a_stored_key_with_any_bit_changed_under_a_right_checksum_does_not_open_or_is_the_same_key() {
    use crate::keys::MasterKey;
    let master = MasterKey::from_bytes(zeroize::Zeroizing::new([1; 32]));
    let active = (KeyState::Active, UnixTime::from_secs(1_700_000_000).unwrap());
    let seed = zeroize::Zeroizing::new([7; 32]);
    let private = SealedKey::seal(&seed, Purpose::Token, Algorithm::EdDsa, active, [3; 24], &master).unwrap();
    let public = private.without_private_half([4; 24], &master).unwrap();
    for key in [private, public] {
        let expected = key.open(&master).unwrap().public().clone();
        let record = key.encode(b"key");
        let payload = &record[1..record.len() - 4];
        let mut opened = 0;
        for bit in 0..payload.len() * 8 {
            let mut changed = payload.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            let mut writer = Writer::new(SealedKey::VERSION);
            writer.array(&changed);
            let Ok(read) = SealedKey::decode(b"key", &writer.finish(b"key")) else { continue };
            if let Ok(key) = read.open(&master) {
                assert_eq!(*key.public(), expected, "bit {bit}");
                assert_eq!(
                    (&read.sealed, &read.nonce, read.half),
                    (&key_of(&record).sealed, &key_of(&record).nonce, key_of(&record).half)
                );
                opened += 1;
            }
        }
        assert!(opened < 100, "only state and dates may change: {opened}");
    }
}

fn key_of(record: &[u8]) -> SealedKey {
    SealedKey::decode(b"key", record).unwrap()
}

proptest! {
    #[test]
    fn records_read_as_they_were_written_and_no_other_bytes_do(
        (session, publication, key, client, rules) in (session(), publication(), key(), client(), rules()),
        run in (any::<(u64, [u8; 32])>(), vec(vec(any::<u8>(), 0..40), 1..5)),
        (number, count, at, flip) in any::<(u64, u32, usize, u8)>(),
    ) {
        holds(&session, at, flip)?;
        holds(&publication, at, flip)?;
        holds(&key, at, flip)?;
        holds(&client, at, flip)?;
        holds(&rules, at, flip)?;
        let ((seq, hash), events) = run;
        let before = Link { seq, hash };
        holds(&before, at, flip)?;
        holds(&Run { before, events }, at, flip)?;
        holds(&RevokedBy(number), at, flip)?;
        holds(&Count(count), at, flip)?;
    }

    #[test]
    fn a_session_of_version_1_reads_as_one_that_began_with_its_newest_token_and_has_no_status(session in session()) {
        let mut writer = Writer::new(1);
        super::session::write_first(&session, &mut writer);
        let mut expected =
            Session { began: session.last.iat, device: None, exchanged: Vec::new(), ..session };
        expected.grant.status = false;
        prop_assert_eq!(Session::decode(b"key", &writer.finish(b"key")), Ok(expected));
    }

    #[test]
    fn a_session_of_version_2_reads_as_one_without_a_device(session in session()) {
        let mut writer = Writer::new(2);
        super::session::write_first(&session, &mut writer);
        writer.time(session.began);
        writer.flag(session.grant.status);
        let expected = Session { device: None, exchanged: Vec::new(), ..session };
        prop_assert_eq!(Session::decode(b"key", &writer.finish(b"key")), Ok(expected));
    }

    #[test]
    fn a_session_of_version_3_reads_as_one_of_which_nothing_was_exchanged(session in session()) {
        let mut writer = Writer::new(3);
        super::session::write_first(&session, &mut writer);
        writer.time(session.began);
        writer.flag(session.grant.status);
        writer.option(session.device.as_deref(), Writer::text);
        let expected = Session { exchanged: Vec::new(), ..session };
        prop_assert_eq!(Session::decode(b"key", &writer.finish(b"key")), Ok(expected));
    }

    #[test]
    fn a_client_of_version_1_reads_as_one_that_may_do_everything(id: String, hash: [u8; 32], administrator: bool) {
        let mut writer = Writer::new(1);
        writer.text(&id);
        writer.array(&hash);
        writer.flag(administrator);
        let expected = ClientRecord { administrator, ..ClientRecord::administrator(&id, hash, UnixTime::MIN) };
        prop_assert_eq!(ClientRecord::decode(b"key", &writer.finish(b"key")), Ok(expected));
    }

    #[test]
    fn a_publication_of_version_1_knows_of_no_rules(publication in publication()) {
        let publication = Publication { rules: 0, ..publication };
        let mut writer = Writer::new(2);
        publication.write(&mut writer);
        let mut payload = writer.finish(b"");
        payload.truncate(payload.len() - 5); // the checksum and the number of the rules
        let mut writer = Writer::new(1);
        writer.array(&payload[1..]);
        prop_assert_eq!(Publication::decode(b"key", &writer.finish(b"key")), Ok(publication));
    }

    #[test]
    fn a_key_of_version_1_has_a_private_half_and_signs_since_it_is_active(key in key()) {
        prop_assume!(key.state != KeyState::Kept);
        let signed = (key.state == KeyState::Active).then_some(Signed { from: key.since, until: None });
        let mut writer = Writer::new(2);
        SealedKey { signed: None, half: Half::Private, ..key.clone() }.write(&mut writer);
        let mut payload = writer.finish(b"");
        payload.truncate(payload.len() - 6); // the checksum, the dates and the half
        let mut writer = Writer::new(1);
        writer.array(&payload[1..]);
        let expected = SealedKey { signed, half: Half::Private, ..key };
        prop_assert_eq!(SealedKey::decode(b"key", &writer.finish(b"key")), Ok(expected));
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(payload in vec(any::<u8>(), 0..200)) {
        never_panics::<Session>(&payload);
        never_panics::<Publication>(&payload);
        never_panics::<SealedKey>(&payload);
        never_panics::<ClientRecord>(&payload);
        never_panics::<Rules>(&payload);
        never_panics::<RevokedBy>(&payload);
        never_panics::<Count>(&payload);
    }

    #[test]
    fn a_record_changed_in_one_byte_under_a_right_checksum_never_panics(session in session(), at: usize, byte: u8) {
        let mut writer = Writer::new(Session::VERSION);
        session.write(&mut writer);
        let mut record = writer.finish(b"key");
        record.truncate(record.len() - 4);
        let at = at % record.len();
        record[at] = byte;
        never_panics::<Session>(&record[1..]);
    }
}
