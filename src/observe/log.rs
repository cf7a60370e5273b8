//! Facts as log lines: one sentence each, with the fields to search by.
//!
//! A call makes a handful of lines at info level: entered, rung for, answered, ended, and what went
//! wrong on the way; an agent one each time it becomes ready or not ready. What every call does
//! besides (reserved, held, wrap-up) is at debug level. Reasons are the published words, those of
//! the events over REST, and what belongs to a reason is a field of its own.
//!
//! | field | is |
//! |---|---|
//! | `call`, `agent`, `queue` | names |
//! | `index` | the log entry that made it so |
//!
//! Always holds: nothing of a caller is written, at any level; facts keep it in `Private`.
//!
//! Not here: callers who are turned away (`node::door`), SIP traces (`node`), the live stream of
//! facts (`api::events`).

use tracing::Subscriber;
use tracing::debug;
use tracing::error;
use tracing::info;
use tracing::warn;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::acd::fact::CallEnd;
use crate::acd::fact::Fact;
use crate::acd::fact::ReservationEnd;
use crate::base::id::LogIndex;
use crate::base::time::LocalTime;
use crate::observe::losses::Losses;

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people at a terminal.
    Plain,
    /// One JSON object a line, for machines.
    Json,
}

/// Makes what writes lines; `filter` is as `info` or `carillon=debug`.
pub fn subscriber<W>(format: Format, filter: &str, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(writer)
        .with_ansi(false);
    match format {
        Format::Plain => Box::new(lines.finish()),
        Format::Json => Box::new(lines.json().flatten_event(true).with_target(false).finish()),
    }
}

/// Writes facts down, one after another.
#[derive(Debug, Default)]
pub struct Writer {
    losses: Losses,
}

impl Writer {
    /// Writes a fact down, or counts it where there are too many of its kind.
    pub fn write(&mut self, now: LocalTime, index: LogIndex, fact: &Fact) {
        match loss(fact) {
            Some(why) if !self.losses.admit(now, why) => {}
            Some(_) | None => write_fact(index, fact),
        }
    }

    /// Writes down what was only counted, when it is time to; to be asked every
    /// [`PAUSE`](super::losses::PAUSE).
    pub fn tell_left_out(&mut self, now: LocalTime) {
        self.losses.tell(now);
    }
}

/// Why a call was lost, if this is one's end.
fn loss(fact: &Fact) -> Option<&'static str> {
    let Fact::CallEnded { why, .. } = fact else { return None };
    let is_lost = matches!(why, CallEnd::NodeLost | CallEnd::CallerLost | CallEnd::AgentLost);
    is_lost.then(|| why.word())
}

fn write_fact(index: LogIndex, fact: &Fact) {
    let index = index.0;
    match fact {
        Fact::CallEnqueued { .. }
        | Fact::CallOverflowed { .. }
        | Fact::CallReserved { .. }
        | Fact::ReservationJoined { .. }
        | Fact::ReservationEnded { .. }
        | Fact::CallAnswered { .. }
        | Fact::CallTakenOver { .. }
        | Fact::CallEnded { .. }
        | Fact::CallTurnedAway { .. } => write_path(index, fact),
        Fact::CallReturned { call, queue, agent } => {
            warn!(%call, %queue, %agent, index, "The agent was logged out; the caller waits again");
        }
        Fact::CallHeld { call, by } => debug!(%call, index, leg = %by, "A party is on hold"),
        Fact::CallResumed { call, by } => debug!(%call, index, leg = %by, "The parties talk again"),
        Fact::CallPrioritized { .. }
        | Fact::CallTransferring { .. }
        | Fact::CallTransferFailed { .. }
        | Fact::CallHungUp { .. } => write_asked(index, fact),
        Fact::CallQuarantined { call, broken } => {
            error!(%call, index, broken, "The call made no sense and was taken out of service");
        }
        Fact::AgentQuarantined { agent, broken } => {
            error!(%agent, index, broken, "The agent made no sense and was set not ready");
        }
        Fact::AgentLoggedIn { agent, by, .. } => {
            info!(%agent, index, by = %by.name, role = ?by.role, "The agent logged in");
        }
        Fact::AgentLoginDuplicated { agent, by, holder, .. } => {
            warn!(%agent, index, by = %by.name, %holder, "A second login; the first goes on");
        }
        Fact::AgentLoggedOut { agent, reason, by } => {
            let role = by.role;
            info!(%agent, index, ?reason, by = %by.name, ?role, "The agent was logged out");
        }
        Fact::AgentReady { agent, by } => {
            info!(%agent, index, by = %by.name, role = ?by.role, "The agent is ready");
        }
        Fact::AgentNotReady { agent, reason, by } => {
            let role = by.role;
            info!(%agent, index, reason, by = %by.name, ?role, "The agent is not ready");
        }
        Fact::AgentReserved { agent, call } => debug!(%agent, %call, index, "The phone rings"),
        Fact::AgentTalking { agent, call } => debug!(%agent, %call, index, "The agent talks"),
        Fact::AgentWrappingUp { agent, call, length } => {
            debug!(%agent, %call, index, seconds = length.as_secs(), "The agent wraps up");
        }
        Fact::AgentPinRefused { agent, locked, by } => {
            warn!(%agent, index, locked, by = %by.name, "A PIN was wrong");
        }
        Fact::DeviceChanged { agent, state } => {
            debug!(%agent, index, ?state, "The agent's device changed");
        }
        Fact::AgentMoved { agent, .. } => info!(%agent, index, "The agent is rung elsewhere now"),
        Fact::QueueDraining { .. }
        | Fact::QueueDrained { .. }
        | Fact::ConfigPut { .. }
        | Fact::ConfigRemoved { .. }
        | Fact::NodeStarted { .. }
        | Fact::NodeLost { .. } => write_center(index, fact),
    }
}

