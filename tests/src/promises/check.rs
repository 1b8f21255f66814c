//! What is looked at, and the key set.

use super::{Key, Promises, Public, Registered, Session, Token, Word};
use crate::dice::Dice;
use crate::load::{Extent, Load};
use std::collections::BTreeMap;

impl Extent {
    /// Returns the numbers of those that are looked at.
    pub(super) fn chosen<T>(self, all: &[T], touched: impl Fn(&T) -> bool, dice: &mut Dice) -> Vec<usize> {
        match self {
            Self::All => (0..all.len()).collect(),
            Self::Touched { others } => {
                let mut chosen: Vec<usize> = (0..others.min(all.len())).map(|_| dice.below(all.len())).collect();
                chosen.extend(all.iter().enumerate().filter(|(_, one)| touched(one)).map(|(number, _)| number));
                chosen.sort_unstable();
                chosen.dedup();
                chosen
            }
        }
    }
}

impl Load {
    /// Holds the key set against what its clients were told.
    pub(crate) fn check_keys(&mut self, public: &Public) -> Result<(), String> {
        // Several may have been told of one key: its end is final, a doubt of one is a doubt of all.
        let mut words: BTreeMap<String, Word> = BTreeMap::new();
        for Key { kid, word } in self.keys() {
            let known = words.entry(kid.clone()).or_insert(*word);
            if *word != Word::Stands {
                known.hears(*word);
            }
        }
        for key in self.keys_mut() {
            let is_there = public.kids.contains(&key.kid);
            match (words.get(&key.kid), is_there) {
                (Some(Word::Gone), true) => return Err(format!("the withdrawn key {} is published", key.kid)),
                (Some(Word::Stands), false) => return Err(format!("the key {} is not published", key.kid)),
                (_, true) => key.word = Word::Stands,
                (_, false) => key.word = Word::Gone,
            }
        }
        Ok(())
    }
}

impl Promises {
    /// Returns every access token that was handed out.
    pub(crate) fn issued(&self) -> impl Iterator<Item = &str> {
        self.sessions.iter().flat_map(|session| &session.tokens).map(|token| &*token.text)
    }
}

impl Registered {
    /// Whether it is there for certain, and proves itself by its newest secret.
    pub(crate) fn is_certain(&self) -> bool {
        self.word == Word::Stands && !self.in_doubt
    }
}

impl Session {
    /// Holds its tokens against the list; returns whether it has ended, where only that was not known.
    ///
    /// # Errors
    /// A token that is accepted or refused and must not be.
    pub(super) fn judge(&mut self, public: &Public) -> Result<Option<bool>, String> {
        let mut ended = None;
        for Token { text, word, alone } in &mut self.tokens {
            let accepted = public.accepts(text).map_err(|fault| format!("session {}: {fault}", self.sid))?;
            match (*word, accepted) {
                (Word::Gone, true) => return Err(format!("a revoked token of session {} is accepted", self.sid)),
                (Word::Stands, false) => return Err(format!("a token of session {} is refused", self.sid)),
                (Word::Gone, false) | (Word::Stands, true) => {}
                (Word::Doubtful, false) if *alone => *word = Word::Gone,
                (Word::Doubtful, _) if self.word == Word::Doubtful => {
                    // A session ends whole: all of these tokens with it, or none.
                    if ended.is_some_and(|ended| ended == accepted) {
                        return Err(format!("half of session {} has ended", self.sid));
                    }
                    ended = Some(!accepted);
                }
                (Word::Doubtful, _) => *word = if accepted { Word::Stands } else { Word::Gone },
            }
            *alone = false;
        }
        Ok(ended)
    }
}
