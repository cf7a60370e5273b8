//! What the node's own parts count, under the names operators read.
//!
//! Always holds: the set of names is small and closed; nothing a stranger sends makes a new one.
//!
//! Not here: what is counted of calls and agents, which comes from facts (`observe::metrics`).

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::b2bua::Ua;
use crate::b2bua::counter::Counter;
use crate::b2bua::counter::Rejected;
use crate::b2bua::counter::TurnedAway;
use crate::media::counters::Counters;
use crate::node::clock;
use crate::node::door;
use crate::node::door::Door;
use crate::node::port::crowd::Full;
use crate::node::port::seldom::Seldom;
use crate::node::port::sources::Flood;
use crate::node::rtp::MediaThreads;
use crate::node::shard::SHARDS;
use crate::observe::metrics::Direction;
use crate::observe::metrics::Metrics;

/// How often the figures of media threads and shards are taken over.
const FIGURES_EVERY: Duration = Duration::from_secs(1);

/// Why messages are not taken, and what else SIP is counted for: every `why` there is.
const REASONS: [&str; 26] = [
    "ack_missing",
    "challenged",
    "draining",
    "extension",
    "framing",
    "full",
    "half_open",
    "malformed",
    "media",
    "media_lost",
    "merged",
    "method",
    "outsider",
    "overload",
    "second_answer",
    "session_expired",
    "source",
    "source_backlog",
    "source_flood",
    "stray",
    "strangers_flood",
    "too_many",
    "too_often",
    "unavailable",
    "unknown_dialog",
    "unreadable",
];

/// What the time from an order to the INVITE it causes tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lapse {
    /// A caller arrived, and an agent was free.
    Assignment,
    /// A waiting call was given to an agent.
    IdleGap,
}

/// How one shard stands.
#[derive(Default)]
struct Standing {
    transactions: AtomicUsize,
    legs: AtomicUsize,
    half_open: AtomicUsize,
    kept: AtomicUsize,
    repeated: AtomicU64,
}

/// The names of what the node's parts count.
#[derive(Clone)]
pub struct Counts {
    metrics: Arc<Metrics>,
    shards: Arc<[Standing]>,
    door: Arc<Mutex<Door>>,
    floods: Arc<Seldom>,
}

impl Counts {
    /// Counts into `metrics`.
    pub fn new(metrics: &Arc<Metrics>) -> Self {
        let shards = (0..SHARDS).map(|_| Standing::default()).collect();
        metrics.show_sip_rejected(&REASONS);
        Self { metrics: Arc::clone(metrics), shards, door: Arc::default(), floods: Arc::default() }
    }

    /// A datagram, or what a stream had in a message's place, was none that could be taken.
    pub fn unreadable(&self) {
        self.reject("unreadable");
    }

    /// A stream could not be cut into messages any further, and was closed.
    pub fn broken_stream(&self) {
        self.reject("framing");
    }

    fn reject(&self, why: &'static str) {
        debug_assert!(REASONS.contains(&why), "{why} is shown from the beginning, like all others");
        self.metrics.count_sip_rejected(why);
    }

    /// A connection found no place at a port.
    pub fn connection_refused(&self, port: &'static str, why: Full) {
        self.metrics.count_connection_refused(port, why.word());
    }

    /// A message was dropped, or has to wait in its stream, because its address, or strangers
    /// together, send too many, or have too many waiting.
    pub fn flooded(&self, flood: Flood, source: IpAddr) {
        let why = flood.word();
        self.reject(why);
        if let Some(left_out) = self.floods.due(clock::local()) {
            let said = "a SIP message was dropped or has to wait: there are too many";
            tracing::warn!(%source, why, left_out, "{said}");
        }
    }

    /// A shard had too much to do; the datagram was dropped and will be sent again.
    pub fn overrun(&self, full: Full, source: IpAddr) {
        match full {
            Full::All => self.reject("overload"),
            Full::Address => self.flooded(Flood::Backlog, source),
        }
    }

    /// The folder or the file of tokens had a mistake, and nothing of it was used.
    pub fn config_rejected(&self) {
        self.metrics.count_config_rejected();
    }

    /// So many fields of `Settings` wait for a restart.
    pub fn config_waiting(&self, fields: usize) {
        self.metrics.set_config_waiting(fields);
    }

    /// An agent's phone was rung this long after the log said so.
    pub fn timed(&self, lapse: Lapse, micros: u64) {
        match lapse {
            Lapse::Assignment => self.metrics.time_assignment(micros),
            Lapse::IdleGap => self.metrics.time_idle_gap(micros),
        }
    }

    /// How many transactions, legs and half-open calls a shard has, and what was counted since the
    /// start.
    pub fn stands(&self, shard: usize, ua: &Ua, half_open: usize) {
        let standing = &self.shards[shard];
        let counted = ua.transaction_counts();
        let repeated = counted.requests_repeated + counted.responses_repeated;
        standing.transactions.store(ua.transactions(), Ordering::Relaxed);
        standing.legs.store(ua.legs(), Ordering::Relaxed);
        standing.half_open.store(half_open, Ordering::Relaxed);
        standing.kept.store(ua.transaction_bytes(), Ordering::Relaxed);
        standing.repeated.store(repeated, Ordering::Relaxed);
    }

