//! The core's clock never goes back, never runs ahead of the stamps, and repeats do nothing.

use carillon::acd::State;
use carillon::base::time::ClusterTime;

use crate::invariants::Rule;
use crate::world::Step;

/// Checks the clock before and after an entry.
pub(crate) fn check(before: ClusterTime, step: &Step, state: &State) -> Rule {
    let (stamp, now) = (step.entry.proposed_at, state.now());
    if now < before {
        return Err(format!("the clock went back from {before:?} to {now:?}"));
    }
    if now > before.max(stamp) {
        return Err(format!("the clock ran ahead to {now:?}, stamped {stamp:?}"));
    }
    Ok(())
}
