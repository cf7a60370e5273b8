//! `MostIdle`: the agent idle longest, over all of the agent's queues.
//!
//! Idle counts from the end of the last call of any queue, or from becoming Ready after a login
//! or a break. A reservation that came to nothing does not reset it. Equal times: by name.

use crate::acd::queue::roster::Roster;
use crate::base::id::AgentId;

/// The first of the roster's index.
pub(super) fn choose(roster: &Roster) -> Vec<AgentId> {
    roster.eligible.first().map(|(_, agent)| agent.clone()).into_iter().collect()
}
