//! The way in which everything here is timed: as rounds.mjs does it.

use serde_json::{Value, json};
use std::time::{Duration, Instant};

const TURN: Duration = Duration::from_millis(20);
const WARM_UP_ROUNDS: usize = 2;

/// Something that is timed.
pub(crate) struct Contender<'f> {
    pub(crate) id: String,
    pub(crate) name: String,
    /// `whole` or `bare`, as in contenders.mjs.
    pub(crate) kind: &'static str,
    /// Whether it also has to refuse tokens that have expired or are revoked.
    pub(crate) mine: bool,
    /// Whether a token holds.
    pub(crate) judge: Option<Judge<'f>>,
    /// Judges about so many tokens, and says how many it were.
    pub(crate) turn: Box<dyn FnMut(usize) -> usize + 'f>,
}

pub(crate) type Judge<'f> = Box<dyn FnMut(&str) -> bool + 'f>;

/// Times all of them and returns a row for each.
pub(crate) fn in_rounds(contenders: Vec<Contender<'_>>, rounds: usize, what: &str) -> Vec<Value> {
    let mut timed: Vec<_> = contenders
        .into_iter()
        .map(|mut contender| {
            let count = count_for(&mut contender);
            (contender, count, Vec::new())
        })
        .collect();
    let many = timed.len();
    for round in 0..WARM_UP_ROUNDS + rounds {
        for turn in 0..many {
            let (contender, count, micros) = &mut timed[(turn + round) % many];
            let started = Instant::now();
            let done = (contender.turn)(*count);
            let took = started.elapsed().as_secs_f64() * 1e6 / done as f64;
            if round >= WARM_UP_ROUNDS {
                micros.push(took);
            }
        }
        eprintln!("  {what} {} %", 100 * (round + 1) / (WARM_UP_ROUNDS + rounds));
    }
    timed.into_iter().map(|(contender, _, micros)| row(&contender, micros)).collect()
}

/// How many tokens fill a turn; asking for it warms up too.
fn count_for(contender: &mut Contender<'_>) -> usize {
    let mut count = 1;
    loop {
        // The fastest of three: one that was held up would make turns too short.
        let mut took = Duration::MAX;
        let mut done = count;
        for _ in 0..3 {
            let started = Instant::now();
            done = (contender.turn)(count);
            took = took.min(started.elapsed());
        }
        if took >= TURN / 8 {
            return ((done as f64) * TURN.as_secs_f64() / took.as_secs_f64()).round().max(1.0) as usize;
        }
        count *= 4;
    }
}

fn row(contender: &Contender<'_>, mut micros: Vec<f64>) -> Value {
    micros.sort_by(f64::total_cmp);
    json!({
        "id": contender.id,
        "name": contender.name,
        "kind": contender.kind,
        "median": micros[micros.len() / 2],
        "lowest": micros[0],
        "highest": micros[micros.len() - 1],
    })
}

/// A turn that judges the tokens one after another, from the first to the last and again.
///
/// # Panics
/// When one is refused: a contender that gives up early would look fast.
pub(crate) fn one_by_one<'f, T>(
    tokens: &'f [T],
    mut judge: impl FnMut(&T) -> bool + 'f,
) -> Box<dyn FnMut(usize) -> usize + 'f> {
    Box::new(move |count| {
        for token in tokens.iter().cycle().take(count) {
            assert!(judge(std::hint::black_box(token)));
        }
        count
    })
}
