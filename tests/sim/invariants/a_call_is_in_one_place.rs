//! A call is in exactly one place: the line of one queue, or with agents, or on its way.

use std::collections::BTreeMap;

use carillon::acd::command::CallStateName;

use crate::invariants::Moment;
use crate::invariants::Rule;

/// Checks every line against the calls' own pictures, and the lines against their order.
pub(crate) fn check(moment: &Moment<'_>) -> Rule {
    let mut standing = BTreeMap::new();
    for queue in &moment.queues {
        let here = moment.view.calls_in(&queue.id);
        let line = here.iter().filter(|call| call.state == CallStateName::Waiting);
        let mut before = None;
        for (nth, call) in line.enumerate() {
            if standing.insert(call.id, &queue.id).is_some() {
                return Err(format!("{} stands in two lines", call.id));
            }
            if call.place != Some(nth as u32 + 1) {
                return Err(format!("{} is {nth} behind the first, not {:?}", call.id, call.place));
            }
            let rank = (-i64::from(call.priority), call.arrived);
            if before.is_some_and(|before| before > rank) {
                return Err(format!("{} stands behind one who comes after it", call.id));
            }
            before = Some(rank);
        }
    }
    for call in &moment.calls {
        let waits = call.state == CallStateName::Waiting;
        if waits != (standing.get(&call.id) == Some(&&call.queue)) {
            return Err(format!("{} is {:?} and that is not its line", call.id, call.state));
        }
        let ended = call.state == CallStateName::Ended || call.ended.is_some();
        if ended {
            return Err(format!("{} is live and has ended", call.id));
        }
    }
    Ok(())
}
