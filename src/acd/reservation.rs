//! Reservations: one waiting call held for ringing agents, one of them or (RingAll) several.
//!
//! A reservation is made when a queue finds agents for its first caller ([`super::queue::meet`])
//! and ends for each agent in exactly one of these ways:
//!
//! | ends as | because | the call | the agent |
//! |---|---|---|---|
//! | answered | the agent took the call | Talking | Talking |
//! | AnsweredElsewhere | another did (RingAll) | Talking with that one | Ready, idle time kept |
//! | RungOut, NoAnswer | nobody answered in time | waits on, same place and age | `onRingOut` |
//! | Declined, Busy | the phone said so | waits on | `onDeclined`, `onBusy` |
//! | Unreachable, WrongAddress | the phone is not there | waits on | Ready, device Unreachable |
//! | NoCodec | the phone cannot talk with us | waits on | NotReady(Unreachable) |
//! | AgentLeft | logged out or not ready meanwhile | waits on | as asked |
//! | Withdrawn | the caller left, or went elsewhere | as it was told | Ready, idle time kept |
//! | NodeLost | the node that rang is gone | waits on, at another | Ready, idle time kept |
//!
//! In RingAll an agent who becomes free while phones ring for a call is rung for it too
//! ([`ring_too`]), and rings for the queue's whole time, whenever the others began. A caller whose
//! time in the queue is over is rung for by nobody new and leaves by the `tooLong` rule with the
//! last phone that rings, so that agents who come and go cannot keep a caller for ever.
//!
//! An answer that comes after the ring-out finds no such leg and is refused; its node then
//! releases that phone, since the core no longer knows the leg.
//!
//! Always holds: an agent holds at most one reservation; a reserved call stands in no line; every
//! reservation has at least one ringing leg, and each of those exactly one deadline.
//!
//! Not here: who is chosen ([`super::routing`]) and how a phone is rung (`b2bua`).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use crate::acd::State;
use crate::acd::agent;
use crate::acd::agent::AgentState;
use crate::acd::agent::device;
use crate::acd::agent::ready;
use crate::acd::call;
use crate::acd::call::CallState;
use crate::acd::call::Pair;
use crate::acd::clock::Deadline;
use crate::acd::command::Dialog;
use crate::acd::command::Refusal;
use crate::acd::command::RingFailure;
use crate::acd::config::RingPolicy;
use crate::acd::effect::Cause;
use crate::acd::effect::Effect;
use crate::acd::effect::Ring;
use crate::acd::fact::Fact;
use crate::acd::fact::ReservationEnd;
use crate::acd::legs;
use crate::acd::legs::Party;
use crate::acd::output::Output;
use crate::acd::quarantine;
use crate::acd::quarantine::Nonsense;
use crate::acd::queue::Queue;
use crate::acd::queue::overflow;
use crate::acd::routing::Choice;
use crate::acd::view::Milestone;
use crate::base::id::AgentId;
use crate::base::id::CallId;
use crate::base::id::LegId;
use crate::base::id::QueueId;
use crate::base::id::ReservationId;
use crate::base::time::ClusterTime;

/// A call held for ringing agents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reservation {
    pub(super) call: CallId,
    pub(super) queue: QueueId,
    /// Whose phones ring; never empty.
    pub(super) ringing: BTreeMap<AgentId, Ringing>,
}

/// An agent's phone that rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ringing {
    pub(super) leg: LegId,
    since: ClusterTime,
}

impl Reservation {
    /// Tells whether this agent's phone rings on this leg.
    pub(super) fn rings(&self, agent: &AgentId, leg: LegId) -> bool {
        self.ringing.get(agent).is_some_and(|ringing| ringing.leg == leg)
    }
}

