use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn encode_map(map: &BTreeMap<u32, Vec<u32>>) -> Vec<u8> {
    encode(map.iter().map(|(epoch, indices)| (*epoch, indices.as_slice()))).unwrap()
}

#[test]
fn bodies_of_known_sets_are_fixed_to_the_bit() {
    assert_eq!(encode([]), Ok(vec![1]));
    assert_eq!(encode([(0, &[0][..])]), Ok(vec![1, 0, 1, 0, 0b1]));
    // gaps 0, 0, 1 with r = 0: "1" "1" "01", first bit lowest
    assert_eq!(encode([(3, &[0, 1, 3][..])]), Ok(vec![1, 3, 3, 0, 0b1011]));
    let body = encode([(6_640_625, &[300][..]), (6_640_627, &[7][..])]).unwrap();
    assert_eq!(decode(&body).unwrap().to_map(), BTreeMap::from([(6_640_625, vec![300]), (6_640_627, vec![7])]));
}

#[test]
fn every_departure_from_the_grammar_is_refused() {
    let refused: [&[u8]; 15] = [
        &[],
        &[0],
        &[2],
        &[1, 0],
        &[1, 0, 1],
        &[1, 0, 1, 0],                                           // cut short
        &[1, 0, 0, 0],                                           // k = 0
        &[1, 0, 1, 31, 1, 0, 0, 0, 0],                           // r > 30
        &[1, 0x80, 0, 1, 0, 1],                                  // a varint not in its shortest form
        &[1, 0xff, 0xff, 0xff, 0xff, 0x1f, 1, 0, 1],             // a varint over 32 bits
        &[1, 0, 1, 0, 0b11],                                     // padding that is not zero
        &[1, 0, 1, 0, 1, 0],                                     // something behind the last run
        &[1, 0, 9, 0, 0xff],                                     // more codes than bits
        &[1, 0, 1, 30, 0b100, 0, 0, 0, 0],                       // index 2^31
        &[1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 0, 1, 0, 1, 0, 1], // an epoch past 2^32
    ];
    for body in refused {
        assert_eq!(decode(body), Err(Malformed), "{body:?}");
    }
    assert_eq!(encode([(0, &[1, 1][..])]), Err(Malformed));
    assert_eq!(encode([(0, &[2, 1][..])]), Err(Malformed));
    assert_eq!(encode([(1, &[1][..]), (1, &[2][..])]), Err(Malformed));
    assert_eq!(encode([(0, &[MAX_INDEX + 1][..])]), Err(Malformed));
}

#[test]
fn a_small_body_cannot_take_much_memory() {
    let mut bomb = vec![1, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0];
    bomb.extend(vec![0xff; 1024]);
    assert_eq!(decode(&bomb), Err(Malformed));
    let mut dense = vec![1, 0, 0x80, 0x40, 0];
    dense.extend(vec![0xff; 1024]);
    assert_eq!(decode(&dense).unwrap().entries(), 8192);
    // 1,023 bytes of zeros under r = 3 reach index 65,479 at most: a bitmap of 8 KiB
    let mut sparse = vec![1, 0, 1, 3];
    sparse.extend(vec![0; 1023]);
    sparse.push(0b1);
    let bytes = decode(&sparse).unwrap().bytes();
    assert!((8_000..=8 * sparse.len()).contains(&bytes), "{bytes}");
}

#[test]
fn no_body_lists_more_epochs_than_the_limit() {
    let epochs = |count: usize| (0..u32::try_from(count).unwrap()).map(|epoch| (epoch, &[0_u32][..]));
    let mut body = encode(epochs(MAX_EPOCHS)).unwrap();
    assert_eq!(decode(&body).unwrap().entries(), MAX_EPOCHS);
    assert_eq!(encode(epochs(MAX_EPOCHS + 1)), Err(Malformed));
    body.extend([0, 1, 0, 1]);
    assert_eq!(decode(&body), Err(Malformed));
}

