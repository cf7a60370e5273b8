//! Hold and resume: who of a talking pair has put the other aside.
//!
//! Both may; the call is Held until both have come back. Saying the same again changes nothing.
//!
//! Always holds: only the two legs of the pair can hold; a call on its way elsewhere is not held.
//!
//! Not here: what the held party hears (`b2bua`).

use std::collections::BTreeSet;

use crate::acd::State;
use crate::acd::call;
use crate::acd::call::CallState;
use crate::acd::call::Pair;
use crate::acd::command::Refusal;
use crate::acd::fact::Fact;
use crate::acd::legs;
use crate::acd::output::Output;
use crate::acd::view::Milestone;
use crate::base::id::LegId;

/// The party of `leg` puts the other on hold, or takes them back.
pub(in crate::acd) fn hold(
    state: &mut State,
    leg: LegId,
    held: bool,
    out: &mut Output,
) -> Result<(), Refusal> {
    if legs::find(state, leg).is_none() {
        return Err(Refusal::UnknownLeg(leg));
    }
    let call = call::find(state, leg.call)?;
    let (pair, mut by) = match &call.state {
        CallState::Talking(pair) => (pair.clone(), BTreeSet::new()),
        CallState::Held { pair, by } => (pair.clone(), by.clone()),
        CallState::Arriving { .. }
        | CallState::Waiting
        | CallState::Reserved { .. }
        | CallState::Transferring { .. } => return Err(call::refuse(leg.call, call)),
    };
    let changed = if held { by.insert(leg) } else { by.remove(&leg) };
    if changed {
        call::enter(state, leg.call, held_by(pair, by));
        tell(state, leg, held, out);
    }
    Ok(())
}

/// The state of a pair held by these legs, or by nobody.
pub(in crate::acd) fn held_by(pair: Pair, by: BTreeSet<LegId>) -> CallState {
    if by.is_empty() { CallState::Talking(pair) } else { CallState::Held { pair, by } }
}

fn tell(state: &mut State, by: LegId, held: bool, out: &mut Output) {
    let what = if held { Milestone::Held } else { Milestone::Resumed };
    if let Some(call) = state.calls.to_mut(&by.call) {
        call.note(state.now, what);
    }
    let call = by.call;
    out.fact(if held { Fact::CallHeld { call, by } } else { Fact::CallResumed { call, by } });
}
