//! One entry in: the clock goes forward, what is due happens, the command is carried out.

use crate::acd::State;
use crate::acd::command::Entry;
use crate::acd::command::Outcome;
use crate::acd::effect::Order;
use crate::acd::fact::Fact;
use crate::base::id::LogIndex;

/// What one entry caused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// What is to be done, and by whom.
    pub orders: Vec<Order>,
    /// What happened.
    pub facts: Vec<Fact>,
}

/// Applies one entry of the log: the only way to change a [`State`].
pub fn apply(state: &mut State, _index: LogIndex, entry: &Entry, _out: &mut Output) -> Outcome {
    state.now = state.now.max(entry.proposed_at);
    Outcome::Done
}
