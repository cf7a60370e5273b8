//! Who belongs to the cluster: how it begins, who joins, and how everybody stands.
//!
//! | a fresh data directory | begins as |
//! |---|---|
//! | [`Bootstrap::Alone`] | node 1, the only voter of a new cluster |
//! | [`Bootstrap::Together`] | one of a given list, all of whom begin the same way |
//! | [`Bootstrap::Join`] | nobody yet: it waits until the leader adds it |
//!
//! A data directory that was used before knows who it is and ignores how it would have begun, but
//! refuses to be somebody else.
//!
//! Always holds: one change of members at a time, made by the leader; a node id is never given to a
//! second disk (the old one may hold votes and acknowledged entries that the new one lacks).
//!
//! Not here: the data directory itself ([`super::identity`]).

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

use openraft::ChangeMembers;
use openraft::Instant;
use openraft::RaftMetrics;

use crate::base::id::LogIndex;
use crate::base::id::NodeId;
use crate::cluster::handle::Handle;
use crate::cluster::identity::ClusterId;
use crate::cluster::types::Member;
use crate::cluster::types::Types;

/// How a fresh data directory begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bootstrap {
    /// A new cluster of this node alone.
    Alone,
    /// A new cluster of these, this node among them; every one of them is started like this.
    Together {
        /// Named by whoever starts them.
        cluster: ClusterId,
        /// This node.
        node: NodeId,
        /// All of them with their `host:port`.
        members: BTreeMap<NodeId, String>,
    },
    /// A cluster that exists.
    Join {
        /// Its name.
        cluster: ClusterId,
        /// An id nobody ever had.
        node: NodeId,
    },
}

/// The members as one node knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// The leader, if one is known.
    pub leader: Option<NodeId>,
    /// The newest term seen.
    pub term: u64,
    /// Whether a proposal made now has a leader with a majority.
    pub quorum: bool,
    /// The last entry in this node's log.
    pub last: LogIndex,
    /// The last entry known to be committed.
    pub committed: LogIndex,
    /// The last entry applied here.
    pub applied: LogIndex,
    /// The last entry in the newest snapshot.
    pub snapshot: LogIndex,
    /// Each of them, in order of id.
    pub members: Vec<MemberPicture>,
}

/// One member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberPicture {
    /// Its id.
    pub id: NodeId,
    /// Its `host:port`.
    pub address: String,
    /// Whether it votes.
    pub voter: bool,
    /// The last entry known to be on its disk; known at the leader only.
    pub matched: Option<LogIndex>,
    /// Whether it answered a heartbeat lately; known at the leader only.
    pub reachable: Option<bool>,
}

impl Members {
    pub(crate) fn of(metrics: &RaftMetrics<Types>, quorum: bool, lease: Duration) -> Self {
        let config = &metrics.membership_config;
        let voters = config.voter_ids().collect::<BTreeSet<_>>();
        let own_last = LogIndex(metrics.last_log_index.unwrap_or(0));
        let members = config.nodes().map(|(id, member)| {
            let ours = *id == metrics.id;
            let matched = metrics.replication.as_ref().map(|matched| {
                let at = matched.get(id).copied().flatten();
                if ours { own_last } else { LogIndex(at.map_or(0, |at| at.index)) }
            });
            let reachable = metrics.heartbeat.as_ref().map(|heard| {
                ours || heard.get(id).copied().flatten().is_some_and(|at| at.elapsed() < lease)
            });
            MemberPicture {
                id: NodeId(*id),
                address: member.address.clone(),
                voter: voters.contains(id),
                matched,
                reachable,
            }
        });
        let index = |at: Option<u64>| LogIndex(at.unwrap_or(0));
        Self {
            leader: metrics.current_leader.map(NodeId),
            term: metrics.current_term,
            quorum,
            last: own_last,
            committed: index(metrics.local_committed.map(|at| at.index)),
            applied: index(metrics.last_applied.map(|at| at.index)),
            snapshot: index(metrics.snapshot.map(|at| at.index)),
            members: members.collect(),
        }
    }
}

/// Why the members could not be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the members were not changed: {0}")]
pub struct NotChanged(String);

impl Handle {
    /// Adds a node that follows without a vote, and waits until it has caught up; leader only.
    pub async fn add_learner(&self, node: NodeId, address: String) -> Result<(), NotChanged> {
        let added = self.raft().add_learner(node.0, Member { address }, true).await;
        added.map(drop).map_err(|error| NotChanged(error.to_string()))
    }

    /// Gives a learner a vote; leader only.
    pub async fn promote(&self, node: NodeId) -> Result<(), NotChanged> {
        let change = ChangeMembers::AddVoterIds(BTreeSet::from([node.0]));
        let changed = self.raft().change_membership(change, false).await;
        changed.map(drop).map_err(|error| NotChanged(error.to_string()))
    }

    /// Takes a node out altogether; leader only.
    pub async fn remove(&self, node: NodeId) -> Result<(), NotChanged> {
        let change = ChangeMembers::RemoveVoters(BTreeSet::from([node.0]));
        let changed = self.raft().change_membership(change, false).await;
        changed.map(drop).map_err(|error| NotChanged(error.to_string()))
    }

    /// Asks a member to lead instead of this node; leader only.
    pub async fn hand_over(&self, node: NodeId) -> Result<(), NotChanged> {
        let asked = self.raft().trigger().transfer_leader(node.0).await;
        asked.map_err(|error| NotChanged(error.to_string()))
    }
}
