//! Gauges of what is now, read from the state and the cluster at each scrape.
//!
//! A fresh registry each time: a queue that was removed leaves no series behind.
//!
//! Always holds: the state is locked only while plain figures are copied out.
//!
//! Not here: what is counted as it happens ([`super::metrics`]).

use std::collections::BTreeMap;
use std::fmt::Write;

use prometheus::Encoder;
use prometheus::GaugeVec;
use prometheus::IntCounterVec;
use prometheus::IntGauge;
use prometheus::IntGaugeVec;
use prometheus::Registry;
use prometheus::TextEncoder;

use crate::acd::command::AgentStateName;
use crate::acd::view::AgentPicture;
use crate::acd::view::QueuePicture;
use crate::base::time::Millis;
use crate::cluster::handle::BOUNDS_US;
use crate::cluster::handle::Handle;
use crate::cluster::handle::HistogramPicture;
use crate::observe::metrics::Metrics;
use crate::observe::metrics::options;
use crate::observe::metrics::seconds;

/// Every state an agent can be in, so that none is missing while nobody is in it; those Ready who
/// cannot be rung are counted by why instead, so that `Ready` is who could take a call.
const STATES: [&str; 10] = [
    "LoggedOut",
    "Ready",
    "NotReady",
    "Reserved",
    "Talking",
    "WrapUp",
    "DeviceBusy",
    "DeviceUnreachable",
    "DeviceUnknown",
    "JustRangOut",
];

/// Everything in the text form of Prometheus.
pub(super) fn text(handle: &Handle, metrics: &Metrics) -> Result<String, prometheus::Error> {
    let registry = Registry::new();
    let owner = handle.identity().owner;
    let now = handle.stamp();
    let (seen, queues, agents, legs) =
        handle.view(|view| (view.now(), view.queues(), view.agents(), view.legs_of(owner)));
    // On a quiet system the state's clock stands still between two entries.
    let behind = now.since(seen);
    queue_gauges(&registry, &queues, behind)?;
    agent_gauges(&registry, &agents)?;
    let ringing = legs.iter().filter(|leg| leg.dialog.is_none()).count();
    leg_gauges(&registry, ringing, legs.len() - ringing)?;
    cluster_gauges(&registry, handle)?;

    let mut families = metrics.gather();
    families.extend(registry.gather());
    families.sort_by(|one, other| one.name().cmp(other.name()));
    let mut text = Vec::new();
    TextEncoder::new().encode(&families, &mut text)?;
    let mut text = String::from_utf8_lossy(&text).into_owned();
    let figures = handle.figures();
    let help = "Proposal made to outcome known";
    histogram(&mut text, "carillon_raft_commit_seconds", help, &figures.commit.picture());
    let help = "Log entries written to safely on disk";
    histogram(&mut text, "carillon_raft_fsync_seconds", help, &figures.flush.picture());
    Ok(text)
}

fn queue_gauges(
    registry: &Registry,
    queues: &[QueuePicture],
    behind: Millis,
) -> Result<(), prometheus::Error> {
    let waiting = gauges(registry, "queue_waiting_calls", "Callers without an agent", &["queue"])?;
    let longest = floats(registry, "queue_longest_wait_seconds", "Wait of the first caller")?;
    let level = floats(registry, "queue_service_level_ratio", "Answered in time, 0 to 1")?;
    let target = floats(registry, "queue_service_level_target_ratio", "What it should be, 0 to 1")?;
    let members = gauges(registry, "queue_agents", "Members by state", &["queue", "state"])?;
    let calls = IntCounterVec::new(
        options("queue_calls_total", "Calls by what became of them"),
        &["queue", "outcome"],
    )?;
    registry.register(Box::new(calls.clone()))?;
    for queue in queues {
        let name = queue.id.as_str();
        waiting.with_label_values(&[name]).set(i64::from(queue.waiting));
        let wait = queue.longest_wait.map_or(0.0, |wait| seconds(wait + behind));
        longest.with_label_values(&[name]).set(wait);
        for state in STATES {
            let count = queue.agents.iter().find(|members| members.word() == state);
            let count = count.map_or(0, |members| members.count);
            members.with_label_values(&[name, state]).set(i64::from(count));
        }
        let totals = queue.totals;
        let outcomes = [
            ("entered", totals.entered),
            ("answered", totals.answered),
            ("abandoned", totals.abandoned),
            ("short_abandoned", totals.short_abandoned),
            ("overflowed", totals.overflowed),
            ("turned_away", totals.turned_away),
            ("withdrawn", totals.withdrawn),
            ("hung_up", totals.hung_up),
            ("lost", totals.lost),
        ];
        for (outcome, count) in outcomes {
            calls.with_label_values(&[name, outcome]).inc_by(count);
        }
        target.with_label_values(&[name]).set(f64::from(queue.target_percent) / 100.0);
        let settled = totals.answered + totals.abandoned;
        if settled > 0 {
            level.with_label_values(&[name]).set(ratio(totals.answered_in_time, settled));
        }
    }
    Ok(())
}

