//! The pure core of an ACD: callers wait in queues, agents become free, and who gets whom.
//!
//! An *automatic call distributor* keeps callers in order until an agent is free, rings that
//! agent's phone, joins the two, and remembers everything about it. This floor decides all of
//! that and knows nothing of SIP, sockets, clocks or nodes' disks.
//!
//! ```text
//!   Entry ──► apply ──► clock (what is due) ──► command ──► queue::meet (who gets whom)
//!                │                                               │
//!                ▼                                               ▼
//!             Outcome                               Orders to owners, Facts for all
//! ```
//!
//! Five doors, one per neighbour: [`command`] what may be asked, [`effect`] what must be done,
//! [`fact`] what happened, [`view`] what may be looked at, [`config`] what was configured.
//! Behind them: [`apply`] is the only way to change a [`State`]; `call`, `agent` and
//! `reservation` are its three machines; `queue` is where calls and agents meet; `routing` says
//! who is chosen; `legs` knows who acts for which phone.
//!
//! **Invariants** ([`check`] lists what breaks them):
//! a call is in exactly one place; an agent holds at most one call; nobody who is not Ready is
//! rung; no queue has both a caller who waits and an agent who could be rung; first come, first
//! served within a priority; every timed state has exactly one deadline, and it dies with it;
//! equal entries give equal states everywhere, also after a snapshot.
//!
//! What is large (agents and calls, see `table`; configurations, texts, dialogs, stories) is behind
//! `Arc`: a snapshot copies the state while nobody may change it, and shares those until they
//! change. They are stored as what is in them.
//!
//! Not here: how the log is kept (`cluster`), how phones are rung (`b2bua`).

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Serialize;

use crate::acd::agent::Agent;
use crate::acd::call::Call;
use crate::acd::call::history::History;
use crate::acd::clock::Deadlines;
use crate::acd::config::Address;
use crate::acd::config::PromptConfig;
use crate::acd::config::Settings;
use crate::acd::config::Source;
use crate::acd::config::TrunkConfig;
use crate::acd::legs::Nodes;
use crate::acd::queue::Queue;
use crate::acd::queue::meet::Unsettled;
use crate::acd::queue::roster::Roster;
use crate::acd::requests::Requests;
use crate::acd::reservation::Reservation;
use crate::acd::table::Table;
use crate::base::id::AgentId;
use crate::base::id::CallId;
use crate::base::id::LogIndex;
use crate::base::id::PromptId;
use crate::base::id::QueueId;
use crate::base::id::ReservationId;
use crate::base::id::TrunkId;
use crate::base::time::ClusterTime;

mod agent;
pub mod apply;
mod call;
pub mod check;
mod clock;
pub mod command;
pub mod config;
mod configure;
pub mod effect;
pub mod ending;
pub mod fact;
mod legs;
pub mod outcome;
pub mod output;
mod picture;
mod quarantine;
mod queue;
mod requests;
mod reservation;
mod routing;
mod table;
pub mod view;

/// Everything the core knows; empty by default, and then equal on every replica.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The newest entry applied.
    index: LogIndex,
    /// The largest time seen; never goes back.
    now: ClusterTime,
    settings: Settings,
    settings_source: Option<Source>,
    requests: Requests,
    deadlines: Deadlines,
    queues: BTreeMap<QueueId, Queue>,
    /// Who serves a queue; kept also for queues nobody has made yet.
    rosters: BTreeMap<QueueId, Roster>,
    agents: Table<AgentId, Agent>,
    calls: Table<CallId, Call>,
    reservations: BTreeMap<ReservationId, Reservation>,
    reservations_made: u64,
    nodes: Nodes,
    /// Which queue is reached by an address.
    addresses: BTreeMap<Address, QueueId>,
    /// Who is logged in at a device.
    devices: BTreeMap<String, AgentId>,
    /// Who is logged in where they are not configured any more, and cannot go where they are: by
    /// the device they wait for.
    stranded: BTreeMap<String, BTreeSet<AgentId>>,
    trunks: BTreeMap<TrunkId, (TrunkConfig, Source)>,
    prompts: BTreeMap<PromptId, (PromptConfig, Source)>,
    history: History,
    /// Queues to look at before the entry is done; empty between entries.
    unsettled: Unsettled,
}

impl State {
    /// An empty center, equal on every replica.
    pub fn new() -> Self {
        Self::default()
    }

    /// The replicated clock.
    pub fn now(&self) -> ClusterTime {
        self.now
    }

    /// When the next deadline falls due: then an `Advance` must be proposed.
    pub fn next_deadline(&self) -> Option<ClusterTime> {
        self.deadlines.next()
    }

    /// The newest entry applied.
    pub fn index(&self) -> LogIndex {
        self.index
    }
}
