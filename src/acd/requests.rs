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
use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

use crate::acd::command::Outcome;
use crate::acd::command::Refusal;
use crate::base::id::RequestId;
use crate::base::time::ClusterTime;
use crate::base::time::Millis;

/// Longer than any proposer keeps trying.
const REMEMBERED_FOR: Millis = Millis::from_secs(120);

/// Ten seconds of the busiest cluster planned for (6,000 entries a second).
const REMEMBERED_MAX: usize = 65_536;

/// Outcomes by request, and the order in which to forget them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Requests {
    /// `None` is done; most are, and a refusal would make every one of them large.
    outcomes: BTreeMap<RequestId, Option<Arc<Refusal>>>,
    order: VecDeque<(ClusterTime, RequestId)>,
}

impl Requests {
    /// The outcome of a request whose name was used before.
    pub(super) fn outcome_of(&self, request: RequestId) -> Option<Outcome> {
        let (known, outcome) = self.outcomes.range(request.of_same_name()).next()?;
        if *known == request {
            let refusal = outcome.as_deref().cloned();
            return Some(refusal.map_or(Outcome::Done, Outcome::Refused));
        }
        Some(Outcome::Refused(Refusal::RequestReused))
    }

    /// Keeps an outcome and forgets those too old or too many.
    pub(super) fn remember(&mut self, now: ClusterTime, request: RequestId, outcome: Outcome) {
        let refusal = match outcome {
            Outcome::Done => None,
            Outcome::Refused(refusal) => Some(Arc::new(refusal)),
        };
        self.outcomes.insert(request, refusal);
        self.order.push_back((now, request));
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
