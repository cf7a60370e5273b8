//! An agent holds at most one call, and that call knows it.

use std::collections::BTreeMap;

use carillon::acd::command::AgentStateName;

use crate::invariants::Moment;
use crate::invariants::Rule;

/// Checks the agents of all calls, then the calls of all agents.
pub(crate) fn check(moment: &Moment<'_>) -> Rule {
    let mut held = BTreeMap::new();
    for call in &moment.calls {
        for agent in &call.agents {
            if let Some(other) = held.insert(agent, call.id) {
                return Err(format!("{agent} holds both {other} and {}", call.id));
            }
        }
    }
    for agent in &moment.agents {
        let with_call = matches!(agent.state, AgentStateName::Reserved | AgentStateName::Talking);
        let call = held.get(&agent.id).copied();
        if call != agent.call || with_call != agent.call.is_some() {
            let (id, state) = (&agent.id, agent.state);
            return Err(format!("{id} is {state:?} with {:?}, calls say {call:?}", agent.call));
        }
    }
    Ok(())
}
