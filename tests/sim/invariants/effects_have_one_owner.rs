//! An effect has one living owner, is ordered once, and names a leg that is there.

use std::collections::BTreeMap;

use carillon::acd::effect::Effect;
use carillon::base::id::LegId;
use carillon::base::id::Owner;

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
    let whose = Whose { before: &before, after: &books.legs, found_due: step.found_due };
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
                owned(&whose, leg, order.owner)?;
                adopted.push(leg);
            }
            Effect::ReleaseLeg { .. } => {
                if released.contains(&leg) {
                    return Err(format!("{leg} is released twice"));
                }
                owned(&whose, leg, order.owner)?;
                released.push(leg);
            }
            Effect::JoinLegs { caller, agent } => {
                owned(&whose, *caller, order.owner)?;
                owned(&whose, *agent, order.owner)?;
            }
            Effect::HoldCaller { .. } | Effect::PlayPrompt { .. } | Effect::TransferLeg { .. } => {
                owned(&whose, leg, order.owner)?;
            }
        }
    }
    Ok(())
}

/// Whose the legs are by the books of before and after an entry.
struct Whose<'a> {
    before: &'a BTreeMap<LegId, Owner>,
    after: &'a BTreeMap<LegId, Owner>,
    found_due: bool,
}

fn owned(whose: &Whose<'_>, leg: LegId, owner: Owner) -> Rule {
    let (before, after) = (whose.before.get(&leg), whose.after.get(&leg));
    let real = after.or(before);
    // What was due was ordered before the entry gave the leg to another.
    if real == Some(&owner) || (whose.found_due && before == Some(&owner)) {
        return Ok(());
    }
    Err(format!("{owner} is ordered about {leg}, which belongs to {real:?}"))
}
