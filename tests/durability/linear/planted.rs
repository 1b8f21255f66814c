//! A store that is right, or wrong in one of four ways, and what its clients see of it: the checker must tell them apart.
//!
//! Everything happens in one thread, in an order that follows from a seed: each request goes through its steps, others in
//! between, and now and then the process ends and only what was synced is left.

use super::model::{Answer, Request, Session};
use super::search::{self, Call};
use countersign_tests::Dice;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    Nothing,
    /// What a session becomes is decided by what was read before, whatever others did meanwhile.
    NoCompareAndSwap,
    /// The answer is sent before the write is on the disk.
    AnswerBeforeDisk,
    /// Any older token buys the last pair again, not only the one before the newest.
    GraceForAnyAncestor,
    /// That a session has ended is kept in memory alone.
    RevocationNotDurable,
}

/// A session as a store holds it: what the model has, and which pair each generation was.
#[derive(Debug, Clone, Copy)]
struct Row {
    session: Session,
    print: u64,
}

/// Where a request is.
#[derive(Debug, Clone, Copy)]
enum Step {
    Sent,
    /// Decided and not written: only without compare-and-swap.
    Decided(Answer, Row),
    Written(Answer, u64),
    Synced(Answer, u64),
}

struct Fake {
    bug: Bug,
    dice: Dice,
    memory: Row,
    disk: Row,
    clock: u64,
    prints: u64,
    under_way: Vec<(Call, Step)>,
    calls: Vec<Call>,
}

impl Fake {
    fn new(bug: Bug, seed: u64) -> Self {
        let row = Row { session: Session::BEGUN, print: 0 };
        let dice = Dice::new(seed);
        Self { bug, dice, memory: row, disk: row, clock: 0, prints: 0, under_way: Vec::new(), calls: Vec::new() }
    }

    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Returns what some clients saw.
    fn history(mut self, length: usize) -> Vec<Call> {
        while self.calls.len() < length {
            match self.dice.below(20) {
                0 if self.calls.len() > 2 => self.crash(),
                1..=8 if self.under_way.len() < 4 => self.send(),
                _ if self.under_way.is_empty() => {}
                _ => {
                    let number = self.dice.below(self.under_way.len());
                    self.advance(number);
                }
            }
        }
        self.calls
    }

    fn send(&mut self) {
        let newest = self.memory.session.newest;
        let request = match self.dice.below(20) {
            0 => Request::Revoke,
            1..=2 => Request::Present(newest.saturating_sub(2).max(1)),
            3..=6 => Request::Present(newest.saturating_sub(1).max(1)),
            _ => Request::Present(newest),
        };
        let begun = self.tick();
        self.under_way.push((Call { request, answer: None, begun, ended: u64::MAX }, Step::Sent));
    }

    fn decide(&mut self, request: Request) -> (Answer, Row) {
        let row = self.memory;
        let ancestor = matches!(request, Request::Present(generation) if generation < row.session.newest);
        let (answer, session) = match row.session.after(request) {
            _ if self.bug == Bug::GraceForAnyAncestor && ancestor && !row.session.ended => {
                (Answer::Pair(row.session.newest), row.session)
            }
            decided => decided,
        };
        let is_new = session.newest > row.session.newest;
        self.prints += u64::from(is_new);
        (answer, Row { session, print: if is_new { self.prints } else { row.print } })
    }

    fn sync(&mut self) {
        let ended = self.bug == Bug::RevocationNotDurable && !self.disk.session.ended;
        self.disk = self.memory;
        self.disk.session.ended &= !ended;
    }

    fn advance(&mut self, number: usize) {
        let (call, step) = self.under_way[number];
        self.under_way[number].1 = match step {
            Step::Sent => {
                let (answer, row) = self.decide(call.request);
                if self.bug == Bug::NoCompareAndSwap {
                    Step::Decided(answer, row)
                } else {
                    self.memory = row;
                    Step::Written(answer, row.print)
                }
            }
            Step::Decided(answer, row) => {
                self.memory = row;
                Step::Written(answer, row.print)
            }
            Step::Written(answer, print) if self.bug == Bug::AnswerBeforeDisk => {
                return self.answer(number, answer, print);
            }
            Step::Written(answer, print) => {
                self.sync();
                Step::Synced(answer, print)
            }
            Step::Synced(answer, print) => return self.answer(number, answer, print),
        };
    }

    fn answer(&mut self, number: usize, answer: Answer, print: u64) {
        let (call, _) = self.under_way.swap_remove(number);
        let ended = self.tick();
        self.calls.push(Call { answer: Some((answer, print)), ended, ..call });
    }

    fn crash(&mut self) {
        self.memory = self.disk;
        let ended = self.tick();
        self.calls.extend(self.under_way.drain(..).map(|(call, _)| Call { ended, ..call }));
    }
}

/// How many of some histories the checker refuses.
fn refused(bug: Bug) -> usize {
    (0..400).filter(|seed| search::check(&Fake::new(bug, *seed).history(24)).is_err()).count()
}

#[test]
fn a_right_store_is_never_refused_and_each_of_four_wrong_ones_is() {
    assert_eq!(refused(Bug::Nothing), 0);
    for bug in [Bug::NoCompareAndSwap, Bug::AnswerBeforeDisk, Bug::GraceForAnyAncestor, Bug::RevocationNotDurable] {
        let refused = refused(bug);
        println!("{bug:?}: {refused} of 400 histories");
        assert!(refused > 20, "{bug:?}: {refused} of 400 histories are refused");
    }
}
