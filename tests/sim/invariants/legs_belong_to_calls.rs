//! No leg without a call, no caller without a leg, and no talking call with one leg.

use std::collections::BTreeSet;

use carillon::acd::command::CallStateName;
use carillon::base::id::LegId;
use carillon::base::id::Owner;

use crate::invariants::Moment;
use crate::invariants::Rule;

/// Checks the legs of every owner against the calls and against the books.
pub(crate) fn check(moment: &Moment<'_>) -> Rule {
    let owners: BTreeSet<Owner> = moment.view.legs().into_iter().map(|(owner, _)| owner).collect();
    let lives = |owner: &Owner| moment.books.nodes.get(&owner.node) == Some(owner);
    if let Some(gone) = owners.iter().find(|owner| !lives(owner) && !moment.books.nodes.is_empty())
    {
        return Err(format!("{gone} has legs and is not alive"));
    }
    let legs: Vec<_> = owners.iter().flat_map(|owner| moment.view.legs_of(*owner)).collect();
    let names: BTreeSet<LegId> = legs.iter().map(|leg| leg.leg).collect();
    let believed: BTreeSet<LegId> = moment.books.legs.keys().copied().collect();
    if let Some(leg) = names.symmetric_difference(&believed).next() {
        let (has, owns) = (names.contains(leg), believed.contains(leg));
        return Err(format!("leg {leg}: the core has it: {has}; it should: {owns}"));
    }
    for leg in &legs {
        let Some(call) = moment.calls.iter().find(|call| call.id == leg.leg.call) else {
            return Err(format!("leg {} has no call", leg.leg));
        };
        let with = leg.agent.as_ref().is_none_or(|agent| call.agents.contains(agent));
        if !with {
            return Err(format!("leg {} is not of an agent of its call", leg.leg));
        }
    }
    for call in &moment.calls {
        let own = legs.iter().filter(|leg| leg.leg.call == call.id).count();
        let talking = matches!(call.state, CallStateName::Talking | CallStateName::Held);
        let wanted = if talking { 2 } else { 1 + call.agents.len() };
        if own != wanted || !names.contains(&LegId::of_caller(call.id)) {
            return Err(format!("{} is {:?} with {own} legs", call.id, call.state));
        }
    }
    Ok(())
}
