//! The passwords that people choose most: words, and what is made of them.
//!
//! Published lists of leaked passwords are, by far for the most part, one of some hundred words, repeated or in a pair, with
//! digits behind; a keyboard row; a sequence; one character again and again. So the rule is written down, with the words in
//! `popular.txt` (made for this project, under its licence), and every such password is refused at any length: a longer
//! list would hold fewer of those with the 15 characters that are asked for. A word inside a longer password refuses nothing:
//! the whole is compared.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use zeroize::Zeroizing;

/// Characters that may stand behind a word and leave it what it is.
const MAX_TAIL: usize = 8;
/// So much of a password must go up, down or repeat for the whole to be a sequence.
const MAX_BREAKS: usize = 2;

static WORDS: LazyLock<BTreeSet<&str>> =
    LazyLock::new(|| include_str!("popular.txt").lines().filter(|line| !line.starts_with('#')).collect());

/// Rows of keyboards, and the orders that everybody knows; a password that walks along them is no secret.
const ROWS: [&str; 8] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "!@#$%^&*()_+",
];

/// Returns whether the folded password is among the popular ones.
pub(super) fn is_popular(folded: &str) -> bool {
    if is_walk(folded) || is_repetition(folded) {
        return true;
    }
    let end = folded.trim_end_matches(is_tail).len();
    let Some((word, tail)) = folded.split_at_checked(end) else { return false };
    tail.chars().count() <= MAX_TAIL && (is_words(word) || is_words(&without_disguise(word)))
}

/// Returns whether the folded password is `word`, once or again and again, with at most eight digits and signs behind.
pub(super) fn is_word_with_tail(folded: &str, word: &str) -> bool {
    if word.is_empty() {
        return false;
    }
    let mut rest = folded;
    while let Some(behind) = rest.strip_prefix(word) {
        rest = behind;
    }
    rest.len() < folded.len() && rest.chars().count() <= MAX_TAIL && rest.chars().all(is_tail)
}

/// One to three words of the list, one after another, or with the same sign or space between them.
fn is_words(text: &str) -> bool {
    fn after(text: &str, words: usize) -> bool {
        if WORDS.contains(text) {
            return true;
        }
        words > 1
            && (3..text.len()).any(|cut| match (text.get(..cut), text.get(cut..)) {
                (Some(word), Some(rest)) => {
                    WORDS.contains(word) && after(rest.trim_start_matches([' ', '-', '_', '.']), words - 1)
                }
                _ => false,
            })
    }
    after(text, 3)
        || (1..=text.len() / 2)
            .any(|cut| text.get(..cut).is_some_and(|word| WORDS.contains(word) && text.split(word).all(str::is_empty)))
}

/// A text that walks along one of [`ROWS`], up or down, with at most two breaks: `qwertyuiop12345`, `abcdefedcba`.
fn is_walk(folded: &str) -> bool {
    let characters: Vec<char> = folded.chars().collect();
    let breaks = characters.windows(2).filter(|pair| match pair {
        [one, next] => !(one == next || ROWS.iter().any(|row| are_neighbours(row, *one, *next))),
        _ => false,
    });
    characters.len() > 3 && breaks.count() <= MAX_BREAKS
}

fn are_neighbours(row: &str, one: char, next: char) -> bool {
    row.chars().zip(row.chars().skip(1)).any(|pair| pair == (one, next) || pair == (next, one))
}

/// Up to four characters, again and again: `aaaaaaaaaaaaaaa`, `abababababababa`, `12341234123412`.
fn is_repetition(folded: &str) -> bool {
    let characters: Vec<char> = folded.chars().collect();
    (1..=4).any(|period| {
        characters.len() > period * 2
            && characters.iter().zip(characters.iter().skip(period)).all(|(one, next)| one == next)
    })
}

/// Undoes what hides a word from no list: `p@$$w0rd`.
fn without_disguise(word: &str) -> Zeroizing<String> {
    let plain = |character| match character {
        '@' | '4' => 'a',
        '3' => 'e',
        '1' | '!' => 'i',
        '0' => 'o',
        '$' | '5' => 's',
        '7' => 't',
        other => other,
    };
    let mut text = Zeroizing::new(String::with_capacity(word.len()));
    text.extend(word.chars().map(plain));
    text
}

fn is_tail(character: char) -> bool {
    character.is_ascii_digit() || character.is_ascii_punctuation()
}
