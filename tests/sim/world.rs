//! Three replicas fed the same entries, each in its own way.
//!
//! | replica | lives |
//! |---|---|
//! | `leading` | applies every entry at once; it is the one looked at |
//! | `restored` | the same, but is written to a snapshot and read back at random moments |
//! | `lagging` | applies late, in batches |
//!
//! Every outcome, order and fact must be the same on all three. A fourth applies the whole log
//! from the beginning when the seed is over.
//!
//! Not here: when whole states are compared ([`super::invariants`]).

use std::collections::VecDeque;

use carillon::acd::State;
use carillon::acd::apply::Output;
use carillon::acd::apply::apply;
use carillon::acd::command::Entry;
use carillon::acd::command::Outcome;
use carillon::base::id::LogIndex;

/// What came of one entry.
pub(crate) struct Step {
    pub(crate) entry: Entry,
    pub(crate) outcome: Outcome,
    /// Deadlines were due, so not all that came of it came of the command.
    pub(crate) found_due: bool,
    pub(crate) out: Output,
}

/// The replicas and their log.
pub(crate) struct World {
    pub(crate) leading: State,
    pub(crate) restored: State,
    pub(crate) lagging: State,
    log: Vec<Entry>,
    behind: VecDeque<(Entry, Outcome, Output)>,
}

impl World {
    /// Empty replicas.
    pub(crate) fn new() -> Self {
        Self {
            leading: State::new(),
            restored: State::new(),
            lagging: State::new(),
            log: Vec::new(),
            behind: VecDeque::new(),
        }
    }

    /// Applies an entry where it is applied at once.
    pub(crate) fn commit(&mut self, entry: Entry) -> Result<Step, String> {
        let index = LogIndex(self.log.len() as u64 + 1);
        let due = self.leading.next_deadline();
        let found_due = due.is_some_and(|due| due <= entry.proposed_at.max(self.leading.now()));
        let (outcome, out) = applied(&mut self.leading, index, &entry);
        let elsewhere = applied(&mut self.restored, index, &entry);
        if elsewhere != (outcome.clone(), out.clone()) {
            return Err(format!("the restored replica says {elsewhere:?}"));
        }
        self.behind.push_back((entry.clone(), outcome.clone(), out.clone()));
        self.log.push(entry.clone());
        Ok(Step { entry, outcome, found_due, out })
    }

    /// Lets the lagging replica apply all it has missed.
    pub(crate) fn catch_up(&mut self) -> Result<(), String> {
        let missed = self.behind.len();
        let first = self.log.len() - missed + 1;
        for (nth, (entry, outcome, out)) in self.behind.drain(..).enumerate() {
            let index = LogIndex((first + nth) as u64);
            if applied(&mut self.lagging, index, &entry) != (outcome, out) {
                return Err(format!("the lagging replica differs at #{index}"));
            }
        }
        Ok(())
    }

    /// A replica that applies the whole log from the beginning.
    pub(crate) fn replayed(&self) -> State {
        let mut state = State::new();
        for (nth, entry) in self.log.iter().enumerate() {
            applied(&mut state, LogIndex(nth as u64 + 1), entry);
        }
        state
    }
}

fn applied(state: &mut State, index: LogIndex, entry: &Entry) -> (Outcome, Output) {
    let mut out = Output::default();
    let outcome = apply(state, index, entry, &mut out);
    (outcome, out)
}
