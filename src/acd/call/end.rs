//! How a call ends, wherever it is, and what the others hear of it.
//!
//! | who is gone | while | the call ends as | the others |
//! |---|---|---|---|
//! | the caller | Arriving, Waiting, Reserved | Abandoned, ShortAbandoned | agents: CallerGone |
//! | the caller, unreachable | anywhere | CallerLost | released |
//! | either, not found after a takeover | anywhere | NodeLost | released |
//! | the caller | Talking, Held | AnsweredAndHungUp by the caller | agent: HungUp, then WrapUp |
//! | the caller | Transferring | Transferred: the party took the transfer | agent: Transferred |
//! | the agent | Talking, Held | AnsweredAndHungUp by the agent | caller: HungUp |
//! | the agent, unreachable | Talking, Held | AgentLost | caller: HungUp |
//! | the agent | Transferring | goes on without the agent | — |
//! | nobody; asked for | before the answer | HungUp by who asked | all: Requested |
//! | nobody; asked for | after it | AnsweredAndHungUp by request | all: Requested |
//!
//! Always holds: after [`end`] no leg, place, count or deadline of the call is left; it is counted
//! out of its queue once, and remembered in [`history`](super::history).
//!
//! Not here: rules that send callers away (`queue::overflow`), lost nodes ([`super::takeover`]).

use crate::acd::State;
use crate::acd::agent::ready;
use crate::acd::call;
use crate::acd::call::Call;
use crate::acd::call::CallState;
use crate::acd::call::Origin;
use crate::acd::call::history::Ended;
use crate::acd::command::Actor;
use crate::acd::command::LegEnd;
use crate::acd::command::Refusal;
use crate::acd::command::RingFailure;
use crate::acd::effect::Cause;
use crate::acd::fact::CallEnd;
use crate::acd::fact::Fact;
use crate::acd::fact::HungUpBy;
use crate::acd::fact::ReservationEnd;
use crate::acd::legs;
use crate::acd::legs::Party;
use crate::acd::output::Output;
use crate::acd::queue;
use crate::acd::reservation;
use crate::acd::view::Milestone;
use crate::base::id::AgentId;
use crate::base::id::CallId;
use crate::base::id::LegId;
use crate::base::time::Millis;

/// RFC 3261 §21.4.18 Temporarily Unavailable: what a caller hears who is sent away unanswered.
pub(in crate::acd) const TEMPORARILY_UNAVAILABLE: u16 = 480;

/// Why a call ends and what each leg that is still there is told.
pub(in crate::acd) struct Ending {
    pub(in crate::acd) why: CallEnd,
    pub(in crate::acd) caller: Cause,
    /// To agents who ring or talk.
    pub(in crate::acd) agent: Cause,
}

/// Ends a call: frees its agents, releases its legs, counts it, remembers it.
pub(in crate::acd) fn end(state: &mut State, id: CallId, ending: Ending, out: &mut Output) {
    let Some(call) = state.calls.get(&id) else {
        return; // Ended by an earlier step of the same entry.
    };
    let agent = call.state.pair().map(|pair| pair.agent.clone());
    match call.state.clone() {
        CallState::Reserved { reservation } => {
            let how = ReservationEnd::Withdrawn;
            reservation::withdraw(state, reservation, how, ending.agent, out);
        }
        CallState::Talking(pair)
        | CallState::Held { pair, .. }
        | CallState::Transferring { from: Origin::Talk { pair, .. } } => {
            legs::release(state, pair.leg, ending.agent, out);
            ready::finish_call(state, &pair.agent, out);
        }
        CallState::Arriving { .. }
        | CallState::Waiting
        | CallState::Transferring { from: Origin::Queue | Origin::Rule(_) | Origin::Nobody(_) } => {
        }
    }
    legs::release(state, LegId::of_caller(id), ending.caller, out);
    remove(state, id, ending.why, agent, out);
}

/// Takes a call whose legs are gone out of the state, and tells it.
pub(in crate::acd) fn remove(
    state: &mut State,
    id: CallId,
    why: CallEnd,
    agent: Option<AgentId>,
    out: &mut Output,
) {
    let Some(mut call) = state.calls.remove(&id) else {
        return;
    };
    if let Some(deadline) = call.deadline(id) {
        state.deadlines.clear(&deadline);
    }
    if let Some(queue) = state.queues.get_mut(&call.queue) {
        queue.strike(call.place(id), call.state.name());
        queue.calls.remove(&call.arrival);
    }
    count_out(state, &mut call, &why);
    call.note(state.now, Milestone::Ended(why.clone()));

    let waited = call.answered.unwrap_or(state.now).since(call.arrived);
    let talked = call.answered.map_or(Millis::ZERO, |answered| state.now.since(answered));
    let queue = call.queue.clone();
    let ended =
        Fact::CallEnded { call: id, queue: queue.clone(), why: why.clone(), waited, talked };
    out.fact(ended);
    queue::drop_if_drained(state, &queue, out);
    state.history.add(id, Ended { call, at: state.now, why, agent });
}

