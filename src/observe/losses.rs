//! Lost calls as log lines: some by themselves, the rest as a count.
//!
//! Whoever calls and never says ACK makes a lost call of each INVITE; in heaps they are no news,
//! and each line of its own would be theirs to write.
//!
//! Always holds: in ten seconds there are at most twenty lines of single calls and one for each
//! reason; every call is in one of them, the last ones as soon as [`Losses::tell`] is asked.
//!
//! Not here: what a line says of one call ([`super::log`]), the metric of all.

use std::collections::BTreeMap;

use tracing::warn;

use crate::base::time::LocalTime;
use crate::base::time::Millis;

/// How long lines are counted before the count begins anew.
pub const PAUSE: Millis = Millis::from_secs(10);

/// How many calls have a line of their own meanwhile.
const LINES_MAX: u32 = 20;

/// What was written of lost calls, and what was not.
#[derive(Debug, Default)]
pub struct Losses {
    since: LocalTime,
    written: u32,
    left_out: BTreeMap<&'static str, u64>,
}

impl Losses {
    /// Tells whether a call that was lost for this reason has a line of its own, or is counted.
    pub fn admit(&mut self, now: LocalTime, why: &'static str) -> bool {
        self.tell(now);
        if self.written >= LINES_MAX {
            *self.left_out.entry(why).or_default() += 1;
            return false;
        }
        self.written += 1;
        true
    }

    /// Writes down how many calls had no line, if it is time to; how many these are.
    pub fn tell(&mut self, now: LocalTime) -> u64 {
        if now.since(self.since) < PAUSE {
            return 0;
        }
        (self.since, self.written) = (now, 0);
        let left_out = std::mem::take(&mut self.left_out);
        for (why, calls) in &left_out {
            warn!(why, calls, "More calls were lost");
        }
        left_out.values().sum()
    }
}
