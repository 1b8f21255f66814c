//! Work that no request asks for: the revocation list is signed again in time, and what has expired is dropped.

use crate::operations::Issuer;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How often the issuer looks for something due; everything it does is measured in whole seconds.
const TICK: Duration = Duration::from_secs(1);

/// Lets `issuer` do what is due, every second; ends only when it is aborted.
pub async fn keep_house(issuer: Issuer) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay); // a slow tick is not made up for by a fast one
    loop {
        ticks.tick().await;
        issuer.tick().await;
    }
}
