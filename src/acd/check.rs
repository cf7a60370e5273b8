//! Finds broken invariants in a state: for tests, the simulator, and debug builds.
//!
//! Each rule looks at the state from outside and counts again what the core keeps in indexes.
//! An empty list means: every call is in one place, every agent holds at most one, every index
//! tells what the things themselves tell, every timed state has its one deadline.
//!
//! Not here: rules that need the past (first come first served, the most idle was chosen), which
//! the simulator checks while it watches.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::acd::State;
use crate::acd::agent::AgentState;
use crate::acd::agent::relocation;
use crate::acd::call::CallState;
use crate::acd::clock::Deadline;
use crate::acd::command::CallStateName;
use crate::acd::command::DeviceState;
use crate::acd::legs;
use crate::acd::legs::Party;
use crate::acd::queue::meet;
use crate::acd::queue::roster::Filed;
use crate::acd::queue::roster::Roster;
use crate::base::id::AgentId;
use crate::base::id::CallId;
use crate::base::id::LegId;
use crate::base::id::QueueId;
use crate::base::id::ReservationId;

/// A thing that must always hold and does not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Broken {
    /// The call's queue does not exist or does not count it.
    CallInNoQueue(CallId),
    /// The call stands in line and is not Waiting, or the reverse.
    PlaceAndStateDiffer(CallId),
    /// The queue's counts by state are not those of its calls.
    CountsDiffer(QueueId),
    /// Entered is not answered, abandoned, overflowed, withdrawn, hung up, lost and still there.
    TotalsDoNotBalance(QueueId),
    /// The call has no caller's leg, or an agent's leg that is missing.
    CallWithoutLeg(CallId),
    /// The leg belongs to no live call, or to no agent who holds it.
    LegWithoutCall(LegId),
    /// The leg's owner is lost or not the newest life of its node, and other nodes live.
    LegWithoutOwner(LegId),
    /// Agent and call do not name each other.
    AgentAndCallDiffer(AgentId),
    /// The reservation does not agree with its call and agents.
    ReservationAdrift(ReservationId),
    /// The agent has a login and is LoggedOut, or the reverse, or another has the device, or the
    /// agent is not where they could be.
    LoginAdrift(AgentId),
    /// The rosters tell of the agent what the agent does not.
    RosterDiffers(QueueId),
    /// Somebody waits while somebody could be rung.
    NotSettled(QueueId),
    /// A timed state lacks its deadline, or a deadline its state.
    DeadlineAdrift(String),
    /// An index of bounded size is over its bound, or its halves differ.
    IndexUnsound(&'static str),
    /// The address leads to a queue that does not have it.
    AddressAdrift(QueueId),
}

/// Lists what is wrong with `state`; empty when all is well.
pub fn broken_invariants(state: &State) -> Vec<Broken> {
    let mut broken = Vec::new();
    check_calls(state, &mut broken);
    check_queues(state, &mut broken);
    check_agents(state, &mut broken);
    check_reservations(state, &mut broken);
    check_legs(state, &mut broken);
    check_rosters(state, &mut broken);
    check_deadlines(state, &mut broken);
    check_indexes(state, &mut broken);
    broken
}

fn check_calls(state: &State, broken: &mut Vec<Broken>) {
    for (id, call) in state.calls.iter() {
        let queue = state.queues.get(&call.queue);
        if queue.is_none_or(|queue| queue.calls.get(&call.arrival) != Some(id)) {
            broken.push(Broken::CallInNoQueue(*id));
        }
        let stands = queue.is_some_and(|queue| queue.waiting.contains(&call.place(*id)));
        let rings = queue.is_some_and(|queue| queue.ringing.contains(&call.place(*id)));
        let reserved = matches!(call.state, CallState::Reserved { .. });
        if stands != (call.state == CallState::Waiting) || rings != reserved {
            broken.push(Broken::PlaceAndStateDiffer(*id));
        }
        let has = |leg: LegId| call.legs.get(leg.nth).is_some();
        let pair = call.state.pair();
        if !has(LegId::of_caller(*id)) || pair.is_some_and(|pair| !has(pair.leg)) {
            broken.push(Broken::CallWithoutLeg(*id));
        }
        if let Some(pair) = pair {
            let talks = AgentState::Talking { call: *id, leg: pair.leg };
            if state.agents.get(&pair.agent).is_none_or(|agent| agent.state != talks) {
                broken.push(Broken::AgentAndCallDiffer(pair.agent.clone()));
            }
        }
        if let CallState::Reserved { reservation } = call.state
            && state.reservations.get(&reservation).is_none_or(|held| held.call != *id)
        {
            broken.push(Broken::ReservationAdrift(reservation));
        }
    }
}