    /// How many legs all shards have.
    pub fn legs(&self) -> usize {
        self.shards.iter().map(|shard| shard.legs.load(Ordering::Relaxed)).sum()
    }

    /// Writes down, now and then, that a caller was turned away.
    pub fn turned_away(&self, caller: &TurnedAway) {
        let due = {
            let mut door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
            door.due(clock::local(), caller)
        };
        if let Some(left_out) = due {
            door::write(caller, left_out);
        }
    }

    /// Counts one thing a shard said.
    pub fn count(&self, counter: &Counter) {
        let metrics = &self.metrics;
        match counter {
            Counter::RequestReceived(method) => {
                metrics.count_sip_request(method.as_str(), Direction::In);
            }
            Counter::RequestSent(method) => {
                metrics.count_sip_request(method.as_str(), Direction::Out);
            }
            Counter::ResponseReceived(method, class) => {
                metrics.count_sip_response(method.as_str(), class * 100, Direction::In);
            }
            Counter::ResponseSent(method, class) => {
                metrics.count_sip_response(method.as_str(), class * 100, Direction::Out);
            }
            Counter::Rejected(why) => self.reject(word(*why)),
            Counter::AckMissing => self.reject("ack_missing"),
            Counter::SessionExpired => self.reject("session_expired"),
            Counter::MediaLost => self.reject("media_lost"),
            Counter::ForkHungUp => self.reject("second_answer"),
            Counter::Stray => self.reject("stray"),
            // The fact that follows says it with queue and agent.
            Counter::RingFailed(_) => {}
        }
    }
}

/// The published word for why a request was turned away.
pub fn word(why: Rejected) -> &'static str {
    match why {
        Rejected::Source => "source",
        Rejected::Challenged => "challenged",
        Rejected::Malformed => "malformed",
        Rejected::Merged => "merged",
        Rejected::Method => "method",
        Rejected::Extension => "extension",
        Rejected::Media => "media",
        Rejected::Draining => "draining",
        Rejected::TooMany => "too_many",
        Rejected::TooOften => "too_often",
        Rejected::HalfOpen => "half_open",
        Rejected::Full => "full",
        Rejected::Unavailable => "unavailable",
        Rejected::UnknownDialog => "unknown_dialog",
        Rejected::Outsider => "outsider",
    }
}

/// Takes over the figures of media threads and shards, until aborted.
pub async fn follow(media: MediaThreads, counts: Counts) {
    let metrics = &counts.metrics;
    let mut before = Counters::default();
    let mut repeated_before = 0;
    let mut pace = tokio::time::interval(FIGURES_EVERY);
    loop {
        pace.tick().await;
        let now = sum(media.counters());
        let plain = now.streams.saturating_sub(now.joined);
        metrics.set_rtp_streams("joined", usize::try_from(now.joined).unwrap_or(usize::MAX));
        metrics.set_rtp_streams("alone", usize::try_from(plain).unwrap_or(usize::MAX));
        metrics.count_rtp_packets(Direction::In, now.received.saturating_sub(before.received));
        metrics.count_rtp_packets(Direction::Out, now.sent.saturating_sub(before.sent));
        let more = |of: fn(&Counters) -> u64| of(&now).saturating_sub(of(&before));
        let (late, lost) = (more(|all| all.late), more(|all| all.lost));
        metrics.count_rtp_trouble(late, lost, more(|all| all.undelivered));
        metrics.count_rtp_dropped("stranger", more(|all| all.strangers));
        metrics.count_rtp_dropped("ambiguous", more(|all| all.ambiguous));
        metrics.count_rtp_dropped("malformed", more(|all| all.malformed));
        before = now;
        let stand = |of: fn(&Standing) -> &AtomicUsize| {
            counts.shards.iter().map(|shard| of(shard).load(Ordering::Relaxed)).sum()
        };
        metrics.set_sip_transactions(stand(|shard| &shard.transactions));
        metrics.set_sip_transaction_bytes(stand(|shard| &shard.kept));
        metrics.set_sip_half_open_calls(stand(|shard| &shard.half_open));
        let repeated = counts.shards.iter().map(|shard| shard.repeated.load(Ordering::Relaxed));
        let repeated: u64 = repeated.sum();
        metrics.count_sip_retransmissions(repeated.saturating_sub(repeated_before));
        repeated_before = repeated;
    }
}

fn sum(threads: impl Iterator<Item = Counters>) -> Counters {
    threads.fold(Counters::default(), |sum, thread| Counters {
        streams: sum.streams + thread.streams,
        joined: sum.joined + thread.joined,
        sent: sum.sent + thread.sent,
        late: sum.late + thread.late,
        received: sum.received + thread.received,
        lost: sum.lost + thread.lost,
        undelivered: sum.undelivered + thread.undelivered,
        strangers: sum.strangers + thread.strangers,
        ambiguous: sum.ambiguous + thread.ambiguous,
        malformed: sum.malformed + thread.malformed,
        ..sum
    })
}
