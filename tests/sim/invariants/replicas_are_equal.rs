//! Replicas are equal at equal index, however late they are.

use crate::invariants::Rule;
use crate::world::World;

/// Lets the late one catch up and compares all three.
pub(crate) fn check(world: &mut World) -> Rule {
    world.catch_up()?;
    if world.lagging != world.leading {
        return Err("the lagging replica has caught up and is another".to_owned());
    }
    if world.restored != world.leading {
        return Err("the restored replica is another".to_owned());
    }
    Ok(())
}
