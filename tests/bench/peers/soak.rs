//! Soak: minutes of steady calls, after which nothing may be left over.
//!
//! | judged | good |
//! |---|---|
//! | memory | the last quarter's middle is at most 5 % above the second quarter's |
//! | open files | never more than 8 above what there were before the first call |
//! | legs, calls, SIP transactions, RTP streams | none, once the last call is over |
//! | threads | never more than 4 above what there were before the first call |
//! | calls | at most 0.5 % failed |
//!
//! The first quarter fills what is kept on purpose (recent calls, outcomes of requests). A leak of
//! one a call would be thousands; segments of the log, a reader of `/metrics` and threads that wait
//! for disks come and go.
//!
//! Not here: what the figures of `/metrics` mean (`observe`).

use std::time::Duration;
use std::time::Instant;

use crate::carillon::Carillon;
use crate::figure::Series;
use crate::figure::quantile;
use crate::machine::Cost;
use crate::machine::Place;
use crate::machine::pause;
use crate::machine::until;
use crate::server::Server;
use crate::server::Staff;
use crate::sink::Sink;
use crate::sipp::Load;
use crate::sipp::Phones;
use crate::sipp::Story;

const TALK: Duration = Duration::from_secs(2);
const SAMPLE_EVERY: Duration = Duration::from_secs(5);
const GROWTH_MAX: f64 = 1.05;
const FAILED_PERCENT_MAX: f64 = 0.5;
const THREADS_THAT_COME_AND_GO: f64 = 4.0;

/// Longer than any SIP timer (64 × T1) after the last BYE.
const SETTLE_LIMIT: Duration = Duration::from_secs(60);

/// What must be zero when all is over.
const LEFT_OVER: &[&str] = &[
    "carillon_legs",
    "carillon_sip_half_open_calls",
    "carillon_sip_transactions",
    "carillon_sip_transaction_bytes",
    "carillon_rtp_streams",
    "carillon_queue_waiting_calls",
];

/// Runs it; the sentences about what is wrong, none if all is well.
pub(crate) fn run(place: &Place, rate: u32, minutes: u32, series: &mut Series<'_>) -> Vec<String> {
    Story::forget(place);
    let (callers_hear, phones_hear) = (Sink::open(), Sink::open());
    let seconds = minutes * 60;
    let load = Load {
        calls: rate * seconds,
        rate: f64::from(rate),
        patience: Duration::from_secs(20),
        logged: false,
    };
    let limit = load.limit() + Duration::from_secs(180);
    let phones = Phones::start(place, phones_hear.port, TALK, limit);
    let staff = Staff { agents: (rate * 4).max(100), phones: phones.port, ready: false };
    let mut server = Carillon::start(place, &staff);
    server.free(staff.agents);
    let before = server.program().cost();

    let target = server.target();
    let mut callers = load.start(place, callers_hear.port, &target);
    let mut samples = Vec::new();
    let begun = Instant::now();
    while callers.is_alive() && begun.elapsed() < load.limit() {
        samples.push(server.program().cost());
        callers.ends_within(SAMPLE_EVERY);
        // Nobody reads them in a soak, and an hour of them is a gigabyte.
        let log = place.memory.join("phones.log");
        let _ = std::fs::OpenOptions::new().write(true).open(log).map(|log| log.set_len(0));
    }
    samples.retain(|sample| sample.elapsed_since(&before) < f64::from(seconds));
    let left = settle(&server);
    let after = server.program().cost();
    let calls = f64::from(load.calls);
    let answered = sum(&server, "carillon_queue_calls_total", "outcome=\"answered\"");
    series.add("calls", calls, "calls");
    series.add("failed", 100.0 * (calls - answered) / calls, "%");
    series.add("CPU per call", 1000.0 * after.cpu_since(&before) / calls, "ms");
    let mut wrong = judge(&samples, &before, &after, series);
    for (name, value) in left {
        series.add(format!("left over: {name}"), value, "");
        if value > 0.0 {
            wrong.push(format!("{name} is {value} although every call is over"));
        }
    }
    if 100.0 * (calls - answered) / calls > FAILED_PERCENT_MAX {
        wrong.push(format!("of {calls} calls {answered} were answered"));
    }
    wrong
}

/// Memory, files and threads.
fn judge(samples: &[Cost], before: &Cost, after: &Cost, series: &mut Series<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let quarter = |nth: usize| {
        let part = &samples[samples.len() * nth / 4..samples.len() * (nth + 1) / 4];
        quantile(&part.iter().map(|sample| sample.memory_kib).collect::<Vec<_>>(), 0.5)
    };
    for nth in 0..4 {
        series.add(format!("memory in quarter {}", nth + 1), quarter(nth) / 1024.0, "MiB");
    }
    let growth = quarter(3) / quarter(1);
    series.add("memory, last quarter by second", growth, "×");
    if growth > GROWTH_MAX {
        wrong.push(format!("memory grew {growth:.2} times from the second quarter to the last"));
    }
    let most = samples.iter().map(|sample| sample.files).max().unwrap_or(0);
    series.add("open files, most", most as f64, "files");
    series.add("open files, at the end more than before", excess(after.files, before.files), "");
    if most.max(after.files) > before.files + 8 {
        wrong.push(format!(
            "open files: {} before, {most} at most, {} after",
            before.files, after.files
        ));
    }
    let most = samples.iter().map(|sample| sample.threads).fold(after.threads, f64::max);
    series.add("threads, most above before", most - before.threads, "threads");
    if most > before.threads + THREADS_THAT_COME_AND_GO {
        wrong.push(format!("threads: {} before, {most} at most", before.threads));
    }
    wrong
}

fn excess(after: usize, before: usize) -> f64 {
    after as f64 - before as f64
}

/// Waits until nothing is left, and says what is.
fn settle(server: &Carillon) -> Vec<(&'static str, f64)> {
    let look = || LEFT_OVER.iter().map(|name| (*name, sum(server, name, ""))).collect::<Vec<_>>();
    until(SETTLE_LIMIT, || {
        pause(Duration::from_millis(500));
        let now = look();
        now.iter().all(|(_, value)| *value == 0.0).then_some(now)
    })
    .unwrap_or_else(look)
}

/// All figures of a family whose labels hold this.
fn sum(server: &Carillon, family: &str, label: &str) -> f64 {
    let of = |name: &&str| name.split('{').next() == Some(family) && name.contains(label);
    server.metrics().iter().filter(|(name, _)| of(&name.as_str())).map(|(_, value)| value).sum()
}
