//! W3: what it costs to have many agents: all of them free, two callers a second.
//!
//! Not here: many callers (`deep`), many calls a second (`rate`).

use std::time::Duration;
use std::time::Instant;

use crate::figure::Series;
use crate::figure::quantile;
use crate::machine::Place;
use crate::machine::pause;
use crate::server::Staff;
use crate::server::System;
use crate::sink::Sink;
use crate::sipp::Load;
use crate::sipp::Phones;
use crate::sipp::Story;

/// Two callers a second and short talks: never more than a few agents are busy.
const RATE: f64 = 2.0;
const TALK: Duration = Duration::from_millis(1200);

/// Measures each number of agents, and how much the last is slower than the first.
pub(crate) fn run(
    place: &Place,
    system: System,
    agents: &[u32],
    calls: u32,
    series: &mut Series<'_>,
) {
    let measured: Vec<Vec<f64>> =
        agents.iter().map(|agents| measure(place, system, *agents, calls, series)).collect();
    let (Some(few), Some(many)) = (measured.first(), measured.last()) else { return };
    for (label, share) in [("p50", 0.50), ("p99", 0.99)] {
        let growth = quantile(many, share) / quantile(few, share);
        series.add(format!("assignment {label}, growth from few to many agents"), growth, "×");
    }
}

fn measure(
    place: &Place,
    system: System,
    agents: u32,
    calls: u32,
    series: &mut Series<'_>,
) -> Vec<f64> {
    Story::forget(place);
    let (callers_hear, phones_hear) = (Sink::open(), Sink::open());
    let load = Load { calls, rate: RATE, patience: Duration::from_secs(20), logged: true };
    let limit = load.limit() + Duration::from_secs(300);
    let phones = Phones::start(place, phones_hear.port, TALK, limit);
    let begun = Instant::now();
    let mut server = system.start(place, &Staff { agents, phones: phones.port, ready: true });
    let started = begun.elapsed().as_secs_f64();

    // What it does without calls is not the calls' cost.
    let before = server.program().cost();
    pause(Duration::from_secs(3));
    let begun = server.program().cost();
    let idle = begun.cores_since(&before);
    let target = server.target();
    let mut callers = load.start(place, callers_hear.port, &target);
    callers.ends_within(load.limit());
    let ended = server.program().cost();
    let cpu = ended.cpu_since(&begun) - idle * ended.elapsed_since(&begun);

    let story = Story::read(place);
    let spread: Vec<f64> = story.calls.values().filter_map(|call| call.assignment_ms()).collect();
    let complete = story.calls.values().filter(|call| call.is_complete()).count();
    let name = |what: &str| format!("{agents} agents: {what}");
    series.add(name("calls done"), complete as f64, "calls");
    series.add_spread(&name("assignment"), &spread, "ms");
    series.add(name("CPU per call"), 1000.0 * cpu / complete.max(1) as f64, "ms");
    series.add(name("idle"), idle, "cores");
    series.add(name("ready after"), started, "s");
    series.add(name("memory"), ended.memory_kib / 1024.0, "MiB");
    spread
}