/// What was configured, and the nodes.
#[expect(clippy::wildcard_enum_match_arm, reason = "write_fact hands over only what is named")]
fn write_center(index: u64, fact: &Fact) {
    match fact {
        Fact::QueueDraining { queue, calls } => {
            info!(%queue, index, calls, "The removed queue is served until its last caller left");
        }
        Fact::QueueDrained { queue } => info!(%queue, index, "The removed queue is gone"),
        Fact::ConfigPut { kind, name, source } => {
            info!(index, ?source, "{kind:?} {name} was configured");
        }
        Fact::ConfigRemoved { kind, name, source } => {
            info!(index, ?source, "{kind:?} {name} was removed");
        }
        Fact::NodeStarted { owner } => info!(index, %owner, "A node started"),
        Fact::NodeLost { owner, legs } => warn!(index, %owner, legs, "A node was lost"),
        _ => {}
    }
}

/// The way of a call through its queue.
#[expect(clippy::wildcard_enum_match_arm, reason = "write_fact hands over only what is named")]
fn write_path(index: u64, fact: &Fact) {
    match fact {
        Fact::CallEnqueued { call, queue, priority, .. } => {
            info!(%call, %queue, index, priority, "A caller entered the queue");
        }
        Fact::CallOverflowed { call, from, to, rule } => {
            info!(%call, queue = %to, %from, index, ?rule, "The call went to another queue");
        }
        Fact::CallReserved { call, queue, agents, .. }
        | Fact::ReservationJoined { call, queue, agents, .. } => {
            let agents: Vec<&str> = agents.iter().map(|agent| agent.as_str()).collect();
            info!(%call, %queue, index, agent = agents.join(","), "An agent is rung");
        }
        Fact::ReservationEnded { call, queue, agent, why: ReservationEnd::Withdrawn }
        | Fact::ReservationEnded { call, queue, agent, why: ReservationEnd::AnsweredElsewhere } => {
            debug!(%call, %queue, %agent, index, "The agent's phone need not ring any more");
        }
        Fact::ReservationEnded { call, queue, agent, why } => {
            let why = why.word();
            info!(%call, %queue, %agent, index, why, "The agent did not take the call");
        }
        Fact::CallAnswered { call, queue, agent, waited, rang } => {
            let (waited, rang) = (waited.as_secs(), rang.as_secs());
            info!(%call, %queue, %agent, index, waited, rang, "The call was answered");
        }
        Fact::CallTakenOver { call, queue, by } => {
            info!(%call, %queue, index, owner = %by, "The call goes on at another node");
        }
        Fact::CallEnded { call, queue, why: why @ CallEnd::NodeLost, .. }
        | Fact::CallEnded { call, queue, why: why @ CallEnd::CallerLost, .. }
        | Fact::CallEnded { call, queue, why: why @ CallEnd::AgentLost, .. } => {
            warn!(%call, %queue, index, why = why.word(), "The call was lost");
        }
        Fact::CallEnded { call, queue, why, waited, talked } => {
            let (waited, talked) = (waited.as_secs(), talked.as_secs());
            let Ending { by, rule, status } = Ending::of(why);
            let why = why.word();
            info!(%call, %queue, index, why, by, rule, status, waited, talked, "The call ended");
        }
        Fact::CallTurnedAway { queue, rule, status } => {
            // The node the caller came to tells more.
            debug!(%queue, index, ?rule, status, "The queue turned a caller away at the door");
        }
        _ => {}
    }
}

/// What was asked for a call by people, and by rules in their stead.
#[expect(clippy::wildcard_enum_match_arm, reason = "write_fact hands over only what is named")]
fn write_asked(index: u64, fact: &Fact) {
    match fact {
        Fact::CallPrioritized { call, priority, by } => {
            info!(%call, index, by = %by.name, "The call now has priority {priority}");
        }
        // Where to may be somebody's number.
        Fact::CallTransferring { call, by, .. } => {
            info!(%call, index, by = %by.name, role = ?by.role, "The call is being transferred");
        }
        Fact::CallHungUp { call, by } => {
            info!(%call, index, by = %by.name, role = ?by.role, "The call was ended by request");
        }
        Fact::CallTransferFailed { call, status } => {
            warn!(%call, index, status, "The transfer was refused");
        }
        _ => {}
    }
}

/// What belongs to the word that says why a call ended.
#[derive(Default)]
struct Ending {
    by: Option<String>,
    rule: Option<String>,
    status: Option<u16>,
}

impl Ending {
    fn of(end: &CallEnd) -> Self {
        let nothing = Self::default();
        match end {
            CallEnd::AnsweredAndHungUp { by } => Self { by: Some(format!("{by:?}")), ..nothing },
            CallEnd::HungUp { by } => Self { by: Some(format!("{by:?}")), ..nothing },
            CallEnd::Overflowed(rule) => Self { rule: Some(format!("{rule:?}")), ..nothing },
            CallEnd::Rejected(status) => Self { status: Some(*status), ..nothing },
            CallEnd::Abandoned
            | CallEnd::ShortAbandoned
            | CallEnd::Transferred
            | CallEnd::CallerLost
            | CallEnd::AgentLost
            | CallEnd::NodeLost => nothing,
        }
    }
}