#[test]
fn a_complete_list_is_near_the_information_bound() {
    // 10,000 of 1,000,000, evenly random: log2 C(n, k) / 8 = 10,082 bytes
    let mut state = 1_u64;
    let mut indices = std::collections::BTreeSet::new();
    while indices.len() < 10_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        indices.insert(u32::try_from((state >> 33) % 1_000_000).unwrap());
    }
    let indices: Vec<u32> = indices.into_iter().collect();
    let body = encode([(6_640_625, indices.as_slice())]).unwrap();
    assert!(body.len() < 10_082 * 102 / 100, "{}", body.len());
    assert_eq!(decode(&body).unwrap().to_map()[&6_640_625], indices);
}

fn sets() -> impl Strategy<Value = BTreeMap<u32, Vec<u32>>> {
    let indices = prop_oneof![
        proptest::collection::btree_set(0..50_u32, 1..40),
        proptest::collection::btree_set(0..100_000_u32, 1..40),
        proptest::collection::btree_set(0..=MAX_INDEX, 1..40),
    ];
    let epochs = prop_oneof![0..10_u32, any::<u32>(), Just(u32::MAX)];
    proptest::collection::btree_map(epochs, indices.prop_map(|set| set.into_iter().collect()), 0..6)
}

proptest! {
    #[test]
    fn every_set_survives_and_has_one_body(map in sets()) {
        let body = encode_map(&map);
        let revoked = decode(&body).unwrap();
        prop_assert_eq!(&revoked.to_map(), &map);
        prop_assert_eq!(revoked.entries(), map.values().map(Vec::len).sum::<usize>());
        for (epoch, indices) in &map {
            for index in indices {
                prop_assert!(revoked.contains(*epoch, *index));
                let next = index + 1;
                prop_assert_eq!(revoked.contains(*epoch, next), indices.contains(&next));
            }
        }
    }

    #[test]
    fn a_run_takes_the_smallest_r(indices in proptest::collection::btree_set(0..=MAX_INDEX, 1..30)) {
        let indices: Vec<u32> = indices.into_iter().collect();
        let gaps = gaps(&indices).unwrap();
        let bits = |r: u8| gaps.iter().map(|gap| u64::from(gap >> r) + 1 + u64::from(r)).sum::<u64>();
        let best = (0..=MAX_R).min_by_key(|r| bits(*r)).unwrap();
        prop_assert_eq!(bits(best_r(&gaps)), bits(best));
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_stay_within_their_memory(tail in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut body = vec![VERSION];
        body.extend(tail);
        if let Ok(revoked) = decode(&body) {
            prop_assert!(revoked.bytes() <= 13 * body.len());
        }
    }
}

/// Listed with this probability in 1000ths, by a generator of its own (xorshift64*).
fn random(span: u32, per_mille: u64, seed: u64) -> Vec<u32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut listed = |_: &u32| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % 1000 < per_mille
    };
    (0..span).filter(&mut listed).collect()
}

#[test]
fn random_sets_of_every_density_take_at_most_two_hundredths_more_than_their_information() {
    for per_mille in [1, 3, 10, 30, 50, 58, 62, 80, 120, 200, 240, 300, 380, 430, 500, 700, 900] {
        let set = random(250_000, per_mille, per_mille);
        let body = encode([(7_000_000, set.as_slice())]).unwrap();
        let k = f64::from(u32::try_from(set.len()).unwrap());
        let share = k / 250_000.0;
        let bits = 250_000.0 * -(share * share.log2() + (1.0 - share) * (1.0 - share).log2());
        let bytes = f64::from(u32::try_from(body.len()).unwrap());
        assert!(bytes <= 1.02 * bits / 8.0 + 12.0, "{per_mille}: {bytes} bytes for {bits} bits");
        assert_eq!(decode(&body).unwrap().to_map(), BTreeMap::from([(7_000_000, set)]));
    }
}

