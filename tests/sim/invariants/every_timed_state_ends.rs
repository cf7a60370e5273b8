//! Every timed state has exactly one deadline: nothing is overdue, nothing is forgotten.
//!
//! That each deadline stands once is the core's own check (`acd::check`); here it is that the next
//! one comes no later than the earliest end that can be seen from outside.

use carillon::acd::command::AgentStateName;
use carillon::acd::command::CallStateName;

use crate::invariants::Moment;
use crate::invariants::Rule;

/// Checks wrap-ups and ringing phones against the next deadline.
pub(crate) fn check(moment: &Moment<'_>) -> Rule {
    let next = moment.state.next_deadline();
    for agent in moment.agents.iter().filter(|agent| agent.state == AgentStateName::WrapUp) {
        let Some(until) = agent.until else {
            return Err(format!("the wrap-up of {} has no end", agent.id));
        };
        if next.is_none_or(|next| next > until) {
            return Err(format!("nobody will end the wrap-up of {}", agent.id));
        }
    }
    for call in moment.calls.iter().filter(|call| call.state == CallStateName::Reserved) {
        if next.is_none() {
            return Err(format!("nobody will end the ringing for {}", call.id));
        }
    }
    Ok(())
}
