//! An effect has one living owner, is ordered once, and names a leg that is there.

use carillon::acd::effect::Effect;
use carillon::base::id::LegId;

use crate::auditor::Auditor;
use crate::invariants::Rule;
use crate::world::Step;

/// Checks the orders of an entry, reading its outcome into the books on the way.
///
/// Legs and owners are looked up in the books of before and after the outcome: a leg whose party
/// has just gone, or an owner just lost, may have been ordered about by a deadline that the same
/// entry found due.
pub(crate) fn check(step: &Step, books: &mut Auditor) -> Rule {
    let before = books.legs.clone();
    let owners_before = books.nodes.clone();
    books.read_entry(&step.entry);
    books.read_outcome(&step.entry, &step.outcome, &step.out);
    let mut made: Vec<LegId> = Vec::new();
    let mut released: Vec<LegId> = Vec::new();
    let mut adopted: Vec<LegId> = Vec::new();
    for order in &step.out.orders {
        let leg = order.effect.leg();
        let is_alive = books.nodes.get(&order.owner.node) == Some(&order.owner);
        let was_alive = owners_before.get(&order.owner.node) == Some(&order.owner);
        let may_act = is_alive || (was_alive && step.found_due);
        if !may_act {
            return Err(format!("{} is ordered about {leg} and is not alive", order.owner));
        }
        match &order.effect {
            Effect::RingAgent(_) => {
                if before.contains_key(&leg) || made.contains(&leg) {
                    return Err(format!("{leg} is made to ring twice"));
                }
                made.push(leg);
            }
            Effect::ReleaseOrphan { .. } => {
                if adopted.contains(&leg) || books.legs.contains_key(&leg) {
                    return Err(format!("{leg} is no orphan"));
                }
            }
            Effect::AdoptLeg { .. } => {
                owned(books, &before, leg, order.owner)?;
                adopted.push(leg);
            }
            Effect::ReleaseLeg { .. } => {
                if released.contains(&leg) {
                    return Err(format!("{leg} is released twice"));
                }
                owned(books, &before, leg, order.owner)?;
                released.push(leg);
            }
            Effect::JoinLegs { caller, agent } => {
                owned(books, &before, *caller, order.owner)?;
                owned(books, &before, *agent, order.owner)?;
            }
            Effect::HoldCaller { .. } | Effect::PlayPrompt { .. } | Effect::TransferLeg { .. } => {
                owned(books, &before, leg, order.owner)?;
            }
        }
    }
    Ok(())
}

type Legs = std::collections::BTreeMap<LegId, carillon::base::id::Owner>;

fn owned(books: &Auditor, before: &Legs, leg: LegId, owner: carillon::base::id::Owner) -> Rule {
    let real = books.legs.get(&leg).or_else(|| before.get(&leg));
    match real == Some(&owner) {
        true => Ok(()),
        false => Err(format!("{owner} is ordered about {leg}, which belongs to {real:?}")),
    }
}
