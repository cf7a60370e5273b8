//! The call machine: one caller's contact, from arrival to end.
//!
//! ```text
//!              ┌────────── rule with a prompt ──────────┐
//!              ▼                                        │
//!   ──► Arriving ──► Waiting ◄──► Reserved ──► Talking ◄──► Held
//!           │           │            │            │          │
//!           └───────────┴────► Transferring ◄─────┴──────────┘
//!                                    │
//!                                  Ended
//! ```
//!
//! | state | the caller | timed by |
//! |---|---|---|
//! | Arriving | hears a rule's prompt, stands in no queue | `EndPrompt` |
//! | Waiting | has a place in the queue | `EndWait`, where the queue has a limit |
//! | Reserved | keeps the place while agents' phones ring | `RingOut`, one for each phone |
//! | Talking, Held | is joined with an agent | — |
//! | Transferring | is on the way elsewhere; comes back if refused | `EndTransfer` |
//!
//! Always holds: a live call is counted in exactly one queue, stands among its waiting exactly
//! while Waiting, and has the deadline of its state; [`enter`] alone changes the state.
//!
//! Not here: ended calls ([`history`]).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

use crate::acd::State;
use crate::acd::clock::Deadline;
use crate::acd::command::CallStateName;
use crate::acd::command::Caller;
use crate::acd::command::LegEnd;
use crate::acd::command::Refusal;
use crate::acd::config::OverflowAction;
use crate::acd::config::OverflowRule;
use crate::acd::fact::Explanation;
use crate::acd::legs::Legs;
use crate::acd::queue::Place;
use crate::acd::view::Milestone;
use crate::acd::view::Moment;
use crate::base::id::AgentId;
use crate::base::id::CallId;
use crate::base::id::LegId;
use crate::base::id::LogIndex;
use crate::base::id::QueueId;
use crate::base::id::ReservationId;
use crate::base::time::ClusterTime;
use crate::base::time::Millis;

pub(in crate::acd) mod arrive;
pub(in crate::acd) mod end;
pub(in crate::acd) mod history;
pub(in crate::acd) mod hold;
pub(in crate::acd) mod takeover;
pub(in crate::acd) mod transfer;

/// How long a report may be missing (a prompt heard, a transfer settled) before the call goes on
/// without: longer than any prompt, shorter than a caller's patience.
const REPORT_MISSING_AFTER: Millis = Millis::from_secs(300);

/// How many lines a call's story has at most; the last is kept for its end.
const TIMELINE_MAX: usize = 64;

/// A live call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::acd) struct Call {
    pub(in crate::acd) caller: Arc<Caller>,
    pub(in crate::acd) legs: Legs,
    /// When it arrived; its age counts from here, in whatever queue.
    pub(in crate::acd) arrived: ClusterTime,
    /// The entry it arrived with: who came first.
    pub(in crate::acd) arrival: LogIndex,
    pub(in crate::acd) queue: QueueId,
    /// When it entered this queue.
    pub(in crate::acd) entered: ClusterTime,
    /// Has been welcomed in this queue, and is not again when it comes back to its place.
    pub(in crate::acd) welcomed: bool,
    /// When it must leave the queue by the `tooLong` rule.
    pub(in crate::acd) wait_until: Option<ClusterTime>,
    pub(in crate::acd) priority: i32,
    /// How many rules have sent it on.
    pub(in crate::acd) hops: u8,
    /// How many agent legs were made.
    pub(in crate::acd) legs_made: u32,
    /// When an agent answered.
    pub(in crate::acd) answered: Option<ClusterTime>,
    /// Counted into its queue and not yet out of it.
    pub(in crate::acd) counted: bool,
    pub(in crate::acd) why: Option<Arc<Explanation>>,
    pub(in crate::acd) timeline: Arc<Vec<Moment>>,
    pub(in crate::acd) state: CallState,
}

/// Where a live call is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::acd) enum CallState {
    /// Hears the prompt of a rule, whose action follows.
    Arriving {
        rule: OverflowRule,
        action: OverflowAction,
    },
    Waiting,
    Reserved {
        reservation: ReservationId,
    },
    Talking(Pair),
    Held {
        pair: Pair,
        by: BTreeSet<LegId>,
    },
    Transferring {
        from: Origin,
    },
}

