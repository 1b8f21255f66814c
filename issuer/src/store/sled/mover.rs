//! The thread that moves what left the journal into sled's tree.
//!
//! It does so in pieces, each an atomic batch that is flushed and synced before the next one, so that what sled was given
//! and the disk has not is never more than one piece. The last one says how far the tree has come. Meanwhile everybody
//! reads the rows above the tree, and the journal has them, so it does not matter where this ends. Behind each layer, and while
//! there is none, the thread [cleans](super::cleaner): nobody else lets sled write while the store is open. Where the disk has no room it waits; where
//! it fails the whole store does.

use super::cleaner::Cleaner;
use super::durable::Log;
use super::fatal::Fatal;
use super::journal::{FULL, Place};
use super::layers::{Layer, Layers};
use super::reading::failed;
use super::room::Claims;
use super::stuck::Watch;
use super::{layout, open};
use crate::store::StoreError;
use crate::store::record::Record;
use sled::Batch;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// Bytes and rows of one piece: with the leaves that they lie in, and what it moves for each of these, sled writes some thirty
/// times as much at worst: less than two segments.
const PIECE_BYTES: usize = 64 * 1024;
pub(super) const PIECE_ROWS: usize = 256;
/// Between two pieces, so that the syncs of the journal, which answers wait for, do not queue behind those of the tree. There is
/// none while the journal's file fills faster than its layer leaves.
const BREATH: Duration = Duration::from_millis(10);
/// While a layer waits it is cleaned until the journal's file is filled to such a part.
const CLEANING_SHARE: usize = 8;
/// So often it is looked for room.
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);

/// A layer on its way, and the last place of the journal that is in it.
type Load = (Arc<Layer>, Place);

