//! How often something may happen: so many times a second in the long run, so many at once.
//!
//! A [`Bucket`] holds what may happen at once; it is filled again at the rate, and whoever finds it
//! empty is turned away and takes nothing out.
//!
//! Always holds: nothing is lost by rounding, however often the bucket is asked; time that goes
//! back fills nothing.
//!
//! Not here: whose bucket it is, and what becomes of who is turned away (`api::limit`,
//! `node::port::rates`).

use crate::base::time::LocalTime;

/// One permit, in the unit buckets count in: what one a second fills in a microsecond.
const ONE: u64 = 1_000_000;

/// How much is let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In the long run.
    pub per_second: u32,
    /// At once, after a pause.
    pub burst: u32,
}

impl Rate {
    /// So many a second, which may all come at once.
    pub fn of(per_second: u32) -> Self {
        Self { per_second, burst: per_second }
    }
}

/// What was taken of the permits and is not filled up yet, and when that was so.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket {
    spent: u64,
    at: LocalTime,
}

impl Bucket {
    /// Takes one permit, or says after how many seconds there is one.
    pub fn admit(&mut self, rate: Rate, now: LocalTime) -> Result<(), u64> {
        (self.spent, self.at) = (self.spent_at(rate, now), self.at.max(now));
        let after = self.spent.saturating_add(ONE);
        let over = after.saturating_sub(u64::from(rate.burst).saturating_mul(ONE));
        if over > 0 {
            return Err(over.div_ceil(per_second(rate).saturating_mul(ONE)).max(1));
        }
        self.spent = after;
        Ok(())
    }

    /// Tells whether it is as if nobody had taken anything.
    pub fn is_full(&self, rate: Rate, now: LocalTime) -> bool {
        self.spent_at(rate, now) == 0
    }

    fn spent_at(&self, rate: Rate, now: LocalTime) -> u64 {
        let micros = now.0.saturating_sub(self.at.0);
        self.spent.saturating_sub(micros.saturating_mul(per_second(rate)))
    }
}

/// A bucket that was never filled would keep somebody out for ever.
fn per_second(rate: Rate) -> u64 {
    u64::from(rate.per_second.max(1))
}
