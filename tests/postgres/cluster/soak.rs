//! The long run: three daemons under load, round after round, and each time something else goes wrong with the one that has the
//! database, or with the database.

use super::*;
use countersign_tests::{Dice, given, seed};

/// What may go wrong.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    /// The holder is killed.
    Killed,
    /// The holder is told to stop.
    Stopped,
    /// The holder stands still for longer than its lease.
    Paused,
    /// The database crashes.
    Database,
}

impl Three {
    /// Lets it happen under load, and mends it; returns what was promised meanwhile.
    fn suffer(&mut self, trouble: Trouble, database: &mut Cluster) -> Vec<Promised> {
        let place = holder(&self.daemons);
        let promised = self.under_load(|three, more| {
            let began = Instant::now();
            match trouble {
                Trouble::Killed => three.daemons[place].kill(),
                Trouble::Stopped => assert!(three.daemons[place].stop().success(), "{}", three.daemons[place].log()),
                Trouble::Paused => three.daemons[place].signal(Signal::STOP),
                Trouble::Database => database.restart(),
            }
            more(1);
            println!("{trouble:?}: written again after {:?}", began.elapsed());
            if matches!(trouble, Trouble::Paused) {
                let others: Vec<Client> = three
                    .daemons
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| *at != place)
                    .map(|(_, one)| one.client())
                    .collect();
                while !others.iter().any(has_the_database) {}
                three.daemons[place].signal(Signal::CONT);
                assert_eq!(three.daemons[place].ended().code(), Some(3));
            }
            if !matches!(trouble, Trouble::Database) {
                three.daemons[place].begin_again();
            }
            more(60);
        });
        for daemon in &mut self.daemons {
            // One that writes and finds its lease run out, because the database was away for so long, ends as well.
            if !daemon.runs() {
                assert_eq!(daemon.ended().code(), Some(3), "{}", daemon.log());
                daemon.begin_again();
            }
            while !daemon.client().request("GET", "/readyz").try_send().is_ok_and(|told| told.status == 200) {}
        }
        promised
    }
}

#[test]
#[ignore = "runs for as long as it is told: cargo xtask soak cluster"]
fn soak() {
    let mut dice = Dice::new(seed("COUNTERSIGN_CLUSTER_SEED"));
    let rounds = given("COUNTERSIGN_CLUSTER_ROUNDS").unwrap_or(100);
    let mut database = Cluster::start();
    let (_folder, key) = master_key();
    let mut three = Three::start(&database.schema("soak"), &key);
    let (mut seq, mut promises, mut longest) = (0, 0, [Duration::ZERO; 4]);
    for round in 0..rounds {
        let kinds = [Trouble::Killed, Trouble::Stopped, Trouble::Paused, Trouble::Database];
        let kind = usize::try_from(dice.number() % 4).expect("less than four");
        let promised = three.suffer(kinds[kind], &mut database);
        held(&three.daemons[dice.below(3)], &promised);
        let newest = list_seq(&three.daemons[holder(&three.daemons)]);
        assert!(newest >= seq, "numbers of lists go on");
        seq = newest;
        promises += promised.iter().map(|one| one.told.len()).sum::<usize>();
        longest[kind] = promised.iter().map(|one| one.longest_gap).chain([longest[kind]]).max().expect("some");
        println!(
            "round {round}: {promises} promises held; longest gaps {:?}",
            kinds.iter().zip(&longest).collect::<Vec<_>>()
        );
    }
}
