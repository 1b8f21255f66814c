//! The binary bodies of lists.json: what the grammar allows, each departure from it, and bodies that are not the signed one.

use crate::forge::NOW;
use crate::list_cases::{Given, given, list};
use crate::lists::{loaded, refused};
use crate::rice::{self, Indices, packed, varint};
use crate::world::List;

pub(crate) fn all() -> Vec<Given> {
    let mut cases = allowed();
    cases.extend(malformed());
    cases.extend(not_the_signed_one());
    cases
}

/// One run as raw parts: gap, k, r, then bytes of codes.
fn run(gap: u64, k: u64, r: u8, codes: &[u8]) -> Vec<u8> {
    [&varint(gap)[..], &varint(k), &[r], codes].concat()
}

fn body(runs: &[Vec<u8>]) -> Vec<u8> {
    [&[1][..], &runs.concat()].concat()
}

fn allowed() -> Vec<Given> {
    let of = |indices: Indices, r: u8| rice::body(&indices, r);
    let last = (1 << 31) - 1;
    let dense: Vec<u32> = (0..400).filter(|index| index * index % 7 < 3).collect();
    let bodies = [
        ("an empty body", vec![1]),
        ("index 0 of epoch 0", of(Indices::from([(0, vec![0])]), 0)),
        ("the largest index", of(Indices::from([(9, vec![last])]), 30)),
        ("the largest epoch", of(Indices::from([(u32::MAX, vec![3])]), 4)),
        ("epochs that follow each other", of(Indices::from([(5, vec![1]), (6, vec![1]), (7, vec![1])]), 1)),
        ("a run that ends with its byte", of(Indices::from([(5, (0..8).collect())]), 0)),
        ("1,000 neighbours", of(Indices::from([(5, (100..1100).collect())]), 0)),
        ("an r that is not the best", of(Indices::from([(5, (0..20).collect())]), 9)),
        ("a dense run of one index", body(&[run(0, 1, 128 + 64, &[0; 4])])),
        ("a dense run", token::revocation::codec::encode([(5, dense.as_slice()), (7, &[3][..])]).unwrap()),
        ("300 epochs", of((0..300).map(|epoch| (epoch * 3, vec![epoch])).collect(), 5)),
    ];
    bodies
        .into_iter()
        .map(|(name, body)| given(format!("{name} is read"), List::new(5, NOW, 300, body).document(), loaded("newer")))
        .collect()
}

/// Signed as they stand: only the grammar refuses them.
fn malformed() -> Vec<Given> {
    let cases = departures().into_iter().map(|(name, body)| {
        given(format!("a body with {name} is refused"), List::new(5, NOW, 300, body).document(), refused("body"))
    });
    cases.collect()
}

