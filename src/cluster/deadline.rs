//! Moves the replicated clock: proposes `Advance` when a deadline of the core is due.
//!
//! Every node runs this, the leader alone acts. It sleeps until the next deadline or the next
//! applied entry, whichever is first, so nothing is proposed while nothing is due.
//!
//! Always holds: at most one `Advance` of a node is under way. A deadline that is still due after
//! it was answered is tried again only after a pause, whatever the reason.
//!
//! Not here: what happens when a deadline passes (`acd::clock`).

use std::time::Duration;

use tokio::time::sleep;
use tokio::time::timeout;

use crate::acd::command::Command;
use crate::base::id::LogIndex;
use crate::base::id::RequestId;
use crate::base::time::ClusterTime;
use crate::cluster::Entropy;
use crate::cluster::handle::Handle;

/// The longest sleep: how soon a new leader notices that it leads.
const LOOK: Duration = Duration::from_millis(50);
/// The pause after an `Advance` that failed or changed nothing.
const PAUSE: Duration = Duration::from_millis(50);

/// Watches the deadlines until dropped.
pub async fn watch(handle: Handle, entropy: Entropy) {
    let mut applied = handle.replica().watch();
    let mut last_due = None;
    loop {
        applied.mark_unchanged();
        let due = handle.replica().read().state.next_deadline();
        let now = handle.stamp();
        match due {
            Some(due) if due <= now && handle.is_leader() => {
                let moved = last_due != Some(due);
                last_due = Some(due);
                if !moved || !advance(&handle, entropy).await {
                    sleep(PAUSE).await;
                    last_due = None;
                }
            }
            Some(_) | None => {
                // An error says that the replica is gone, and this task is about to be.
                let _ = timeout(until(due, now), applied.changed()).await;
            }
        }
    }
}

async fn advance(handle: &Handle, entropy: Entropy) -> bool {
    let applied: Option<LogIndex> = handle
        .propose(draw(entropy), Command::Advance)
        .await
        .map_or(None, |applied| Some(applied.index));
    match applied {
        Some(index) => handle.wait_applied(index).await.is_ok(),
        None => false,
    }
}

/// A new name for a proposal.
pub(super) fn draw(entropy: Entropy) -> RequestId {
    let mut bytes = [0; 16];
    entropy(&mut bytes);
    RequestId(u128::from_be_bytes(bytes))
}

fn until(due: Option<ClusterTime>, now: ClusterTime) -> Duration {
    let Some(due) = due else { return LOOK };
    Duration::from_millis(due.since(now).0).clamp(Duration::from_millis(1), LOOK)
}
