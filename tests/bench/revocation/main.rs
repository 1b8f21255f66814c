//! Measures revocation: what lists and deltas weigh against what they say, what a publication costs, and how long it takes
//! from the answer to a revocation until those who follow refuse the token.
//!
//! ```text
//! bench_revocation <the daemon> <folder on the disk to measure>
//! prints    Markdown
//! ```

#[path = "../issuer/alarm.rs"]
mod alarm;
#[path = "../issuer/clock.rs"]
mod clock;
#[path = "../issuer/connection.rs"]
mod connection;
#[allow(dead_code)] // the other benchmark asks it for more
#[path = "../issuer/daemon.rs"]
mod daemon;
mod followers;
mod following;
mod publishing;
mod sets;
mod sizes;
#[allow(dead_code)] // only the headers and their secret are needed of it
#[path = "../issuer/work.rs"]
mod work;

use std::error::Error;
use std::path::Path;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [program, disk] = arguments.as_slice() else { return Err("usage: bench_revocation <daemon> <folder>".into()) };
    let (program, disk) = (Path::new(program), Path::new(disk));
    eprintln!("sizes …");
    println!("{}", sizes::markdown()?);
    eprintln!("publication …");
    println!("{}", publishing::markdown(disk)?);
    eprintln!("followers …");
    print!("{}", following::markdown(program, disk)?);
    Ok(())
}

fn median(mut durations: Vec<Duration>) -> Duration {
    percentile(&mut durations, 50)
}

/// The duration that this many percent are not above.
fn percentile(durations: &mut [Duration], percent: usize) -> Duration {
    durations.sort_unstable();
    let place = (durations.len() * percent).div_ceil(100).saturating_sub(1);
    durations.get(place).copied().unwrap_or_default()
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}

fn microseconds(duration: Duration) -> String {
    format!("{:.0} µs", duration.as_secs_f64() * 1e6)
}
