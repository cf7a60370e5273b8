//! How long the core takes for one entry, over numbers of agents and of waiting calls.
//!
//! Every agent of one queue talks and calls wait; then each call goes through its life:
//!
//! | entry | what the core does |
//! |---|---|
//! | an agent hangs up | ends the call, finds the longest waiting one for that agent |
//! | that agent's phone answers | joins the two |
//! | a caller arrives | takes its place at the end |
//!
//! so numbers stay as they are, and what is bounded (recent calls, outcomes of requests) is full.
//! All cells of the grid do the same work, which is checked, and take turns in rounds, so that a
//! busy neighbour of this machine is in all of them; at each turn a cell first runs until
//! everything in it was touched. Reading the clock is measured by itself and taken off. Of the
//! smallest and the largest center valgrind counts instructions, and misses of simulated caches.
//!
//! Target: the middle of all entries at most 5 µs, and at most 1.5 times as much in the largest
//! center as in the smallest.
//!
//!     cargo bench --bench core
//!     cargo bench --bench core -- --count
//!     cargo bench --bench core -- --run 10000 10       # one cell, for a profiler
//!
//! Not here: writing the log (`tests/cluster/speed.rs`), whole calls (`peers`).

#[path = "jsonl.rs"]
mod jsonl;
#[path = "timing.rs"]
mod timing;
#[path = "valgrind.rs"]
mod valgrind;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use carillon::acd::State;
use carillon::acd::apply::Output;
use carillon::acd::apply::apply;
use carillon::acd::command::Actor;
use carillon::acd::command::Arrival;
use carillon::acd::command::Caller;
use carillon::acd::command::Command;
use carillon::acd::command::Dialog;
use carillon::acd::command::Entry;
use carillon::acd::command::LegEnd;
use carillon::acd::command::LogIn;
use carillon::acd::command::LoginKind;
use carillon::acd::command::Outcome;
use carillon::acd::command::Role;
use carillon::acd::config::Address;
use carillon::acd::config::Source;
use carillon::acd::effect::Effect;
use carillon::base::id::CallId;
use carillon::base::id::Incarnation;
use carillon::base::id::LegId;
use carillon::base::id::LogIndex;
use carillon::base::id::NodeId;
use carillon::base::id::Owner;
use carillon::base::id::RequestId;
use carillon::base::secret::Private;
use carillon::base::time::ClusterTime;
use carillon::resource;
use carillon::resource::Configuration;
use carillon::resource::File;
use carillon::resource::Outside;

use crate::jsonl::Jsonl;
use crate::timing::Times;

const AGENTS: [u64; 3] = [100, 1_000, 10_000];
const WAITING: [u64; 3] = [10, 1_000, 10_000];

/// What counts: caches of 32 KiB each for code and data before one of 1 MiB.
const COUNTER: [&str; 7] = [
    "--tool=callgrind",
    "--callgrind-out-file=/dev/null",
    "--cache-sim=yes",
    "--I1=32768,8,64",
    "--D1=32768,8,64",
    "--LL=1048576,16,64",
    "--toggle-collect=core::measured",
];

/// How often the cells take turns.
const ROUNDS: u64 = 5;

/// Calls before the measured ones of each turn: more than the core remembers of requests, so that
/// forgetting is measured too, and more than there are agents or callers.
const WARM_UP: u64 = 25_000;

/// Calls measured in each turn; three entries each.
const MEASURED: u64 = 5_000;

const OWNER: Owner = Owner { node: NodeId(1), incarnation: Incarnation(1) };

/// As large as a dialog of `b2bua` is in the log.
const DIALOG_BYTES: usize = 400;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |word: &str| word.parse().expect("a number");
    match arguments[..] {
        ["--run", agents, waiting, ..] => drop(run(&[(number(agents), number(waiting))])),
        ["--count", ..] => count(),
        _ => time(),
    }
}

/// Cells of these sizes, agents and waiting calls, after all their turns.
fn run(sizes: &[(u64, u64)]) -> (Vec<Cell>, Duration) {
    let mut cells: Vec<Cell> =
        sizes.iter().map(|(agents, waiting)| Cell::staffed(*agents, *waiting)).collect();
    let clock = clock_read();
    for _ in 0..ROUNDS {
        cells.iter_mut().for_each(|cell| cell.take_turn(clock));
    }
    let work: Vec<_> = cells.iter().map(|cell| cell.center.caused).collect();
    assert!(work.windows(2).all(|pair| pair[0] == pair[1]), "not the same work: {work:?}");
    (cells, clock)
}

fn time() {
    let grid = AGENTS.iter().flat_map(|agents| WAITING.map(|waiting| (*agents, waiting)));
    let (cells, clock) = run(&grid.collect::<Vec<_>>());
    let mut figures = Jsonl::create("core");
    println!("agents × waiting │ hang up │  answer │  arrive │ all p50 │ all p99   (µs)");
    let middles: Vec<_> = cells.iter().map(|cell| cell.tell(&mut figures)).collect();
    tell_growth(&middles, &mut figures);
    println!("a clock read of {} ns is taken off each", clock.as_nanos());
}