fn check_queues(state: &State, broken: &mut Vec<Broken>) {
    for (id, queue) in &state.queues {
        let calls = || queue.calls.values().filter_map(|call| state.calls.get(call));
        let mut by_state = BTreeMap::new();
        for call in calls() {
            *by_state.entry(call.state.name()).or_insert(0_u32) += 1;
        }
        if by_state != queue.by_state || calls().count() != queue.calls.len() {
            broken.push(Broken::CountsDiffer(id.clone()));
        }
        let count = |state| by_state.get(&state).map_or(0, |count| *count as usize);
        let (waiting, ringing) = (CallStateName::Waiting, CallStateName::Reserved);
        let oldest = queue.waiting.iter().map(|place| place.arrived).min();
        let differ = count(waiting) != queue.waiting.len()
            || count(ringing) != queue.ringing.len()
            || oldest != queue.oldest();
        if differ || calls().any(|call| call.queue != *id) {
            broken.push(Broken::CountsDiffer(id.clone()));
        }
        let here = calls().filter(|call| call.counted).count() as u64;
        let totals = &queue.totals;
        let gone = totals.answered
            + totals.abandoned
            + totals.short_abandoned
            + totals.overflowed
            + totals.withdrawn
            + totals.hung_up
            + totals.lost;
        if totals.entered != gone + here {
            broken.push(Broken::TotalsDoNotBalance(id.clone()));
        }
        if meet::has_work(state, id) {
            broken.push(Broken::NotSettled(id.clone()));
        }
    }
}

fn check_agents(state: &State, broken: &mut Vec<Broken>) {
    for (id, agent) in state.agents.iter() {
        let logged_out = matches!(agent.state, AgentState::LoggedOut { .. });
        let device = agent.login.as_ref().map(|login| &login.device.address);
        let has_device = device.is_some_and(|device| state.devices.get(device) == Some(id));
        if logged_out != agent.login.is_none() || has_device == logged_out {
            broken.push(Broken::LoginAdrift(id.clone()));
        }
        let agrees = match &agent.state {
            AgentState::Talking { call, leg } => state.calls.get(call).is_some_and(|call| {
                call.state.pair().is_some_and(|pair| pair.agent == *id && pair.leg == *leg)
            }),
            AgentState::Reserved { reservation, call, leg } => state
                .reservations
                .get(reservation)
                .is_some_and(|held| held.call == *call && held.rings(id, *leg)),
            AgentState::LoggedOut { .. }
            | AgentState::NotReady { .. }
            | AgentState::Ready
            | AgentState::WrapUp { .. } => true,
        };
        if !agrees {
            broken.push(Broken::AgentAndCallDiffer(id.clone()));
        }
    }
    check_stranded(state, broken);
    let logins = state.agents.values().filter(|agent| agent.login.is_some()).count();
    if logins != state.devices.len() {
        broken.push(Broken::IndexUnsound("devices"));
    }
}

/// Files anew who waits for which device, and compares; nobody of them could go.
fn check_stranded(state: &State, broken: &mut Vec<Broken>) {
    let mut stranded: BTreeMap<String, BTreeSet<AgentId>> = BTreeMap::new();
    let mut walked = BTreeSet::new();
    for (id, agent) in state.agents.iter() {
        let Some(wanted) = relocation::destination(agent) else {
            continue;
        };
        stranded.entry(wanted.address.clone()).or_default().insert(id.clone());
        if relocation::movers(state, id, &mut walked).is_some() {
            broken.push(Broken::LoginAdrift(id.clone()));
        }
    }
    if stranded != state.stranded {
        broken.push(Broken::IndexUnsound("stranded"));
    }
}

fn check_reservations(state: &State, broken: &mut Vec<Broken>) {
    for (id, held) in &state.reservations {
        let of_call = state.calls.get(&held.call).map(|call| &call.state);
        let is_held = of_call == Some(&CallState::Reserved { reservation: *id });
        let rings = |agent: &AgentId, leg: LegId| {
            let reserved = AgentState::Reserved { reservation: *id, call: held.call, leg };
            state.agents.get(agent).is_some_and(|agent| agent.state == reserved)
        };
        let all_ring = held.ringing.iter().all(|(agent, ringing)| rings(agent, ringing.leg));
        if !is_held || held.ringing.is_empty() || !all_ring {
            broken.push(Broken::ReservationAdrift(*id));
        }
    }
}

