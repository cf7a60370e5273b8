//! A snapshot is the whole state: what is read back is equal, and goes on equally.

use carillon::acd::State;

use crate::invariants::Rule;
use crate::world::World;

/// Writes the leading state out and goes on with what is read back.
pub(crate) fn check(world: &mut World) -> Rule {
    let stored = postcard::to_stdvec(&world.leading).map_err(|error| error.to_string())?;
    let restored: State = postcard::from_bytes(&stored).map_err(|error| error.to_string())?;
    if restored != world.leading {
        return Err("a snapshot read back is another state".to_owned());
    }
    world.restored = restored;
    Ok(())
}
