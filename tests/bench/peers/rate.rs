//! W1: how many calls a second go through the queue to an agent, and what one costs.
//!
//! A rate is good if at most 0.5 % of its calls fail and 99 % of callers reach an agent's phone
//! within 500 ms. The rate is doubled while it is good, then the gap to the first bad one is
//! halved until it is small. Each rate gets a fresh server with four times as many agents as
//! calls a second, who talk two seconds: about half of them are busy. A bad rate is tried a second
//! time, because a neighbour on the machine can spoil a run, and none can improve one.
//!
//! Not here: what is done to the logs (`sipp`).

use std::time::Duration;

use crate::figure::Series;
use crate::figure::quantile;
use crate::machine::Place;
use crate::machine::load_average;
use crate::server::Staff;
use crate::server::System;
use crate::sink::Sink;
use crate::sipp::Load;
use crate::sipp::Phones;
use crate::sipp::Story;

const FAILED_PERCENT_MAX: f64 = 0.5;
const ASSIGNMENT_P99_MS_MAX: f64 = 500.0;
const AGENTS_PER_RATE: u32 = 4;
const AGENTS_MIN: u32 = 100;
const TALK: Duration = Duration::from_secs(2);

/// How carefully to search.
pub(crate) struct Search {
    /// Calls a second to begin with.
    pub(crate) first: u32,
    /// How long each rate lasts.
    pub(crate) seconds: u32,
    /// The search ends when the lowest bad rate is at most this far above the highest good one.
    pub(crate) within_percent: u32,
}

/// What came of one rate.
struct Trial {
    rate: u32,
    failed_percent: f64,
    assignments_ms: Vec<f64>,
    cpu_ms_per_call: f64,
    cores: f64,
    sipp_cores: f64,
    memory_mib: f64,
}

impl Trial {
    fn is_good(&self) -> bool {
        self.failed_percent <= FAILED_PERCENT_MAX
            && quantile(&self.assignments_ms, 0.99) <= ASSIGNMENT_P99_MS_MAX
    }

    fn write(&self, name: &str, series: &mut Series<'_>) {
        series.add(format!("{name}: calls a second"), f64::from(self.rate), "calls/s");
        series.add(format!("{name}: failed"), self.failed_percent, "%");
        series.add_spread(&format!("{name}: assignment"), &self.assignments_ms, "ms");
        series.add(format!("{name}: CPU per call"), self.cpu_ms_per_call, "ms");
        series.add(format!("{name}: cores"), self.cores, "cores");
        series.add(format!("{name}: cores of both sipp"), self.sipp_cores, "cores");
        series.add(format!("{name}: memory"), self.memory_mib, "MiB");
        series.add(format!("{name}: load average"), load_average(), "");
    }
}

/// Finds the highest good rate, then measures at half of it.
pub(crate) fn run(place: &Place, system: System, search: &Search, series: &mut Series<'_>) {
    let attempt = |rate: u32, series: &mut Series<'_>| {
        let mut trial = measure(place, system, rate, search.seconds);
        trial.write(&format!("tried {rate}"), series);
        if !trial.is_good() {
            trial = measure(place, system, rate, search.seconds);
            trial.write(&format!("tried {rate} again"), series);
        }
        trial.is_good().then_some(trial)
    };
    let (mut good, mut rate) = (None, search.first);
    let bad = loop {
        match attempt(rate, series) {
            Some(trial) => good = Some(trial),
            None => break rate,
        }
        rate *= 2;
    };
    let Some(mut best) = good else {
        return series.add("highest: calls a second", 0.0, "calls/s");
    };
    let mut bad = bad;
    while bad * 100 > best.rate * (100 + search.within_percent) {
        let between = u32::midpoint(best.rate, bad);
        match attempt(between, series) {
            Some(trial) => best = trial,
            None => bad = between,
        }
    }
    best.write("highest", series);
    measure(place, system, (best.rate / 2).max(1), search.seconds).write("half load", series);
}

/// Measures at one rate, whatever comes of it.
pub(crate) fn once(
    place: &Place,
    system: System,
    rate: u32,
    search: &Search,
    series: &mut Series<'_>,
) {
    measure(place, system, rate, search.seconds).write(&format!("at {rate}"), series);
}

/// One rate, with a fresh server.
fn measure(place: &Place, system: System, rate: u32, seconds: u32) -> Trial {
    Story::forget(place);
    let (callers_hear, phones_hear) = (Sink::open(), Sink::open());
    let load = Load {
        calls: rate * seconds,
        rate: f64::from(rate),
        patience: Duration::from_secs(20),
        logged: true,
    };
    let limit = load.limit() + Duration::from_secs(180);
    let phones = Phones::start(place, phones_hear.port, TALK, limit);
    let agents = (rate * AGENTS_PER_RATE).max(AGENTS_MIN);
    let mut server = system.start(place, &Staff { agents, phones: phones.port, ready: true });

    let target = server.target();
    let begun = server.program().cost();
    let phones_begun = phones.program.cost();
    let mut callers = load.start(place, callers_hear.port, &target);
    // Its costs can be read only while it lives.
    let load_lasts = Duration::from_secs(seconds.into());
    callers.ends_within(load_lasts.saturating_sub(Duration::from_millis(500)));
    let full = server.program().cost();
    let sipp = callers.cost().cpu + phones.program.cost().cpu_since(&phones_begun);
    callers.ends_within(load.limit());
    let cpu = server.program().cost().cpu_since(&begun);
    let seconds = full.elapsed_since(&begun);

    let story = Story::read(place);
    let complete = story.calls.values().filter(|call| call.is_complete()).count();
    let sent = f64::from(load.calls);
    Trial {
        rate,
        failed_percent: 100.0 * (sent - complete as f64) / sent,
        assignments_ms: story.calls.values().filter_map(|call| call.assignment_ms()).collect(),
        cpu_ms_per_call: 1000.0 * cpu / complete.max(1) as f64,
        cores: full.cores_since(&begun),
        sipp_cores: sipp / seconds,
        memory_mib: full.memory_kib / 1024.0,
    }
}