/// Counts the smallest and the largest cell; for each entry on average.
fn count() {
    let mut figures = Jsonl::create("core_count");
    println!("agents × waiting │ instructions │ misses: data │   code │ of the second cache");
    for (agents, waiting) in [(AGENTS[0], WAITING[0]), (AGENTS[2], WAITING[2])] {
        let cell = [agents, waiting].map(|size| size.to_string());
        let told = valgrind::run(&COUNTER, &["--run", &cell[0], &cell[1]]);
        let each = |label| told.number(label) / (3 * ROUNDS * MEASURED) as f64;
        let counts = ["I refs", "D1 misses", "I1 misses", "LL misses"].map(each);
        let [instructions, data, code, second] = counts;
        println!(
            "{agents:>6} × {waiting:<7} │ {instructions:>12.0} │ {data:>12.0} │ {code:>6.0} │ \
             {second:>19.0}"
        );
        let names = ["instructions", "misses of data", "misses of code", "misses of the second"];
        for (what, value) in names.into_iter().zip(counts) {
            figures.add(&format!("{agents} agents, {waiting} waiting: {what}"), value, "an entry");
        }
    }
}

/// Says how the middles of the steps and of all entries grow over the grid.
fn tell_growth(middles: &[[f64; 4]], figures: &mut Jsonl) {
    let of = |nth: usize| middles.iter().map(move |cell| cell[nth]);
    let largest = |nth| of(nth).fold(0.0, f64::max);
    let growth = |nth| largest(nth) / of(nth).next().unwrap_or(f64::NAN);
    println!(
        "growth           │ {:>7.2} │ {:>7.2} │ {:>7.2} │ {:>7.2} │ (at most 1.5)",
        growth(0),
        growth(1),
        growth(2),
        growth(3)
    );
    println!("largest middle {:.2} µs (at most 5)", largest(3));
    figures.add("largest middle of the grid", largest(3), "µs");
    for (nth, what) in ["hang up", "answer", "arrive", "all"].into_iter().enumerate() {
        figures.add(&format!("growth over the grid: {what}"), growth(nth), "×");
    }
}

/// What it costs to read the clock twice with nothing in between.
fn clock_read() -> Duration {
    let mut times = Times::default();
    for _ in 0..10_000 {
        let begun = Instant::now();
        times.note(begun.elapsed());
    }
    Duration::from_nanos(times.quantile(0.5) as u64)
}

/// One cell of the grid.
struct Cell {
    agents: u64,
    waiting: u64,
    center: Center,
    each: [Times; 3],
    all: Times,
}

impl Cell {
    /// Everybody talks, and so many wait.
    fn staffed(agents: u64, waiting: u64) -> Self {
        let mut center = Center::staffed(agents);
        for _ in 0..agents {
            center.arrive();
            center.answer();
        }
        for _ in 0..waiting {
            center.arrive();
        }
        Self { agents, waiting, center, each: Default::default(), all: Times::default() }
    }

    /// Runs calls until the cell is itself, then measures some.
    fn take_turn(&mut self, clock: Duration) {
        const STEPS: [fn(&mut Center) -> Duration; 3] =
            [Center::hang_up, Center::answer, Center::arrive];
        for _ in 0..WARM_UP {
            STEPS.iter().for_each(|step| _ = step(&mut self.center));
        }
        self.center.measured = true;
        for _ in 0..MEASURED {
            for (times, step) in self.each.iter_mut().zip(STEPS) {
                let took = step(&mut self.center).saturating_sub(clock);
                times.note(took);
                self.all.note(took);
            }
        }
        self.center.measured = false;
    }

    /// The middles of the three steps and of all entries, in µs.
    fn tell(&self, figures: &mut Jsonl) -> [f64; 4] {
        let micros = |times: &Times, share| times.quantile(share) / 1000.0;
        let [ended, answered, arrived] = [0, 1, 2].map(|nth| micros(&self.each[nth], 0.5));
        let (middle, tail) = (micros(&self.all, 0.5), micros(&self.all, 0.99));
        let Self { agents, waiting, .. } = self;
        println!(
            "{agents:>6} × {waiting:<7} │ {ended:>7.2} │ {answered:>7.2} │ {arrived:>7.2} │ \
             {middle:>7.2} │ {tail:>7.2}"
        );
        let name = |what: &str| format!("{agents} agents, {waiting} waiting: {what}");
        figures.add(&name("hang up p50"), ended, "µs");
        figures.add(&name("answer p50"), answered, "µs");
        figures.add(&name("arrive p50"), arrived, "µs");
        figures.add(&name("all p50"), middle, "µs");
        figures.add(&name("all p99"), tail, "µs");
        [ended, answered, arrived, middle]
    }
}

/// What is measured, in a function of its own for a profiler to begin and end at.
#[inline(never)]
fn measured(state: &mut State, index: LogIndex, entry: &Entry, out: &mut Output) -> Outcome {
    apply(state, index, entry, out)
}

