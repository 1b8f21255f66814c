//! A flush that sled would wait for for ever.
//!
//! sled 0.34 writes on threads of its own. Where such a write fails it notes the error, and on one of its two ways there wakes
//! nobody: whoever waits for that write waits on. Another flush finds the error, returns it and wakes all others. So while
//! work on the store takes longer than a second, one more flush is begun every second, on a thread that waits as long
//! as it must; on a disk that is only slow it comes back with the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// Flushes in a row that are begun beside one piece of work.
const MOST: u32 = 600;

/// Looks after the flushes of one thread.
pub(super) struct Watch {
    /// Odd while work is being done; no two pieces of work have the same number.
    work: Arc<AtomicU64>,
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Looks after work on this tree until it is dropped.
    ///
    /// # Errors
    /// No thread can be started.
    pub(super) fn over(tree: sled::Tree) -> std::io::Result<Self> {
        Self::waking(BETWEEN_LOOKS, move || drop(tree.flush())) // what it finds is told to whoever waits
    }

    fn waking(between: Duration, wake: impl Fn() + Clone + Send + 'static) -> std::io::Result<Self> {
        let (stop, stopped) = sync_channel(0);
        let work = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&work);
        let look = move || {
            let (mut before, mut begun) = (0, 0);
            while stopped.recv_timeout(between) == Err(RecvTimeoutError::Timeout) {
                let now = seen.load(Ordering::Relaxed);
                begun = if now % 2 == 1 && now == before { begun + 1 } else { 0 };
                if (1..=MOST).contains(&begun) {
                    // A thread that cannot be started is tried again.
                    drop(Builder::new().name("countersign-flush".to_owned()).spawn(wake.clone()));
                }
                before = now;
            }
        };
        let thread = Builder::new().name("countersign-watch".to_owned()).spawn(look)?;
        Ok(Self { work, stop: Some(stop), thread: Some(thread) })
    }

    /// Does work that may wait for the disk.
    pub(super) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        self.work.fetch_add(1, Ordering::Relaxed);
        let done = work();
        self.work.fetch_add(1, Ordering::Relaxed);
        done
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join()); // it has nothing to say
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn work_that_waits_is_woken_again_and_again_and_none_is_woken_when_nothing_waits() {
        let (wake, woken) = channel();
        let watch = Watch::waking(Duration::from_millis(2), move || wake.send(()).unwrap_or_default()).unwrap();
        for _ in 0..3 {
            let patience = Duration::from_secs(60);
            assert_eq!(watch.during(|| (woken.recv_timeout(patience), woken.recv_timeout(patience))), (Ok(()), Ok(())));
        }
        while woken.recv_timeout(Duration::from_millis(200)).is_ok() {} // what had begun by then
        assert!(woken.recv_timeout(Duration::from_millis(50)).is_err());
    }
}
