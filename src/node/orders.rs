//! Brings the core's orders to the shards that carry them out.
//!
//! Always holds: orders reach a shard in log order; those for another owner, another life of this
//! node among them, reach nobody; where a snapshot has jumped over orders, every shard is told.
//!
//! Not here: where orders come from (`cluster`), what is done ([`super::shard`]).

use std::collections::BTreeSet;

use crate::acd::effect::Effect;
use crate::acd::effect::Order;
use crate::base::id::CallId;
use crate::base::id::Owner;
use crate::cluster::Batches;
use crate::node::clock;
use crate::node::count::Lapse;
use crate::node::shard::Shards;

/// Hands every order for this life of this node to its shard, until the cluster ends.
pub async fn carry_out(mut batches: Batches, owner: Owner, shards: Shards) {
    while let Some(batch) = batches.recv().await {
        if let Some(legs) = &batch.jumped {
            let ours = legs.iter().filter(|(of, _)| *of == owner);
            shards.jumped(&ours.map(|(_, leg)| *leg).collect());
        }
        let now = clock::local();
        let arrived: BTreeSet<CallId> = batch.orders.iter().filter_map(arrival).collect();
        for Order { effect, .. } in batch.orders.into_iter().filter(|order| order.owner == owner) {
            let lapse = lapse(&effect, &arrived).map(|lapse| (lapse, now));
            shards.order(effect, lapse);
        }
    }
}

/// The call whose caller is to be held: it has just arrived.
fn arrival(order: &Order) -> Option<CallId> {
    matches!(order.effect, Effect::HoldCaller { .. }).then(|| order.effect.leg().call)
}

/// What the time until the effect is carried out tells.
fn lapse(effect: &Effect, arrived: &BTreeSet<CallId>) -> Option<Lapse> {
    match effect {
        Effect::RingAgent(ring) if arrived.contains(&ring.leg.call) => Some(Lapse::Assignment),
        Effect::RingAgent(_) => Some(Lapse::IdleGap),
        Effect::HoldCaller { .. }
        | Effect::JoinLegs { .. }
        | Effect::ReleaseLeg { .. }
        | Effect::ReleaseOrphan { .. }
        | Effect::PlayPrompt { .. }
        | Effect::TransferLeg { .. } => None,
    }
}
