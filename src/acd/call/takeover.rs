//! A call whose node is gone goes on at another.
//!
//! The new owner is told to adopt the legs, each from the newest picture of its dialog, and then
//! what its parties are to hear, as if nothing had been ordered before: whatever orders were lost
//! with the node are given again by this.
//!
//! | state | then |
//! |---|---|
//! | Arriving | the rule anew, from the beginning of its prompt |
//! | Waiting | held as before, at the same place and age, without the welcome |
//! | Reserved | the phones stop ringing, their agents are Ready; then the same |
//! | Talking, Held | joined again, and held by whoever held |
//! | Transferring | counts as refused: nobody knows any more what the far end said |
//!
//! Always holds: nobody who waits loses their place, and nobody who talks their partner.
//!
//! Not here: who is the new owner (`legs`), how a leg is adopted (`b2bua::adopt`).

use crate::acd::State;
use crate::acd::call;
use crate::acd::call::CallState;
use crate::acd::call::transfer;
use crate::acd::effect::Cause;
use crate::acd::effect::Effect;
use crate::acd::fact::Fact;
use crate::acd::fact::ReservationEnd;
use crate::acd::legs;
use crate::acd::output::Output;
use crate::acd::queue::overflow;
use crate::acd::reservation;
use crate::acd::view::Milestone;
use crate::base::id::CallId;
use crate::base::id::LegId;
use crate::base::id::Owner;

/// Gives a call to `heir`, who goes on with it.
pub(in crate::acd) fn take_over(state: &mut State, id: CallId, heir: Owner, out: &mut Output) {
    suspend(state, id, out);
    legs::inherit(state, id, heir, out);
    if let Some(call) = state.calls.to_mut(&id) {
        call.note(state.now, Milestone::TakenOver(heir));
        out.fact(Fact::CallTakenOver { call: id, queue: call.queue.clone(), by: heir });
    }
    go_on(state, id, out);
}

/// Stops the phones that ring for a call whose node is gone; the call is back at its place.
pub(in crate::acd) fn suspend(state: &mut State, id: CallId, out: &mut Output) {
    let call = state.calls.get(&id);
    if let Some(CallState::Reserved { reservation }) = call.map(|call| call.state.clone()) {
        let how = ReservationEnd::NodeLost;
        reservation::withdraw(state, reservation, how, Cause::NodeLost, out);
        call::enter(state, id, CallState::Waiting);
    }
}

/// Orders anew what the parties of a call are to hear.
fn go_on(state: &mut State, id: CallId, out: &mut Output) {
    let Some(call) = state.calls.get(&id) else {
        return;
    };
    match call.state.clone() {
        CallState::Arriving { rule, .. } => overflow::apply_rule(state, id, rule, out),
        // Not by the rules of those who enter: whoever waits waits on.
        CallState::Waiting => overflow::wait(state, id, out),
        // Its phones have been stopped.
        CallState::Reserved { .. } => {}
        CallState::Talking(_) | CallState::Held { .. } => join(state, id, out),
        CallState::Transferring { from } => {
            transfer::bring_back(state, id, from, transfer::SERVICE_UNAVAILABLE, out);
            join(state, id, out);
        }
    }
}

/// Joins the caller with the agent, if there is one.
fn join(state: &State, id: CallId, out: &mut Output) {
    let caller = LegId::of_caller(id);
    if let Some(pair) = state.calls.get(&id).and_then(|call| call.state.pair()) {
        let join = Effect::JoinLegs { caller, agent: pair.leg };
        legs::order(state, caller, join, out);
    }
}
