//! Timing of a piece of code: many short samples, of which the middle and the tail are told.
//!
//! Always holds: the middle (median) of a sample's mean is given, which a neighbour's turn on the
//! core hardly moves; what a piece returns is kept from the optimizer. A clock read costs about
//! 25 ns and is in the figure of a single run ([`Times::note`]), not in that of a batch.
//!
//! Shared by the benchmarks (`#[path]`). Not here: what is timed.

use std::hint::black_box;
use std::time::Duration;
use std::time::Instant;

/// How long a batch lasts: long against a clock read, short against a turn on the core.
const BATCH: Duration = Duration::from_micros(200);

/// Nanoseconds of many runs.
#[derive(Default)]
pub(crate) struct Times(Vec<f64>);

impl Times {
    /// Runs `piece` in batches for so long in all; each batch gives its mean.
    #[allow(dead_code, reason = "each benchmark times in its own way")]
    pub(crate) fn of<T>(lasting: Duration, mut piece: impl FnMut() -> T) -> Self {
        let mut runs = 1u32;
        // Doubled until a batch is long enough; that warms up as well.
        while batch(runs, &mut piece) < BATCH {
            runs *= 2;
        }
        let begun = Instant::now();
        let mut times = Self::default();
        while begun.elapsed() < lasting {
            times.0.push(batch(runs, &mut piece).as_nanos() as f64 / f64::from(runs));
        }
        times
    }

    /// Takes one run that was timed by itself.
    #[allow(dead_code, reason = "each benchmark times in its own way")]
    pub(crate) fn note(&mut self, took: Duration) {
        self.0.push(took.as_nanos() as f64);
    }

    /// The value that this share of the runs does not exceed.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let nth = (sorted.len() as f64 * share) as usize;
        sorted.get(nth.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    }
}

fn batch<T>(runs: u32, piece: &mut impl FnMut() -> T) -> Duration {
    let begun = Instant::now();
    for _ in 0..runs {
        black_box(piece());
    }
    begun.elapsed()
}
