//! While a node lives nobody waits beside an agent who could be rung, and the most idle is the one
//! who could be.

use carillon::acd::command::AgentStateName;
use carillon::acd::command::DeviceState;
use carillon::acd::fact::PassedOver;
use carillon::acd::view::Freshness;

use crate::auditor::Place;
use crate::invariants::Moment;
use crate::invariants::Rule;

/// Checks every line against the members of its queue.
pub(crate) fn check(moment: &Moment<'_>) -> Rule {
    for queue in moment.queues.iter().filter(|queue| queue.waiting > 0) {
        let members = moment.view.members_of(&queue.id);
        let free = members.iter().find(|member| member.passed_over.is_none());
        if let Some(free) = free.filter(|_| !moment.books.nodes.is_empty()) {
            let waiting = queue.waiting;
            return Err(format!("{waiting} wait in {} beside {}", queue.id, free.agent));
        }
        for member in &members {
            let agent = moment.agents.iter().find(|agent| agent.id == member.agent);
            let idle_phone = agent.is_some_and(|agent| {
                let unwatched = agent.device_state == DeviceState::Unknown
                    && agent.device_freshness == Freshness::Never;
                let idle = agent.device_state == DeviceState::Idle;
                agent.state == AgentStateName::Ready && (idle || unwatched)
            });
            let reason = member.passed_over.filter(|reason| *reason != PassedOver::JustRangOut);
            if let Some(reason) = reason.filter(|_| idle_phone) {
                return Err(format!("{} is Ready and passed over: {reason:?}", member.agent));
            }
        }
    }
    let lines = moment.books.calls.values().filter(|call| call.place == Place::Waiting).count();
    let seen: u32 = moment.queues.iter().map(|queue| queue.waiting).sum();
    if lines < seen as usize {
        return Err(format!("{seen} wait, the books know of {lines}"));
    }
    Ok(())
}
