//! From one phone to another: agents who are logged in go with their configured device.
//!
//! | the configured device changes | then |
//! |---|---|
//! | nobody is logged in there | the agent is rung there from the next call on |
//! | during a call | the same, when it is over |
//! | another agent is there | stays, *stranded*, until that one leaves |
//! | the other is to go elsewhere too | both go, in whatever order they were configured: two who |
//! | | swap their phones, or a whole row of them |
//!
//! One whose login named another device stays there until the next login.
//!
//! Always holds: a device has one agent; an agent is stranded exactly while logged in at a device
//! that was configured and is no more, and could not go to the new one now. They are found by the
//! device they wait for, so one that becomes free costs who goes, not who waits elsewhere.
//!
//! Not here: logging in at a device (`login`).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::acd::State;
use crate::acd::agent::Agent;
use crate::acd::agent::device::Device;
use crate::acd::agent::device::set_freshness;
use crate::acd::agent::login::Login;
use crate::acd::clock::Deadline;
use crate::acd::config::DeviceConfig;
use crate::acd::fact::Fact;
use crate::acd::output::Output;
use crate::acd::queue::roster;
use crate::base::id::AgentId;

/// Brings an agent to where the configured device is now, with those who must make room; or notes
/// that it cannot be done yet.
pub(in crate::acd) fn follow(state: &mut State, id: &AgentId, out: &mut Output) {
    if state.agents.get(id).and_then(destination).is_none() {
        return;
    }
    let mut walked = BTreeSet::new();
    let movers: Option<Vec<AgentId>> =
        movers(state, id, &mut walked).map(|row| row.into_iter().cloned().collect());
    out.walked += walked.len();
    let movers = movers.unwrap_or_default();
    if !movers.contains(id) {
        strand(state, id);
    }
    for mover in &movers {
        vacate(state, mover);
    }
    for mover in &movers {
        let agent = state.agents.get(mover);
        let login = agent.and_then(|agent| {
            let device = destination(agent)?.clone();
            Some(Login { device, ..(**agent.login.as_ref()?).clone() })
        });
        if let Some(login) = login {
            settle_at(state, mover, login, out);
        }
    }
}

/// A device has become free: the first who waits for it and has no call goes there. That frees the
/// next device: a row of agents is walked from its free end, each once.
pub(in crate::acd) fn fill(state: &mut State, device: &str, out: &mut Output) {
    if state.devices.contains_key(device) {
        return; // Somebody has come there since.
    }
    let mut waiting = state.stranded.get(device).into_iter().flatten();
    let first = waiting.find(|id| {
        out.walked += 1;
        state.agents.get(id).is_some_and(|agent| agent.state.call().is_none())
    });
    if let Some(id) = first.cloned() {
        follow(state, &id, out);
    }
}

/// Rings an agent who is logged in there from now on.
pub(in crate::acd) fn move_to(state: &mut State, id: &AgentId, login: Login, out: &mut Output) {
    vacate(state, id);
    settle_at(state, id, login, out);
}

/// Gives up the device of an agent who leaves it; others may want it.
pub(in crate::acd) fn vacate(state: &mut State, id: &AgentId) {
    let login = state.agents.get(id).and_then(|agent| agent.login.as_ref());
    if let Some(login) = login {
        let address = &login.device.address;
        state.devices.remove(address);
        state.unsettled.vacated.insert(address.clone());
    }
    unstrand(state, id);
}

/// Has an agent wait for the configured device.
fn strand(state: &mut State, id: &AgentId) {
    if let Some(wanted) = state.agents.get(id).and_then(destination) {
        state.stranded.entry(wanted.address.clone()).or_default().insert(id.clone());
    }
}

/// Has an agent wait for no device: before login or configuration, which tell for which, change.
pub(in crate::acd) fn unstrand(state: &mut State, id: &AgentId) {
    let Some(wanted) = state.agents.get(id).and_then(destination) else {
        return;
    };
    if let Some(waiting) = state.stranded.get_mut(&wanted.address) {
        waiting.remove(id);
        if waiting.is_empty() {
            state.stranded.remove(&wanted.address);
        }
    }
}

/// Nothing is known of that device yet.
fn settle_at(state: &mut State, id: &AgentId, login: Login, out: &mut Output) {
    let Some(agent) = state.agents.to_mut(id) else {
        return;
    };
    let device = login.device.clone();
    agent.login = Some(Arc::new(login));
    agent.device = Device::default();
    state.devices.insert(device.address.clone(), id.clone());
    state.deadlines.clear(&Deadline::EndGrace(id.clone()));
    set_freshness(state, id);
    roster::file(state, id);
    out.fact(Fact::AgentMoved { agent: id.clone(), device: device.address, trunk: device.trunk });
}

/// Where an agent is to go: to the configured device, if the login was at it and it has changed.
pub(in crate::acd) fn destination(agent: &Agent) -> Option<&DeviceConfig> {
    let login = agent.login.as_ref().filter(|login| login.configured)?;
    agent.config.device.as_ref().filter(|device| **device != login.device)
}

/// Who goes if this agent does: whoever is at the wanted device, at the one that one wants, and so
/// on to a free device; or those of the ring this leads to. `None` while one of them has a call, is
/// to stay, or was walked over in vain before: no walk with the same `walked` looks at them again.
pub(in crate::acd) fn movers<'a>(
    state: &'a State,
    first: &'a AgentId,
    walked: &mut BTreeSet<&'a AgentId>,
) -> Option<Vec<&'a AgentId>> {
    let mut row = Vec::new();
    let mut next = first;
    while walked.insert(next) {
        let agent = state.agents.get(next).filter(|agent| agent.state.call().is_none())?;
        row.push(next);
        match state.devices.get(&destination(agent)?.address) {
            Some(holder) => next = holder,
            None => return Some(row),
        }
    }
    let met = row.iter().position(|mover| *mover == next)?;
    Some(row.split_off(met))
}
