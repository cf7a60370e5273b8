//! Counters and histograms, fed by facts and by what SIP and media count.
//!
//! Names begin with `carillon_`, lengths are in seconds. Labels are names from the configuration
//! or words of published lists; a SIP method nobody knows is `OTHER`, so that strangers cannot
//! make series.
//!
//! Always holds: every replica counts the same facts, so dashboards take the maximum over nodes,
//! not the sum. Counts per queue come from the state instead (`scrape`) and survive a restart.
//!
//! Not here: gauges of what is now ([`super::scrape`]).

use prometheus::Histogram;
use prometheus::HistogramOpts;
use prometheus::HistogramVec;
use prometheus::IntCounter;
use prometheus::IntCounterVec;
use prometheus::IntGauge;
use prometheus::IntGaugeVec;
use prometheus::Opts;
use prometheus::Registry;
use prometheus::core::Collector;
use prometheus::proto::MetricFamily;

use crate::acd::fact::Fact;
use crate::acd::fact::ReservationEnd;
use crate::base::time::Millis;

/// How long callers wait: from at once to an hour.
const WAIT_BUCKETS: [f64; 12] =
    [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0];

/// How long the machine takes: from a quarter of a millisecond to five seconds.
const WORK_BUCKETS: [f64; 14] =
    [0.000_25, 0.000_5, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// The methods of RFC 3261 and its extensions; no other gets a series of its own.
const METHODS: [&str; 14] = [
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "OPTIONS",
    "REGISTER",
    "PRACK",
    "UPDATE",
    "INFO",
    "REFER",
    "NOTIFY",
    "SUBSCRIBE",
    "MESSAGE",
    "PUBLISH",
];

/// Which way something went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To us.
    In,
    /// From us.
    Out,
}

