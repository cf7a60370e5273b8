//! A caller sent to another address, and brought back when that refuses.
//!
//! | from | meanwhile | refused, or not settled in five minutes |
//! |---|---|---|
//! | Waiting, Reserved | stands in no line; ringing stops | back at the same place and age |
//! | Talking, Held | stays joined with the agent | talks on |
//! | … and the agent is gone | alone | ends |
//! | a queue's rule | stands in no line | ends |
//!
//! Always holds: nobody's phone rings for a caller on the way.
//!
//! Not here: REFER and 302 (`b2bua`).

use std::collections::BTreeSet;

use crate::acd::State;
use crate::acd::call;
use crate::acd::call::CallState;
use crate::acd::call::Origin;
use crate::acd::call::end;
use crate::acd::call::end::Ending;
use crate::acd::call::end::TEMPORARILY_UNAVAILABLE;
use crate::acd::call::hold;
use crate::acd::command::Actor;
use crate::acd::command::Refusal;
use crate::acd::config::Address;
use crate::acd::effect::Cause;
use crate::acd::effect::Effect;
use crate::acd::fact::CallEnd;
use crate::acd::fact::Fact;
use crate::acd::fact::ReservationEnd;
use crate::acd::legs;
use crate::acd::output::Output;
use crate::acd::queue::overflow;
use crate::acd::reservation;
use crate::acd::view::Milestone;
use crate::base::id::CallId;
use crate::base::id::LegId;

/// RFC 3261 §21.5.4 Service Unavailable: the node that saw to the transfer is gone.
pub(in crate::acd) const SERVICE_UNAVAILABLE: u16 = 503;
/// RFC 3261 §21.4.9 Request Timeout: nothing was heard of the transfer.
const REQUEST_TIMEOUT: u16 = 408;

/// A person sends a caller elsewhere.
pub(in crate::acd) fn transfer(
    state: &mut State,
    id: CallId,
    to: &Address,
    by: &Actor,
    out: &mut Output,
) -> Result<(), Refusal> {
    let call = call::find(state, id)?;
    let from = match &call.state {
        CallState::Waiting => Origin::Queue,
        CallState::Reserved { reservation } => {
            let (reservation, how) = (*reservation, ReservationEnd::Withdrawn);
            reservation::withdraw(state, reservation, how, Cause::CallerGone, out);
            Origin::Queue
        }
        CallState::Talking(pair) => Origin::Talk { pair: pair.clone(), held_by: BTreeSet::new() },
        CallState::Held { pair, by } => Origin::Talk { pair: pair.clone(), held_by: by.clone() },
        CallState::Arriving { .. } | CallState::Transferring { .. } => {
            return Err(call::refuse(id, call));
        }
    };
    send(state, id, from, (to, by), out);
    Ok(())
}

/// Puts a caller on the way to `to`, as `by` asked.
pub(in crate::acd) fn send(
    state: &mut State,
    id: CallId,
    from: Origin,
    (to, by): (&Address, &Actor),
    out: &mut Output,
) {
    call::enter(state, id, CallState::Transferring { from });
    if let Some(call) = state.calls.to_mut(&id) {
        call.note(state.now, Milestone::Transferring(to.to_string()));
    }
    let leg = LegId::of_caller(id);
    legs::order(state, leg, Effect::TransferLeg { leg, to: to.clone() }, out);
    out.fact(Fact::CallTransferring { call: id, to: to.to_string(), by: by.clone() });
}

/// The far end took the caller, or refused with a status.
pub(in crate::acd) fn settle(
    state: &mut State,
    leg: LegId,
    refused: Option<u16>,
    out: &mut Output,
) -> Result<(), Refusal> {
    if !leg.is_caller() || legs::find(state, leg).is_none() {
        return Err(Refusal::UnknownLeg(leg));
    }
    let call = call::find(state, leg.call)?;
    let CallState::Transferring { from } = call.state.clone() else {
        return Err(call::refuse(leg.call, call));
    };
    match refused {
        None => arrived(state, leg.call, &from, out),
        Some(status) => bring_back(state, leg.call, from, status, out),
    }
    Ok(())
}

/// Nothing was heard of a transfer: it counts as refused.
pub(in crate::acd) fn end_wait(state: &mut State, id: CallId, out: &mut Output) {
    if let Some(CallState::Transferring { from }) = state.calls.get(&id).map(|call| &call.state) {
        bring_back(state, id, from.clone(), REQUEST_TIMEOUT, out);
    }
}

fn arrived(state: &mut State, id: CallId, from: &Origin, out: &mut Output) {
    let why = match from {
        Origin::Rule(rule) => CallEnd::Overflowed(*rule),
        Origin::Queue | Origin::Talk { .. } | Origin::Nobody(_) => CallEnd::Transferred,
    };
    let (caller, agent) = (Cause::Transferred, Cause::Transferred);
    end::end(state, id, Ending { why, caller, agent }, out);
}

/// Brings a caller back whose transfer came to nothing.
pub(in crate::acd) fn bring_back(
    state: &mut State,
    id: CallId,
    from: Origin,
    status: u16,
    out: &mut Output,
) {
    if let Some(call) = state.calls.to_mut(&id) {
        call.note(state.now, Milestone::TransferFailed(status));
    }
    out.fact(Fact::CallTransferFailed { call: id, status });
    match from {
        Origin::Queue => overflow::wait_again(state, id, out),
        Origin::Talk { pair, held_by } => call::enter(state, id, hold::held_by(pair, held_by)),
        Origin::Rule(rule) => overflow::reject(state, id, rule, TEMPORARILY_UNAVAILABLE, out),
        Origin::Nobody(how) => {
            let why = end::end_of_talk(how);
            let (caller, agent) = (Cause::HungUp, Cause::HungUp);
            end::end(state, id, Ending { why, caller, agent }, out);
        }
    }
}
