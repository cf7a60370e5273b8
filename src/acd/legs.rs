//! Who acts for which leg, and what a lost node means.
//!
//! Every leg has an owner, a node in one life, and all legs of a call have the same: agents are
//! rung by the node their caller came to. So they stand in their call. When a node is lost, or
//! starts anew, others go on with its calls (`call::takeover`). What had to be ended while nobody
//! was alive is kept as an *orphan*, a leg's last dialog: who starts next says goodbye to that
//! phone.
//!
//! | told | then |
//! |---|---|
//! | `StartNode`, a newer life | the former life is lost (told if it had legs), the new one |
//! | | goes on with its calls, and with whatever nobody living has |
//! | `StartNode`, the same life again | nothing |
//! | `LoseNode` | its calls go to the living nodes, to each in turn; while there is none they |
//! | | wait until one starts |
//! | either, of an older life | refused: StaleOwner |
//!
//! Always holds: every leg belongs to a live call, by where it stands; as long as any node lives,
//! its owner does, and nothing is ever ordered of the dead.
//!
//! Not here: what becomes of the calls (`call::takeover`, `call::end`) and agents (`agent::ready`).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use crate::acd::State;
use crate::acd::call::takeover;
use crate::acd::command::Dialog;
use crate::acd::command::Refusal;
use crate::acd::effect::Cause;
use crate::acd::effect::Effect;
use crate::acd::fact::Fact;
use crate::acd::output::Output;
use crate::base::id::AgentId;
use crate::base::id::CallId;
use crate::base::id::Incarnation;
use crate::base::id::LegId;
use crate::base::id::NodeId;
use crate::base::id::Owner;

/// The legs of one call, and the node that acts for all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Legs {
    pub(super) owner: Owner,
    caller: Option<Leg>,
    /// By their number within the call.
    agents: BTreeMap<u32, Leg>,
}

/// One leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Leg {
    pub(super) party: Party,
    /// `None` until an agent's phone was sent an INVITE.
    pub(super) dialog: Option<Dialog>,
}

/// Whose phone a leg reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Party {
    Caller,
    Agent(AgentId),
}

/// The newest life of every node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Nodes(BTreeMap<NodeId, Node>);

/// The newest life of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Node {
    incarnation: Incarnation,
    lost: bool,
    /// Dialogs of legs it had that nobody could end, for whoever starts next.
    orphans: BTreeMap<LegId, (Dialog, Cause)>,
}

impl Nodes {
    /// Tells whether this owner may act.
    pub(super) fn is_live(&self, owner: Owner) -> bool {
        let node = self.0.get(&owner.node);
        node.is_some_and(|node| node.incarnation == owner.incarnation && !node.lost)
    }

    /// Tells whether anybody is there to act.
    pub(super) fn is_any_live(&self) -> bool {
        self.0.values().any(|node| !node.lost)
    }

    /// The newest life of each, and whether it is alive.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Owner, bool)> {
        let owner = |id: &NodeId, node: &Node| Owner { node: *id, incarnation: node.incarnation };
        self.0.iter().map(move |(id, node)| (owner(id, node), !node.lost))
    }
}

impl Legs {
    /// Those of a call that has just arrived: the caller's.
    pub(super) fn of_caller(owner: Owner, dialog: Dialog) -> Self {
        let caller = Leg { party: Party::Caller, dialog: Some(dialog) };
        Self { owner, caller: Some(caller), agents: BTreeMap::new() }
    }

    pub(super) fn get(&self, nth: u32) -> Option<&Leg> {
        if nth == 0 { self.caller.as_ref() } else { self.agents.get(&nth) }
    }

    /// Every leg by its number, the caller's first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Leg)> {
        let agents = self.agents.iter().map(|(nth, leg)| (*nth, leg));
        self.caller.iter().map(|leg| (0, leg)).chain(agents)
    }

    /// An agent's phone begins to ring.
    pub(super) fn add(&mut self, nth: u32, agent: AgentId) {
        self.agents.insert(nth, Leg { party: Party::Agent(agent), dialog: None });
    }

    fn to_mut(&mut self, nth: u32) -> Option<&mut Leg> {
        if nth == 0 { self.caller.as_mut() } else { self.agents.get_mut(&nth) }
    }

    fn remove(&mut self, nth: u32) -> Option<Leg> {
        if nth == 0 { self.caller.take() } else { self.agents.remove(&nth) }
    }
}

/// A leg, while it is there.
pub(super) fn find(state: &State, id: LegId) -> Option<&Leg> {
    state.calls.get(&id.call)?.legs.get(id.nth)
}

/// Forgets a leg that is over, and says whose it was.
pub(super) fn remove(state: &mut State, id: LegId) -> Option<(Owner, Leg)> {
    let legs = &mut state.calls.to_mut(&id.call)?.legs;
    Some((legs.owner, legs.remove(id.nth)?))
}

/// Who acts for a leg, while it is there.
pub(super) fn owner_of(state: &State, id: LegId) -> Option<Owner> {
    let legs = &state.calls.get(&id.call)?.legs;
    legs.get(id.nth).map(|_| legs.owner)
}

/// Every leg with its owner, in order of names.
pub(super) fn all(state: &State) -> impl Iterator<Item = (Owner, LegId, &Leg)> {
    state.calls.iter().flat_map(|(call, of)| {
        let named = |(nth, leg)| (of.legs.owner, LegId { call: *call, nth }, leg);
        of.legs.iter().map(named)
    })
}

