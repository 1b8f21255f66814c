//! The log of the embedded engine: what leaves the journal for it, and what is moved in it.

use super::{CLIENTS, House};
use crate::journal::Record;
use crate::replay::Cut;
use countersign_tests::{Dice, Extent};
use serde_json::json;
use std::time::Duration;

/// Sessions that fill the journal some four times.
const FILLING: usize = 2_000;

/// Lets rows leave the journal and its files be written over, keeps these of the syncs of sled's log, and cuts the power.
fn cut_after_rows_have_left(log_is_synced: bool) -> Result<(), String> {
    let mut house = House::new(11);
    let large = json!({"sub": "alice", "aud": "api", "roles": vec!["x".repeat(100); 30]});
    let pairs: Vec<_> = (0..FILLING).map(|_| house.daemon.mint(large.clone())).collect();
    house.daemon.kill();
    let log = house.inode("db");
    let mut records = house.records();
    let of_log = |record: &Record| *record == Record::Synced { inode: log };
    let syncs = records.iter().filter(|record| of_log(record)).count();
    assert!((20..FILLING).contains(&syncs), "{syncs} syncs of the log for {FILLING} answers");
    records.retain(|record| log_is_synced || !of_log(record));
    house.cut(&records, Cut::Strict, &mut Dice::new(1));
    house.restart_and_check(Extent::All)?;
    let lost = pairs.iter().step_by(7).filter(|pair| house.daemon.refresh(&pair.refresh_token).status != 200).count();
    if lost == 0 { Ok(()) } else { Err(format!("{lost} sessions are lost")) }
}

#[test]
fn what_has_left_the_journal_survives_a_power_cut_and_would_not_without_the_syncs_of_the_log() {
    cut_after_rows_have_left(true).unwrap();
    let missed = cut_after_rows_have_left(false).expect_err("the syncs of the log are missing");
    println!("{missed}");
}

/// What sled may have written and not synced before it gives back what that took the place of; twice as much before it writes there.
const SEGMENT: usize = 2 * 1024 * 1024;

/// What the records say of sled's log.
#[derive(Debug, Default)]
struct Ahead {
    unsynced: usize,
    most: usize,
    end: usize,
    /// Segments that were written over.
    reused: usize,
}

impl Ahead {
    /// Returns what a daemon has done so far.
    fn of(house: &House) -> Self {
        let (log, mut ahead) = (house.inode("db"), Self::default());
        house.records().iter().for_each(|record| ahead.follow(log, record));
        ahead
    }

    fn follow(&mut self, log: u64, record: &Record) {
        match record {
            Record::Wrote { inode, offset, data } if *inode == log => {
                self.reused += usize::from(offset.is_multiple_of(SEGMENT) && *offset < self.end);
                self.end = self.end.max(offset + data.len());
                self.unsynced += data.len();
                self.most = self.most.max(self.unsynced);
            }
            Record::Synced { inode } if *inode == log => self.unsynced = 0,
            _ => {}
        }
    }
}

#[test]
fn what_sled_cleans_is_synced_before_anything_is_written_over_it() {
    let mut house = House::new(13);
    let large = json!({"sub": "alice", "aud": "api", "roles": vec!["x".repeat(100); 30]});
    let daemon = &house.daemon;
    let refreshing = |_| {
        let mut pairs: Vec<_> = (0..90).map(|_| daemon.mint(large.clone())).collect();
        for _ in 0..10 {
            for pair in &mut pairs {
                let reply = daemon.refresh(&pair.refresh_token);
                assert_eq!(reply.status, 200, "{}", reply.text());
                pair.refresh_token = reply.member("refresh_token");
            }
        }
        pairs
    };
    let pairs: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CLIENTS).map(|client| scope.spawn(move || refreshing(client))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    // It cleans for a moment longer.
    let rests = (0..40).any(|_| {
        std::thread::sleep(Duration::from_millis(250));
        Ahead::of(&house).unsynced == 0
    });
    assert!(rests, "what was cleaned is not synced: {:?}", Ahead::of(&house));
    house.daemon.kill();
    let (records, ahead) = (house.records(), Ahead::of(&house));
    assert!(ahead.reused > 1, "there was something to clean: {ahead:?}");
    assert!(ahead.most < SEGMENT, "{ahead:?}");

    house.cut(&records, Cut::Reordered, &mut Dice::new(1));
    house.restart_and_check(Extent::All).unwrap();
    for pair in &pairs {
        assert_eq!(house.daemon.refresh(&pair.refresh_token).status, 200);
    }
    let (records, log) = (house.records(), house.inode("db"));
    let of_log = records.iter().find(|record| match record {
        Record::Wrote { inode, .. } | Record::Cut { inode, .. } | Record::Synced { inode } => *inode == log,
        _ => false,
    });
    assert_eq!(of_log, Some(&Record::Synced { inode: log }), "what a killed process left is synced first");
}
