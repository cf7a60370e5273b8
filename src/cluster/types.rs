//! The types openraft is instantiated with, named once.
//!
//! | openraft asks for | Carillon gives |
//! |---|---|
//! | what is proposed | [`Proposal`]: one entry of the core |
//! | what applying answers | [`Reply`]: the core's outcome, none for Raft's own entries |
//! | a node's id | the number in [`NodeId`](crate::base::id::NodeId) |
//! | a node's address | [`Member`]: host and port, resolved on every dial |
//!
//! Always holds: no `openraft` path leaves `cluster`, so its changes stop here.
//!
//! Not here: how any of this looks as bytes ([`super::codec`]).

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

use crate::acd::command::Entry;
use crate::acd::command::Outcome;
use crate::cluster::state_machine::StateMachine;

openraft::declare_raft_types!(
    /// Carillon's instance of openraft's types.
    pub Types:
        D = Proposal,
        R = Reply,
        Node = Member,
);

/// The Raft group as one node runs it.
pub type Raft = openraft::Raft<Types, StateMachine>;
/// A position in the log with the leader that wrote it.
pub type LogId = openraft::type_config::alias::LogIdOf<Types>;
/// A vote as openraft stores it.
pub type Vote = openraft::type_config::alias::VoteOf<Types>;
/// One entry of the log as openraft sees it.
pub type LogEntry = openraft::type_config::alias::EntryOf<Types>;
/// What an entry of the log carries.
pub type Payload = openraft::type_config::alias::EntryPayloadOf<Types>;
/// The members and since which entry.
pub type StoredMembers = openraft::type_config::alias::StoredMembershipOf<Types>;
/// What a snapshot covers.
pub type SnapshotMeta = openraft::type_config::alias::SnapshotMetaOf<Types>;

/// What a leader appends to the log for a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal(pub Entry);

impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.request)
    }
}

/// What applying an entry answered; none for the entries of Raft itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply(pub Option<Outcome>);

/// What the members know of one another.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Member {
    /// `host:port` of the peer protocol; a name, where addresses come and go.
    pub address: String,
}
