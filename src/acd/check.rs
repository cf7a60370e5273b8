//! Finds broken invariants in a state: for tests, the simulator, and debug builds.

use crate::acd::State;

/// A thing that must always hold and does not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Broken {}

/// Lists what is wrong with `state`; empty when all is well.
pub fn broken_invariants(_state: &State) -> Vec<Broken> {
    Vec::new()
}
