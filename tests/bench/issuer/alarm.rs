//! Waiting for a moment, to less than a tenth of a millisecond. The runtime's own timers go by whole milliseconds, rounded up:
//! with them the requests of an open loop were sent one late in the median, and that counted as the server's latency.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use rustix::time::{timerfd_create, timerfd_settime};
use tokio::io::unix::AsyncFd;

use crate::clock;

/// A timer of the kernel's, awaited as a connection is.
pub(crate) struct Alarm {
    timer: AsyncFd<OwnedFd>,
}

impl Alarm {
    /// Makes one that is not set. Only within the runtime.
    #[expect(
        deprecated,
        reason = "what follows it is unsafe, for descriptors that might be closed: one that is owned is not"
    )]
    pub(crate) fn new() -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        Ok(Self { timer: AsyncFd::new(timer)? })
    }

    /// Waits until `moment`; not at all when it has been.
    pub(crate) async fn at(&self, moment: Instant) -> io::Result<()> {
        let left = moment.saturating_duration_since(clock::now());
        if left.is_zero() {
            return Ok(()); // zero would unset the timer
        }
        let once = Itimerspec {
            it_interval: Timespec::default(),
            it_value: Timespec::try_from(left).map_err(io::Error::other)?,
        };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        loop {
            let mut ready = self.timer.readable().await?;
            let rung = ready.try_io(|timer| Ok(rustix::io::read(timer, &mut [0; 8])?));
            if let Ok(read) = rung {
                return read.map(drop);
            }
        }
    }
}
