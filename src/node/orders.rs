//! Brings the core's orders to the shards that carry them out.
//!
//! **First come, first served, on the wire too.** A call's shard sends its agent's INVITE, and
//! shards do not wait for one another; left alone, they would send what one commit ordered shard by
//! shard. So an order to ring goes to a shard when the INVITE of the one before has left another.
//!
//! Always holds: orders reach a shard in log order, and INVITEs to agents leave the node in it, but
//! for those whose host has to be looked up first; orders for another owner, another life of this
//! node among them, reach nobody; where a snapshot has jumped over orders, every shard is told; a
//! leg another node was told to go on with, or to end, is given up without a word to its party.
//!
//! Not here: where orders come from (`cluster`), what is done ([`super::shard`]).

use std::collections::BTreeSet;

use tokio::sync::oneshot;

use crate::acd::effect::Effect;
use crate::acd::effect::Order;
use crate::base::id::CallId;
use crate::base::id::LegId;
use crate::base::id::Owner;
use crate::base::time::LocalTime;
use crate::cluster::Batches;
use crate::node::clock;
use crate::node::count::Lapse;
use crate::node::shard::Shards;
use crate::node::shard::home;

/// Hands every order for this life of this node to its shard, until the cluster ends.
pub async fn carry_out(mut batches: Batches, owner: Owner, shards: Shards) {
    let mut turn = Turn::default();
    while let Some(batch) = batches.recv().await {
        if let Some(legs) = &batch.jumped {
            let ours = legs.iter().filter(|(of, _)| *of == owner);
            shards.jumped(&ours.map(|(_, leg)| *leg).collect());
        }
        let now = clock::local();
        let arrived: BTreeSet<CallId> = batch.orders.iter().filter_map(arrival).collect();
        let theirs = batch.orders.iter().filter(|order| order.owner != owner);
        theirs.filter_map(taken_over).for_each(|leg| shards.give_up(leg));
        for Order { effect, .. } in batch.orders.into_iter().filter(|order| order.owner == owner) {
            let lapse = lapse(&effect, &arrived).map(|lapse| (lapse, now));
            match &effect {
                Effect::RingAgent(_) => turn.ring(&shards, effect, lapse).await,
                Effect::HoldCaller { .. }
                | Effect::AdoptLeg { .. }
                | Effect::JoinLegs { .. }
                | Effect::ReleaseLeg { .. }
                | Effect::ReleaseOrphan { .. }
                | Effect::PlayPrompt { .. }
                | Effect::TransferLeg { .. } => shards.order(effect, lapse),
            }
        }
    }
}

/// Whose turn it is to ring.
#[derive(Default)]
struct Turn {
    /// The shard that was told last, and what ends when it has sent.
    last: Option<(usize, oneshot::Receiver<()>)>,
}

impl Turn {
    async fn ring(&mut self, shards: &Shards, effect: Effect, lapse: Option<(Lapse, LocalTime)>) {
        let shard = home(effect.leg().call);
        if let Some((before, sent)) = self.last.take()
            && before != shard
        {
            // An error says the same: the shard has dropped its end, as it does when it has sent.
            let _ = sent.await;
        }
        self.last = Some((shard, shards.order_and_tell(effect, lapse)));
    }
}

/// The leg that an order gives to its owner.
fn taken_over(order: &Order) -> Option<LegId> {
    let is = matches!(order.effect, Effect::AdoptLeg { .. } | Effect::ReleaseOrphan { .. });
    is.then(|| order.effect.leg())
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
        | Effect::AdoptLeg { .. }
        | Effect::JoinLegs { .. }
        | Effect::ReleaseLeg { .. }
        | Effect::ReleaseOrphan { .. }
        | Effect::PlayPrompt { .. }
        | Effect::TransferLeg { .. } => None,
    }
}
