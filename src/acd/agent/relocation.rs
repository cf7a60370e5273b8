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
//! that was configured and is no more, and could not go to the new one now.
//!
//! Not here: logging in at a device (`login`).

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
        state.stranded.remove(id);
        return;
    }
    let Some(movers) = movers(state, id) else {
        state.stranded.insert(id.clone());
        return;
    };
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

/// Some device has become free: whoever waits for one goes there.
pub(in crate::acd) fn follow_all(state: &mut State, out: &mut Output) {
    for id in state.stranded.clone() {
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
        state.devices.remove(&login.device.address);
        state.unsettled.vacated = true;
    }
    state.stranded.remove(id);
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
/// on to a free device or back to the first. `None` while one of them has a call, or is to stay.
pub(in crate::acd) fn movers(state: &State, first: &AgentId) -> Option<Vec<AgentId>> {
    let mut movers = Vec::new();
    let mut next = first;
    loop {
        let agent = state.agents.get(next).filter(|agent| agent.state.call().is_none())?;
        let wanted = destination(agent)?;
        movers.push(next.clone());
        match state.devices.get(&wanted.address) {
            Some(holder) if holder != next && holder != first => {
                if movers.contains(holder) {
                    return None; // A row that leads into a ring: its members go without us.
                }
                next = holder;
            }
            Some(_) | None => return Some(movers),
        }
    }
}
