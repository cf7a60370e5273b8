//! What this shard has asked of the core and was not told the outcome of yet.
//!
//! Each leg has a line: only the first command of it is on its way, the others wait. So the core
//! never hears that a leg has ended before it has heard that it began, however the log is
//! reached. A line lives on after its leg is gone, until the core knows.
//!
//! | the log says | then |
//! |---|---|
//! | done, refused | the command leaves the line and the next one is proposed |
//! | unavailable | the same request is proposed again after a second, until there is an outcome |
//! | unavailable, for an arrival | it is given up: the caller is told to try again (503) |
//!
//! Always holds: a request keeps its name when it is proposed again, so the core carries it out
//! once.
//!
//! Not here: what a leg does with an outcome ([`crate::b2bua::outcome`] and the legs themselves).

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;

use crate::acd::command::Command;
use crate::base::id::LegId;
use crate::base::id::RequestId;
use crate::base::time::LocalTime;
use crate::base::time::Millis;

/// How long a request rests before it is proposed again.
const REST: Millis = Millis(1000);

/// The lines of all legs.
#[derive(Default)]
pub(in crate::b2bua) struct Proposals {
    lines: BTreeMap<LegId, VecDeque<(RequestId, Command)>>,
    legs: BTreeMap<RequestId, LegId>,
    resting: BTreeSet<(LocalTime, RequestId)>,
}

/// What a request was about.
pub(in crate::b2bua) struct Settled {
    /// Whose it was.
    pub(in crate::b2bua) leg: LegId,
    /// What was asked.
    pub(in crate::b2bua) command: Command,
}

impl Proposals {
    /// Puts a command at the end of its leg's line; returns it if it may go at once.
    ///
    /// What a leg's end makes pointless is taken out of the line.
    pub(in crate::b2bua) fn add(
        &mut self,
        leg: LegId,
        request: RequestId,
        command: Command,
    ) -> Option<(RequestId, Command)> {
        if self.is_ending(leg) {
            return None; // The core forgets the leg; nothing more can be said about it.
        }
        let line = self.lines.entry(leg).or_default();
        if matches!(command, Command::EndLeg { .. }) {
            line.truncate(1);
        }
        line.push_back((request, command));
        self.front_if_alone(leg)
    }

    /// Tells whether the core will hear, or was just told, that this leg is over.
    pub(in crate::b2bua) fn is_ending(&self, leg: LegId) -> bool {
        let line = self.lines.get(&leg);
        line.is_some_and(|line| line.iter().any(|(_, c)| matches!(c, Command::EndLeg { .. })))
    }

    /// Tells whether the core may not have heard yet that this leg began.
    pub(in crate::b2bua) fn is_arriving(&self, leg: LegId) -> bool {
        let line = self.lines.get(&leg);
        line.is_some_and(|line| line.iter().any(|(_, c)| matches!(c, Command::EnqueueCall(_))))
    }

    /// Proposes nothing more about a leg that others act for; what is on its way is let go of.
    pub(in crate::b2bua) fn forget(&mut self, leg: LegId) {
        for (request, _) in self.lines.remove(&leg).unwrap_or_default() {
            self.legs.remove(&request);
            self.resting.retain(|(_, resting)| *resting != request);
        }
    }

    /// Takes a request that has its outcome out of its line; returns what it was and what is
    /// next in the line.
    pub(in crate::b2bua) fn settle(
        &mut self,
        request: RequestId,
    ) -> Option<(Settled, Option<(RequestId, Command)>)> {
        let leg = self.legs.remove(&request)?;
        let line = self.lines.get_mut(&leg)?;
        let (_, command) = line.pop_front()?;
        if line.is_empty() {
            self.lines.remove(&leg);
        }
        Some((Settled { leg, command }, self.front_if_waiting(leg)))
    }

    /// Lets a request rest that could not reach the log; returns `None` if it is given up.
    pub(in crate::b2bua) fn rest(&mut self, request: RequestId, now: LocalTime) -> Option<()> {
        let leg = *self.legs.get(&request)?;
        let (_, command) = self.lines.get(&leg)?.front()?;
        if matches!(command, Command::EnqueueCall(_)) {
            return None;
        }
        self.resting.insert((now + REST, request));
        Some(())
    }

    /// The next request whose rest is over by `now`.
    pub(in crate::b2bua) fn pop_due(&mut self, now: LocalTime) -> Option<(RequestId, Command)> {
        let (at, request) = *self.resting.first().filter(|(at, _)| *at <= now)?;
        self.resting.remove(&(at, request));
        let leg = self.legs.get(&request)?;
        self.lines.get(leg)?.front().cloned()
    }

    /// When the next rest is over.
    pub(in crate::b2bua) fn next(&self) -> Option<LocalTime> {
        self.resting.first().map(|(at, _)| *at)
    }

    /// How many commands have no outcome yet.
    pub(in crate::b2bua) fn len(&self) -> usize {
        self.lines.values().map(VecDeque::len).sum()
    }

    fn front_if_alone(&mut self, leg: LegId) -> Option<(RequestId, Command)> {
        if self.lines.get(&leg)?.len() == 1 { self.front_if_waiting(leg) } else { None }
    }

    fn front_if_waiting(&mut self, leg: LegId) -> Option<(RequestId, Command)> {
        let front = self.lines.get(&leg)?.front()?.clone();
        self.legs.insert(front.0, leg);
        Some(front)
    }
}
