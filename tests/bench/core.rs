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
//! Target: the middle of all entries at most 5 µs, and at most 1.5 times as much in the largest
//! center as in the smallest.
//!
//!     cargo bench --bench core
//!
//! Not here: writing the log (`tests/cluster/speed.rs`), whole calls (`peers`).

#[path = "jsonl.rs"]
mod jsonl;
#[path = "timing.rs"]
mod timing;

use std::collections::VecDeque;
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

/// More than the core remembers of requests, so that forgetting is measured too.
const WARM_UP: u64 = 25_000;

/// Calls measured in each cell of the grid; three entries each.
const MEASURED: u64 = 25_000;

const OWNER: Owner = Owner { node: NodeId(1), incarnation: Incarnation(1) };

/// As large as a dialog of `b2bua` is in the log.
const DIALOG_BYTES: usize = 400;

fn main() {
    let mut figures = Jsonl::create("core");
    println!("agents × waiting │ hang up │  answer │  arrive │ all p50 │ all p99   (µs)");
    let mut middles = Vec::new();
    for agents in AGENTS {
        for waiting in WAITING {
            middles.push(cell(agents, waiting, &mut figures));
        }
    }
    let largest = middles.iter().copied().fold(0.0, f64::max);
    let growth = largest / middles.first().copied().unwrap_or(f64::NAN);
    figures.add("largest middle of the grid", largest, "µs");
    figures.add("growth over the grid", growth, "×");
    println!("largest middle {largest:.2} µs (at most 5), growth {growth:.2} (at most 1.5)");
}

/// Measures one cell of the grid; the middle of all entries.
fn cell(agents: u64, waiting: u64, figures: &mut Jsonl) -> f64 {
    let mut center = Center::staffed(agents);
    for _ in 0..agents {
        center.arrive();
        center.answer();
    }
    for _ in 0..waiting {
        center.arrive();
    }
    for _ in 0..WARM_UP {
        center.hang_up();
        center.answer();
        center.arrive();
    }
    let mut each = [Times::default(), Times::default(), Times::default()];
    let mut all = Times::default();
    for _ in 0..MEASURED {
        let steps = [Center::hang_up, Center::answer, Center::arrive];
        for (times, step) in each.iter_mut().zip(steps) {
            let took = step(&mut center);
            times.note(took);
            all.note(took);
        }
    }
    let micros = |times: &Times, share| times.quantile(share) / 1000.0;
    let [ended, answered, arrived] = each.map(|times| micros(&times, 0.5));
    let (middle, tail) = (micros(&all, 0.5), micros(&all, 0.99));
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
    middle
}

/// One queue, its agents, and who of them is doing what.
struct Center {
    state: State,
    entries: u64,
    calls: u64,
    out: Output,
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
            caller: Caller {
                sip_call_id: format!("{number}-3848276298220188511@192.0.2.20"),
                from: Private::new(format!("{number}@pbx.example")),
                to: "sales@acd.example".to_owned(),
                number: Private::new(Some(number)),
                name: Private::new(None),
            },
            priority: None,
            dialog: Dialog(vec![0; DIALOG_BYTES]),
        })))
    }

    /// The phone that has rung longest answers.
    fn answer(&mut self) -> Duration {
        let leg = self.ringing.pop_front().expect("a phone rings");
        self.talking.push_back(leg);
        self.enter(Command::AnswerReservation { leg, dialog: Dialog(vec![0; DIALOG_BYTES]) })
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
        let begun = Instant::now();
        let outcome = apply(&mut self.state, LogIndex(self.entries), &entry, &mut self.out);
        let took = begun.elapsed();
        assert_eq!(outcome, Outcome::Done, "{:?}", entry.command);
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
