//! Nobody is rung who is not Ready: on a break, logged out, wrapping up, or with another call.

use carillon::acd::command::AgentStateName;
use carillon::acd::fact::Fact;

use crate::auditor::Auditor;
use crate::invariants::Rule;

/// Checks whom a reservation names.
pub(crate) fn check(books: &Auditor, fact: &Fact) -> Rule {
    let (Fact::CallReserved { call, queue, agents, .. }
    | Fact::ReservationJoined { call, queue, agents, .. }) = fact
    else {
        return Ok(());
    };
    for agent in agents {
        let Some(book) = books.agents.get(agent) else {
            return Err(format!("{call} rings {agent}, whom nobody knows"));
        };
        if book.state != AgentStateName::Ready {
            return Err(format!("{call} rings {agent}, who is {:?}", book.state));
        }
        if !book.serves(queue) {
            return Err(format!("{call} rings {agent}, who is no member of {queue}"));
        }
    }
    Ok(())
}
