//! Why this agent: what a decision was made by, kept small.
//!
//! Eight runners-up by name, everybody else as a count per reason. The counts are those the
//! roster keeps anyway, so an explanation costs the same with ten agents and with ten thousand.
//!
//! Not here: the reason of each single member, which is looked up on demand (`view`).

use crate::acd::fact::Explanation;
use crate::acd::fact::PassedOver;
use crate::acd::queue::roster::Roster;
use crate::base::time::ClusterTime;
use crate::base::time::Millis;

/// How many of the less idle are named.
const RUNNERS_UP_MAX: usize = 8;

/// Explains the choice of the first `chosen` agents of the roster's index.
pub(super) fn explain(roster: &Roster, chosen: usize, now: ClusterTime) -> Explanation {
    let idle = roster.eligible.first().map_or(Millis::ZERO, |(since, _)| now.since(*since));
    let runners_up = roster.eligible.iter().skip(chosen).take(RUNNERS_UP_MAX);
    let less_idle = runners_up.map(|(since, agent)| (agent.clone(), now.since(*since))).collect();

    let mut passed_over = Vec::new();
    let less_idle_count = roster.eligible.len().saturating_sub(chosen);
    if less_idle_count > 0 {
        let count = u32::try_from(less_idle_count).unwrap_or(u32::MAX);
        passed_over.push((PassedOver::LessIdle, count));
    }
    for (standing, count) in &roster.standings {
        if let Some(reason) = standing.passed_over() {
            passed_over.push((reason, *count));
        }
    }
    Explanation { idle, less_idle, passed_over }
}
