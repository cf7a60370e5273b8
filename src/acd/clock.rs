//! Deadlines as data: what falls due when, in one ordered index.
//!
//! | deadline | belongs to | then |
//! |---|---|---|
//! | `RingOut` | a ringing phone | it has rung out |
//! | `EndWrapUp` | an agent in WrapUp | Ready, or what was asked for meanwhile |
//! | `EndPassingOver` | a Ready agent who just rang out | may be rung again |
//! | `EndGrace` | an agent whose device was unreachable and not seen since | the agent's policy |
//! | `EndFreshness` | an agent of whose device something is known | nothing is known any more |
//! | `EndInactivity` | an agent Ready or NotReady | logged out: Inactive |
//! | `EndWait` | a waiting call | the queue's `tooLong` rule |
//! | `EndPrompt` | an arriving call | as if the prompt was heard |
//! | `EndTransfer` | a call being transferred | as if it was refused |
//!
//! Always holds: a deadline is there once; it is set when its thing enters the timed state and
//! cleared when it leaves (`check` compares). Nothing here reads a clock: time comes with entries.
//!
//! Not here: proposing `Advance` when [`Deadlines::next`] is due (`cluster`).

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Serialize;

use crate::acd::State;
use crate::acd::agent::device;
use crate::acd::agent::login;
use crate::acd::agent::ready;
use crate::acd::call::transfer;
use crate::acd::output::Output;
use crate::acd::queue::meet;
use crate::acd::queue::overflow;
use crate::acd::reservation;
use crate::base::id::AgentId;
use crate::base::id::CallId;
use crate::base::id::LegId;
use crate::base::time::ClusterTime;

/// What can fall due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Deadline {
    RingOut(LegId),
    EndWrapUp(AgentId),
    EndPassingOver(AgentId),
    EndGrace(AgentId),
    EndInactivity(AgentId),
    EndWait(CallId),
    EndPrompt(CallId),
    EndTransfer(CallId),
    EndFreshness(AgentId),
}

/// All deadlines, by what they belong to and by time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Deadlines {
    at: BTreeMap<Deadline, ClusterTime>,
    order: BTreeSet<(ClusterTime, Deadline)>,
}

impl Deadlines {
    /// Sets a deadline, in place of an earlier one of the same thing.
    pub(super) fn set(&mut self, deadline: Deadline, at: ClusterTime) {
        self.clear(&deadline);
        self.at.insert(deadline.clone(), at);
        self.order.insert((at, deadline));
    }

    /// Sets a deadline, or forgets it if there is none any more.
    pub(super) fn set_or_clear(&mut self, deadline: Deadline, at: Option<ClusterTime>) {
        match at {
            Some(at) => self.set(deadline, at),
            None => self.clear(&deadline),
        }
    }

    /// Forgets a deadline, if it was set.
    pub(super) fn clear(&mut self, deadline: &Deadline) {
        if let Some((deadline, at)) = self.at.remove_entry(deadline) {
            self.order.remove(&(at, deadline));
        }
    }

    /// Tells whether a deadline is set.
    pub(super) fn is_set(&self, deadline: &Deadline) -> bool {
        self.at.contains_key(deadline)
    }

    /// When the next one falls due.
    pub(super) fn next(&self) -> Option<ClusterTime> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Every deadline with its time.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Deadline, ClusterTime)> {
        self.at.iter().map(|(deadline, at)| (deadline, *at))
    }

    /// Tells whether both indexes say the same.
    pub(super) fn is_sound(&self) -> bool {
        self.at.len() == self.order.len()
            && self.order.iter().all(|(at, deadline)| self.at.get(deadline) == Some(at))
    }

    /// Those due at `now`, the oldest first.
    fn due(&self, now: ClusterTime) -> Vec<Deadline> {
        self.order.iter().take_while(|(at, _)| *at <= now).map(|(_, what)| what.clone()).collect()
    }

    /// Takes a deadline away if it is still there and still due.
    fn take_due(&mut self, deadline: &Deadline, now: ClusterTime) -> bool {
        let due = self.at.get(deadline).is_some_and(|at| *at <= now);
        if due {
            self.clear(deadline);
        }
        due
    }
}

/// Lets everything happen that is due, in the order it fell due; then calls and agents meet.
///
/// What becomes due only by this waits for the next entry, so the work of one entry is bounded.
pub(super) fn run_due(state: &mut State, out: &mut Output) {
    for deadline in state.deadlines.due(state.now) {
        if state.deadlines.take_due(&deadline, state.now) {
            happen(state, deadline, out);
        }
    }
    meet::settle(state, out);
}

fn happen(state: &mut State, deadline: Deadline, out: &mut Output) {
    match deadline {
        Deadline::RingOut(leg) => reservation::ring_out(state, leg, out),
        Deadline::EndWrapUp(agent) => ready::wrap_up_is_over(state, &agent, out),
        Deadline::EndPassingOver(agent) => ready::end_passing_over(state, &agent),
        Deadline::EndGrace(agent) => device::end_grace(state, &agent, out),
        Deadline::EndFreshness(agent) => device::end_freshness(state, &agent, out),
        Deadline::EndInactivity(agent) => login::end_inactivity(state, &agent, out),
        Deadline::EndWait(call) => overflow::end_wait(state, call, out),
        Deadline::EndPrompt(call) => overflow::end_prompt(state, call, out),
        Deadline::EndTransfer(call) => transfer::end_wait(state, call, out),
    }
}
