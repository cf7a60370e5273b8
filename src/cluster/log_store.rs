//! The Raft log on disk: openraft's storage contract over `raft-log`, a write-ahead log.
//!
//! One append is one write and one fsync; appends that arrive while an fsync runs share the next
//! one (`FLUSH_WAIT`). The callback fires after the fsync, never before.
//!
//! Always holds: an entry is readable as soon as `append` returns; votes and entries reach the
//! disk in the order they were given (one WAL); a commit point is a hint that rides on the next
//! append, never an fsync of its own.
//!
//! Not here: the bytes of an entry ([`super::codec`]), snapshots ([`super::snapshot`]).

use std::fmt::Debug;
use std::io;
use std::ops::Bound;
use std::ops::RangeBounds;
use std::path::Path;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::RwLockReadGuard;
use std::sync::RwLockWriteGuard;
use std::time::Duration;

use openraft::LogState;
use openraft::OptionalSend;
use openraft::RaftLogReader;
use openraft::storage::IOFlushed;
use openraft::storage::RaftLogStorage;
use raft_log::RaftLog;
use raft_log::api::raft_log_writer::RaftLogWriter;
use tokio::sync::oneshot;

use crate::base::time::LocalTime;
use crate::cluster::codec::Ballot;
use crate::cluster::codec::Point;
use crate::cluster::codec::decode_payload;
use crate::cluster::codec::encode_payload;
use crate::cluster::figures::Figures;
use crate::cluster::identity::private_folder;
use crate::cluster::types::LogEntry;
use crate::cluster::types::LogId;
use crate::cluster::types::Types;
use crate::cluster::types::Vote;

/// How long the writer collects appends before an fsync.
///
/// Measured: with 0 every append call costs its own fsync even when many wait (12k instead of 40k
/// entries/s at 64 writers); the library's 1 ms costs a lone write 1 ms.
const FLUSH_WAIT: Duration = Duration::from_micros(50);
/// Size of one file. Larger ones stall an append for 120–190 ms when they rotate (measured).
const CHUNK_BYTES: usize = 8 << 20;
/// Payloads kept in memory for replication and apply.
const CACHE_BYTES: usize = 16 << 20;
/// Payload bytes given to one replication request, so that a slow follower builds no huge one.
const READ_BYTES: usize = 2 << 20;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Stored;

impl raft_log::Types for Stored {
    type LogId = Point;
    type LogPayload = Vec<u8>;
    type Vote = Ballot;
    type Callback = Flushed;
    type UserData = String;

    fn log_index(at: &Point) -> u64 {
        at.index
    }

    fn payload_size(payload: &Vec<u8>) -> u64 {
        payload.len() as u64
    }
}

/// Whom to tell that bytes are on the disk.
enum Flushed {
    Append { callback: IOFlushed<Types>, since: LocalTime, figures: Arc<Figures> },
    Vote(oneshot::Sender<Result<(), io::Error>>),
}

impl raft_log::Callback for Flushed {
    fn send(self, result: Result<(), io::Error>) {
        match self {
            Self::Append { callback, since, figures } => {
                figures.count_flush(since);
                callback.io_completed(result);
            }
            Self::Vote(waiting) => {
                // Nobody waits any more when the node stops; the vote is on the disk all the same.
                let _ = waiting.send(result);
            }
        }
    }
}

/// The log on disk; clones share it.
#[derive(Clone)]
pub struct LogStore {
    log: Arc<RwLock<RaftLog<Stored>>>,
    figures: Arc<Figures>,
}

impl LogStore {
    /// Opens the log in `folder`, which is made if it is missing; cuts off a torn last record.
    pub fn open(folder: &Path, figures: Arc<Figures>) -> Result<Self, io::Error> {
        private_folder(folder)?;
        let mut config = raft_log::Config::new(folder.display());
        config.wal.flush_batch_wait = Some(FLUSH_WAIT);
        config.wal.chunk_max_size = Some(CHUNK_BYTES);
        config.wal.read_buffer_size = Some(CHUNK_BYTES);
        config.log_cache_capacity = Some(CACHE_BYTES);
        let log = RaftLog::open(Arc::new(config))?;
        Ok(Self { log: Arc::new(RwLock::new(log)), figures })
    }

