//! This node's copy of the state: changed by applied entries alone, looked at by anybody.
//!
//! ```text
//! entry of the log ─► apply ─► outcome   (to whoever proposed it)
//!                       ├────► orders    (to the node, by channel, in log order)
//!                       └────► facts     (to the ring of happenings)
//! ```
//!
//! **Old orders reach nobody.** After a restart the log is applied again up to the entry that was
//! known to be committed; those entries deliver no orders, because they were delivered in the
//! node's former life. A few newer ones may have been delivered as well before the end; they are
//! delivered again, but carry the former life's owner, which nobody is any more. Either rule alone
//! would do for a node that comes back; together an order can neither be lost nor done twice.
//!
//! Always holds: `apply` waits for no consumer (the channel is unbounded, listeners pull); the lock
//! is held for one entry or one look.
//!
//! Not here: the decisions (`acd::apply`), Raft's side of it ([`super::state_machine`]).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::RwLockReadGuard;

use openraft::EntryPayload;
use sha2::Digest;
use sha2::Sha256;
use tokio::sync::mpsc;
use tokio::sync::watch;

use crate::acd::State;
use crate::acd::apply::Output;
use crate::acd::apply::apply;
use crate::acd::command::Entry;
use crate::acd::command::Outcome;
use crate::acd::effect::Order;
use crate::acd::view::View;
use crate::base::id::LegId;
use crate::base::id::LogIndex;
use crate::base::id::Owner;
use crate::base::time::ClusterTime;
use crate::cluster::codec::to_bytes;
use crate::cluster::happenings::Happening;
use crate::cluster::happenings::Happenings;
use crate::cluster::types::LogEntry;
use crate::cluster::types::LogId;
use crate::cluster::types::Reply;
use crate::cluster::types::StoredMembers;

/// The orders of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The entry.
    pub index: LogIndex,
    /// The replicated clock when it was applied.
    pub at: ClusterTime,
    /// In the order given; of all owners.
    pub orders: Vec<Order>,
    /// Entries were jumped over by a snapshot and their orders are lost: the legs there are after
    /// it, and whose, to be compared with what is there.
    pub jumped: Option<BTreeSet<(Owner, LegId)>>,
}

/// The state with how far it has come.
#[derive(Clone, Debug)]
pub struct Picture {
    /// What the core knows.
    pub state: State,
    /// The last entry in it.
    pub applied: Option<LogId>,
    /// Who the members are by then.
    pub members: StoredMembers,
}

/// The copy.
#[derive(Debug)]
pub struct Replica {
    picture: RwLock<Picture>,
    applied: watch::Sender<LogIndex>,
    happenings: Arc<Happenings>,
    batches: mpsc::UnboundedSender<Batch>,
    /// Entries up to here were applied in a former life and deliver no orders.
    silent_until: LogIndex,
}

impl Replica {
    /// Starts from a picture; orders flow for entries after `silent_until`.
    pub fn new(
        picture: Picture,
        silent_until: LogIndex,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<Batch>) {
        let (batches, taken) = mpsc::unbounded_channel();
        let index = index_of(picture.applied);
        let replica = Self {
            picture: RwLock::new(picture),
            applied: watch::Sender::new(index),
            happenings: Arc::new(Happenings::new(index)),
            batches,
            silent_until,
        };
        (Arc::new(replica), taken)
    }

    /// Looks at the copy; nothing is applied meanwhile.
    pub fn read(&self) -> RwLockReadGuard<'_, Picture> {
        self.picture.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far it has come.
    pub fn applied(&self) -> LogIndex {
        *self.applied.borrow()
    }

    /// The last entry applied and a hash of the whole state by then: equal on all replicas.
    pub fn fingerprint(&self) -> (LogIndex, [u8; 32]) {
        let picture = self.read().clone();
        let sum = Sha256::digest(to_bytes(&picture.state));
        (index_of(picture.applied), sum.into())
    }

    /// Tells of every step.
    pub fn watch(&self) -> watch::Receiver<LogIndex> {
        self.applied.subscribe()
    }

    /// What happened lately.
    pub fn happenings(&self) -> &Arc<Happenings> {
        &self.happenings
    }

    /// Applies one entry and delivers what it caused.
    pub fn apply(&self, entry: LogEntry) -> Reply {
        let id = entry.log_id;
        let index = LogIndex(id.index);
        let reply = match entry.payload {
            EntryPayload::Blank => {
                self.change(|picture| picture.applied = Some(id));
                Reply(None)
            }
            EntryPayload::Membership(members) => {
                self.change(|picture| {
                    picture.applied = Some(id);
                    picture.members = StoredMembers::new(Some(id), members);
                });
                Reply(None)
            }
            EntryPayload::Normal(proposal) => Reply(Some(self.apply_command(id, &proposal.0))),
        };
        self.applied.send_replace(index);
        reply
    }

    fn apply_command(&self, id: LogId, entry: &Entry) -> Outcome {
        let index = LogIndex(id.index);
        let mut out = Output::default();
        let (outcome, at) = self.change(|picture| {
            picture.applied = Some(id);
            let outcome = apply(&mut picture.state, index, entry, &mut out);
            (outcome, picture.state.now())
        });
        if !out.facts.is_empty() {
            self.happenings.push(Happening { index, at, facts: out.facts });
        }
        if !out.orders.is_empty() && index > self.silent_until {
            // The receiver is gone only while the node stops; its orders are void then.
            let _ = self.batches.send(Batch { index, at, orders: out.orders, jumped: None });
        }
        outcome
    }

    /// Puts the leader's snapshot in place of everything.
    pub fn install(&self, picture: Picture) {
        let index = index_of(picture.applied);
        let at = picture.state.now();
        let jumped = Some(View::new(&picture.state).legs());
        self.change(|ours| *ours = picture);
        self.happenings.forget(index);
        // As above: nobody receives while the node stops.
        let _ = self.batches.send(Batch { index, at, orders: Vec::new(), jumped });
        self.applied.send_replace(index);
    }

    fn change<R>(&self, change: impl FnOnce(&mut Picture) -> R) -> R {
        change(&mut self.picture.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The position of an entry; 0, which no command ever has, for none.
pub fn index_of(id: Option<LogId>) -> LogIndex {
    LogIndex(id.map_or(0, |id| id.index))
}
