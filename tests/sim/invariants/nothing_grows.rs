//! Nothing grows without bound: with all calls gone and nothing configured, little is left.

use carillon::acd::command::Command;
use carillon::acd::command::Entry;
use carillon::acd::command::Outcome;
use carillon::acd::config::Source;
use carillon::acd::view::View;
use carillon::base::id::RequestId;

use crate::invariants::Rule;
use crate::swarm::queue_id;
use crate::world::World;

/// What a remembered call may take.
const BYTES_PER_ENDED_CALL: usize = 1_200;

/// What is left besides: settings, nodes, the requests of the last moments.
const BYTES_LEFT: usize = 20_000;

/// Checks how big the state is when everything else has gone, and that old requests have, too.
pub(crate) fn check(world: &mut World) -> Rule {
    let stored = postcard::to_stdvec(&world.leading).map_err(|error| error.to_string())?;
    let most = BYTES_LEFT + View::new(&world.leading).recent_calls().len() * BYTES_PER_ENDED_CALL;
    if stored.len() > most {
        return Err(format!("{} bytes are left, {most} at most", stored.len()));
    }
    // The first request was done; under its name something impossible must be refused by now.
    let command = Command::RemoveQueue { queue: queue_id(1_000), source: Source::Folder };
    let proposed_at = world.leading.now();
    let step = world.commit(Entry { proposed_at, request: RequestId(1 << 32), command })?;
    match step.outcome {
        Outcome::Refused(_) => Ok(()),
        Outcome::Done => Err("the first request is still remembered a day later".to_owned()),
    }
}