fn check_legs(state: &State, broken: &mut Vec<Broken>) {
    for (owner, id, leg) in legs::all(state) {
        if state.nodes.is_any_live() && !state.nodes.is_live(owner) {
            broken.push(Broken::LegWithoutOwner(id));
        }
        let is_held = match &leg.party {
            Party::Caller => id.is_caller(),
            Party::Agent(agent) => {
                let state = state.agents.get(agent).map(|agent| &agent.state);
                state.and_then(AgentState::call) == Some(id.call)
            }
        };
        if !is_held {
            broken.push(Broken::LegWithoutCall(id));
        }
    }
}

/// Builds every roster anew and compares.
fn check_rosters(state: &State, broken: &mut Vec<Broken>) {
    let mut rosters: BTreeMap<QueueId, Roster> = BTreeMap::new();
    for (id, agent) in state.agents.iter() {
        let filed = Filed { standing: agent.standing(), idle_since: agent.idle_since };
        for queue in agent.queues() {
            rosters.entry(queue.clone()).or_default().put(id, filed);
        }
    }
    let queues: BTreeSet<&QueueId> = rosters.keys().chain(state.rosters.keys()).collect();
    for queue in queues {
        if rosters.get(queue) != state.rosters.get(queue) {
            broken.push(Broken::RosterDiffers(queue.clone()));
        }
    }
}

/// Lists the deadlines the states call for and compares.
fn check_deadlines(state: &State, broken: &mut Vec<Broken>) {
    let ringing = state.reservations.values().flat_map(|held| held.ringing.values());
    let mut wanted: BTreeSet<Deadline> =
        ringing.map(|ringing| Deadline::RingOut(ringing.leg)).collect();
    wanted.extend(state.calls.iter().filter_map(|(id, call)| call.deadline(*id)));
    for (id, agent) in state.agents.iter() {
        let is_resting = matches!(agent.state, AgentState::Ready | AgentState::NotReady { .. });
        if is_resting && state.settings.log_out_when_inactive.is_some() {
            wanted.insert(Deadline::EndInactivity(id.clone()));
        }
        if let AgentState::WrapUp { .. } = agent.state {
            wanted.insert(Deadline::EndWrapUp(id.clone()));
        }
        if agent.device.state != DeviceState::Unknown {
            wanted.insert(Deadline::EndFreshness(id.clone()));
        }
        if agent.passed_over_until.is_some() {
            wanted.insert(Deadline::EndPassingOver(id.clone()));
        }
    }
    let is_grace = |deadline: &Deadline| matches!(deadline, Deadline::EndGrace(_));
    let set: BTreeSet<Deadline> =
        state.deadlines.iter().map(|(deadline, _)| deadline.clone()).collect();
    for deadline in set.symmetric_difference(&wanted).filter(|deadline| !is_grace(deadline)) {
        broken.push(Broken::DeadlineAdrift(format!("{deadline:?}")));
    }
    for deadline in &set {
        if let Deadline::EndGrace(id) = deadline
            && !has_grace(state, id)
        {
            broken.push(Broken::DeadlineAdrift(format!("{deadline:?}")));
        }
    }
}

/// A grace ends by itself and may have been carried out, so its absence says nothing.
fn has_grace(state: &State, id: &AgentId) -> bool {
    let was_unreachable = [DeviceState::Unreachable, DeviceState::Unknown];
    let agent = state.agents.get(id).filter(|agent| agent.login.is_some());
    agent.is_some_and(|agent| was_unreachable.contains(&agent.device.state))
}

fn check_indexes(state: &State, broken: &mut Vec<Broken>) {
    let unsettled = &state.unsettled;
    let sound = [
        ("deadlines", state.deadlines.is_sound()),
        ("requests", state.requests.is_sound()),
        ("history", state.history.is_sound()),
        ("unsettled", unsettled.is_empty()),
    ];
    let unsound = sound.into_iter().filter(|(_, is_sound)| !is_sound);
    broken.extend(unsound.map(|(name, _)| Broken::IndexUnsound(name)));
    for (id, queue) in state.queues.iter().filter(|(_, queue)| !queue.draining) {
        let reaches = |address| state.addresses.get(address) == Some(id);
        if !queue.config.addresses.iter().all(reaches) {
            broken.push(Broken::AddressAdrift(id.clone()));
        }
    }
    for (address, id) in &state.addresses {
        let queue = state.queues.get(id).filter(|queue| !queue.draining);
        if !queue.is_some_and(|queue| queue.config.addresses.contains(address)) {
            broken.push(Broken::AddressAdrift(id.clone()));
        }
    }
}
