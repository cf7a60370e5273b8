//! The only place that reads a clock.
//!
//! Everybody else is handed a [`LocalTime`] (monotonic, for SIP and RTP) or a [`ClusterTime`]
//! (the wall clock a leader stamps on entries).
//!
//! Always holds: local time never goes back within a process; wall time may, which is why
//! `acd::apply` never believes an older stamp.

use std::sync::LazyLock;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use crate::base::time::ClusterTime;
use crate::base::time::LocalTime;

static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The local time now; it counts from the first time anybody asked.
pub fn local() -> LocalTime {
    LocalTime(u64::try_from(STARTED.elapsed().as_micros()).unwrap_or(u64::MAX))
}

/// The wall clock now.
pub fn wall() -> ClusterTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    ClusterTime(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// How long it is until `moment`; nothing if it has passed.
pub fn until(moment: LocalTime) -> Duration {
    Duration::from_micros(moment.0.saturating_sub(local().0))
}
