//! Log lines that strangers cause, at most one in a while.
//!
//! Always holds: whoever fills a port does not fill the disk; what was left out is counted in the
//! next line.
//!
//! Not here: counting for metrics ([`crate::node::count`]).

use std::sync::Mutex;
use std::sync::PoisonError;

use crate::base::time::LocalTime;
use crate::base::time::Millis;

/// Between two lines of one kind.
const PAUSE: Millis = Millis::from_secs(10);

/// Lets one line of a kind through now and then.
#[derive(Debug, Default)]
pub struct Seldom {
    last: Mutex<Option<(LocalTime, u64)>>,
}

impl Seldom {
    /// Whether a line is due; then how many were left out since the one before.
    pub fn due(&self, now: LocalTime) -> Option<u64> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *last {
            Some((at, left_out)) if now.since(*at) < PAUSE => {
                *left_out += 1;
                None
            }
            last => {
                let left_out = last.map_or(0, |(_, left_out)| left_out);
                *last = Some((now, 0));
                Some(left_out)
            }
        }
    }
}