/// Holds a waiting call for the chosen agents and rings their phones.
pub(super) fn make(
    state: &mut State,
    call: CallId,
    queue: &QueueId,
    choice: Choice,
    out: &mut Output,
) {
    let Some(held) = state.calls.to_mut(&call) else {
        return quarantine::take_out(state, call, Nonsense::PlaceWithoutCall, out);
    };
    if held.legs.get(LegId::of_caller(call).nth).is_none() {
        return quarantine::take_out(state, call, Nonsense::CallWithoutLeg, out);
    }
    held.why = Some(choice.why.clone());
    state.reservations_made += 1;
    let id = ReservationId(state.reservations_made);
    call::enter(state, call, CallState::Reserved { reservation: id });
    let reservation = Reservation { call, queue: queue.clone(), ringing: BTreeMap::new() };
    state.reservations.insert(id, reservation);

    let (agents, why) = (choice.agents.clone(), choice.why);
    out.fact(Fact::CallReserved { call, queue: queue.clone(), agents, why });
    ring(state, id, choice.agents, out);
}

/// Rings more agents' phones for a call that others' phones ring for already.
pub(super) fn ring_too(state: &mut State, call: CallId, choice: Choice, out: &mut Output) {
    if legs::find(state, LegId::of_caller(call)).is_none() {
        return quarantine::take_out(state, call, Nonsense::CallWithoutLeg, out);
    }
    let found = state.calls.get(&call).map(|call| (&call.state, call.queue.clone()));
    let Some((CallState::Reserved { reservation }, queue)) = found else {
        return quarantine::take_out(state, call, Nonsense::PlaceWithoutCall, out);
    };
    let (id, agents, why) = (*reservation, choice.agents.clone(), choice.why);
    out.fact(Fact::ReservationJoined { call, queue, agents, why });
    ring(state, id, choice.agents, out);
}

/// Whether more phones may ring for a call: not when its time in the queue is over.
pub(super) fn may_be_joined(state: &State, call: CallId) -> bool {
    let until = state.calls.get(&call).map(|call| call.wait_until);
    until.is_some_and(|until| until.is_none_or(|until| state.now < until))
}

/// Rings these agents' phones, the first first, each with a deadline of its own.
fn ring(state: &mut State, id: ReservationId, agents: Vec<AgentId>, out: &mut Output) {
    let Some(held) = state.reservations.get_mut(&id) else {
        return;
    };
    let (call_id, queue, since) = (held.call, held.queue.clone(), state.now);
    let Some(call) = state.calls.to_mut(&call_id) else {
        return;
    };
    let owner = call.legs.owner;
    let length = state.queues.get(&queue).map(|queue| queue.config.ring).unwrap_or_default();
    call.note(since, Milestone::Reserved(agents.clone()));
    let mut legs: Vec<(AgentId, LegId)> = Vec::new();
    for agent in agents {
        call.legs_made = call.legs_made.saturating_add(1);
        let leg = LegId { call: call_id, nth: call.legs_made };
        held.ringing.insert(agent.clone(), Ringing { leg, since });
        state.deadlines.set(Deadline::RingOut(leg), since + length);
        call.legs.add(leg.nth, agent.clone());
        legs.push((agent, leg));
    }
    for (agent, leg) in legs {
        let reserved = AgentState::Reserved { reservation: id, call: call_id, leg };
        agent::enter(state, &agent, reserved, out);
        if let Some(ring) = ring_of(state, leg, &agent, &queue) {
            out.order(owner, Effect::RingAgent(Box::new(ring)));
        }
    }
}

/// What a node must know to ring this agent's phone.
fn ring_of(state: &State, leg: LegId, agent: &AgentId, queue: &QueueId) -> Option<Ring> {
    let call = state.calls.get(&leg.call)?;
    Some(Ring {
        leg,
        agent: agent.clone(),
        device: state.agents.get(agent)?.login.as_ref()?.device.clone(),
        queue: queue.clone(),
        queue_display_name: state.queues.get(queue)?.config.display_name.clone(),
        caller: call.caller.clone(),
        waited: state.now.since(call.arrived),
    })
}

/// The reservation and agent a ringing leg belongs to.
pub(super) fn of_leg(state: &State, leg: LegId) -> Option<(ReservationId, AgentId)> {
    let Party::Agent(agent) = &legs::find(state, leg)?.party else {
        return None;
    };
    let reserved = &state.agents.get(agent)?.state;
    let AgentState::Reserved { reservation, leg: ringing, .. } = reserved else {
        return None;
    };
    (*ringing == leg).then(|| (*reservation, agent.clone()))
}

