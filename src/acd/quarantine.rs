//! What to do with a call whose state makes no sense: take it out of service, the same everywhere.
//!
//! Every replica applies the same entry, so a panic here would stop all nodes, and again after
//! their restart. Instead the affected call is ended, its phones are released, its agents made
//! NotReady, and facts raise an alarm. The simulator never lets it come to this: it stops at the
//! first thing [`super::check`] finds.
//!
//! Always holds: afterwards nothing in the state names the call, except its history.
//!
//! Not here: commands that make no sense, which are refused.

use crate::acd::State;
use crate::acd::agent;
use crate::acd::agent::AgentState;
use crate::acd::call::end;
use crate::acd::effect::Cause;
use crate::acd::fact::CallEnd;
use crate::acd::fact::Fact;
use crate::acd::legs;
use crate::acd::output::Output;
use crate::acd::reservation;
use crate::base::id::AgentId;
use crate::base::id::CallId;
use crate::base::id::LegId;
use crate::base::id::ReservationId;

/// What made no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nonsense {
    /// A call stands in line and nobody has the caller's leg.
    CallWithoutLeg,
    /// A place in line names a call that is not there.
    PlaceWithoutCall,
    /// An agent is Reserved by a reservation that is not there.
    AgentWithoutReservation,
    /// A reservation holds a call that is not there.
    ReservationWithoutCall,
}

/// Takes a call out of service, with everything that names it.
pub(super) fn take_out(state: &mut State, id: CallId, nonsense: Nonsense, out: &mut Output) {
    let broken = format!("{nonsense:?}");
    drop_reservations(state, id);
    drop_places(state, id);
    let legs = state.calls.get(&id).map(|call| call.legs.iter().map(|(nth, _)| nth).collect());
    let legs: Vec<u32> = legs.unwrap_or_default();
    for leg in legs.into_iter().map(|nth| LegId { call: id, nth }) {
        legs::release(state, leg, Cause::NodeLost, out);
    }
    out.fact(Fact::CallQuarantined { call: id, broken: broken.clone() });
    let holds = |state: &AgentState| state.call() == Some(id);
    let agents = state.agents.iter().filter(|(_, agent)| holds(&agent.state));
    let agents: Vec<AgentId> = agents.map(|(agent, _)| agent.clone()).collect();
    for agent in agents {
        let reason = "Quarantined".to_owned();
        agent::enter(state, &agent, AgentState::NotReady { reason }, out);
        out.fact(Fact::AgentQuarantined { agent, broken: broken.clone() });
    }
    end::remove(state, id, CallEnd::Rejected(end::TEMPORARILY_UNAVAILABLE), None, out);
}

fn drop_reservations(state: &mut State, id: CallId) {
    let held = state.reservations.iter().filter(|(_, held)| held.call == id);
    let held: Vec<ReservationId> = held.map(|(reservation, _)| *reservation).collect();
    for reservation in held {
        reservation::take(state, reservation);
    }
}

fn drop_places(state: &mut State, id: CallId) {
    for queue in state.queues.values_mut() {
        queue.waiting.retain(|place| place.call != id);
        queue.ringing.retain(|place| place.call != id);
        queue.calls.retain(|_, call| *call != id);
    }
}
