//! A token is one text: no other text near it is accepted in its place.

use crate::claims::{TOKENS, at, claims, keys, open_policy};
use crate::forge::{Draft, NOW};
use crate::rice::{self, Indices};
use crate::trial::{Shown, breaks, holds, wrong};
use crate::world::List;
use proptest::prelude::*;
use proptest::sample::Index;
use token::base64url;
use token::verify::Verifier;

#[derive(Debug, Clone)]
enum Mutation {
    Replace(Index, char),
    Insert(Index, char),
    Delete(Index),
    Cut(Index),
    Repeat(Index, Index),
    Turn(Index),
    Swap(usize, usize),
    Bit(Index, u8),
}

fn characters() -> impl Strategy<Value = char> {
    prop_oneof![
        proptest::char::ranges(vec!['A'..='Z', 'a'..='z', '0'..='9', '-'..='-', '_'..='_'].into()),
        proptest::sample::select(vec!['.', '=', '+', '/', ' ', '\n', '\0', '\u{feff}', '\u{ff0e}']),
        any::<char>(),
    ]
}

fn mutations() -> impl Strategy<Value = Mutation> {
    let place = any::<Index>;
    prop_oneof![
        4 => (place(), characters()).prop_map(|(at, what)| Mutation::Replace(at, what)),
        2 => (place(), characters()).prop_map(|(at, what)| Mutation::Insert(at, what)),
        2 => place().prop_map(Mutation::Delete),
        1 => place().prop_map(Mutation::Cut),
        1 => (place(), place()).prop_map(|(from, to)| Mutation::Repeat(from, to)),
        1 => place().prop_map(Mutation::Turn),
        1 => (0..3_usize, 0..3_usize).prop_map(|(a, b)| Mutation::Swap(a, b)),
        2 => (place(), 0..8_u8).prop_map(|(at, bit)| Mutation::Bit(at, bit)),
    ]
}

impl Mutation {
    fn apply(&self, token: &str) -> String {
        let characters: Vec<char> = token.chars().collect();
        let mut changed = characters.clone();
        match self {
            Self::Replace(at, what) => changed[at.index(characters.len())] = *what,
            Self::Insert(at, what) => changed.insert(at.index(characters.len() + 1), *what),
            Self::Delete(at) => drop(changed.remove(at.index(characters.len()))),
            Self::Cut(at) => changed.truncate(at.index(characters.len())),
            Self::Repeat(from, to) => {
                let (from, to) = (from.index(characters.len()), to.index(characters.len()));
                changed.splice(to..to, characters[from..].iter().copied());
            }
            Self::Turn(at) => changed.rotate_left(at.index(characters.len())),
            Self::Swap(a, b) => return swapped(token, token, *a, *b),
            Self::Bit(at, bit) => return with_bit(token, at, *bit),
        }
        changed.into_iter().collect()
    }
}

/// The first token with its part `a` taken from part `b` of the second, and the other way about if they are one.
fn swapped(first: &str, second: &str, a: usize, b: usize) -> String {
    let mut parts: Vec<&str> = first.split('.').collect();
    let from: Vec<&str> = second.split('.').collect();
    if first == second {
        parts.swap(a, b);
    } else {
        parts[a] = from[b];
    }
    parts.join(".")
}

/// One bit of the decoded parts, encoded again: what a fault in memory would leave.
fn with_bit(token: &str, at: &Index, bit: u8) -> String {
    let mut parts: Vec<Vec<u8>> = token.split('.').map(|part| base64url::decode(part.as_bytes()).unwrap()).collect();
    let mut place = at.index(parts.iter().map(Vec::len).sum());
    for part in &mut parts {
        if place < part.len() {
            part[place] ^= 1 << bit;
            break;
        }
        place -= part.len();
    }
    parts.iter().map(|part| base64url::encode(part)).collect::<Vec<_>>().join(".")
}

fn verifier() -> Verifier {
    Verifier::new(open_policy(false), keys()).unwrap()
}

/// Only the text that was signed is accepted.
fn one_text(token: &str, mutant: &str, accepts: impl Fn(&str) -> bool) -> Shown {
    if !accepts(token) {
        return wrong("the token itself is refused");
    }
    if mutant != token && accepts(mutant) { wrong(format!("accepted {mutant}")) } else { Ok(()) }
}

fn ours(token: &str) -> bool {
    verifier().verify(token, at(NOW)).is_ok()
}