/// The agent a caller is joined with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::acd) struct Pair {
    pub(in crate::acd) agent: AgentId,
    pub(in crate::acd) leg: LegId,
}

/// Where a call being transferred goes back to when the transfer is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::acd) enum Origin {
    /// To its place in the queue.
    Queue,
    /// Nowhere: a rule sent it away.
    Rule(OverflowRule),
    /// To the agent, who is joined all the while, and to the hold as it was.
    Talk { pair: Pair, held_by: BTreeSet<LegId> },
    /// Nowhere: the agent is gone meanwhile, in this way.
    Nobody(LegEnd),
}

impl CallState {
    pub(in crate::acd) fn name(&self) -> CallStateName {
        match self {
            Self::Arriving { .. } => CallStateName::Arriving,
            Self::Waiting => CallStateName::Waiting,
            Self::Reserved { .. } => CallStateName::Reserved,
            Self::Talking(_) => CallStateName::Talking,
            Self::Held { .. } => CallStateName::Held,
            Self::Transferring { .. } => CallStateName::Transferring,
        }
    }

    /// The agent the caller is joined with.
    pub(in crate::acd) fn pair(&self) -> Option<&Pair> {
        match self {
            Self::Talking(pair)
            | Self::Held { pair, .. }
            | Self::Transferring { from: Origin::Talk { pair, .. } } => Some(pair),
            Self::Arriving { .. }
            | Self::Waiting
            | Self::Reserved { .. }
            | Self::Transferring { .. } => None,
        }
    }
}

impl Call {
    /// Adds a line to the call's story, while there is room.
    pub(in crate::acd) fn note(&mut self, at: ClusterTime, what: Milestone) {
        let is_last = matches!(what, Milestone::Ended(_));
        let room = if is_last { TIMELINE_MAX } else { TIMELINE_MAX - 1 };
        if self.timeline.len() < room {
            Arc::make_mut(&mut self.timeline).push(Moment { at, what });
        }
    }

    /// The call's place among those who wait.
    pub(in crate::acd) fn place(&self, id: CallId) -> Place {
        Place::new(id, self)
    }

    /// The deadline of its state, if that is timed.
    pub(in crate::acd) fn deadline(&self, id: CallId) -> Option<Deadline> {
        match self.state {
            CallState::Arriving { .. } => Some(Deadline::EndPrompt(id)),
            CallState::Waiting => self.wait_until.map(|_| Deadline::EndWait(id)),
            CallState::Transferring { .. } => Some(Deadline::EndTransfer(id)),
            CallState::Reserved { .. } | CallState::Talking(_) | CallState::Held { .. } => None,
        }
    }
}

/// Finds a live call, or says why not: it has ended, or never was.
pub(in crate::acd) fn find(state: &State, id: CallId) -> Result<&Call, Refusal> {
    match state.calls.get(&id) {
        Some(call) => Ok(call),
        None if state.history.call(id).is_some() => {
            Err(Refusal::WrongCallState { call: id, state: CallStateName::Ended })
        }
        None => Err(Refusal::UnknownCall(id)),
    }
}

/// The refusal of what this call's state does not allow.
pub(in crate::acd) fn refuse(id: CallId, call: &Call) -> Refusal {
    Refusal::WrongCallState { call: id, state: call.state.name() }
}

/// Brings a call into another state, with its place, its counts and its deadline.
pub(in crate::acd) fn enter(state: &mut State, id: CallId, next: CallState) {
    let Some(call) = state.calls.to_mut(&id) else {
        return; // Ended by an earlier step of the same entry.
    };
    if let Some(deadline) = call.deadline(id) {
        state.deadlines.clear(&deadline);
    }
    if let Some(queue) = state.queues.get_mut(&call.queue) {
        queue.strike(call.place(id), call.state.name());
        queue.file(call.place(id), next.name());
        if next == CallState::Waiting {
            state.unsettled.to_match.insert(call.queue.clone());
        }
    }
    call.state = next;
    if let Some(deadline) = call.deadline(id) {
        let at = call.wait_until.filter(|_| call.state == CallState::Waiting);
        state.deadlines.set(deadline, at.unwrap_or(state.now + REPORT_MISSING_AFTER));
    }
}