/// Bodies that are each outside of the grammar in one way.
pub(crate) fn departures() -> Vec<(&'static str, Vec<u8>)> {
    let bits = |zeros: usize, ones: &[bool]| packed(&[vec![false; zeros], ones.to_vec()].concat());
    vec![
        ("no byte", vec![]),
        ("version 0", vec![0]),
        ("version 2", vec![2]),
        ("the text of a version", b"1".to_vec()),
        ("a line feed before the version", vec![b'\n', 1]),
        ("a run without k", vec![1, 0]),
        ("a run without r", vec![1, 0, 1]),
        ("a run without codes", vec![1, 0, 1, 0]),
        ("k = 0", body(&[run(0, 0, 0, &[])])),
        ("k = 0 behind a good run", body(&[run(0, 1, 0, &[1]), run(0, 0, 0, &[1])])),
        ("r = 31", body(&[run(0, 1, 31, &[1, 0, 0, 0])])),
        ("r = 32", body(&[run(0, 1, 32, &[1, 0, 0, 0, 0])])),
        ("r = 255", body(&[run(0, 1, 255, &[1; 40])])),
        ("a dense run of share 6", body(&[run(0, 1, 128 + 6, &[0; 4])])),
        ("a dense run of share 122", body(&[run(0, 1, 128 + 122, &[0; 4])])),
        ("a dense run of three bytes", body(&[run(0, 1, 128 + 64, &[0; 3])])),
        ("a dense run with another end", body(&[run(0, 1, 128 + 64, &[0, 0, 0, 1])])),
        ("a dense run with a byte too many", body(&[run(0, 1, 128 + 64, &[0; 5])])),
        ("a dense run of a thousand bytes that lists too little", body(&[run(0, 9, 128 + 7, &[0xff; 1000])])),
        ("a dense run of a k that is not there", body(&[run(0, u64::from(u32::MAX), 128 + 121, &[0; 1000])])),
        ("an epoch that is not in its shortest form", vec![1, 0x80, 0, 1, 0, 1]),
        ("an epoch of 1 in two bytes", vec![1, 0x81, 0, 1, 0, 1]),
        ("a k that is not in its shortest form", vec![1, 0, 0x81, 0, 0, 1]),
        ("an epoch over 32 bits", vec![1, 0xff, 0xff, 0xff, 0xff, 0x1f, 1, 0, 1]),
        ("an epoch of six bytes", vec![1, 0x80, 0x80, 0x80, 0x80, 0x80, 1, 1, 0, 1]),
        ("an epoch that never ends", vec![1, 0x80]),
        ("an epoch past 2^32", body(&[run(u64::from(u32::MAX), 1, 0, &[1]), run(0, 1, 0, &[1])])),
        ("a sum of epochs past 2^32", body(&[run(1 << 31, 1, 0, &[1]), run(1 << 31, 1, 0, &[1])])),
        ("padding that is not zero", body(&[run(0, 1, 0, &[0b11])])),
        ("padding that is not zero in its last bit", body(&[run(0, 1, 0, &[0x81])])),
        ("a byte of padding too many", body(&[run(0, 1, 0, &[1, 0])])),
        ("two bytes of padding too many", body(&[run(0, 1, 0, &[1, 0, 0])])),
        ("three bytes of padding too many", body(&[run(0, 1, 0, &[1, 0, 0, 0])])),
        ("a line feed behind it", body(&[run(0, 1, 0, &[1]), vec![b'\n']])),
        ("codes of zeros alone", body(&[run(0, 1, 0, &[0, 0, 0, 0])])),
        ("a quotient without its low bits", body(&[run(0, 1, 8, &[1])])),
        ("fewer codes than k", body(&[run(0, 9, 0, &[0xff])])),
        ("a k of four thousand million in a few bytes", body(&[run(0, u64::from(u32::MAX), 0, &[0xff; 64])])),
        ("a k of four thousand million under r = 30", body(&[run(0, u64::from(u32::MAX), 30, &[0xff; 64])])),
        ("index 2^31", body(&[run(0, 1, 30, &bits(2, &[true]).into_iter().chain([0; 4]).collect::<Vec<_>>())])),
        ("index 2^31 by a gap", body(&[run(0, 2, 30, &bits(1, &[&[true; 32][..], &[false; 30]].concat()))])),
        ("zlib", vec![0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01]),
        ("gzip", vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]),
        ("JSON", br#"{"keys":[]}"#.to_vec()),
    ]
}

fn not_the_signed_one() -> Vec<Given> {
    let with = |body: Vec<u8>| List { body, ..list(5) }.document();
    let good = list(5).body;
    let mut cases: Vec<Given> = [
        ("no body", Vec::new()),
        ("an empty list's body", vec![1]),
        ("a byte more", [&good[..], &[0]].concat()),
        ("a line feed more", [&good[..], b"\n"].concat()),
        ("a byte less", good[..good.len() - 1].to_vec()),
        ("a bit changed", good.iter().enumerate().map(|(at, byte)| byte ^ u8::from(at == 3)).collect()),
        ("itself twice", [&good[..], &good].concat()),
        ("a bomb of zeros", vec![0; 10_000]),
        ("a bomb that says it holds four thousand million", vec![1, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0]),
    ]
    .into_iter()
    .map(|(name, body)| {
        given(format!("{name} in the place of the signed body is refused"), with(body), refused("body_mismatch"))
    })
    .collect();
    let mismatch = list(5).claim("id", "\"AAAAAAAAAAAAAAAAAAAAAA\"");
    cases.push(given("an id of zeros is not this body's", mismatch.document(), refused("body_mismatch")));
    let malformed = List { body: vec![2], ..list(5) };
    cases.push(given(
        "a body that is neither signed nor well-formed is not parsed",
        malformed.document(),
        refused("body_mismatch"),
    ));
    cases
}