#[test]
fn a_dense_run_has_one_spelling_and_takes_no_more_memory_than_is_stated() {
    let set = random(2_000, 400, 5);
    let body = encode([(3, set.as_slice()), (9, &[5][..])]).unwrap();
    assert_eq!(body[4] & DENSE, DENSE);
    let end = body.len() - 4; // behind it: gap, k, r and one code
    for flipped in (end - 4..end).flat_map(|byte| (0..8).map(move |bit| (byte, bit))) {
        let mut other = body.clone();
        other[flipped.0] ^= 1 << flipped.1;
        assert_ne!(decode(&other).map(|revoked| revoked.to_map()), decode(&body).map(|revoked| revoked.to_map()));
    }
    for cut in 2..body.len() {
        assert!(cut == end || decode(&body[..cut]).is_err(), "cut after {cut}");
    }
    for share in [0, 6, 122, 127] {
        let mut other = body.clone();
        other[4] = DENSE | share;
        assert_eq!(decode(&other), Err(Malformed), "share {share}");
    }
    // Ones alone: 1,000 bytes that say "not listed" as often as they can, then the end.
    for tail in [0x00, 0x55, 0xff] {
        let mut bomb = vec![1, 0, 0xff, 0xff, 0xff, 0xff, 7, DENSE | 7];
        bomb.extend([0xff; 1_000]);
        bomb.push(tail);
        assert_eq!(decode(&bomb), Err(Malformed));
    }
    let far: Vec<u32> = (0..14_000).filter(|index| index % 18 == 17).collect();
    let body = encode([(0, far.as_slice())]).unwrap();
    assert!(decode(&body).unwrap().bytes() <= 13 * body.len());
}

proptest! {
    #[test]
    fn dense_runs_come_back_as_they_were(span in 1..3_000_u32, per_mille in 40..1_000_u64, seed in any::<u64>(), share in 7..=121_u8) {
        let set = random(span, per_mille, seed);
        prop_assume!(!set.is_empty());
        let mut run = Vec::new();
        dense::push(&mut run, &set, share);
        let length = run.len();
        run.extend([0xaa; 8]);
        let (indices, taken) = dense::take(&run, set.len(), share).unwrap();
        let mut revoked = Revoked::default();
        revoked.push(1, indices);
        prop_assert_eq!((taken, revoked.iter().map(|(_, index)| index).collect::<Vec<_>>()), (length, set));
    }
}

/// What [`decode_run`] is to return, from a bit at a time: indices and bytes taken.
fn bit_by_bit(codes: &[u8], k: usize, r: u8) -> Result<(Vec<u32>, usize), Malformed> {
    let bits: Vec<u64> = codes.iter().flat_map(|byte| (0..8).map(move |bit| u64::from(byte >> bit & 1))).collect();
    let mut at = 0;
    let mut bit = || {
        at += 1;
        bits.get(at - 1).copied().ok_or(Malformed)
    };
    let (mut indices, mut next) = (Vec::new(), 0_u64);
    for _ in 0..k {
        let mut gap = 0_u64;
        while bit()? == 0 {
            gap += 1;
        }
        gap <<= r;
        for place in 0..r {
            gap |= bit()? << place;
        }
        indices.push(u32::try_from(next + gap).ok().filter(|index| *index <= MAX_INDEX).ok_or(Malformed)?);
        next += gap + 1;
    }
    let length = at.div_ceil(8);
    if bits[at..8 * length].contains(&1) { Err(Malformed) } else { Ok((indices, length)) }
}

proptest! {
    #[test]
    fn a_run_is_read_as_bit_by_bit(
        codes in proptest::collection::vec(prop_oneof![3 => any::<u8>(), 1 => Just(0), 1 => Just(1), 1 => Just(0x80)], 0..60),
        k in 1..40_usize,
        r in prop_oneof![2 => 0..=8_u8, 1 => 0..=MAX_R],
    ) {
        // Also with as many codes as there are, so that the end and its padding are reached.
        for k in (1..=k).rev() {
            let expected = bit_by_bit(&codes, k, r);
            let mut found = Revoked::default();
            let length = decode_run(&codes, k, r).map(|(indices, length)| {
                found.push(0, indices);
                length
            });
            let found = length.map(|length| (found.iter().map(|(_, index)| index).collect::<Vec<_>>(), length));
            prop_assert_eq!(found, expected, "k {}, r {}", k, r);
        }
    }
}
