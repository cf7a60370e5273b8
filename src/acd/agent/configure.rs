//! Agents made, changed and removed while they work.
//!
//! A change of queues takes effect at once, for the next call; a ringing or talking one goes on. A
//! queue that is being removed keeps its agents until it is empty. A changed device is rung from
//! the next call on (`relocation`). An agent removed in the middle of a talk finishes it first.
//!
//! Always holds: an agent's queues are named once each; an agent is in the rosters of exactly
//! those, whether the queues exist or not, and of those it stays in.
//!
//! Not here: who may change what (`crate::acd::configure`).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::acd::State;
use crate::acd::agent;
use crate::acd::agent::Agent;
use crate::acd::agent::AgentState;
use crate::acd::agent::Pending;
use crate::acd::agent::login;
use crate::acd::agent::relocation;
use crate::acd::clock::Deadline;
use crate::acd::config::AgentConfig;
use crate::acd::config::Source;
use crate::acd::fact::LogoutReason;
use crate::acd::output::Output;
use crate::acd::queue::roster;
use crate::base::id::AgentId;
use crate::base::id::QueueId;

/// Makes an agent, or gives one another configuration.
pub(in crate::acd) fn put(
    state: &mut State,
    mut config: AgentConfig,
    source: Source,
    out: &mut Output,
) {
    let id = config.id.clone();
    let mut seen = BTreeSet::new();
    config.queues.retain(|queue| seen.insert(queue.clone()));
    relocation::unstrand(state, &id);
    if let Some(former) = state.agents.get(&id) {
        let is_draining = |id: &&QueueId| state.queues.get(id).is_some_and(|queue| queue.draining);
        let staying = former.queues().filter(is_draining).cloned().collect();
        roster::strike(state, &id);
        if let Some(agent) = state.agents.to_mut(&id) {
            agent.staying = staying;
        }
    } else {
        let agent = Agent::new(Arc::new(config.clone()), source, state.now);
        state.agents.insert(id.clone(), agent);
    }
    if let Some(agent) = state.agents.to_mut(&id) {
        if let Some(Pending::Remove(_)) = agent.pending {
            agent.pending = None;
        }
        if agent.config.pin != config.pin {
            agent.pin_tries = login::PinTries::default();
        }
        agent.config = Arc::new(config);
        agent.source = source;
    }
    roster::file(state, &id);
    relocation::follow(state, &id, out);
}

/// Removes an agent: at once, or after the talk.
pub(in crate::acd) fn remove(state: &mut State, id: &AgentId, out: &mut Output) {
    let by = login::by_ourselves();
    let Some(agent) = state.agents.to_mut(id) else {
        return;
    };
    if let AgentState::Talking { .. } = agent.state {
        agent.pending = Some(Pending::Remove(by));
        return;
    }
    login::leave(state, id, LogoutReason::Removed, by, out);
    forget(state, id);
}

/// Takes an agent who is logged out away.
pub(in crate::acd) fn forget(state: &mut State, id: &AgentId) {
    roster::strike(state, id);
    state.agents.remove(id);
    state.deadlines.clear(&Deadline::EndFreshness(id.clone()));
}

/// Puts everybody's inactivity on a changed limit.
pub(in crate::acd) fn reset_deadlines(state: &mut State) {
    let ids: Vec<AgentId> = state.agents.keys().cloned().collect();
    for id in ids {
        agent::set_deadlines(state, &id);
    }
}
