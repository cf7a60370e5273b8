//! Remembers the outcomes of recent requests, so that a repeat changes nothing.
//!
//! A node that lost its leader in the middle of a proposal cannot know whether it was committed,
//! and proposes it again under the same name. The repeat gets the first outcome; something else
//! under that name is refused.
//!
//! Always holds: at most [`REMEMBERED_MAX`] outcomes, none older than [`REMEMBERED_FOR`] by the
//! replicated clock; both bounds depend on entries alone, so replicas forget the same ones.
//!
//! Not here: making request names (`base::id::RequestId`, from the proposer's entropy).

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

use crate::acd::command::Outcome;
use crate::acd::command::Refusal;
use crate::base::id::RequestId;
use crate::base::id::RequestName;
use crate::base::time::ClusterTime;
use crate::base::time::Millis;

/// Longer than any proposer keeps trying.
const REMEMBERED_FOR: Millis = Millis::from_secs(120);

/// Ten seconds of the busiest cluster planned for (6,000 entries a second).
const REMEMBERED_MAX: usize = 65_536;

/// Outcomes by the name of the request, and the order in which to forget them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Requests {
    outcomes: BTreeMap<RequestName, Remembered>,
    order: VecDeque<(ClusterTime, RequestName)>,
}

/// What is kept of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    asked: u32,
    /// `None` is done; most are, and a refusal would make every one of them large.
    refusal: Option<Arc<Refusal>>,
}

impl Requests {
    /// The outcome of a request whose name was used before; else the name is used from now on, and
    /// the request done unless [`refuse`](Self::refuse) says otherwise.
    pub(super) fn take(&mut self, request: RequestId) -> Option<Outcome> {
        match self.outcomes.entry(request.name()) {
            Entry::Vacant(free) => {
                free.insert(Remembered { asked: request.asked(), refusal: None });
                None
            }
            Entry::Occupied(known) if known.get().asked == request.asked() => {
                let refusal = known.get().refusal.as_deref().cloned();
                Some(refusal.map_or(Outcome::Done, Outcome::Refused))
            }
            Entry::Occupied(_) => Some(Outcome::Refused(Refusal::RequestReused)),
        }
    }

    /// Keeps that a request was refused.
    pub(super) fn refuse(&mut self, request: RequestId, refusal: &Refusal) {
        if let Some(known) = self.outcomes.get_mut(&request.name()) {
            known.refusal = Some(Arc::new(refusal.clone()));
        }
    }

    /// Counts a request among the newest, and forgets those too old or too many.
    pub(super) fn file(&mut self, now: ClusterTime, request: RequestId) {
        self.order.push_back((now, request.name()));
        while let Some((at, oldest)) = self.order.front().copied() {
            if self.order.len() <= REMEMBERED_MAX && now.since(at) <= REMEMBERED_FOR {
                break;
            }
            self.order.pop_front();
            self.outcomes.remove(&oldest);
        }
    }

    /// Tells whether the bounds hold.
    pub(super) fn is_sound(&self) -> bool {
        self.outcomes.len() == self.order.len() && self.order.len() <= REMEMBERED_MAX
    }
}
