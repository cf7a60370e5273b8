//! Where calls and agents meet: what one step has made possible is done before the next.
//!
//! Steps only mark queues: a caller began to wait there, an agent of it could be rung again, or
//! its last agent logged out. [`settle`] then looks at the marked queues until nothing is left:
//! first callers nobody will serve leave by the `noAgents` rule, then reservations are made.
//!
//! Among the marked queues the one with the highest weight is served first, then the caller of
//! highest priority, then the oldest; that caller gets whom the queue's strategy chooses. So an
//! agent who becomes free chooses over all its queues, and a caller over all its agents.
//!
//! Always holds afterwards: no queue has both a caller who waits and an agent who could be rung.
//! The work is bounded: each turn reserves an agent or takes a call one of its few overflows on.
//!
//! Not here: who is chosen (`routing`), the reservation itself (`reservation`).

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Serialize;

use crate::acd::State;
use crate::acd::apply::Output;
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
}

/// Brings calls and agents together in every marked queue.
pub(in crate::acd) fn settle(state: &mut State, out: &mut Output) {
    loop {
        if let Some(queue) = state.unsettled.unstaffed.pop_first() {
            overflow::leave_unstaffed(state, &queue, out);
        } else if let Some(queue) = next_queue(state) {
            serve_first(state, &queue, out);
        } else {
            break;
        }
    }
}

/// The marked queue to serve next; marks of queues with nothing to do are dropped on the way.
fn next_queue(state: &mut State) -> Option<QueueId> {
    let marked = std::mem::take(&mut state.unsettled.to_match);
    state.unsettled.to_match =
        marked.into_iter().filter(|queue| first_place(state, queue).is_some()).collect();
    let rank = |queue: &&QueueId| {
        let weight = state.queues.get(*queue).map(|queue| queue.config.weight);
        (weight.map(|weight| -i64::from(weight)), first_place(state, queue))
    };
    state.unsettled.to_match.iter().min_by_key(rank).cloned()
}

/// The caller to serve in a queue, if an agent could be rung there.
fn first_place(state: &State, queue: &QueueId) -> Option<Place> {
    let place = state.queues.get(queue)?.waiting.first().copied()?;
    let roster = state.rosters.get(queue)?;
    (!roster.eligible.is_empty()).then_some(place)
}

fn serve_first(state: &mut State, queue: &QueueId, out: &mut Output) {
    let Some(place) = first_place(state, queue) else {
        return;
    };
    match routing::choose(state, queue) {
        Some(choice) => reservation::make(state, place.call, queue, choice, out),
        None => {
            state.unsettled.to_match.remove(queue);
        }
    }
}
