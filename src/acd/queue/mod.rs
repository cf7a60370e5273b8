//! One queue: who waits in it, in which order, and how many have come and gone.
//!
//! Callers stand by priority, then by arrival, then by name: a [`Place`]. A caller keeps the
//! place while an agent's phone rings in vain, and the age even into another queue.
//!
//! | file | what |
//! |---|---|
//! | this | the order and the counts |
//! | [`roster`] | the agents who serve a queue, and which of them could be rung |
//! | [`meet`] | calls and agents brought together after each step |
//! | [`overflow`] | full, closed, nobody there, waited too long |
//! | [`configure`] | made, changed, removed while callers wait |
//!
//! Always holds: `entered` is the sum of answered, abandoned, short, overflowed, withdrawn, hung
//! up, lost, and those still there unanswered; `waiting` has exactly the calls in state
//! Waiting, `ringing` those in state Reserved.
//!
//! Not here: what the caller hears (`b2bua`), who is chosen (`routing`).

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Serialize;

use crate::acd::State;
use crate::acd::agent::Agent;
use crate::acd::call::Call;
use crate::acd::command::CallStateName;
use crate::acd::config::QueueConfig;
use crate::acd::config::Source;
use crate::acd::fact::Fact;
use crate::acd::output::Output;
use crate::acd::view::QueueTotals;
use crate::base::id::CallId;
use crate::base::id::LogIndex;
use crate::base::id::QueueId;
use crate::base::time::ClusterTime;

pub(in crate::acd) mod configure;
pub(in crate::acd) mod meet;
pub(in crate::acd) mod overflow;
pub(in crate::acd) mod roster;

/// A queue with its callers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::acd) struct Queue {
    pub(in crate::acd) config: QueueConfig,
    pub(in crate::acd) source: Source,
    /// Removed from the configuration: nobody enters, those inside are served to the end.
    pub(in crate::acd) draining: bool,
    /// Who waits, the next to be served first.
    pub(in crate::acd) waiting: BTreeSet<Place>,
    /// For whom phones ring, in the order of the line.
    pub(in crate::acd) ringing: BTreeSet<Place>,
    /// Every live call that entered here last, in the order they arrived: so most come at one end
    /// and go at the other, and only those are looked at.
    pub(in crate::acd) calls: BTreeMap<LogIndex, CallId>,
    /// Those calls, counted by state.
    pub(in crate::acd) by_state: BTreeMap<CallStateName, u32>,
    pub(in crate::acd) totals: QueueTotals,
}

/// Where a caller stands; smaller is served sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::acd) struct Place {
    /// The priority turned round, so that the higher comes first.
    behind: i64,
    /// The log's order; the clock may stand still from one arrival to the next.
    arrival: LogIndex,
    pub(in crate::acd) arrived: ClusterTime,
    pub(in crate::acd) call: CallId,
}

impl Place {
    pub(in crate::acd) fn new(call: CallId, of: &Call) -> Self {
        let behind = -i64::from(of.priority);
        Self { behind, arrival: of.arrival, arrived: of.arrived, call }
    }

    /// Before everybody of a priority.
    fn before_all(behind: i64) -> Self {
        let (arrival, arrived, call) = (LogIndex(0), ClusterTime(0), CallId(0));
        Self { behind, arrival, arrived, call }
    }
}

impl Queue {
    pub(in crate::acd) fn new(config: QueueConfig, source: Source) -> Self {
        Self {
            config,
            source,
            draining: false,
            waiting: BTreeSet::new(),
            ringing: BTreeSet::new(),
            calls: BTreeMap::new(),
            by_state: BTreeMap::new(),
            totals: QueueTotals::default(),
        }
    }

    /// Files a call under its state: its count, and its place while it waits or is rung for.
    pub(in crate::acd) fn file(&mut self, place: Place, state: CallStateName) {
        let count = self.by_state.entry(state).or_default();
        *count = count.saturating_add(1);
        match state {
            CallStateName::Waiting => _ = self.waiting.insert(place),
            CallStateName::Reserved => _ = self.ringing.insert(place),
            CallStateName::Arriving
            | CallStateName::Talking
            | CallStateName::Held
            | CallStateName::Transferring
            | CallStateName::Ended => {}
        }
    }

    /// Takes a call out from under its state, before that or its place changes.
    pub(in crate::acd) fn strike(&mut self, place: Place, state: CallStateName) {
        match state {
            CallStateName::Waiting => _ = self.waiting.remove(&place),
            CallStateName::Reserved => _ = self.ringing.remove(&place),
            CallStateName::Arriving
            | CallStateName::Talking
            | CallStateName::Held
            | CallStateName::Transferring
            | CallStateName::Ended => {}
        }
        if let Some(count) = self.by_state.get_mut(&state) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_state.remove(&state);
            }
        }
    }

    /// When the oldest of those who wait arrived: the first of some priority, and there are few.
    pub(in crate::acd) fn oldest(&self) -> Option<ClusterTime> {
        let first = |from: Place| self.waiting.range(from..).next();
        let next = |place: &&Place| first(Place::before_all(place.behind + 1));
        let firsts = std::iter::successors(self.waiting.first(), next);
        firsts.map(|place| place.arrived).min()
    }

    /// How many calls are in one state.
    pub(in crate::acd) fn count(&self, state: CallStateName) -> u32 {
        self.by_state.get(&state).copied().unwrap_or(0)
    }

    /// Tells whether `calls_max` callers are here without an answer.
    pub(in crate::acd) fn is_full(&self) -> bool {
        let here =
            self.count(CallStateName::Waiting).saturating_add(self.count(CallStateName::Reserved));
        self.config.limits.calls_max.is_some_and(|max| here >= max)
    }
}

/// Forgets a removed queue once its last call is gone.
pub(in crate::acd) fn drop_if_drained(state: &mut State, id: &QueueId, out: &mut Output) {
    let drained = |queue: &Queue| queue.draining && queue.calls.is_empty();
    if state.queues.get(id).is_some_and(drained) {
        state.queues.remove(id);
        dismiss(state, id);
        out.fact(Fact::QueueDrained { queue: id.clone() });
    }
}

/// Agents who only stayed in a queue until it was empty belong to it no more.
pub(in crate::acd) fn dismiss(state: &mut State, id: &QueueId) {
    let members = state.rosters.get(id).map(|roster| roster.members.clone());
    for member in members.unwrap_or_default() {
        let stays = |agent: &Agent| agent.staying.contains(id);
        if state.agents.get(&member).is_some_and(stays) {
            roster::strike(state, &member);
            if let Some(agent) = state.agents.to_mut(&member) {
                agent.staying.remove(id);
            }
            roster::file(state, &member);
        }
    }
}
