//! The roster of a queue: its agents by standing, and those who could be rung, most idle first.
//!
//! An agent has one *standing* towards all its queues: Eligible, or the reason to be passed over.
//! The rosters keep a count of each standing and an ordered index of the eligible, so that a
//! decision and its explanation cost O(log n) however many agents there are.
//!
//! Always holds: an agent is filed in the rosters of exactly the queues it serves, under the
//! standing and idle time its own state gives (`check` compares). Only [`file()`] changes that.
//!
//! Not here: what an agent's standing is ([`crate::acd::agent::Agent::standing`]).

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Serialize;

use crate::acd::State;
use crate::acd::agent::Agent;
use crate::acd::command::AgentStateName;
use crate::acd::fact::PassedOver;
use crate::acd::queue::meet::Unsettled;
use crate::base::id::AgentId;
use crate::base::id::QueueId;
use crate::base::time::ClusterTime;

/// Who serves one queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::acd) struct Roster {
    pub(in crate::acd) members: BTreeSet<AgentId>,
    /// Members by standing.
    pub(in crate::acd) standings: BTreeMap<Standing, u32>,
    /// Members who could be rung, the longest idle first.
    pub(in crate::acd) eligible: BTreeSet<(ClusterTime, AgentId)>,
}

/// What an agent is to its queues: to be rung, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::acd) enum Standing {
    LoggedOut,
    NotReady,
    WrapUp,
    Reserved,
    Talking,
    DeviceBusy,
    DeviceUnreachable,
    DeviceUnknown,
    JustRangOut,
    Eligible,
}

/// How an agent is filed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::acd) struct Filed {
    pub(in crate::acd) standing: Standing,
    pub(in crate::acd) idle_since: ClusterTime,
}

impl Standing {
    /// The published word; `None` for one who could be rung.
    pub(in crate::acd) fn passed_over(self) -> Option<PassedOver> {
        match self {
            Self::LoggedOut => Some(PassedOver::LoggedOut),
            Self::NotReady => Some(PassedOver::NotReady),
            Self::WrapUp => Some(PassedOver::WrapUp),
            Self::Reserved => Some(PassedOver::Reserved),
            Self::Talking => Some(PassedOver::Talking),
            Self::DeviceBusy => Some(PassedOver::DeviceBusy),
            Self::DeviceUnreachable => Some(PassedOver::DeviceUnreachable),
            Self::DeviceUnknown => Some(PassedOver::DeviceUnknown),
            Self::JustRangOut => Some(PassedOver::JustRangOut),
            Self::Eligible => None,
        }
    }

    /// Why one who is Ready cannot be rung all the same.
    pub(in crate::acd) fn unable(self) -> Option<PassedOver> {
        self.passed_over().filter(|_| self.state_name() == AgentStateName::Ready)
    }

    /// The agent state it stands for.
    pub(in crate::acd) fn state_name(self) -> AgentStateName {
        match self {
            Self::LoggedOut => AgentStateName::LoggedOut,
            Self::NotReady => AgentStateName::NotReady,
            Self::WrapUp => AgentStateName::WrapUp,
            Self::Reserved => AgentStateName::Reserved,
            Self::Talking => AgentStateName::Talking,
            Self::DeviceBusy
            | Self::DeviceUnreachable
            | Self::DeviceUnknown
            | Self::JustRangOut
            | Self::Eligible => AgentStateName::Ready,
        }
    }
}

impl Roster {
    /// Tells whether any member is logged in.
    pub(in crate::acd) fn is_staffed(&self) -> bool {
        self.standings.keys().any(|standing| *standing != Standing::LoggedOut)
    }

    pub(in crate::acd) fn put(&mut self, agent: &AgentId, filed: Filed) {
        self.members.insert(agent.clone());
        self.count_in(agent, filed);
    }

    fn take(&mut self, agent: &AgentId, filed: Filed) {
        self.members.remove(agent);
        self.count_out(agent, filed);
    }

    fn count_in(&mut self, agent: &AgentId, filed: Filed) {
        let count = self.standings.entry(filed.standing).or_default();
        *count = count.saturating_add(1);
        if filed.standing == Standing::Eligible {
            self.eligible.insert((filed.idle_since, agent.clone()));
        }
    }

    fn count_out(&mut self, agent: &AgentId, filed: Filed) {
        if let Some(count) = self.standings.get_mut(&filed.standing) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.standings.remove(&filed.standing);
            }
        }
        if filed.standing == Standing::Eligible {
            self.eligible.remove(&(filed.idle_since, agent.clone()));
        }
    }
}

/// Files an agent anew in all its queues after anything about it has changed.
///
/// Queues where this made somebody eligible, or nobody logged in, are looked at before the
/// entry is done.
pub(in crate::acd) fn file(state: &mut State, id: &AgentId) {
    if let Some(agent) = state.agents.to_mut(id) {
        file_found(&mut state.rosters, &mut state.unsettled, id, agent);
    }
}

/// Does the same with an agent who has been looked up already.
pub(in crate::acd) fn file_found(
    rosters: &mut BTreeMap<QueueId, Roster>,
    unsettled: &mut Unsettled,
    id: &AgentId,
    agent: &mut Agent,
) {
    let filed = Filed { standing: agent.standing(), idle_since: agent.idle_since };
    let former = agent.filed.replace(filed);
    if former == Some(filed) {
        return;
    }
    for queue in agent.queues() {
        alter(rosters, unsettled, queue, |roster| match former {
            Some(former) => {
                roster.count_out(id, former);
                roster.count_in(id, filed);
            }
            None => roster.put(id, filed),
        });
    }
}

/// Takes an agent out of all its rosters, before its queues change or it is removed.
pub(in crate::acd) fn strike(state: &mut State, id: &AgentId) {
    let Some(agent) = state.agents.to_mut(id) else {
        return;
    };
    if let Some(former) = agent.filed.take() {
        for queue in agent.queues() {
            let take = |roster: &mut Roster| roster.take(id, former);
            alter(&mut state.rosters, &mut state.unsettled, queue, take);
        }
    }
}

/// Changes one roster, and marks its queue for what this makes possible there.
fn alter(
    rosters: &mut BTreeMap<QueueId, Roster>,
    unsettled: &mut Unsettled,
    queue: &QueueId,
    change: impl FnOnce(&mut Roster),
) {
    let roster = rosters.entry(queue.clone()).or_default();
    let was_staffed = roster.is_staffed();
    change(roster);
    if !roster.eligible.is_empty() {
        unsettled.to_match.insert(queue.clone());
    }
    if was_staffed && !roster.is_staffed() {
        unsettled.unstaffed.insert(queue.clone());
    }
    if roster.members.is_empty() {
        rosters.remove(queue);
    }
}

/// Tells whether anybody who serves the queue is logged in.
pub(in crate::acd) fn is_staffed(state: &State, queue: &QueueId) -> bool {
    state.rosters.get(queue).is_some_and(Roster::is_staffed)
}
