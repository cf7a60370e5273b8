//! What happened, kept for a while: listeners read it in log order and may come back.
//!
//! A ring of the newest entries that caused facts. A listener names the last entry it has seen and
//! is given everything after it, or told that this is gone and where the ring begins.
//!
//! Always holds: a stream skips nothing; one that falls behind the ring ends, and asking again
//! from where it ended says [`Gone`]. Nobody who listens slowly holds up `apply`.
//!
//! Not here: how events look to clients (`api::events`).

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use futures_util::Stream;
use futures_util::stream;
use tokio::sync::watch;

use crate::acd::fact::Fact;
use crate::base::id::LogIndex;
use crate::base::time::ClusterTime;

/// How many entries with facts are kept.
const KEPT: usize = 10_000;
/// How many a listener takes at once, so that the ring is locked briefly.
const TAKEN: usize = 256;
/// So far back is looked one by one before the ring is searched.
const NEWEST: usize = 8;

/// What one entry of the log caused to be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// The entry.
    pub index: LogIndex,
    /// The replicated clock when it was applied.
    pub at: ClusterTime,
    /// Never empty.
    pub facts: Vec<Fact>,
}

/// What was asked for is no longer kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("events before {oldest} are no longer kept; the newest is {newest}")]
pub struct Gone {
    /// The first entry from which nothing is missing.
    pub oldest: LogIndex,
    /// The last entry applied.
    pub newest: LogIndex,
}

/// Happenings one after another, without a gap.
pub type HappeningStream = Pin<Box<dyn Stream<Item = Arc<Happening>> + Send>>;

/// The ring.
#[derive(Debug)]
pub struct Happenings {
    ring: Mutex<Ring>,
}

#[derive(Debug, Default)]
struct Ring {
    /// Of this entry and those before it, something may be missing.
    floor: LogIndex,
    kept: VecDeque<Arc<Happening>>,
}

impl Happenings {
    /// An empty ring that knows nothing up to `floor`.
    pub fn new(floor: LogIndex) -> Self {
        Self { ring: Mutex::new(Ring { floor, kept: VecDeque::new() }) }
    }

    /// Keeps one more; it must be newer than all before.
    pub fn push(&self, happening: Happening) {
        let mut ring = self.lock();
        ring.kept.push_back(Arc::new(happening));
        if ring.kept.len() > KEPT
            && let Some(dropped) = ring.kept.pop_front()
        {
            ring.floor = dropped.index;
        }
    }

    /// Forgets everything up to `floor`: a snapshot has jumped over it.
    pub fn forget(&self, floor: LogIndex) {
        let mut ring = self.lock();
        ring.kept.clear();
        ring.floor = floor;
    }

    /// Streams what happened after an entry; `applied` wakes the stream.
    pub fn after(
        self: &Arc<Self>,
        after: LogIndex,
        applied: watch::Receiver<LogIndex>,
    ) -> Result<HappeningStream, Gone> {
        let floor = self.lock().floor;
        if after < floor {
            let newest = *applied.borrow();
            return Err(Gone { oldest: LogIndex(floor.0 + 1), newest });
        }
        let reader = Reader { ring: Arc::clone(self), applied, after, taken: VecDeque::new() };
        Ok(Box::pin(stream::unfold(reader, Reader::next)))
    }

    /// Takes some that follow `after`; none when the ring has moved beyond.
    fn take(&self, after: LogIndex) -> Option<VecDeque<Arc<Happening>>> {
        let ring = self.lock();
        if after < ring.floor {
            return None;
        }
        let known = |kept: &Arc<Happening>| kept.index <= after;
        // Who keeps up finds its place among the newest, without a walk through cold memory.
        let newest = ring.kept.iter().rev().take(NEWEST);
        let from = match newest.enumerate().find(|(_, kept)| known(kept)) {
            Some((back, _)) => ring.kept.len() - back,
            None => ring.kept.partition_point(known),
        };
        Some(ring.kept.range(from..).take(TAKEN).cloned().collect())
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Reader {
    ring: Arc<Happenings>,
    applied: watch::Receiver<LogIndex>,
    after: LogIndex,
    taken: VecDeque<Arc<Happening>>,
}

impl Reader {
    async fn next(mut self) -> Option<(Arc<Happening>, Self)> {
        loop {
            if let Some(happening) = self.taken.pop_front() {
                self.after = happening.index;
                return Some((happening, self));
            }
            // Marked as seen before looking, so that what comes in between wakes us.
            self.applied.mark_unchanged();
            self.taken = self.ring.take(self.after)?;
            if self.taken.is_empty() {
                self.applied.changed().await.ok()?;
            }
        }
    }
}
