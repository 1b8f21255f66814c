//! Whether what several clients saw of one session can be told as one request after the other.
//!
//! The search of Wing and Gong with the memory of Lowe: of the requests that nobody has to wait for, one after the other is
//! tried as the next, and no pair of what was done and where the session stands is tried twice. A request without an
//! answer may have happened at any moment until its end, or never.

use super::model::{Answer, Request, Session};
use std::collections::{BTreeMap, HashSet};

/// One request of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) request: Request,
    /// The answer, and for a pair a hash of its bytes; none came when it is not known what happened.
    pub(crate) answer: Option<(Answer, u64)>,
    /// When it was sent, by a clock that all clients share and that never shows one time twice.
    pub(crate) begun: u64,
    /// When its answer was there, or nothing of it could happen any more.
    pub(crate) ended: u64,
}

/// Requests that were done already, one bit each.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Done(Vec<u64>);

impl Done {
    fn has(&self, number: usize) -> bool {
        self.0[number / 64] >> (number % 64) & 1 == 1
    }

    fn with(&self, number: usize) -> Self {
        let mut more = self.clone();
        more.0[number / 64] |= 1 << (number % 64);
        more
    }
}

/// Holds the calls on one session against the model.
///
/// # Errors
/// There is no order in which they could have happened, or one pair was given as two.
pub(crate) fn check(calls: &[Call]) -> Result<(), String> {
    let mut prints = BTreeMap::new();
    for call in calls {
        if let Some((Answer::Pair(generation), print)) = call.answer
            && *prints.entry(generation).or_insert(print) != print
        {
            return Err(format!("generation {generation} was given out as two pairs"));
        }
    }
    let mut calls = calls.to_vec();
    calls.sort_unstable_by_key(|call| call.begun);
    if has_order(&calls) { Ok(()) } else { Err(format!("no order explains these:\n{}", told(&calls))) }
}

fn has_order(calls: &[Call]) -> bool {
    let mut seen = HashSet::new();
    let mut open = vec![(Done(vec![0; calls.len() / 64 + 1]), Session::BEGUN)];
    while let Some((done, session)) = open.pop() {
        let answered = |number: &usize| calls[*number].answer.is_some() && !done.has(*number);
        let Some(first_end) = (0..calls.len()).filter(answered).map(|number| calls[number].ended).min() else {
            return true; // what is left got no answer, and need not have happened
        };
        let latest = (0..calls.len()).filter(|number| done.has(*number)).map(|number| calls[number].begun).max();
        let next = calls.iter().enumerate().take_while(|(_, call)| call.begun < first_end);
        for (number, call) in next.filter(|(number, _)| !done.has(*number)) {
            let (answer, after) = session.after(call.request);
            let fits = match call.answer {
                Some((seen, _)) => seen == answer,
                // It was over before another began that was done already; or it would change nothing.
                None => latest.is_none_or(|latest| latest < call.ended) && after != session,
            };
            if fits {
                let more = (done.with(number), after);
                if seen.insert(more.clone()) {
                    open.push(more);
                }
            }
        }
    }
    false
}

/// The calls as text, a line each.
fn told(calls: &[Call]) -> String {
    let line = |call: &Call| {
        let Call { request, answer, begun, ended } = call;
        let ended = if *ended == u64::MAX { "…".to_owned() } else { ended.to_string() };
        format!("{begun:>8} to {ended:>8}  {request:?} -> {:?}", answer.map(|(answer, _)| answer))
    };
    calls.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(request: Request, answer: Option<Answer>, begun: u64, ended: u64) -> Call {
        Call { request, answer: answer.map(|answer| (answer, 0)), begun, ended }
    }

    #[test]
    fn what_happened_at_the_same_time_may_have_any_order() {
        let two = [
            call(Request::Present(1), Some(Answer::Pair(2)), 1, 4),
            call(Request::Present(2), Some(Answer::Pair(3)), 5, 9),
            call(Request::Present(1), Some(Answer::Refused), 6, 8),
        ];
        check(&two).unwrap(); // the old token came second and ended the session
        let later = call(Request::Present(2), Some(Answer::Pair(3)), 7, 9);
        check(&[two[0], call(Request::Present(1), Some(Answer::Refused), 5, 6), later]).unwrap_err();
        check(&[two[0], two[1], call(Request::Present(1), Some(Answer::Pair(2)), 6, 8)]).unwrap();
        check(&[two[0], two[1], call(Request::Present(1), Some(Answer::Pair(2)), 10, 11)]).unwrap_err();
    }

    #[test]
    fn what_got_no_answer_happened_before_its_end_or_never() {
        let lost = call(Request::Present(1), None, 1, 3);
        check(&[lost, call(Request::Present(1), Some(Answer::Pair(2)), 4, 5)]).unwrap();
        check(&[
            lost,
            call(Request::Revoke, None, 4, u64::MAX),
            call(Request::Present(1), Some(Answer::Refused), 5, 6),
        ])
        .unwrap();
        let too_late = call(Request::Revoke, None, 4, 6);
        check(&[
            call(Request::Present(1), Some(Answer::Pair(2)), 7, 8),
            too_late,
            call(Request::Present(2), Some(Answer::Refused), 9, 10),
        ])
        .unwrap_err();
    }

    #[test]
    fn what_was_answered_stays_done() {
        let revoked = call(Request::Revoke, Some(Answer::Revoked), 1, 2);
        check(&[revoked, call(Request::Present(1), Some(Answer::Refused), 3, 4)]).unwrap();
        check(&[revoked, call(Request::Present(1), Some(Answer::Pair(2)), 3, 4)]).unwrap_err();
        check(&[
            Call { answer: Some((Answer::Pair(2), 7)), ..call(Request::Present(1), None, 1, 2) },
            Call { answer: Some((Answer::Pair(2), 8)), ..call(Request::Present(1), None, 3, 4) },
        ])
        .unwrap_err();
    }
}
