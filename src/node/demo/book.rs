//! The demo's own books: what its phones saw, kept apart from what Carillon says.
//!
//! Always holds: a caller is found by number; each figure is counted by a phone, never read from
//! the node under demonstration.
//!
//! Not here: the picture on the screen, which is what Carillon says ([`super::screen`]).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use crate::base::time::LocalTime;
use crate::node::clock;
use crate::node::demo::caller::End;
use crate::node::demo::caller::Loss;

/// The books, shared by all phones.
#[derive(Clone, Default)]
pub(super) struct Book(Arc<Mutex<Pages>>);

#[derive(Default)]
struct Pages {
    callers: BTreeMap<String, Page>,
    ends: BTreeMap<End, u64>,
    /// Microseconds from the caller's INVITE to the agent's, for callers an agent was free for.
    assignments: Vec<u64>,
    dialled: u64,
}

#[derive(Default)]
struct Page {
    dialled: LocalTime,
    rung: bool,
    ringing: bool,
    talking: bool,
    talked: bool,
}

/// The sums at the end.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    pub(super) calls: u64,
    pub(super) answered: u64,
    pub(super) abandoned: u64,
    pub(super) refused: u64,
    /// What was lost, by how.
    pub(super) losses: Vec<(Loss, u64)>,
    /// Median and 99th percentile, in microseconds.
    pub(super) assignment: Option<(u64, u64)>,
}

/// A caller who was rung for within this time had an agent free at arrival.
const AT_ONCE_MICROS: u64 = 250_000;

impl Book {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn page(&self, caller: &str, note: impl FnOnce(&mut Page)) {
        if let Some(page) = self.pages().callers.get_mut(caller) {
            note(page);
        }
    }

    /// A caller has sent the INVITE.
    pub(super) fn dialled(&self, caller: &str) {
        let mut pages = self.pages();
        pages.dialled += 1;
        let page = Page { dialled: clock::local(), ..Page::default() };
        pages.callers.insert(caller.to_owned(), page);
    }

    /// An agent's phone rings for the caller.
    pub(super) fn rung(&self, caller: &str) {
        let now = clock::local();
        let mut pages = self.pages();
        let Some(page) = pages.callers.get_mut(caller) else { return };
        let took = now.0.saturating_sub(page.dialled.0);
        let first = !std::mem::replace(&mut page.rung, true);
        page.ringing = true;
        if first && took < AT_ONCE_MICROS {
            pages.assignments.push(took);
        }
    }

    /// It rings no more.
    pub(super) fn ring_ended(&self, caller: &str) {
        self.page(caller, |page| page.ringing = false);
    }

    /// An agent has answered the caller.
    pub(super) fn answered(&self, caller: &str) {
        self.page(caller, |page| {
            page.ringing = false;
            page.talking = true;
            page.talked = true;
        });
    }

    /// The conversation is over.
    pub(super) fn finished(&self, caller: &str) {
        self.page(caller, |page| page.talking = false);
    }

    /// Tells whether an agent rings for the caller or talks to them.
    pub(super) fn is_reserved(&self, caller: &str) -> bool {
        self.pages().callers.get(caller).is_some_and(|page| page.ringing || page.talking)
    }

    /// Tells whether an agent has answered the caller.
    pub(super) fn has_talked(&self, caller: &str) -> bool {
        self.pages().callers.get(caller).is_some_and(|page| page.talked)
    }

    /// A call is over.
    pub(super) fn ended(&self, caller: &str, end: End) {
        let mut pages = self.pages();
        pages.callers.remove(caller);
        *pages.ends.entry(end).or_default() += 1;
    }

    /// Everything so far.
    pub(super) fn sums(&self) -> Sums {
        let pages = self.pages();
        let of = |end| pages.ends.get(&end).copied().unwrap_or_default();
        let losses = pages.ends.iter().filter_map(|(end, count)| match end {
            End::Lost(loss) => Some((*loss, *count)),
            End::Talked | End::GaveUp | End::Refused => None,
        });
        let losses = losses.collect();
        let mut sorted = pages.assignments.clone();
        sorted.sort_unstable();
        let at = |percent: usize| sorted.get((sorted.len().max(1) - 1) * percent / 100).copied();
        Sums {
            calls: pages.dialled,
            answered: of(End::Talked),
            abandoned: of(End::GaveUp),
            refused: of(End::Refused),
            losses,
            assignment: at(50).zip(at(99)),
        }
    }
}