/// The legs an owner acts for, in order of names.
pub(super) fn owned_by(state: &State, owner: Owner) -> impl Iterator<Item = (LegId, &Leg)> {
    let owned = all(state).filter(move |(whose, ..)| *whose == owner);
    owned.map(|(_, id, leg)| (id, leg))
}

/// Ends a leg that somebody still has: its owner is told, or an orphan is kept if that is lost.
pub(super) fn release(state: &mut State, id: LegId, cause: Cause, out: &mut Output) {
    let Some((owner, leg)) = remove(state, id) else {
        return; // Its party was quicker.
    };
    if state.nodes.is_live(owner) {
        out.order(owner, Effect::ReleaseLeg { leg: id, cause });
        return;
    }
    if let (Some(dialog), Some(node)) = (leg.dialog, state.nodes.0.get_mut(&owner.node)) {
        node.orphans.insert(id, (dialog, cause));
    }
}

/// Gives an order about a leg to its owner, if that is alive: who goes on with the call is told
/// anew.
pub(super) fn order(state: &State, leg: LegId, effect: Effect, out: &mut Output) {
    if let Some(owner) = owner_of(state, leg).filter(|owner| state.nodes.is_live(*owner)) {
        out.order(owner, effect);
    }
}

/// Makes `heir` the owner of a call's legs, who is to adopt those that have a dialog, and to end
/// what was left of others.
pub(super) fn inherit(state: &mut State, id: CallId, heir: Owner, out: &mut Output) {
    release_orphans(state, heir, out);
    let Some(call) = state.calls.to_mut(&id) else {
        return;
    };
    call.legs.owner = heir;
    for (nth, leg) in call.legs.iter() {
        let leg = leg.dialog.clone().map(|dialog| (LegId { call: id, nth }, dialog));
        if let Some((leg, dialog)) = leg {
            out.order(heir, Effect::AdoptLeg { leg, dialog });
        }
    }
}

fn release_orphans(state: &mut State, heir: Owner, out: &mut Output) {
    for node in state.nodes.0.values_mut() {
        for (leg, (dialog, cause)) in std::mem::take(&mut node.orphans) {
            out.order(heir, Effect::ReleaseOrphan { leg, dialog, cause });
        }
    }
}

/// Keeps the newest picture of a leg's dialog.
pub(super) fn update(state: &mut State, id: LegId, dialog: &Dialog) -> Result<(), Refusal> {
    let call = state.calls.to_mut(&id.call);
    let leg = call.and_then(|call| call.legs.to_mut(id.nth)).ok_or(Refusal::UnknownLeg(id))?;
    leg.dialog = Some(dialog.clone());
    Ok(())
}

/// A node's process has started: it goes on with what its former life had, and with what is
/// nobody's.
pub(super) fn start_node(state: &mut State, owner: Owner, out: &mut Output) -> Result<(), Refusal> {
    if state.nodes.is_live(owner) {
        return Ok(());
    }
    let known = state.nodes.0.get(&owner.node).map(|node| (node.incarnation, node.lost));
    if let Some((former, lost)) = known {
        if owner.incarnation <= former {
            return Err(Refusal::StaleOwner(owner));
        }
        let former = Owner { node: owner.node, incarnation: former };
        let legs = owned_by(state, former).count();
        if !lost && legs > 0 {
            tell_lost(former, legs, out); // One that was stopped in peace leaves none.
        }
    }
    let node = Node { incarnation: owner.incarnation, lost: false, orphans: BTreeMap::new() };
    let former = state.nodes.0.insert(owner.node, node);
    out.fact(Fact::NodeStarted { owner });
    if let (Some(former), Some(node)) = (former, state.nodes.0.get_mut(&owner.node)) {
        node.orphans = former.orphans;
    }
    take_over(state, &[owner], out);
    Ok(())
}

/// A node is gone: others go on with its calls.
pub(super) fn lose_node(state: &mut State, owner: Owner, out: &mut Output) -> Result<(), Refusal> {
    let known = state.nodes.0.get_mut(&owner.node);
    let node = known.filter(|node| node.incarnation == owner.incarnation);
    let node = node.ok_or(Refusal::StaleOwner(owner))?;
    if !std::mem::replace(&mut node.lost, true) {
        tell_lost(owner, owned_by(state, owner).count(), out);
        let live = state.nodes.iter().filter(|(_, is_live)| *is_live);
        let live: Vec<Owner> = live.map(|(owner, _)| owner).collect();
        take_over(state, &live, out);
    }
    Ok(())
}

fn tell_lost(owner: Owner, legs: usize, out: &mut Output) {
    out.fact(Fact::NodeLost { owner, legs: u32::try_from(legs).unwrap_or(u32::MAX) });
}

/// Gives every call whose owner is gone to one of these, in turn.
fn take_over(state: &mut State, heirs: &[Owner], out: &mut Output) {
    let gone = state.calls.iter().filter(|(_, call)| !state.nodes.is_live(call.legs.owner));
    let gone: Vec<CallId> = gone.map(|(id, _)| *id).collect();
    let Some(first) = heirs.first() else {
        // Whoever starts next goes on.
        return gone.into_iter().for_each(|id| takeover::suspend(state, id, out));
    };
    release_orphans(state, *first, out);
    // Nobody was rung while nobody was alive.
    state.unsettled.to_match.extend(state.queues.keys().cloned());
    for (id, heir) in gone.into_iter().zip(heirs.iter().cycle()) {
        takeover::take_over(state, id, *heir, out);
    }
}
