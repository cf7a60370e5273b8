//! Who acts for which leg, and what a lost node means.
//!
//! Every leg has an owner, a node in one life. A node that is lost, or starts anew, takes its
//! legs with it: callers it had end as NodeLost, agents it rang or joined are free again as after
//! any other end. What is left of a lost leg is its dialog, an *orphan*: the node's next life is
//! told to say goodbye to those phones.
//!
//! | told | then |
//! |---|---|
//! | `StartNode`, a newer life | the former life is lost (told if it had legs), the new one |
//! | | releases its orphans |
//! | `StartNode`, the same life again | nothing |
//! | `LoseNode` | its legs are lost; orphans wait for the node's next life |
//! | either, of an older life | refused: StaleOwner |
//!
//! Always holds: every leg belongs to a live call, and its owner is the newest life of its node
//! and not lost; so nothing is ever ordered from the dead.
//!
//! Not here: what becomes of the calls (`call::end`) and agents (`agent::ready`).

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

use crate::acd::State;
use crate::acd::call::end;
use crate::acd::call::end::Ending;
use crate::acd::command::Dialog;
use crate::acd::command::Refusal;
use crate::acd::effect::Cause;
use crate::acd::effect::Effect;
use crate::acd::fact::CallEnd;
use crate::acd::fact::Fact;
use crate::acd::output::Output;
use crate::base::id::AgentId;
use crate::base::id::Incarnation;
use crate::base::id::LegId;
use crate::base::id::NodeId;
use crate::base::id::Owner;

/// All legs, by name and by owner, and the nodes that own them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Legs {
    pub(super) by_id: BTreeMap<LegId, Leg>,
    pub(super) by_owner: BTreeSet<(Owner, LegId)>,
    pub(super) nodes: BTreeMap<NodeId, Node>,
}

/// One leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Leg {
    pub(super) owner: Owner,
    pub(super) party: Party,
    /// `None` while an agent's phone rings.
    pub(super) dialog: Option<Arc<Dialog>>,
}

/// Whose phone a leg reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Party {
    Caller,
    Agent(AgentId),
}

/// The newest life of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Node {
    pub(super) incarnation: Incarnation,
    pub(super) lost: bool,
    /// Dialogs of lost legs, for the next life to end.
    orphans: BTreeMap<LegId, (Arc<Dialog>, Cause)>,
}

impl Legs {
    /// Tells whether this owner may act.
    pub(super) fn is_live(&self, owner: Owner) -> bool {
        let node = self.nodes.get(&owner.node);
        node.is_some_and(|node| node.incarnation == owner.incarnation && !node.lost)
    }

    pub(super) fn add(&mut self, id: LegId, leg: Leg) {
        self.by_owner.insert((leg.owner, id));
        self.by_id.insert(id, leg);
    }

    /// Forgets a leg that is over, and says who had it.
    pub(super) fn remove(&mut self, id: LegId) -> Option<Leg> {
        let leg = self.by_id.remove(&id)?;
        self.by_owner.remove(&(leg.owner, id));
        Some(leg)
    }

    pub(super) fn owner_of(&self, id: LegId) -> Option<Owner> {
        self.by_id.get(&id).map(|leg| leg.owner)
    }

    pub(super) fn owned_by(&self, owner: Owner) -> impl Iterator<Item = LegId> {
        let first = LegId { call: crate::base::id::CallId(0), nth: 0 };
        self.by_owner
            .range((owner, first)..)
            .take_while(move |(of, _)| *of == owner)
            .map(|(_, leg)| *leg)
    }
}

/// Ends a leg that somebody still has: its owner is told, or an orphan is kept if that is lost.
pub(super) fn release(state: &mut State, id: LegId, cause: Cause, out: &mut Output) {
    let Some(leg) = state.legs.remove(id) else {
        return; // Its party was quicker.
    };
    if state.legs.is_live(leg.owner) {
        out.order(leg.owner, Effect::ReleaseLeg { leg: id, cause });
        return;
    }
    if let (Some(dialog), Some(node)) = (leg.dialog, state.legs.nodes.get_mut(&leg.owner.node)) {
        node.orphans.insert(id, (dialog, cause));
    }
}

/// Gives an order about a leg to its owner.
pub(super) fn order(state: &State, leg: LegId, effect: Effect, out: &mut Output) {
    if let Some(owner) = state.legs.owner_of(leg) {
        out.order(owner, effect);
    }
}

/// Keeps the newest picture of a leg's dialog.
pub(super) fn update(state: &mut State, id: LegId, dialog: &Dialog) -> Result<(), Refusal> {
    let leg = state.legs.by_id.get_mut(&id).ok_or(Refusal::UnknownLeg(id))?;
    leg.dialog = Some(Arc::new(dialog.clone()));
    Ok(())
}

/// A node's process has started: what its former life had is lost, and its phones told so.
pub(super) fn start_node(state: &mut State, owner: Owner, out: &mut Output) -> Result<(), Refusal> {
    if state.legs.is_live(owner) {
        return Ok(());
    }
    let known = state.legs.nodes.get(&owner.node).map(|node| (node.incarnation, node.lost));
    if let Some((former, lost)) = known {
        if owner.incarnation <= former {
            return Err(Refusal::StaleOwner(owner));
        }
        let former = Owner { node: owner.node, incarnation: former };
        if !lost {
            let legs = state.legs.owned_by(former).count();
            if legs > 0 {
                tell_lost(former, legs, out); // One that was stopped in peace leaves none.
            }
            lose(state, former, out);
        }
    }
    let node = Node { incarnation: owner.incarnation, lost: false, orphans: BTreeMap::new() };
    let former = state.legs.nodes.insert(owner.node, node);
    for (leg, (dialog, cause)) in former.map(|former| former.orphans).unwrap_or_default() {
        let dialog = (*dialog).clone();
        out.order(owner, Effect::ReleaseOrphan { leg, dialog, cause });
    }
    out.fact(Fact::NodeStarted { owner });
    Ok(())
}

/// A node is gone: so are its legs.
pub(super) fn lose_node(state: &mut State, owner: Owner, out: &mut Output) -> Result<(), Refusal> {
    match state.legs.nodes.get(&owner.node) {
        Some(node) if node.incarnation != owner.incarnation => Err(Refusal::StaleOwner(owner)),
        Some(node) if node.lost => Ok(()),
        Some(_) => {
            tell_lost(owner, state.legs.owned_by(owner).count(), out);
            lose(state, owner, out);
            Ok(())
        }
        None => Err(Refusal::StaleOwner(owner)),
    }
}

fn tell_lost(owner: Owner, legs: usize, out: &mut Output) {
    out.fact(Fact::NodeLost { owner, legs: u32::try_from(legs).unwrap_or(u32::MAX) });
}

/// Marks the owner lost first, so that everything ended below leaves orphans and no orders.
fn lose(state: &mut State, owner: Owner, out: &mut Output) {
    let lost: Vec<LegId> = state.legs.owned_by(owner).collect();
    if let Some(node) = state.legs.nodes.get_mut(&owner.node) {
        node.lost = true;
    }
    for leg in lost {
        // An agent's leg belongs to the node of its caller's, which is first: the call is over.
        let cause = Cause::NodeLost;
        let ending = Ending { why: CallEnd::NodeLost, caller: cause, agent: cause };
        end::end(state, leg.call, ending, out);
    }
}
