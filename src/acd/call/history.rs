//! Calls that ended recently, for people who ask why.
//!
//! Always holds: at most [`ENDED_MAX`] calls; the oldest is forgotten first. A call's name stays
//! taken while it is remembered.
//!
//! Not here: reports over longer times, which listeners keep from the facts.

use std::collections::VecDeque;

use serde::Deserialize;
use serde::Serialize;

use crate::acd::call::Call;
use crate::acd::fact::CallEnd;
use crate::acd::table::Table;
use crate::base::id::AgentId;
use crate::base::id::CallId;
use crate::base::time::ClusterTime;

/// How many ended calls are remembered.
const ENDED_MAX: usize = 1000;

/// The remembered calls, and the order they ended in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::acd) struct History {
    ended: Table<CallId, Ended>,
    order: VecDeque<CallId>,
}

/// A call that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::acd) struct Ended {
    /// As it was when it ended.
    pub(in crate::acd) call: Call,
    pub(in crate::acd) at: ClusterTime,
    pub(in crate::acd) why: CallEnd,
    /// Who talked with the caller at the end.
    pub(in crate::acd) agent: Option<AgentId>,
}

impl History {
    /// One ended call.
    pub(in crate::acd) fn call(&self, id: CallId) -> Option<&Ended> {
        self.ended.get(&id)
    }

    /// The ended calls, the newest first.
    pub(in crate::acd) fn newest_first(&self) -> impl Iterator<Item = (CallId, &Ended)> {
        self.order.iter().rev().filter_map(|id| Some((*id, self.ended.get(id)?)))
    }

    /// Remembers a call that has just ended.
    pub(in crate::acd) fn add(&mut self, id: CallId, ended: Ended) {
        if self.ended.insert(id, ended).is_none() {
            self.order.push_back(id);
        }
        while self.order.len() > ENDED_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.ended.remove(&oldest);
            }
        }
    }

    /// Tells whether the bound holds.
    pub(in crate::acd) fn is_sound(&self) -> bool {
        self.ended.len() == self.order.len() && self.order.len() <= ENDED_MAX
    }
}
