//! `/api/v1/cluster`: who belongs to it, who leads, how far each has come, who has which legs; and
//! how a node is made to take no more calls before it is stopped, and to take them again.
//!
//! Not here: changing the members (`cluster::membership`).

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::api::problem::Problem;
use crate::api::request::Answer;
use crate::api::request::Look;
use crate::api::request::Order;
use crate::base::id::Owner;
use crate::cluster::handle::MemberPicture;
use crate::resource::order;

/// How a node is made to take no more calls: those it has go on, until it is stopped.
#[derive(Clone)]
pub struct Drain {
    /// Whether it has begun.
    pub begun: Arc<AtomicBool>,
    /// Begins it (`true`) or ends it; again does no harm.
    pub set: Arc<dyn Fn(bool) + Send + Sync>,
}

/// The cluster as this node knows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClusterPicture {
    /// The node that answers.
    node: u64,
    /// Whether the node that answers refuses new calls.
    draining: bool,
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
    picture(&api, &look)
}

/// Makes the node that answers refuse new calls with 503 and no longer be ready; calls go on.
///
/// It lasts until it is taken back or the node is restarted. The legs it still has are in `nodes`.
#[utoipa::path(post, path = "/api/v1/cluster/drain", tag = "cluster",
    params(super::openapi::Idempotency), responses((status = 200, body = ClusterPicture)))]
pub(super) async fn drain(
    State(api): State<Api>,
    order: Order,
) -> Result<Answer<ClusterPicture>, Problem> {
    set(&api, &order, true)
}

/// Makes the node that answers take calls again.
#[utoipa::path(delete, path = "/api/v1/cluster/drain", tag = "cluster",
    params(super::openapi::Idempotency), responses((status = 200, body = ClusterPicture)))]
pub(super) async fn undrain(
    State(api): State<Api>,
    order: Order,
) -> Result<Answer<ClusterPicture>, Problem> {
    set(&api, &order, false)
}

fn set(api: &Api, order: &Order, draining: bool) -> Result<Answer<ClusterPicture>, Problem> {
    order.asker.may_administer("Draining a node")?;
    order::read_nothing(&order.body).map_err(|mistakes| Problem::invalid(&mistakes))?;
    (api.drain.set)(draining);
    Ok(picture(api, &order.look(api)))
}

fn picture(api: &Api, look: &Look) -> Answer<ClusterPicture> {
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
        draining: api.drain.begun.load(Ordering::Relaxed),
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