/// Refuses what was said of a leg that does not ring.
fn not_ringing(state: &State, leg: LegId) -> Refusal {
    match state.calls.get(&leg.call) {
        Some(call) if call.legs.get(leg.nth).is_some() => call::refuse(leg.call, call),
        _ => Refusal::UnknownLeg(leg),
    }
}

/// An agent's phone answered: the two talk, and everybody else's phone stops ringing.
pub(super) fn answer(
    state: &mut State,
    leg: LegId,
    dialog: &Dialog,
    out: &mut Output,
) -> Result<(), Refusal> {
    let Some((id, agent)) = of_leg(state, leg) else {
        return Err(not_ringing(state, leg));
    };
    let Some(reservation) = take(state, id) else {
        quarantine::take_out(state, leg.call, Nonsense::AgentWithoutReservation, out);
        return Err(Refusal::UnknownLeg(leg));
    };
    legs::update(state, leg, dialog)?;
    for (other, ringing) in reservation.ringing.iter().filter(|(_, other)| other.leg != leg) {
        legs::release(state, ringing.leg, Cause::AnsweredElsewhere, out);
        tell_end(state, &reservation, other, ReservationEnd::AnsweredElsewhere, out);
        agent::enter(state, other, AgentState::Ready, out);
    }
    join(state, &reservation, &agent, leg, out);
    Ok(())
}

fn join(
    state: &mut State,
    reservation: &Reservation,
    agent: &AgentId,
    leg: LegId,
    out: &mut Output,
) {
    let (id, queue, now) = (reservation.call, reservation.queue.clone(), state.now);
    let pair = Pair { agent: agent.clone(), leg };
    call::enter(state, id, CallState::Talking(pair));
    let Some(call) = state.calls.to_mut(&id) else {
        return quarantine::take_out(state, id, Nonsense::ReservationWithoutCall, out);
    };
    call.answered = Some(now);
    call.counted = false;
    call.note(now, Milestone::Answered(agent.clone()));
    let waited = now.since(call.arrived);
    if let Some(queue) = state.queues.get_mut(&queue) {
        let in_time = waited <= queue.config.service_level.threshold;
        queue.totals.answered = queue.totals.answered.saturating_add(1);
        queue.totals.answered_in_time =
            queue.totals.answered_in_time.saturating_add(u64::from(in_time));
    }
    agent::enter(state, agent, AgentState::Talking { call: id, leg }, out);
    device::answered(state, agent, out);

    let caller = LegId::of_caller(id);
    legs::order(state, caller, Effect::JoinLegs { caller, agent: leg }, out);
    let since = reservation.ringing.get(agent).map(|ringing| ringing.since);
    let rang = now.since(since.unwrap_or(now));
    out.fact(Fact::CallAnswered { call: id, queue, agent: agent.clone(), waited, rang });
}

/// An agent's phone did not take the call: the agent as its outcome says, the call waits on.
pub(super) fn fail(
    state: &mut State,
    leg: LegId,
    why: RingFailure,
    out: &mut Output,
) -> Result<(), Refusal> {
    let Some((id, agent)) = of_leg(state, leg) else {
        return Err(not_ringing(state, leg));
    };
    let queue = state.reservations.get(&id).and_then(|held| state.queues.get(&held.queue));
    let policies =
        |queue: &Queue| (queue.config.on_declined, queue.config.on_busy, queue.config.on_ring_out);
    let Some((on_declined, on_busy, on_ring_out)) = queue.map(policies) else {
        quarantine::take_out(state, leg.call, Nonsense::AgentWithoutReservation, out);
        return Ok(());
    };
    legs::remove(state, leg);
    drop_agent(state, id, &agent, ReservationEnd::Failed(why), out);
    if !matches!(why, RingFailure::Unreachable | RingFailure::WrongAddress) {
        device::trust(state, &agent, out);
    }
    match why {
        RingFailure::Declined => follow(state, &agent, on_declined, "Declined", out),
        RingFailure::Busy => follow(state, &agent, on_busy, "Busy", out),
        RingFailure::NoAnswer => follow(state, &agent, on_ring_out, "RingOut", out),
        RingFailure::Unreachable | RingFailure::WrongAddress => {
            agent::enter(state, &agent, AgentState::Ready, out);
            device::miss(state, &agent, out);
        }
        RingFailure::NoCodec => {
            let reason = "Unreachable".to_owned();
            agent::enter(state, &agent, AgentState::NotReady { reason }, out);
        }
    }
    Ok(())
}

