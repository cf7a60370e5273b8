//! The last entries of a seed, one line each, for whoever has to understand a failure.
//!
//! ```text
//!  #41207 +00:03:04.250 EndLeg { leg: c981-0, … }  UnknownLeg   CallEnded ─ ReleaseLeg
//!  index  time          command                    if refused   facts     ─ orders
//! ```
//!
//! Not here: what is wrong ([`super::invariants`]).

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use carillon::acd::command::Entry;
use carillon::acd::outcome::Outcome;
use carillon::base::time::ClusterTime;

use crate::world::Step;

const LINES: usize = 40;
const COMMAND_WIDTH: usize = 72;

/// A window on the log; clones look at the same one, also after a panic.
#[derive(Clone, Default)]
pub(crate) struct Trace(Rc<RefCell<Window>>);

#[derive(Default)]
struct Window {
    begun: Option<ClusterTime>,
    steps: u64,
    lines: VecDeque<Line>,
}

/// An entry, and what came of it unless the core did not survive it.
struct Line {
    index: u64,
    entry: Entry,
    step: Option<Rc<Step>>,
}

impl Trace {
    /// Keeps what is about to be applied, so that a panic has a last line.
    pub(crate) fn open(&self, entry: &Entry) {
        let mut window = self.0.borrow_mut();
        window.begun.get_or_insert(entry.proposed_at);
        window.steps += 1;
        let index = window.steps;
        window.lines.push_back(Line { index, entry: entry.clone(), step: None });
        if window.lines.len() > LINES {
            window.lines.pop_front();
        }
    }

    /// Completes the newest line with what came of it.
    pub(crate) fn close(&self, step: &Rc<Step>) {
        if let Some(line) = self.0.borrow_mut().lines.back_mut() {
            line.step = Some(Rc::clone(step));
        }
    }

    /// How many entries there were.
    pub(crate) fn steps(&self) -> u64 {
        self.0.borrow().steps
    }

    /// The last lines.
    pub(crate) fn lines(&self) -> String {
        let window = self.0.borrow();
        let begun = window.begun.unwrap_or_default();
        window.lines.iter().map(|line| format!("{}\n", line.worded(begun))).collect()
    }
}

impl Line {
    fn worded(&self, begun: ClusterTime) -> String {
        let past = self.entry.proposed_at.since(begun).0;
        let (hours, minutes) = (past / 3_600_000, past / 60_000 % 60);
        let (seconds, millis) = (past / 1_000 % 60, past % 1_000);
        let time = format!("+{hours:02}:{minutes:02}:{seconds:02}.{millis:03}");
        let command = tidy(&format!("{:?}", self.entry.command));
        let command: String = command.chars().take(COMMAND_WIDTH).collect();
        let came = self.step.as_deref().map(outcome).unwrap_or_default();
        format!("#{:<6} {time} {command:<COMMAND_WIDTH$} {came}", self.index)
    }
}

/// The refusal, if any, then facts and orders by their first words.
fn outcome(step: &Step) -> String {
    let refused = match &step.outcome {
        Outcome::Done => String::new(),
        Outcome::Refused(refusal) => first_word(refusal),
    };
    let facts: Vec<String> = step.out.facts.iter().map(first_word).collect();
    let orders: Vec<String> =
        step.out.orders.iter().map(|order| first_word(&order.effect)).collect();
    format!("{refused:<16} {} ─ {}", facts.join(" "), orders.join(" "))
}

fn first_word(said: &impl std::fmt::Debug) -> String {
    let said = format!("{said:?}");
    said.split([' ', '(']).next().unwrap_or_default().to_owned()
}

/// Takes the noise out of derived `Debug`.
fn tidy(debug: &str) -> String {
    let mut text = debug.to_owned();
    for (noise, instead) in NOISE {
        text = text.replace(noise, instead);
    }
    text
}

const NOISE: [(&str, &str); 12] = [
    ("EnqueueCall(Arrival", "EnqueueCall"),
    ("LogIn(LogIn", "LogIn"),
    ("LegId { call: CallId(", "c"),
    ("), nth: ", "-"),
    ("CallId(", "c"),
    ("AgentId(", ""),
    ("QueueId(", ""),
    ("NodeId(", "n"),
    ("Incarnation(", ""),
    ("\"", ""),
    (")", ""),
    (" }", ""),
];
