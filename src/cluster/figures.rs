//! What the cluster measures of itself: how long commits and fsyncs take.
//!
//! Plain atomics with fixed buckets, counted on the path of every proposal, read by `observe`.
//!
//! Always holds: counting never blocks and never allocates; a bucket counts what took at most its
//! bound.
//!
//! Not here: the state of Raft itself (`Handle::members`), names of metrics (`observe`).

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::base::time::LocalTime;

/// Upper bounds of the buckets in microseconds; one more counts everything beyond.
pub const BOUNDS_US: [u64; 14] = [
    250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 125_000, 250_000, 500_000,
    1_000_000, 2_000_000,
];

/// Counts lengths of time.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

/// A histogram at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistogramPicture {
    /// How many fell into each bucket of [`BOUNDS_US`], not summed up; the last has no bound.
    pub buckets: [u64; BOUNDS_US.len() + 1],
    /// All lengths together.
    pub sum_us: u64,
}

impl HistogramPicture {
    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

impl Histogram {
    /// Counts one.
    pub fn count(&self, length_us: u64) {
        let bucket = BOUNDS_US.partition_point(|bound| *bound < length_us);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(length_us, Ordering::Relaxed);
    }

    /// Reads it.
    pub fn picture(&self) -> HistogramPicture {
        HistogramPicture {
            buckets: std::array::from_fn(|nth| self.buckets[nth].load(Ordering::Relaxed)),
            sum_us: self.sum_us.load(Ordering::Relaxed),
        }
    }
}

/// Everything measured, with the clock it is measured by.
#[derive(Debug)]
pub struct Figures {
    clock: fn() -> LocalTime,
    /// From the proposal on its node to the outcome, forwarding included.
    pub commit: Histogram,
    /// From the append to the end of its fsync, queueing included.
    pub flush: Histogram,
    /// Building a snapshot, of which the state is held still only for the copy.
    pub snapshot: Histogram,
}

impl Figures {
    /// Starts at nothing.
    pub fn new(clock: fn() -> LocalTime) -> Self {
        Self {
            clock,
            commit: Histogram::default(),
            flush: Histogram::default(),
            snapshot: Histogram::default(),
        }
    }

    /// Reads the clock.
    pub fn now(&self) -> LocalTime {
        (self.clock)()
    }

    /// Microseconds since then.
    pub fn us_since(&self, since: LocalTime) -> u64 {
        self.now().0.saturating_sub(since.0)
    }

    /// Counts a proposal that was answered.
    pub fn count_commit(&self, since: LocalTime) {
        self.commit.count(self.us_since(since));
    }

    /// Counts an append that reached the disk.
    pub fn count_flush(&self, since: LocalTime) {
        self.flush.count(self.us_since(since));
    }
}
