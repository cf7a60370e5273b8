//! How often one token may ask: a bucket of permits for each, filled at a steady rate.
//!
//! Requests without a good token share one small bucket, so that guessing tokens is slow and costs
//! those who have one nothing; the pages that are open to everybody are read out of it too.
//!
//! Streams of events are counted, in all and of one token.
//!
//! Always holds: memory is bounded by the number of tokens.
//!
//! Not here: the bucket itself ([`crate::base::rate`]), sizes of bodies and headers
//! ([`super::edge`]).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::base::rate::Bucket;
use crate::base::rate::Rate;
use crate::base::time::LocalTime;

/// A wallboard asks a few times a second; this leaves room for a script on top.
pub const USUAL_RATE: Rate = Rate { per_second: 200, burst: 400 };

/// What requests without a good token share.
const GUESSES: Rate = Rate { per_second: 20, burst: 100 };

/// Counts requests.
#[derive(Debug)]
pub(super) struct Limiter {
    rate: Rate,
    buckets: Mutex<BTreeMap<String, Bucket>>,
    guesses: Mutex<Bucket>,
}

impl Limiter {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, buckets: Mutex::default(), guesses: Mutex::default() }
    }

    /// Lets a request of this token through, or says after how many seconds to come again.
    pub(super) fn admit(&self, name: &str, now: LocalTime) -> Result<(), u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(name) {
            return bucket.admit(self.rate, now);
        }
        buckets.entry(name.to_owned()).or_default().admit(self.rate, now)
    }

    /// The same for a request without a good token.
    pub(super) fn admit_guess(&self, now: LocalTime) -> Result<(), u64> {
        self.guesses.lock().unwrap_or_else(PoisonError::into_inner).admit(GUESSES, now)
    }
}

/// Counts streams of events by the name of their token.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    by_name: Mutex<BTreeMap<String, usize>>,
}

/// The place of one stream, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Listening {
    listeners: Arc<Listeners>,
    name: String,
}

impl Listeners {
    /// Streams at one node. Each is told every fact, so that they cost as much as they hear.
    pub(super) const ALL_MAX: usize = 256;
    /// Streams of one token: the wallboards that share it.
    pub(super) const OF_ONE_MAX: usize = 64;

    /// Takes a place; without one, says how many there are for whom.
    pub(super) fn enter(self: &Arc<Self>, name: &str) -> Result<Listening, String> {
        let mut by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        if by_name.values().sum::<usize>() >= Self::ALL_MAX {
            let all = Self::ALL_MAX;
            return Err(format!("This node has {all} listeners already; try another"));
        }
        let of_one = by_name.get(name).copied().unwrap_or_default();
        if of_one >= Self::OF_ONE_MAX {
            return Err(format!("The token {name} listens {of_one} times already; end a stream"));
        }
        by_name.insert(name.to_owned(), of_one + 1);
        Ok(Listening { listeners: Arc::clone(self), name: name.to_owned() })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut by_name = self.listeners.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_one) = by_name.get_mut(&self.name) {
            *of_one = of_one.saturating_sub(1);
            if *of_one == 0 {
                by_name.remove(&self.name);
            }
        }
    }
}