#[derive(Default)]
struct State {
    load: Option<Load>,
    /// Somebody waits for it.
    urgent: bool,
    /// The disk has no room for the next piece.
    starved: bool,
    failed: bool,
    closing: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// How long the journal's current file is.
    filled: AtomicU64,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    fn wait_while(&self, condition: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        self.changed.wait_while(self.state(), |state| condition(state)).unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way to the thread.
pub(super) struct Mover {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Mover {
    /// Starts the thread. What fails in it is told through `fatal`.
    pub(super) fn start(
        layers: Arc<Layers>,
        db: sled::Db,
        log: Log,
        claims: Arc<Mutex<Claims>>,
        fatal: Arc<Fatal>,
    ) -> Result<Self, StoreError> {
        let shared = Arc::<Shared>::default();
        let watch = Watch::over(layers.tree().clone()).map_err(|error| open::unusable(&error))?;
        let cleaner = Cleaner::of(db);
        let thread = Thread { layers, cleaner, log, claims, watch, shared: Arc::clone(&shared) };
        let thread = Builder::new().name("countersign-mover".to_owned()).spawn(move || thread.run(&fatal));
        Ok(Self { shared, thread: Some(thread.map_err(|error| open::unusable(&error))?) })
    }

    /// Begins to move a layer. None may be on its way.
    pub(super) fn begin(&self, layer: Arc<Layer>, last: Place) {
        self.shared.change(|state| state.load = Some((layer, last)));
    }

    /// Says how long the journal's current file is.
    pub(super) fn pace(&self, filled: u64) {
        self.shared.filled.store(filled, Ordering::Relaxed);
    }

    /// Returns whether a layer is on its way.
    pub(super) fn is_busy(&self) -> bool {
        self.shared.state().load.is_some()
    }

    /// Waits until no layer is on its way, or none gets on.
    pub(super) fn wait(&self) {
        self.shared.change(|state| state.urgent = state.load.is_some());
        drop(self.shared.wait_while(|state| state.load.is_some() && !state.starved && !state.failed));
    }
}

impl Drop for Mover {
    /// Waits until the piece that is being moved is.
    fn drop(&mut self) {
        self.shared.change(|state| state.closing = true);
        if let Some(thread) = self.thread.take() {
            drop(thread.join()); // what it has to say it says through `fatal`
        }
    }
}

struct Thread {
    layers: Arc<Layers>,
    cleaner: Cleaner,
    log: Log,
    claims: Arc<Mutex<Claims>>,
    watch: Watch,
    shared: Arc<Shared>,
}

/// Why a layer did not get into the tree.
enum Stopped {
    /// The store is closed; the journal has it.
    Closing,
    Failed(StoreError),
}

impl Thread {
    fn run(mut self, fatal: &Fatal) {
        loop {
            let done = std::panic::catch_unwind(AssertUnwindSafe(|| self.work()));
            let panicked = |_| Err(Stopped::Failed(StoreError::damaged("the engine gave up while it wrote")));
            match done.unwrap_or_else(panicked) {
                Ok(()) => {}
                Err(Stopped::Closing) => return,
                Err(Stopped::Failed(fault)) => {
                    fatal.tell(&fault);
                    self.shared.change(|state| state.failed = true);
                    open::abandon(self);
                    return;
                }
            }
        }
    }

    /// Does what is next: moves a layer or cleans a little, once there is one or the other to do.
    fn work(&mut self) -> Result<(), Stopped> {
        let stale = !self.cleaner.is_done();
        let (load, urgent) = {
            let state = self.shared.wait_while(|state| state.load.is_none() && !state.closing && !stale);
            if state.closing && state.load.is_none() {
                return Err(Stopped::Closing);
            }
            (state.load.clone(), state.urgent)
        };
        match load {
            Some((layer, last)) if urgent || !stale || self.is_filled_beyond(1, CLEANING_SHARE) => {
                self.move_all(&layer, last)?;
                self.layers.left();
                drop(layer);
                self.shared.change(|state| (state.load, state.urgent) = (None, false));
                self.cleaner.begin();
                Ok(())
            }
            _ => self.clean(),
        }
    }

    /// Returns whether the journal's current file is filled to more than such a part of what makes it full.
    fn is_filled_beyond(&self, part: usize, of: usize) -> bool {
        let [part, of] = [part, of].map(|number| u64::try_from(number).unwrap_or(u64::MAX));
        self.shared.filled.load(Ordering::Relaxed).saturating_mul(of) > FULL.saturating_mul(part)
    }

    fn clean(&mut self) -> Result<(), Stopped> {
        self.wait_for_room()?;
        let Self { cleaner, log, watch, .. } = self;
        let cleaned = watch.during(|| cleaner.clean().map_err(|error| failed(&error)).and_then(|()| sync(log)));
        cleaned.map_err(Stopped::Failed)?;
        self.breathe();
        Ok(())
    }

    fn move_all(&self, layer: &Layer, last: Place) -> Result<(), Stopped> {
        let (mut piece, mut rows, mut bytes) = (Batch::default(), 0_usize, 0_usize);
        for (place, (key, row)) in layer.iter().enumerate() {
            bytes = bytes.saturating_add(key.len()).saturating_add(row.as_ref().map_or(0, |row| row.len()));
            rows = rows.saturating_add(1);
            match row {
                Some(row) => piece.insert(key, row),
                None => piece.remove(key),
            }
            if bytes >= PIECE_BYTES || rows >= PIECE_ROWS {
                self.write(std::mem::take(&mut piece))?;
                (rows, bytes) = (0, 0);
                if !self.is_filled_beyond(place, layer.len()) {
                    self.breathe();
                }
            }
        }
        piece.insert(layout::MOVED, last.encode(layout::MOVED));
        self.write(piece)
    }

    fn write(&self, piece: Batch) -> Result<(), Stopped> {
        self.wait_for_room()?;
        let written = self.watch.during(|| {
            self.layers.tree().apply_batch(piece).map_err(|error| failed(&error))?;
            self.layers.tree().flush().map_err(|error| failed(&error))?;
            sync(&self.log)
        });
        written.map_err(Stopped::Failed)
    }

    fn breathe(&self) {
        let nobody_waits = |state: &mut State| !state.urgent && !state.closing;
        drop(self.shared.changed.wait_timeout_while(self.shared.state(), BREATH, nobody_waits));
    }

    fn wait_for_room(&self) -> Result<(), Stopped> {
        loop {
            let may_move = self.claims.lock().unwrap_or_else(PoisonError::into_inner).may_move();
            let mut state = self.shared.state();
            if state.starved == may_move {
                state.starved = !may_move;
                self.shared.changed.notify_all();
            }
            if may_move {
                return Ok(());
            }
            if state.closing {
                return Err(Stopped::Closing);
            }
            drop(self.shared.changed.wait_timeout(state, BETWEEN_LOOKS));
        }
    }
}

fn sync(log: &Log) -> Result<(), StoreError> {
    log.sync().map_err(|error| StoreError::Failed { detail: format!("sync: {error}").into() })
}