/// One queue, its agents, and who of them is doing what.
struct Center {
    state: State,
    entries: u64,
    calls: u64,
    out: Output,
    /// Now, and orders and facts meanwhile.
    measured: bool,
    caused: [usize; 2],
    /// Legs whose phone rings.
    ringing: VecDeque<LegId>,
    /// Agents' legs that talk, longest first.
    talking: VecDeque<LegId>,
}

impl Center {
    /// A queue with everybody logged in and ready.
    fn staffed(agents: u64) -> Self {
        let mut center = Self {
            state: State::new(),
            entries: 0,
            calls: 0,
            out: Output::default(),
            measured: false,
            caused: [0; 2],
            ringing: VecDeque::new(),
            talking: VecDeque::new(),
        };
        center.enter(Command::StartNode { owner: OWNER });
        let configured = resource::read(&[yaml(&written(agents))], &Nothing);
        let Configuration { queues, agents, .. } = configured.expect("it is well written");
        let source = Source::Folder;
        for queue in queues {
            center.enter(Command::PutQueue { queue: Box::new(queue), source });
        }
        for agent in agents {
            let id = agent.id.clone();
            let by = Actor { role: Role::Administrator, name: "bench".to_owned() };
            let wish = LogIn {
                agent: id.clone(),
                pin: None,
                device: None,
                kind: LoginKind::Callback,
                by: by.clone(),
            };
            center.enter(Command::PutAgent { agent: Box::new(agent), source });
            center.enter(Command::LogIn(Box::new(wish)));
            center.enter(Command::SetReady { agent: id, by });
        }
        center
    }

    /// A caller arrives.
    fn arrive(&mut self) -> Duration {
        self.calls += 1;
        let number = format!("+49221{:06}", self.calls % 1_000_000);
        self.enter(Command::EnqueueCall(Box::new(Arrival {
            // Drawn by the node in life, so in no order.
            call: CallId(self.calls.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
            owner: OWNER,
            to: Address { user: "sales".to_owned(), host: None },
            caller: Arc::new(Caller {
                sip_call_id: format!("{number}-3848276298220188511@192.0.2.20"),
                from: Private::new(format!("{number}@pbx.example")),
                to: "sales@acd.example".to_owned(),
                number: Private::new(Some(number)),
                name: Private::new(None),
            }),
            priority: None,
            dialog: Dialog::from(vec![0; DIALOG_BYTES]),
        })))
    }

    /// The phone that has rung longest answers.
    fn answer(&mut self) -> Duration {
        let leg = self.ringing.pop_front().expect("a phone rings");
        self.talking.push_back(leg);
        self.enter(Command::AnswerReservation { leg, dialog: Dialog::from(vec![0; DIALOG_BYTES]) })
    }

    /// The agent who has talked longest hangs up.
    fn hang_up(&mut self) -> Duration {
        let leg = self.talking.pop_front().expect("an agent talks");
        self.enter(Command::EndLeg { leg, why: LegEnd::HungUp })
    }

    /// Applies one entry, a millisecond after the last, and says how long that took.
    fn enter(&mut self, command: Command) -> Duration {
        self.entries += 1;
        let entry = Entry {
            proposed_at: ClusterTime(1_800_000_000_000 + self.entries),
            // Names of requests are random in life, and so is their place in the tree.
            request: RequestId(u128::from(self.entries).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C)),
            command,
        };
        self.out.orders.clear();
        self.out.facts.clear();
        let carry_out = if self.measured { measured } else { apply };
        let begun = Instant::now();
        let outcome = carry_out(&mut self.state, LogIndex(self.entries), &entry, &mut self.out);
        let took = begun.elapsed();
        assert_eq!(outcome, Outcome::Done, "{:?}", entry.command);
        if self.measured {
            self.caused[0] += self.out.orders.len();
            self.caused[1] += self.out.facts.len();
        }
        for order in &self.out.orders {
            if let Effect::RingAgent(ring) = &order.effect {
                self.ringing.push_back(ring.leg);
            }
        }
        took
    }
}

/// One queue and its agents, as a folder would have them.
fn written(agents: u64) -> String {
    let agent = |number| {
        format!(
            "---\nkind: Agent\nmetadata: {{name: a{number}}}\n\
             spec: {{queues: [sales], device: {{address: \"sip:a{number}@192.0.2.20\"}}}}\n"
        )
    };
    let staff: String = (0..agents).map(agent).collect();
    format!("kind: Queue\nmetadata: {{name: sales}}\nspec: {{}}\n{staff}")
}

fn yaml(text: &str) -> File<'_> {
    File { name: "bench.yaml", text }
}

/// No files, and the one prompt a queue has by itself.
struct Nothing;

impl Outside for Nothing {
    fn read_secret(&self, _: &str) -> Result<String, String> {
        Err("there are no secrets".to_owned())
    }

    fn check_audio(&self, _: &str) -> Result<(), String> {
        Ok(())
    }

    fn built_in_prompts(&self) -> &[&str] {
        &["music"]
    }
}