    /// The newest entry known to be committed when it was last written down.
    pub fn committed(&self) -> Option<Point> {
        self.read().log_state().committed().copied()
    }

    /// The newest entry dropped because a snapshot covers it.
    pub fn purged(&self) -> Option<Point> {
        self.read().log_state().purged().copied()
    }

    /// Tells, without holding it, whether the log is still open anywhere in this process.
    pub fn watch(&self) -> impl Fn() -> bool + Send + Sync + use<> {
        let log = Arc::downgrade(&self.log);
        move || log.strong_count() > 0
    }

    /// Bytes the log takes on the disk.
    pub fn bytes(&self) -> u64 {
        self.read().on_disk_size()
    }

    fn read(&self) -> RwLockReadGuard<'_, RaftLog<Stored>> {
        self.log.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, RaftLog<Stored>> {
        self.log.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn entries(&self, from: u64, to: u64, bytes: usize) -> Result<Vec<LogEntry>, io::Error> {
        let log = self.read();
        let mut entries = Vec::new();
        let mut taken = 0;
        for stored in log.read(from, to) {
            let (at, payload) = stored?;
            taken += payload.len();
            entries.push(LogEntry { log_id: at.into(), payload: decode_payload(&payload)? });
            if taken >= bytes {
                break;
            }
        }
        Ok(entries)
    }
}

impl RaftLogReader<Types> for LogStore {
    async fn try_get_log_entries<R: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: R,
    ) -> Result<Vec<LogEntry>, io::Error> {
        let (from, to) = half_open(&range);
        self.entries(from, to, usize::MAX)
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        Ok(self.read().log_state().vote().copied().map(Vote::from))
    }

    async fn limited_get_log_entries(
        &mut self,
        start: u64,
        end: u64,
    ) -> Result<Vec<LogEntry>, io::Error> {
        self.entries(start, end, READ_BYTES)
    }
}

fn half_open(range: &impl RangeBounds<u64>) -> (u64, u64) {
    let from = match range.start_bound() {
        Bound::Included(from) => *from,
        Bound::Excluded(from) => from.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let to = match range.end_bound() {
        Bound::Included(to) => to.saturating_add(1),
        Bound::Excluded(to) => *to,
        Bound::Unbounded => u64::MAX,
    };
    (from, to.max(from))
}

impl RaftLogStorage<Types> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<Types>, io::Error> {
        let log = self.read();
        let state = log.log_state();
        Ok(LogState {
            last_purged_log_id: state.purged().copied().map(LogId::from),
            last_log_id: state.last().copied().map(LogId::from),
        })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), io::Error> {
        let (done, written) = oneshot::channel();
        {
            let mut log = self.write();
            log.save_vote(Ballot::from(*vote))?;
            log.flush(true, Some(Flushed::Vote(done)))?;
        }
        written.await.map_err(|_| io::Error::other("the log's writer has stopped"))?
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        let Some(committed) = committed.map(Point::from) else { return Ok(()) };
        let mut log = self.write();
        let state = log.log_state();
        // Only a hint. After a snapshot from the leader it may lie beyond the log, which refuses
        // it; the snapshot itself then says how far we are.
        if state.last().is_none_or(|last| committed > *last)
            || state.committed().is_some_and(|known| committed <= *known)
        {
            return Ok(());
        }
        log.commit(committed)?;
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        Ok(self.committed().map(LogId::from))
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<Types>) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = LogEntry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let since = self.figures.now();
        let encoded = entries
            .into_iter()
            .map(|entry| (Point::from(entry.log_id), encode_payload(&entry.payload)))
            .collect::<Vec<_>>();
        let figures = Arc::clone(&self.figures);
        let mut log = self.write();
        log.append(encoded)?;
        log.flush(true, Some(Flushed::Append { callback, since, figures }))
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> Result<(), io::Error> {
        let from = last.map_or(0, |last| last.index + 1);
        let mut log = self.write();
        if log.log_state().last().is_some_and(|newest| newest.index >= from) {
            log.truncate(from)?;
        }
        Ok(())
    }

    async fn purge(&mut self, upto: LogId) -> Result<(), io::Error> {
        self.write().purge(Point::from(upto))?;
        Ok(())
    }
}
