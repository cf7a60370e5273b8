//! `GET /api/v1/cluster`: who belongs to it, who leads, how far each has come, who has which legs.
//!
//! Not here: changing the members (`cluster::membership`).

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::api::request::Answer;
use crate::api::request::Look;
use crate::base::id::Owner;
use crate::cluster::handle::MemberPicture;

/// The cluster as this node knows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClusterPicture {
    /// The node that answers.
    node: u64,
    leader: Option<u64>,
    term: u64,
    /// Whether a change can be made now.
    quorum: bool,
    last_index: u64,
    committed_index: u64,
    applied_index: u64,
    snapshot_index: u64,
    members: Vec<ClusterMember>,
    nodes: Vec<ClusterNode>,
}

/// A member of the Raft group.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClusterMember {
    id: u64,
    address: String,
    voter: bool,
    /// The last entry known to be on its disk; known at the leader only.
    matched_index: Option<u64>,
    /// Whether it answered lately; known at the leader only.
    reachable: Option<bool>,
}

/// One life of a node, and what it owns.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct ClusterNode {
    node: u64,
    incarnation: u64,
    alive: bool,
    legs: usize,
}

/// Shows the cluster.
#[utoipa::path(get, path = "/api/v1/cluster", tag = "cluster",
    params(super::openapi::Consistency), responses((status = 200, body = ClusterPicture)))]
pub(super) async fn show(State(api): State<Api>, look: Look) -> Answer<ClusterPicture> {
    let members = api.handle.members();
    let nodes = api.handle.view(|view| {
        let node = |(owner, alive): (Owner, bool)| ClusterNode {
            node: owner.node.0,
            incarnation: owner.incarnation.0,
            alive,
            legs: view.legs_of(owner).len(),
        };
        view.nodes().into_iter().map(node).collect()
    });
    let member = |member: &MemberPicture| ClusterMember {
        id: member.id.0,
        address: member.address.clone(),
        voter: member.voter,
        matched_index: member.matched.map(|index| index.0),
        reachable: member.reachable,
    };
    look.answer(ClusterPicture {
        node: api.handle.node().0,
        leader: members.leader.map(|leader| leader.0),
        term: members.term,
        quorum: members.quorum,
        last_index: members.last.0,
        committed_index: members.committed.0,
        applied_index: members.applied.0,
        snapshot_index: members.snapshot.0,
        members: members.members.iter().map(member).collect(),
        nodes,
    })
}