fn agent_gauges(registry: &Registry, agents: &[AgentPicture]) -> Result<(), prometheus::Error> {
    let by_state = gauges(registry, "agents", "Agents by state", &["state"])?;
    for state in STATES {
        let count = agents.iter().filter(|agent| agent.word() == state).count();
        by_state.with_label_values(&[state]).set(whole(count));
    }
    let devices = gauges(
        registry,
        "device_states",
        "Devices of agents who are logged in",
        &["state", "freshness"],
    )?;
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for agent in agents.iter().filter(|agent| agent.state != AgentStateName::LoggedOut) {
        let kind = (format!("{:?}", agent.device_state), format!("{:?}", agent.device_freshness));
        *counts.entry(kind).or_default() += 1;
    }
    for ((state, freshness), count) in counts {
        devices.with_label_values(&[state.as_str(), freshness.as_str()]).set(whole(count));
    }
    Ok(())
}

fn leg_gauges(registry: &Registry, ringing: usize, up: usize) -> Result<(), prometheus::Error> {
    let legs = gauges(registry, "legs", "Legs this node owns", &["state"])?;
    legs.with_label_values(&["ringing"]).set(whole(ringing));
    legs.with_label_values(&["up"]).set(whole(up));
    Ok(())
}

fn cluster_gauges(registry: &Registry, handle: &Handle) -> Result<(), prometheus::Error> {
    let members = handle.members();
    let is_leader = i64::from(members.leader == Some(handle.node()));
    gauge(registry, "raft_leader", "1 if this node leads", is_leader)?;
    gauge(registry, "raft_term", "Newest term seen", index(members.term))?;
    gauge(registry, "raft_applied_index", "Last entry applied", index(members.applied.0))?;
    gauge(registry, "quorum", "1 if a change can be made", i64::from(members.quorum))?;
    let lag = gauges(registry, "raft_member_lag", "Entries behind the leader", &["member"])?;
    for member in &members.members {
        if let Some(matched) = member.matched {
            let behind = members.last.0.saturating_sub(matched.0);
            lag.with_label_values(&[member.id.0.to_string().as_str()]).set(index(behind));
        }
    }
    Ok(())
}

fn gauge(registry: &Registry, name: &str, help: &str, value: i64) -> Result<(), prometheus::Error> {
    let gauge = IntGauge::with_opts(options(name, help))?;
    gauge.set(value);
    registry.register(Box::new(gauge))
}

fn gauges(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntGaugeVec, prometheus::Error> {
    let gauges = IntGaugeVec::new(options(name, help), labels)?;
    registry.register(Box::new(gauges.clone()))?;
    Ok(gauges)
}

fn floats(registry: &Registry, name: &str, help: &str) -> Result<GaugeVec, prometheus::Error> {
    let gauges = GaugeVec::new(options(name, help), &["queue"])?;
    registry.register(Box::new(gauges.clone()))?;
    Ok(gauges)
}

/// Writes a histogram the cluster keeps by itself.
fn histogram(text: &mut String, name: &str, help: &str, picture: &HistogramPicture) {
    let mut lines = format!("# HELP {name} {help}\n# TYPE {name} histogram\n");
    let mut sum = 0;
    for (bound, count) in BOUNDS_US.iter().zip(picture.buckets) {
        sum += count;
        let bound = seconds_of(*bound);
        // Writing to a String cannot fail.
        let _ = writeln!(lines, "{name}_bucket{{le=\"{bound}\"}} {sum}");
    }
    let count = picture.count();
    let total = seconds_of(picture.sum_us);
    let _ = writeln!(lines, "{name}_bucket{{le=\"+Inf\"}} {count}");
    let _ = writeln!(lines, "{name}_sum {total}\n{name}_count {count}");
    text.push_str(&lines);
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn seconds_of(micros: u64) -> f64 {
    micros as f64 / 1_000_000.0
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn index(index: u64) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}