/// Counts a call out of its queue, unless its answer or a rule has done so.
pub(in crate::acd) fn count_out(state: &mut State, call: &mut Call, why: &CallEnd) {
    let counted = std::mem::replace(&mut call.counted, false);
    let Some(queue) = state.queues.get_mut(&call.queue).filter(|_| counted) else {
        return;
    };
    let total = match why {
        CallEnd::Abandoned => &mut queue.totals.abandoned,
        CallEnd::ShortAbandoned => &mut queue.totals.short_abandoned,
        CallEnd::Overflowed(_) => &mut queue.totals.overflowed,
        CallEnd::AnsweredAndHungUp { .. } | CallEnd::Transferred | CallEnd::Rejected(_) => {
            &mut queue.totals.withdrawn
        }
        CallEnd::HungUp { .. } => &mut queue.totals.hung_up,
        CallEnd::CallerLost | CallEnd::AgentLost | CallEnd::NodeLost => &mut queue.totals.lost,
    };
    *total = total.saturating_add(1);
}

/// A party is gone by itself.
pub(in crate::acd) fn end_leg(
    state: &mut State,
    leg: LegId,
    why: LegEnd,
    out: &mut Output,
) -> Result<(), Refusal> {
    let Some(known) = legs::find(state, leg) else {
        return Err(Refusal::UnknownLeg(leg));
    };
    match known.party {
        Party::Caller => {
            legs::remove(state, leg);
            caller_gone(state, leg.call, why, out);
            Ok(())
        }
        Party::Agent(_) if reservation::of_leg(state, leg).is_some() => {
            reservation::fail(state, leg, ring_failure(why), out)
        }
        Party::Agent(_) => {
            legs::remove(state, leg);
            agent_gone(state, leg.call, why, out);
            Ok(())
        }
    }
}

/// What the end of a ringing leg says about the phone.
fn ring_failure(why: LegEnd) -> RingFailure {
    match why {
        LegEnd::HungUp => RingFailure::Declined,
        LegEnd::Lost | LegEnd::LostWithNode => RingFailure::Unreachable,
    }
}

fn caller_gone(state: &mut State, id: CallId, why: LegEnd, out: &mut Output) {
    let Some(call) = state.calls.get(&id) else {
        return;
    };
    let short_abandon = state.queues.get(&call.queue).map(|queue| queue.config.short_abandon);
    let is_short = state.now.since(call.arrived) < short_abandon.unwrap_or_default();
    let (hung_up, agent) = match call.state {
        CallState::Arriving { .. } | CallState::Waiting | CallState::Reserved { .. }
            if is_short =>
        {
            (CallEnd::ShortAbandoned, Cause::CallerGone)
        }
        CallState::Arriving { .. } | CallState::Waiting | CallState::Reserved { .. } => {
            (CallEnd::Abandoned, Cause::CallerGone)
        }
        CallState::Talking(_) | CallState::Held { .. } => {
            (CallEnd::AnsweredAndHungUp { by: HungUpBy::Caller }, Cause::HungUp)
        }
        CallState::Transferring { from: Origin::Rule(rule) } => {
            (CallEnd::Overflowed(rule), Cause::Transferred)
        }
        CallState::Transferring {
            from: Origin::Queue | Origin::Talk { .. } | Origin::Nobody(_),
        } => (CallEnd::Transferred, Cause::Transferred),
    };
    let why = match why {
        LegEnd::HungUp => hung_up,
        LegEnd::Lost => CallEnd::CallerLost,
        LegEnd::LostWithNode => CallEnd::NodeLost,
    };
    end(state, id, Ending { why, caller: Cause::HungUp, agent }, out);
}

fn agent_gone(state: &mut State, id: CallId, why: LegEnd, out: &mut Output) {
    let Some(call) = state.calls.get(&id) else {
        return;
    };
    if let CallState::Transferring { from: Origin::Talk { pair, .. } } = &call.state {
        let agent = pair.agent.clone();
        call::enter(state, id, CallState::Transferring { from: Origin::Nobody(why) });
        ready::finish_call(state, &agent, out);
        return;
    }
    let why = end_of_talk(why);
    end(state, id, Ending { why, caller: Cause::HungUp, agent: Cause::HungUp }, out);
}

/// Why a call ends whose agent is gone in this way.
pub(in crate::acd) fn end_of_talk(why: LegEnd) -> CallEnd {
    match why {
        LegEnd::HungUp => CallEnd::AnsweredAndHungUp { by: HungUpBy::Agent },
        LegEnd::Lost => CallEnd::AgentLost,
        LegEnd::LostWithNode => CallEnd::NodeLost,
    }
}

/// A person ends a call.
pub(in crate::acd) fn hang_up(
    state: &mut State,
    id: CallId,
    by: &Actor,
    out: &mut Output,
) -> Result<(), Refusal> {
    let call = call::find(state, id)?;
    let why = match call.answered {
        Some(_) => CallEnd::AnsweredAndHungUp { by: HungUpBy::Request },
        None => CallEnd::HungUp { by: by.role },
    };
    out.fact(Fact::CallHungUp { call: id, by: by.clone() });
    end(state, id, Ending { why, caller: Cause::Requested, agent: Cause::Requested }, out);
    Ok(())
}
