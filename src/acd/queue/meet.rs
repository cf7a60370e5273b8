//! Where calls and agents meet: what one step has made possible is done before the next.
//!
//! Steps only mark queues: a caller began to wait there, an agent of it could be rung again, or
//! its last agent logged out; and that a device became free. [`settle`] then looks at what is
//! marked until nothing is left: first agents go to the phones they were waiting for, then callers
//! nobody will serve leave by the `noAgents` rule, then reservations are made.
//!
//! Among the marked queues the one with the highest weight is served first, then the caller of
//! highest priority, then the oldest; that caller gets whom the queue's strategy chooses. So an
//! agent who becomes free chooses over all its queues, and a caller over all its agents.
//!
//! An agent nobody waits for is rung too, in a `RingAll` queue, for the first caller for whom other
//! phones ring already.
//!
//! Always holds afterwards: no queue has both a caller who waits and an agent who could be rung,
//! as long as any node lives that could ring.
//! The work is bounded: each turn brings an agent to a phone, reserves one, or takes a call one of
//! its few overflows on.
//!
//! Not here: who is chosen (`routing`), the reservation itself (`reservation`).

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Serialize;

use crate::acd::State;
use crate::acd::agent::relocation;
use crate::acd::config::Strategy;
use crate::acd::output::Output;
use crate::acd::queue::Place;
use crate::acd::queue::overflow;
use crate::acd::reservation;
use crate::acd::routing;
use crate::base::id::QueueId;

/// Queues to look at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::acd) struct Unsettled {
    /// A caller waits anew or an agent could be rung anew.
    pub(in crate::acd) to_match: BTreeSet<QueueId>,
    /// The last agent has logged out.
    pub(in crate::acd) unstaffed: BTreeSet<QueueId>,
    /// An agent has left the device, which another may have been waiting for.
    pub(in crate::acd) vacated: BTreeSet<String>,
}

impl Unsettled {
    /// Tells whether all is done.
    pub(in crate::acd) fn is_empty(&self) -> bool {
        self.to_match.is_empty() && self.unstaffed.is_empty() && self.vacated.is_empty()
    }
}

/// Brings calls and agents together in every marked queue.
pub(in crate::acd) fn settle(state: &mut State, out: &mut Output) {
    loop {
        if let Some(device) = state.unsettled.vacated.pop_first() {
            relocation::fill(state, &device, out);
        } else if let Some(queue) = state.unsettled.unstaffed.pop_first() {
            overflow::leave_unstaffed(state, &queue, out);
        } else if let Some((queue, work)) = next_queue(state) {
            carry_out(state, &queue, work, out);
        } else {
            break;
        }
    }
}

/// What is to be done in a queue; smaller comes sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    /// A caller waits and an agent could be rung.
    Serve(Place),
    /// Phones ring for a caller in `RingAll`, and one more could.
    RingToo(Place),
}

/// The marked queue to serve next; marks of queues with nothing to do are dropped on the way.
fn next_queue(state: &mut State) -> Option<(QueueId, Work)> {
    let mut marked = std::mem::take(&mut state.unsettled.to_match);
    let mut next = None;
    marked.retain(|queue| {
        let Some(work) = work_in(state, queue) else {
            return false;
        };
        let weight = state.queues.get(queue).map(|queue| -i64::from(queue.config.weight));
        let rank = (matches!(work, Work::RingToo(_)), weight, work);
        if next.as_ref().is_none_or(|(first, _)| rank < *first) {
            next = Some((rank, queue.clone()));
        }
        true
    });
    state.unsettled.to_match = marked;
    next.map(|((.., work), queue)| (queue, work))
}

/// What is to be done in a queue now, if anything.
fn work_in(state: &State, queue: &QueueId) -> Option<Work> {
    if !state.nodes.is_any_live() {
        return None;
    }
    let roster = state.rosters.get(queue)?;
    if roster.eligible.is_empty() {
        return None;
    }
    let queue = state.queues.get(queue)?;
    if let Some(place) = queue.waiting.first() {
        return Some(Work::Serve(*place));
    }
    let mut ringing = queue.ringing.iter().filter(|_| queue.config.strategy == Strategy::RingAll);
    let open = ringing.find(|place| reservation::may_be_joined(state, place.call));
    open.map(|place| Work::RingToo(*place))
}

/// Tells whether a queue is unsettled: it never is between entries.
pub(in crate::acd) fn has_work(state: &State, queue: &QueueId) -> bool {
    work_in(state, queue).is_some()
}

fn carry_out(state: &mut State, queue: &QueueId, work: Work, out: &mut Output) {
    match (work, routing::choose(state, queue)) {
        (Work::Serve(place), Some(choice)) => {
            reservation::make(state, place.call, queue, choice, out);
        }
        (Work::RingToo(place), Some(choice)) => {
            reservation::ring_too(state, place.call, choice, out);
        }
        (Work::Serve(_) | Work::RingToo(_), None) => {
            state.unsettled.to_match.remove(queue);
        }
    }
}