fn follow(state: &mut State, agent: &AgentId, policy: RingPolicy, word: &str, out: &mut Output) {
    ready::follow_policy(state, agent, policy, word, out);
}

/// Ends the ringing of a phone nobody answered in time. The call keeps its place and age.
///
/// Unless the queue says otherwise the agent becomes NotReady, not Ready: still the most idle, an
/// absent agent would win the same call again and the caller would never leave that phone.
pub(super) fn ring_out(state: &mut State, leg: LegId, out: &mut Output) {
    let Some((id, agent)) = of_leg(state, leg) else {
        return; // Answered or withdrawn by an earlier step; the deadline lost the race.
    };
    let queue = state.reservations.get(&id).and_then(|held| state.queues.get(&held.queue));
    let policy = queue.map(|queue| queue.config.on_ring_out);
    legs::release(state, leg, Cause::RingOut, out);
    drop_agent(state, id, &agent, ReservationEnd::RungOut, out);
    device::trust(state, &agent, out);
    match policy {
        Some(policy) => follow(state, &agent, policy, "RingOut", out),
        None => agent::enter(state, &agent, AgentState::Ready, out),
    }
}

/// Takes a whole reservation back; its agents are Ready again, idle as long as before.
///
/// What becomes of the call is the business of whoever takes it back.
pub(super) fn withdraw(
    state: &mut State,
    id: ReservationId,
    how: ReservationEnd,
    cause: Cause,
    out: &mut Output,
) {
    let Some(reservation) = take(state, id) else {
        return;
    };
    for (agent, ringing) in &reservation.ringing {
        legs::release(state, ringing.leg, cause, out);
        tell_end(state, &reservation, agent, how, out);
        agent::enter(state, agent, AgentState::Ready, out);
    }
}

/// Takes one agent's ringing back because the agent leaves; the agent's next state is set by
/// whoever asked.
pub(super) fn leave(state: &mut State, agent: &AgentId, cause: Cause, out: &mut Output) {
    let found = state.agents.get(agent).map(|agent| &agent.state);
    let Some(AgentState::Reserved { reservation, leg, .. }) = found.cloned() else {
        return;
    };
    legs::release(state, leg, cause, out);
    drop_agent(state, reservation, agent, ReservationEnd::AgentLeft, out);
}

/// Takes an agent whose leg is gone out of a reservation; the last one takes it along.
fn drop_agent(
    state: &mut State,
    id: ReservationId,
    agent: &AgentId,
    why: ReservationEnd,
    out: &mut Output,
) {
    let Some(reservation) = state.reservations.get_mut(&id) else {
        return;
    };
    let Some(ringing) = reservation.ringing.remove(agent) else {
        return; // Told already; only the agent's next state is still to come.
    };
    let reservation = reservation.clone();
    state.deadlines.clear(&Deadline::RingOut(ringing.leg));
    if reservation.ringing.is_empty() {
        take(state, id);
        call::enter(state, reservation.call, CallState::Waiting);
    }
    tell_end(state, &reservation, agent, why, out);
    if reservation.ringing.is_empty() {
        overflow::end_overdue_wait(state, reservation.call, out);
    }
}

/// Takes a reservation out of the state, with the deadlines of its phones.
pub(super) fn take(state: &mut State, id: ReservationId) -> Option<Reservation> {
    let reservation = state.reservations.remove(&id)?;
    for ringing in reservation.ringing.values() {
        state.deadlines.clear(&Deadline::RingOut(ringing.leg));
    }
    Some(reservation)
}

fn tell_end(
    state: &mut State,
    reservation: &Reservation,
    agent: &AgentId,
    why: ReservationEnd,
    out: &mut Output,
) {
    let (call, queue) = (reservation.call, reservation.queue.clone());
    if let Some(call) = state.calls.to_mut(&call) {
        call.note(state.now, Milestone::ReservationEnded(agent.clone(), why));
    }
    out.fact(Fact::ReservationEnded { call, queue, agent: agent.clone(), why });
}
