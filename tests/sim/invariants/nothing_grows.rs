//! Nothing grows without bound: with all calls gone and nothing configured, little is left.

use crate::invariants::Rule;
use crate::world::World;

/// What a remembered call may take.
const BYTES_PER_ENDED_CALL: usize = 1_200;

/// What is left besides: settings, nodes, the requests of the last moments.
const BYTES_LEFT: usize = 20_000;

/// Checks how big the state is when everything else has gone.
pub(crate) fn check(world: &World) -> Rule {
    let stored = postcard::to_stdvec(&world.leading).map_err(|error| error.to_string())?;
    let view = carillon::acd::view::View::new(&world.leading);
    let most = BYTES_LEFT + view.recent_calls().len() * BYTES_PER_ENDED_CALL;
    match stored.len() <= most {
        true => Ok(()),
        false => Err(format!("{} bytes are left, {most} at most", stored.len())),
    }
}
