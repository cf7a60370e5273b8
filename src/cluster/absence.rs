//! Notices nodes that are gone: proposes `LoseNode`, and others go on with their calls.
//!
//! Every node that others can reach runs this, the leader alone acts. It knows when each of the
//! others has last answered it. What it cannot have heard while it followed counts as heard just
//! now, but for the leader it followed: of that one it knows, so the calls of a dead leader do not
//! wait for a second silence.
//!
//! Always holds: a node that is called lost has not been heard for [`Timing::absence`], and there
//! was a majority that could hear it.
//!
//! [`Timing::absence`]: super::Timing::absence
//!
//! Not here: who goes on with which call (`acd::legs`), what a node does that was called lost while
//! it lived (`node::orders`).

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::sleep;

use crate::acd::command::Command;
use crate::base::id::NodeId;
use crate::base::id::Owner;
use crate::base::time::LocalTime;
use crate::cluster::Entropy;
use crate::cluster::deadline::draw;
use crate::cluster::handle::Handle;

/// How often it is looked who is there.
const LOOK: Duration = Duration::from_millis(50);

/// Watches the others until dropped.
pub async fn watch(handle: Handle, entropy: Entropy, absence: Duration) {
    let mut heard = Heard::default();
    loop {
        sleep(LOOK).await;
        let others = others(&handle);
        heard.look(&handle, &others);
        if !handle.is_leader() || !handle.has_quorum() {
            continue;
        }
        for owner in others {
            if heard.silence(owner.node, handle.now()) > absence {
                // What could not be proposed is found again at the next look.
                let lost = Command::LoseNode { owner };
                let _ = handle.propose(draw(entropy), lost).await;
            }
        }
    }
}

/// The lives of other nodes that act for calls.
fn others(handle: &Handle) -> Vec<Owner> {
    let live = handle.view(|view| view.nodes()).into_iter().filter(|(_, is_live)| *is_live);
    live.map(|(owner, _)| owner).filter(|owner| owner.node != handle.node()).collect()
}

/// When each of the others was heard last.
#[derive(Default)]
struct Heard {
    at: BTreeMap<NodeId, LocalTime>,
    /// The leader this node followed last.
    followed: Option<NodeId>,
}

impl Heard {
    fn look(&mut self, handle: &Handle, others: &[Owner]) {
        let now = handle.now();
        let leads = handle.is_leader();
        if let Some(leader) = handle.leader().filter(|leader| *leader != handle.node()) {
            self.followed = Some(leader);
        }
        for Owner { node, .. } in others {
            let known = handle.silence_of(*node).map(|silence| before(now, silence));
            let at = self.at.entry(*node).or_insert(now);
            match known {
                Some(heard) => *at = (*at).max(heard),
                None if leads || self.followed == Some(*node) => {}
                None => *at = now,
            }
        }
    }

    fn silence(&self, node: NodeId, now: LocalTime) -> Duration {
        let at = self.at.get(&node).copied().unwrap_or(now);
        Duration::from_micros(now.0.saturating_sub(at.0))
    }
}

fn before(now: LocalTime, ago: Duration) -> LocalTime {
    LocalTime(now.0.saturating_sub(u64::try_from(ago.as_micros()).unwrap_or(u64::MAX)))
}
