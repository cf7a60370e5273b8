//! Replaying the log from its beginning comes to the same state.

use crate::invariants::Rule;
use crate::world::World;

/// Compares a replay with the state that was there all along.
pub(crate) fn check(world: &World) -> Rule {
    match world.replayed() == world.leading {
        true => Ok(()),
        false => Err("a replay of the log is another state".to_owned()),
    }
}
