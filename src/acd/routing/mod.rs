//! Who is rung for the first caller of a queue: one file per strategy, all of one shape.
//!
//! | strategy | file | rings |
//! |---|---|---|
//! | `MostIdle` | [`most_idle`] | the agent idle longest |
//! | `RingAll` | [`ring_all`] | everybody who could be rung |
//!
//! A strategy looks at the queue's roster, names agents, and says why. It changes nothing.
//!
//! Always holds: only eligible agents of the queue are named, and a choice names at least one.
//!
//! Not here: which caller is next (`queue::meet`), what is done with the choice (`reservation`).

use std::sync::Arc;

use crate::acd::State;
use crate::acd::config::Strategy;
use crate::acd::fact::Explanation;
use crate::base::id::AgentId;
use crate::base::id::QueueId;

mod explanation;
mod most_idle;
mod ring_all;

/// Who is to be rung, and why they.
pub(in crate::acd) struct Choice {
    pub(in crate::acd) agents: Vec<AgentId>,
    pub(in crate::acd) why: Arc<Explanation>,
}

/// Chooses for the first caller of a queue; `None` when nobody could be rung.
pub(in crate::acd) fn choose(state: &State, queue: &QueueId) -> Option<Choice> {
    let roster = state.rosters.get(queue)?;
    let agents = match state.queues.get(queue)?.config.strategy {
        Strategy::MostIdle => most_idle::choose(roster),
        Strategy::RingAll => ring_all::choose(roster),
    };
    let why = Arc::new(explanation::explain(roster, agents.len(), state.now));
    (!agents.is_empty()).then_some(Choice { agents, why })
}
