//! Measures whether the time of a refusal tells why it was refused, and how many logins a second there are.
//!
//! ```text
//! bench_logins <folder> [<samples of each class at the real cost>]
//! prints    Markdown; ends with 1 when logins at the cost of the settings differ for sure
//! ```
//!
//! As dudect does it (Reparaz, Balasch, Verbauwhede 2017): refusals of all classes are drawn at random one after the other, and
//! Welch's t-test says how sure it is that two means differ; below 4.5 it is not, above 10 it is. The issuer is the real one over a
//! real store, within this process: a network would only hide differences. A hash that costs nothing shows what the real one hides, and
//! the ids of clients are no secret (RFC 6749 §2.2): both are told and not judged. Its clock is moved between two attempts, so that
//! nobody is slowed down. A folder in memory (/dev/shm) leaves out the disk's own noise.

#![allow(clippy::indexing_slicing, clippy::disallowed_methods)] // it measures time, and indexes tables of its own

mod refusals;
mod statistics;

use issuer::env::{Env, ManualClock};
use issuer::keys::MasterKey;
use issuer::operations::{HashCosts, Issuer, Settings, UserSettings};
use issuer::store;
use refusals::{Clients, Users};
use statistics::{Class, Compared};
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use token::time::UnixTime;
use zeroize::Zeroizing;

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Samples of each class where a refusal takes some microseconds.
const MANY: usize = 20_000;
/// Samples of each class where a hash takes tens of milliseconds.
const SOME: usize = 1_500;
/// For how long logins are counted.
const COUNTED: Duration = Duration::from_secs(20);

/// An issuer, and the clock that is moved.
struct World {
    issuer: Issuer,
    clock: Arc<ManualClock>,
}

impl World {
    async fn open(folder: &Path, costs: HashCosts) -> Fallible<Self> {
        let start = UnixTime::from_secs(1_800_000_000).ok_or("a time")?;
        let (env, clock) = Env::fixed(start, 7);
        let users = UserSettings { costs, ..UserSettings::default() };
        let settings = Settings { users: Some(users), ..Settings::new("https://issuer.example") };
        let master = MasterKey::from_bytes(Zeroizing::new([9; 32]));
        let issuer = Issuer::open(settings, env, store::open(folder)?, master).await?;
        Ok(Self { issuer, clock })
    }
}

fn main() -> Fallible<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, samples) = match arguments.as_slice() {
        [folder] => (folder, SOME),
        [folder, samples] => (folder, samples.parse()?),
        _ => return Err("usage: bench_logins <folder> [<samples>]".into()),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(Path::new(folder), samples))
}

async fn measure(folder: &Path, samples: usize) -> Fallible<ExitCode> {
    let mut compared = Vec::new();
    println!("| refusals | samples | median | median of the other | t of all | t of the faster nine tenths |");
    println!("|---|---|---|---|---|---|");
    for (costs, name, samples) in
        [(Some(CHEAP), "a cheap hash", MANY.min(samples * 10)), (None, "the hash of the settings", samples)]
    {
        let directory = tempfile::tempdir_in(folder)?;
        let world = World::open(directory.path(), costs.unwrap_or_default()).await?;
        let mut users = Users::make(&world).await?;
        let classes = users.refused(&world, samples).await?;
        let found = compare(name, &classes);
        if costs.is_none() {
            compared.extend(found);
        }
        world.issuer.close().await;
    }
    let directory = tempfile::tempdir_in(folder)?;
    let world = World::open(directory.path(), CHEAP).await?;
    let classes = Clients::make(&world).await?.refused(&world, MANY.min(samples * 10)).await?;
    compare("clients", &classes);
    world.issuer.close().await;
    println!();
    println!("{}", throughput(folder).await?);
    let sure = compared.iter().filter(|one| one.is_sure()).count();
    Ok(if sure == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The least that Argon2id takes.
const CHEAP: HashCosts = HashCosts { memory_kib: 8, iterations: 1, parallelism: 1 };

/// Compares the first class with every other.
fn compare(what: &str, classes: &[Class]) -> Vec<Compared> {
    let Some((first, others)) = classes.split_first() else { return Vec::new() };
    let compared: Vec<Compared> = others.iter().map(|other| first.against(other)).collect();
    compared.iter().for_each(|one| println!("{}", one.row(what)));
    compared
}

/// Logs users in, as many at a time as there may be, at the real cost.
async fn throughput(folder: &Path) -> Fallible<String> {
    let directory = tempfile::tempdir_in(folder)?;
    let world = World::open(directory.path(), HashCosts::default()).await?;
    let processors = std::thread::available_parallelism()?;
    let names = refusals::named(&world, processors.get() * 4).await?;
    let (began, before) = (Instant::now(), processor_ms()?);
    let mut logins = tokio::task::JoinSet::new();
    for name in names {
        let issuer = world.issuer.clone();
        logins.spawn(async move {
            let mut done = 0_u32;
            while began.elapsed() < COUNTED {
                if refusals::right(&issuer, &name).await {
                    done += 1;
                }
            }
            done
        });
    }
    let done: u32 = logins.join_all().await.into_iter().sum();
    world.issuer.close().await;
    let each_second = f64::from(done) / began.elapsed().as_secs_f64();
    let each_took = (processor_ms()? - before) / f64::from(done);
    Ok(format!(
        "{each_second:.0} logins a second on {processors} processors, each {each_took:.0} ms of one, at the cost of the settings"
    ))
}

/// Returns how long this process has been on a processor (proc(5): `utime` and `stime`, in hundredths of a second).
fn processor_ms() -> Fallible<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    let ticks = fields.map(str::parse::<u32>).sum::<Result<u32, _>>()?;
    Ok(f64::from(ticks) * 10.0)
}