#[test]
fn no_mutant_of_a_token_is_accepted() {
    holds(1200, &(claims(), mutations()), |(claims, mutation)| {
        let token = TOKENS.sign_access(&claims).unwrap();
        one_text(&token, &mutation.apply(&token), ours)
    });
}

#[test]
fn no_token_put_together_from_two_is_accepted() {
    holds(300, &(claims(), claims(), 0..3_usize, 0..3_usize), |(first, second, a, b)| {
        let (first, second) = (TOKENS.sign_access(&first).unwrap(), TOKENS.sign_access(&second).unwrap());
        let mutant = swapped(&first, &second, a, b);
        prop_assume!(mutant != second && mutant != first);
        one_text(&first, &mutant, ours)
    });
}

/// Every place, not a sample: each character away, and another in its stead.
#[test]
fn no_text_one_character_off_is_accepted() {
    let token = Draft::new().token();
    let verifier = verifier();
    let accepts = |text: &str| verifier.verify(text, at(NOW)).is_ok();
    let mut tried = 0;
    for place in 0..token.len() {
        let (before, rest) = token.split_at(place);
        let (held, after) = rest.split_at(1);
        let mutants = ["A", "B", "_", ".", "=", " "].into_iter().filter(|other| *other != held);
        for mutant in mutants
            .map(|other| format!("{before}{other}{after}"))
            .chain([format!("{before}{after}"), format!("{before}{held}{rest}")])
        {
            one_text(&token, &mutant, accepts).unwrap();
            tried += 1;
        }
    }
    println!("{tried} texts one character off");
}

#[test]
fn no_mutant_of_a_list_is_taken() {
    let body = rice::body(&Indices::from([(5, vec![3, 900]), (9, vec![0, 1, 2])]), 6);
    let list = |seq: u64| List::new(seq, NOW, 300, body.clone()).document();
    let mut fresh = Verifier::new(open_policy(true), keys()).unwrap();
    fresh.load_revocations(&list(1), at(NOW)).unwrap();
    let next = list(2);
    holds(1200, &(any::<Index>(), any::<u8>(), 0..3_u8), |(place, byte, how)| {
        let mut mutant = next.clone();
        match how {
            0 => mutant[place.index(next.len())] = byte,
            1 => mutant.insert(place.index(next.len() + 1), byte),
            _ => drop(mutant.remove(place.index(next.len()))),
        }
        prop_assume!(mutant != next);
        let taken = fresh.clone().load_revocations(&mutant, at(NOW));
        if taken.is_ok() { wrong(format!("{taken:?}")) } else { Ok(()) }
    });
}

/// What is lax in the ways that libraries are: each is found out.
#[test]
fn lax_verifiers_are_noticed() {
    let trimming = |text: &str| ours(text.trim());
    let unpadding = |text: &str| ours(&text.replace('=', ""));
    let first_three = |text: &str| ours(&text.split('.').take(3).collect::<Vec<_>>().join("."));
    let unused_bits = |text: &str| {
        // decodes as lenient decoders do: what the last character of the signature holds beyond the last byte is dropped
        let Some((input, signature)) = text.rsplit_once('.') else { return false };
        let Some(last) = signature.chars().last().filter(|_| signature.len() == 86) else { return false };
        let canonical = match last {
            'A'..='P' => 'A',
            'Q'..='Z' | 'a'..='f' => 'Q',
            'g'..='v' => 'g',
            _ => 'w',
        };
        ours(&format!("{input}.{}{canonical}", &signature[..signature.len() - 1]))
    };
    let faults: [&dyn Fn(&str) -> bool; 4] = [&trimming, &unpadding, &first_three, &unused_bits];
    for fault in faults {
        breaks(20_000, &near_misses(), |(token, mutant)| one_text(&token, &mutant, fault));
    }
}

/// A token and a text that differs at its end or by an inserted character.
fn near_misses() -> impl Strategy<Value = (String, String)> {
    let token = Draft::new().token();
    let last = token.len() - 1;
    (mutations(), characters()).prop_map(move |(mutation, end)| {
        let mutant = match mutation {
            Mutation::Insert(..) => format!("{token}{end}"),
            Mutation::Replace(..) => format!("{}{end}", &token[..last]),
            mutation => mutation.apply(&token),
        };
        (token.clone(), mutant)
    })
}