impl Direction {
    fn word(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// Everything that is counted.
pub struct Metrics {
    registry: Registry,
    queue_wait: HistogramVec,
    queue_answer: HistogramVec,
    queue_ended: IntCounterVec,
    agent_logouts: IntCounterVec,
    agent_ring_outs: IntCounterVec,
    assignment: Histogram,
    agent_idle_gap: Histogram,
    sip_requests: IntCounterVec,
    sip_responses: IntCounterVec,
    sip_retransmissions: IntCounter,
    sip_rejected: IntCounterVec,
    sip_transactions: IntGauge,
    sip_transaction_bytes: IntGauge,
    sip_half_open_calls: IntGauge,
    rtp_streams: IntGaugeVec,
    rtp_packets: IntCounterVec,
    rtp_late: IntCounter,
    rtp_lost: IntCounter,
    rtp_undelivered: IntCounter,
    rtp_dropped: IntCounterVec,
    takeovers: IntCounter,
    config_rejected: IntCounter,
    config_waiting: IntGauge,
    connections_refused: IntCounterVec,
}

impl Metrics {
    /// Begins to count. Fails only if two metrics had one name.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let made = Maker { registry: &registry };
        Ok(Self {
            queue_wait: made.waits("queue_wait_seconds", "Time every caller waited")?,
            queue_answer: made.waits("queue_answer_seconds", "Time answered callers waited")?,
            queue_ended: made.counters(
                "queue_calls_ended_total",
                "Calls that ended, answered or not, by the published reason",
                &["queue", "reason"],
            )?,
            agent_logouts: made.counters("agent_logouts_total", "Logouts", &["reason"])?,
            agent_ring_outs: made.counters(
                "agent_ring_outs_total",
                "Agents' phones that rang out",
                &["queue"],
            )?,
            assignment: made.work("assignment_seconds", "Arrival committed to INVITE sent")?,
            agent_idle_gap: made.work(
                "agent_idle_gap_seconds",
                "Waiting call given to a free agent to INVITE sent",
            )?,
            sip_requests: made.counters(
                "sip_requests_total",
                "SIP requests",
                &["method", "direction"],
            )?,
            sip_responses: made.counters(
                "sip_responses_total",
                "SIP responses",
                &["method", "class", "direction"],
            )?,
            sip_retransmissions: made
                .counter("sip_retransmissions_total", "Messages sent again")?,
            sip_rejected: made.counters("sip_rejected_total", "Messages not taken", &["why"])?,
            sip_transactions: made.gauge("sip_transactions", "Transactions now")?,
            sip_transaction_bytes: made
                .gauge("sip_transaction_bytes", "What transactions keep now")?,
            sip_half_open_calls: made.gauge(
                "sip_half_open_calls",
                "Calls now whose INVITE has no final answer, or that no ACK",
            )?,
            rtp_streams: made.gauges("rtp_streams", "RTP streams now", &["kind"])?,
            rtp_packets: made.counters("rtp_packets_total", "RTP packets", &["direction"])?,
            rtp_late: made.counter("rtp_late_total", "Frames sent after their time")?,
            rtp_lost: made.counter("rtp_lost_total", "RTP packets that did not come")?,
            rtp_undelivered: made
                .counter("rtp_undelivered_total", "RTP packets phones report as not come")?,
            rtp_dropped: made.counters("rtp_dropped_total", "Packets not taken", &["why"])?,
            takeovers: made.counter("takeovers_total", "Nodes lost and taken over from")?,
            config_rejected: made
                .counter("config_rejected_total", "Configurations with a mistake, not used")?,
            config_waiting: made.gauge(
                "config_restart_needed",
                "Changed fields of Settings that wait for a restart of this node",
            )?,
            connections_refused: made.counters(
                "connections_refused_total",
                "TCP connections that were refused or closed because there were too many",
                &["port", "why"],
            )?,
            registry,
        })
    }

    /// Counts a fact.
    #[expect(clippy::wildcard_enum_match_arm, reason = "most facts are gauges' business")]
    pub fn count_fact(&self, fact: &Fact) {
        match fact {
            Fact::CallAnswered { queue, waited, .. } => {
                self.queue_answer.with_label_values(&[queue.as_str()]).observe(seconds(*waited));
            }
            Fact::CallEnded { queue, waited, why, .. } => {
                self.queue_ended.with_label_values(&[queue.as_str(), why.word()]).inc();
                self.queue_wait.with_label_values(&[queue.as_str()]).observe(seconds(*waited));
            }
            Fact::ReservationEnded { queue, why: ReservationEnd::RungOut, .. } => {
                self.agent_ring_outs.with_label_values(&[queue.as_str()]).inc();
            }
            Fact::AgentLoggedOut { reason, .. } => {
                self.agent_logouts.with_label_values(&[format!("{reason:?}").as_str()]).inc();
            }
            Fact::NodeLost { .. } => self.takeovers.inc(),
            _ => {}
        }
    }

    /// Counts a SIP request.
    pub fn count_sip_request(&self, method: &str, direction: Direction) {
        self.sip_requests.with_label_values(&[known(method), direction.word()]).inc();
    }

    /// Counts a SIP response to a request of this method.
    pub fn count_sip_response(&self, method: &str, status: u16, direction: Direction) {
        let class = match status / 100 {
            1 => "1xx",
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            5 => "5xx",
            _ => "6xx",
        };
        self.sip_responses.with_label_values(&[known(method), class, direction.word()]).inc();
    }

    /// Counts a configuration that had a mistake and was not used.
    pub fn count_config_rejected(&self) {
        self.config_rejected.inc();
    }

    /// Says how many fields changed that only a restart takes up.
    pub fn set_config_waiting(&self, fields: usize) {
        self.config_waiting.set(i64::try_from(fields).unwrap_or(i64::MAX));
    }

    /// Counts a connection that was refused at a port (`api`, `observe`, `sip`); `why` is one word
    /// of a short list: `full` (too many in all), `address` (too many of one address).
    pub fn count_connection_refused(&self, port: &'static str, why: &'static str) {
        self.connections_refused.with_label_values(&[port, why]).inc();
    }

    /// Counts messages sent again.
    pub fn count_sip_retransmissions(&self, messages: u64) {
        self.sip_retransmissions.inc_by(messages);
    }

    /// Begins to show these reasons, at 0: the first one counted is then seen as a change.
    pub fn show_sip_rejected(&self, reasons: &[&'static str]) {
        for why in reasons {
            self.sip_rejected.with_label_values(&[why]);
        }
    }

    /// Counts a message that was not taken; `why` is one word of a short list.
    pub fn count_sip_rejected(&self, why: &'static str) {
        self.sip_rejected.with_label_values(&[why]).inc();
    }

    /// Says how many transactions there are now.
    pub fn set_sip_transactions(&self, count: usize) {
        self.sip_transactions.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Says how many bytes transactions keep now.
    pub fn set_sip_transaction_bytes(&self, bytes: usize) {
        self.sip_transaction_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// Says how many calls are half open now.
    pub fn set_sip_half_open_calls(&self, calls: usize) {
        self.sip_half_open_calls.set(i64::try_from(calls).unwrap_or(i64::MAX));
    }

    /// Says how many streams of a kind there are now.
    pub fn set_rtp_streams(&self, kind: &'static str, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.rtp_streams.with_label_values(&[kind]).set(count);
    }

    /// Counts RTP packets.
    pub fn count_rtp_packets(&self, direction: Direction, packets: u64) {
        self.rtp_packets.with_label_values(&[direction.word()]).inc_by(packets);
    }

    /// Counts frames that went out late, packets that never came, and packets of ours that never
    /// came to a phone, as it reports.
    pub fn count_rtp_trouble(&self, late: u64, lost: u64, undelivered: u64) {
        self.rtp_late.inc_by(late);
        self.rtp_lost.inc_by(lost);
        self.rtp_undelivered.inc_by(undelivered);
    }

    /// Counts packets that were received and not taken; `why` is one word of a short list.
    pub fn count_rtp_dropped(&self, why: &'static str, packets: u64) {
        self.rtp_dropped.with_label_values(&[why]).inc_by(packets);
    }

    /// Says how long it took from the commit of a call's arrival to its first INVITE.
    pub fn time_assignment(&self, length_us: u64) {
        self.assignment.observe(micros(length_us));
    }

    /// Says how long a free agent was left alone while calls waited.
    pub fn time_idle_gap(&self, length_us: u64) {
        self.agent_idle_gap.observe(micros(length_us));
    }

    pub(super) fn gather(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }
}

/// Makes and registers metrics.
struct Maker<'a> {
    registry: &'a Registry,
}

impl Maker<'_> {
    fn add<C: Collector + Clone + 'static>(&self, made: C) -> Result<C, prometheus::Error> {
        self.registry.register(Box::new(made.clone()))?;
        Ok(made)
    }

    fn counter(&self, name: &str, help: &str) -> Result<IntCounter, prometheus::Error> {
        self.add(IntCounter::with_opts(options(name, help))?)
    }

    fn counters(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<IntCounterVec, prometheus::Error> {
        self.add(IntCounterVec::new(options(name, help), labels)?)
    }

    fn gauge(&self, name: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
        self.add(IntGauge::with_opts(options(name, help))?)
    }

    fn gauges(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<IntGaugeVec, prometheus::Error> {
        self.add(IntGaugeVec::new(options(name, help), labels)?)
    }

    fn waits(&self, name: &str, help: &str) -> Result<HistogramVec, prometheus::Error> {
        let options = HistogramOpts::from(options(name, help)).buckets(WAIT_BUCKETS.to_vec());
        self.add(HistogramVec::new(options, &["queue"])?)
    }

    fn work(&self, name: &str, help: &str) -> Result<Histogram, prometheus::Error> {
        let options = HistogramOpts::from(options(name, help)).buckets(WORK_BUCKETS.to_vec());
        self.add(Histogram::with_opts(options)?)
    }
}

/// Name and help of a metric.
pub(super) fn options(name: &str, help: &str) -> Opts {
    Opts::new(format!("carillon_{name}"), help)
}

/// A length in seconds.
#[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^53 ms")]
pub(super) fn seconds(length: Millis) -> f64 {
    length.0 as f64 / 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^53 us")]
fn micros(length_us: u64) -> f64 {
    length_us as f64 / 1_000_000.0
}

fn known(method: &str) -> &'static str {
    METHODS.into_iter().find(|known| *known == method).unwrap_or("OTHER")
}
