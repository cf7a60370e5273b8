//! W2: what many waiting callers cost, and how soon a freed agent has the next of them.
//!
//! ```text
//! nobody ready        everybody waits          100 agents made ready, talk 2 s each
//! ├──── fill ────┼──── measured window ────┼──── drain: INVITEs, gaps, order ────►
//! ```
//!
//! Always holds: callers arrive one after the other, so that their numbers are the order in which
//! they are to be served.
//!
//! Not here: how gaps and order are read from the logs (`sipp`).

use std::time::Duration;
use std::time::SystemTime;

use crate::figure::Series;
use crate::figure::quantile;
use crate::machine::Place;
use crate::machine::load_average;
use crate::machine::pause;
use crate::machine::until;
use crate::server::Server;
use crate::server::Staff;
use crate::server::System;
use crate::sink::Sink;
use crate::sipp::Load;
use crate::sipp::Phones;
use crate::sipp::Story;

/// Two seconds, so that 100 agents serve 50 callers a second.
const TALK: Duration = Duration::from_secs(2);

/// How long a server may take to serve them all.
const DRAIN_LIMIT: Duration = Duration::from_secs(120);

/// How deep the queue is.
pub(crate) struct Depth {
    pub(crate) callers: u32,
    /// How many arrive in a second.
    pub(crate) fill_rate: u32,
    pub(crate) agents: u32,
    /// How long the waiting is watched.
    pub(crate) window: Duration,
}

/// Fills, watches, drains.
pub(crate) fn run(place: &Place, system: System, depth: &Depth, series: &mut Series<'_>) {
    Story::forget(place);
    let (callers_hear, phones_hear) = (Sink::open(), Sink::open());
    let load = Load {
        calls: depth.callers,
        rate: f64::from(depth.fill_rate),
        patience: depth.window + DRAIN_LIMIT + Duration::from_secs(60),
        logged: true,
    };
    let limit = load.limit() + Duration::from_secs(120);
    let phones = Phones::start(place, phones_hear.port, TALK, limit);
    let staff = Staff { agents: depth.agents, phones: phones.port, ready: false };
    let mut server = system.start(place, &staff);
    let target = server.target();
    let empty = server.program().cost();
    let callers = load.start(place, callers_hear.port, &target);
    let filled = load.limit() - load.patience + Duration::from_secs(20);
    until(filled, || (server.waiting() == depth.callers).then_some(()));

    let waiting = watch(depth, server.as_mut(), &callers_hear, empty, series);
    drain(place, depth, server.as_mut(), waiting, series);
    drop(callers);
}

/// The window in which nothing happens but music; how many callers waited.
fn watch(
    depth: &Depth,
    server: &mut dyn Server,
    sink: &Sink,
    empty: crate::machine::Cost,
    series: &mut Series<'_>,
) -> usize {
    // The last ones have only just been answered.
    pause(Duration::from_secs(2));
    let waiting = f64::from(server.waiting());
    sink.take();
    let begun = server.program().cost();
    pause(depth.window);
    let heard = sink.take();
    let ended = server.program().cost();
    let each_ms = 1000.0 * ended.cores_since(&begun) / waiting.max(1.0);
    let seconds = ended.elapsed_since(&begun);
    let name = |what: &str| format!("{} waiting: {what}", depth.callers);
    series.add(name("callers in the queue"), waiting, "callers");
    series.add(name("cores"), ended.cores_since(&begun), "cores");
    series.add(name("CPU per caller"), each_ms, "ms/s");
    series.add(name("callers per core"), 1000.0 / each_ms, "callers");
    let memory = (ended.memory_kib - empty.memory_kib) / waiting.max(1.0);
    series.add(name("memory per caller"), memory, "KiB");
    series.add(name("threads"), ended.threads, "threads");
    series.add(name("music streams"), heard.streams() as f64, "streams");
    let due = waiting * 50.0 * seconds;
    series.add(name("music packets sent of those due"), 100.0 * heard.packets as f64 / due, "%");
    series.add(name("music packets 18–22 ms apart"), heard.on_time_percent(), "%");
    series.add(name("music gap p99"), heard.gap_ms(0.99), "ms");
    series.add(name("load average"), load_average(), "");
    waiting as usize
}

/// Agents become ready at once; every caller is served.
fn drain(
    place: &Place,
    depth: &Depth,
    server: &mut dyn Server,
    waiting: usize,
    series: &mut Series<'_>,
) {
    let before = server.program().cost();
    let freed = micros();
    server.free(depth.agents);
    let joined = |story: &Story| story.calls.values().filter(|call| call.joined.is_some()).count();
    until(DRAIN_LIMIT, || {
        pause(Duration::from_millis(500));
        (joined(&Story::read(place)) >= waiting).then_some(())
    });
    let cost = server.program().cost();
    let story = Story::read(place);
    let ends = story.calls.values().filter_map(|call| call.joined);
    let drained = ends.max().map_or(f64::NAN, |at| (at - freed) as f64 / 1e6);
    let name = |what: &str| format!("{} waiting: {what}", depth.callers);
    let first: Vec<f64> = story
        .agents
        .values()
        .filter_map(|events| events.first())
        .map(|(at, _)| (at - freed) as f64 / 1000.0)
        .collect();
    series.add(name("served"), joined(&story) as f64, "callers");
    series.add(name("all served after"), drained, "s");
    series.add(
        name("CPU per call served"),
        1000.0 * cost.cpu_since(&before) / waiting as f64,
        "ms",
    );
    series.add(name("first INVITE to the last agent"), quantile(&first, 1.0), "ms");
    series.add_spread(&name("agent free to next INVITE"), &story.idle_gaps_ms(), "ms");
    // INVITEs of one moment leave through several sockets; a millisecond is no order.
    let overtaken: Vec<f64> = story.overtaken_ms().into_iter().filter(|ms| *ms > 1.0).collect();
    series.add(name("overtaken callers"), overtaken.len() as f64, "callers");
    let worst = overtaken.into_iter().fold(0.0, f64::max);
    series.add(name("overtaken by at most"), worst, "ms");
}

/// Now, as sipp stamps its lines.
fn micros() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as i64)
}
