//! How long our verifier takes natively, beside others: whole tokens, and signatures alone.
//!
//! ```text
//! bench-verify-native <folder written by bench_fixture>
//! prints JSON, as node.mjs does; signs of life go to the standard error
//! ```
//!
//! Every contender is first shown to accept what holds and to refuse a token with another signature; ours also one that
//! has expired and one that is revoked.

mod bare;
mod fixture;
mod ours;
mod peers;
mod rounds;
mod sweeps;

use fixture::Fixture;
use rounds::in_rounds;
use serde_json::json;

const ROUNDS: usize = 31;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).ok_or("usage: bench-verify-native <folder>")?;
    let fixture = Fixture::read(folder.into())?;
    let mut contenders = ours::contenders(&fixture)?;
    contenders.extend(peers::contenders(&fixture)?);
    contenders.extend(bare::contenders(&fixture)?);
    for contender in &mut contenders {
        let bad: &[&String] =
            if contender.mine { &[&fixture.forged, &fixture.expired, &fixture.revoked] } else { &[&fixture.forged] };
        if let Some(judge) = &mut contender.judge {
            assert!(fixture.tokens.iter().take(3).all(|token| judge(token)), "{} refuses what holds", contender.name);
            assert!(!bad.iter().any(|token| judge(token)), "{} accepts what it must refuse", contender.name);
        }
    }
    let rows = in_rounds(contenders, ROUNDS, "native");
    let sweeps = sweeps::all(&fixture)?;
    println!("{}", json!({ "bytes": fixture.tokens[0].len(), "rounds": ROUNDS, "rows": rows, "sweeps": sweeps }));
    Ok(())
}
