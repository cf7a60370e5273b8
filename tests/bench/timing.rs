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

/// A piece of code that is run so many times in a row.
#[allow(dead_code, reason = "each benchmark times in its own way")]
pub(crate) type Piece<'a> = Box<dyn FnMut(u32) + 'a>;

/// Makes one run into many.
#[allow(dead_code, reason = "each benchmark times in its own way")]
pub(crate) fn piece<'a, T>(mut run: impl FnMut() -> T + 'a) -> Piece<'a> {
    Box::new(move |runs| {
        for _ in 0..runs {
            black_box(run());
        }
    })
}

/// Nanoseconds of many runs.
#[derive(Default)]
pub(crate) struct Times(Vec<f64>);

impl Times {
    /// Runs the pieces in batches, in turn and for so long in all, so that a neighbour on the
    /// machine slows each of them alike; each batch gives its mean.
    #[allow(dead_code, reason = "each benchmark times in its own way")]
    pub(crate) fn in_turn(lasting: Duration, pieces: &mut [Piece<'_>]) -> Vec<Self> {
        let runs: Vec<u32> = pieces.iter_mut().map(warm).collect();
        let mut times: Vec<Self> = pieces.iter().map(|_| Self::default()).collect();
        let begun = Instant::now();
        while begun.elapsed() < lasting {
            for ((piece, runs), times) in pieces.iter_mut().zip(&runs).zip(&mut times) {
                times.0.push(batch(*runs, piece).as_nanos() as f64 / f64::from(*runs));
            }
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

/// How many runs last as long as a batch should: doubled until they do.
#[allow(dead_code, reason = "each benchmark times in its own way")]
fn warm(piece: &mut Piece<'_>) -> u32 {
    let mut runs = 1;
    while batch(runs, piece) < BATCH {
        runs *= 2;
    }
    runs
}

fn batch(runs: u32, piece: &mut Piece<'_>) -> Duration {
    let begun = Instant::now();
    piece(runs);
    begun.elapsed()
}
