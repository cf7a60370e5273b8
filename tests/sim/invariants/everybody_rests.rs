//! With the last call gone everybody rests: agents, legs and lines.

use carillon::acd::command::AgentStateName;

use crate::invariants::Moment;
use crate::invariants::Rule;

/// Checks that nothing is under way any more.
pub(crate) fn check(moment: &Moment<'_>) -> Rule {
    let busy = moment
        .agents
        .iter()
        .find(|agent| matches!(agent.state, AgentStateName::Reserved | AgentStateName::Talking));
    if let Some(agent) = busy {
        return Err(format!("{} is {:?} and no call is left", agent.id, agent.state));
    }
    if let Some((leg, owner)) = moment.books.legs.iter().next() {
        return Err(format!("{owner} still has {leg} and no call is left"));
    }
    match moment.queues.iter().find(|queue| queue.waiting + queue.reserved + queue.talking > 0) {
        Some(queue) => Err(format!("{} shows calls and none is left", queue.id)),
        None => Ok(()),
    }
}
