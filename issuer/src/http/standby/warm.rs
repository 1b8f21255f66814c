//! What keeps the public documents that every verifier needs, so that they are there when the daemon that has the database goes
//! away, whether anybody has asked this one for them or not.

use super::Standing;
use super::kept::{ALWAYS, MAX_DOCUMENT, Name};
use super::passing::Passing;
use http::StatusCode;
use http_body_util::{BodyExt as _, Limited};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How often it is asked whether there is a newer one; mostly there is not, and nothing is sent.
const LOOK: Duration = Duration::from_secs(2);

/// Keeps the documents until it is dropped, or this daemon has taken over.
pub(super) async fn keep(passing: Arc<Passing>) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        for path in ALWAYS {
            look(&passing, path).await;
        }
    }
}

async fn look(passing: &Passing, path: &'static str) {
    let standing = passing.standby.standing.borrow().clone();
    let Standing::Behind(holder) = standing else { return };
    let name = Name::always(path);
    let Some(answer) = passing.asks(&holder, path, passing.kept.tag(&name)).await else { return };
    let (head, body) = answer.into_parts();
    match head.status {
        StatusCode::NOT_MODIFIED => passing.kept.confirm(&name, passing.env.monotonic()),
        StatusCode::OK => {
            if let Ok(body) = Limited::new(body, MAX_DOCUMENT).collect().await {
                passing.kept.keep(name, &head.headers, body.to_bytes(), passing.env.monotonic());
            }
        }
        _ => {}
    }
}
