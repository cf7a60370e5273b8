//! `RingAll`: everybody who could be rung, at once; the first to answer has the call.
//!
//! An agent who becomes free while the others' phones ring is rung for the next caller who waits,
//! or for this one too when nobody does (`queue::meet`).

use crate::acd::queue::roster::Roster;
use crate::base::id::AgentId;

/// All of the roster's index.
pub(super) fn choose(roster: &Roster) -> Vec<AgentId> {
    roster.eligible.iter().map(|(_, agent)| agent.clone()).collect()
}
