//! The auditor: simple books kept out of entries, outcomes, facts and orders alone.
//!
//! The auditor never looks into the state. What it believes is compared with what the core's
//! views say and with what the core decides; where they differ one of the two is wrong, and the
//! auditor is too simple to be wrong for long.
//!
//! Not here: the comparisons ([`super::invariants`]).

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use carillon::acd::apply::Output;
use carillon::acd::command::AgentStateName;
use carillon::acd::command::Command;
use carillon::acd::command::Entry;
use carillon::acd::command::Outcome;
use carillon::acd::config::QueueConfig;
use carillon::acd::effect::Effect;
use carillon::acd::fact::CallEnd;
use carillon::acd::fact::ConfigKind;
use carillon::acd::fact::Fact;
use carillon::acd::fact::ReservationEnd;
use carillon::acd::view::QueueTotals;
use carillon::base::id::AgentId;
use carillon::base::id::CallId;
use carillon::base::id::LegId;
use carillon::base::id::NodeId;
use carillon::base::id::Owner;
use carillon::base::id::QueueId;
use carillon::base::id::RequestId;
use carillon::base::time::ClusterTime;

/// All the books.
#[derive(Default)]
pub(crate) struct Auditor {
    /// The largest stamp seen.
    pub(crate) now: ClusterTime,
    pub(crate) queues: BTreeMap<QueueId, QueueBook>,
    pub(crate) agents: BTreeMap<AgentId, AgentBook>,
    pub(crate) calls: BTreeMap<CallId, CallBook>,
    pub(crate) legs: BTreeMap<LegId, Owner>,
    pub(crate) nodes: BTreeMap<NodeId, Owner>,
    /// Calls taken in and calls ended, since the beginning.
    pub(crate) arrived: u64,
    pub(crate) ended: u64,
    /// The first outcome of every request.
    pub(crate) outcomes: BTreeMap<RequestId, Outcome>,
    /// Calls that this entry sends away with a prompt, at a moment among its facts that only its
    /// orders would tell.
    pub(crate) leaving: BTreeSet<CallId>,
    /// Whom the entry configures, and the queues to be served from the fact that says so: what is
    /// due by then goes by the old ones.
    configured: Option<(AgentId, Vec<QueueId>)>,
}

pub(crate) struct QueueBook {
    pub(crate) config: QueueConfig,
    pub(crate) totals: QueueTotals,
    /// Removed; forgotten when its last call has ended.
    pub(crate) draining: bool,
}

pub(crate) struct AgentBook {
    pub(crate) queues: Vec<QueueId>,
    /// Removed queues it served and is no longer configured for: it stays until they are empty.
    pub(crate) staying: BTreeSet<QueueId>,
    pub(crate) state: AgentStateName,
    pub(crate) idle_since: ClusterTime,
    pub(crate) call: Option<CallId>,
}

pub(crate) struct CallBook {
    pub(crate) queue: QueueId,
    pub(crate) priority: i32,
    pub(crate) arrived: ClusterTime,
    /// How many had come before, and itself.
    pub(crate) nth: u64,
    pub(crate) place: Place,
    pub(crate) answered: bool,
    /// A transfer is under way, maybe with the agent still there.
    pub(crate) on_its_way: bool,
}

/// Where a call is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Waiting,
    Ringing(BTreeSet<AgentId>),
    Talking(AgentId),
    /// Hears a rule's prompt, or is on its way elsewhere.
    Leaving,
}

impl Auditor {
    /// What an entry says before anything is known of what came of it.
    pub(crate) fn read_entry(&mut self, entry: &Entry) {
        if !self.outcomes.contains_key(&entry.request) {
            self.now = self.now.max(entry.proposed_at); // A repeat does not even move the clock.
        }
    }

    /// What the entry did by being done, before its facts: legs that parties gave up themselves.
    pub(crate) fn read_outcome(&mut self, entry: &Entry, outcome: &Outcome, out: &Output) {
        // Whom something due has let ring that this very entry calls lost rings no more.
        let is_done = *outcome == Outcome::Done;
        let is_lost = |owner: Owner| match entry.command {
            Command::LoseNode { owner: lost } => is_done && owner == lost,
            Command::StartNode { owner: next } => {
                is_done && owner.node == next.node && owner != next
            }
            _ => false,
        };
        let rings: BTreeMap<LegId, Owner> = (out.orders.iter())
            .filter(|order| !is_lost(order.owner))
            .filter_map(|order| match &order.effect {
                Effect::RingAgent(ring) => Some((ring.leg, order.owner)),
                _ => None,
            })
            .collect();
        self.pass_on(out);
        self.legs.extend(rings);
        let prompts =
            out.orders.iter().filter(|order| matches!(order.effect, Effect::PlayPrompt { .. }));
        self.leaving = prompts.map(|order| order.effect.leg().call).collect();
        let first_time = self.outcomes.insert(entry.request, outcome.clone()).is_none();
        if !first_time || *outcome != Outcome::Done {
            return;
        }
        match &entry.command {
            Command::EnqueueCall(arrival) => {
                self.legs.insert(LegId::of_caller(arrival.call), arrival.owner);
            }
            Command::StartNode { owner } => {
                self.nodes.insert(owner.node, *owner);
            }
            Command::LoseNode { owner } => {
                self.nodes.remove(&owner.node);
            }
            Command::EndLeg { leg, .. }
            | Command::FailReservation { leg, .. }
            | Command::SettleTransfer { leg, refused: None } => {
                self.legs.remove(leg);
            }
            Command::PutQueue { queue, .. } => self.put_queue(queue),
            Command::PutAgent { agent, .. } => {
                self.configured = Some((agent.id.clone(), agent.queues.clone()));
            }
            Command::FinishPrompt { leg } => {
                if let Some(call) = self.calls.get_mut(&leg.call) {
                    call.place = Place::Waiting;
                }
            }
            _ => {}
        }
    }

    /// Legs of a lost node: those that rang are gone, the others go to whoever is to adopt them.
    fn pass_on(&mut self, out: &Output) {
        for fact in &out.facts {
            if let Fact::ReservationEnded { call, why: ReservationEnd::NodeLost, .. } = fact {
                self.legs.retain(|leg, _| leg.call != *call || leg.is_caller());
            }
        }
        for order in &out.orders {
            if let Effect::AdoptLeg { leg, .. } = order.effect {
                self.legs.insert(leg, order.owner);
            }
        }
    }

    fn put_agent(&mut self) {
        let Some((agent, queues)) = self.configured.take() else { return };
        let now = self.now;
        let book = self.agents.entry(agent).or_insert_with(|| AgentBook {
            queues: Vec::new(),
            staying: BTreeSet::new(),
            state: AgentStateName::LoggedOut,
            idle_since: now,
            call: None,
        });
        let served = std::mem::replace(&mut book.queues, queues);
        book.staying.extend(served);
        let is_draining = |id: &QueueId| self.queues.get(id).is_some_and(|q| q.draining);
        book.staying.retain(is_draining);
    }

    fn put_queue(&mut self, config: &QueueConfig) {
        self.dismiss(&config.id);
        match self.queues.get_mut(&config.id) {
            Some(book) => {
                book.config = config.clone();
                book.draining = false;
            }
            None => {
                let (config, totals) = (config.clone(), QueueTotals::default());
                let book = QueueBook { config, totals, draining: false };
                self.queues.insert(book.config.id.clone(), book);
            }
        }
    }

    /// One fact, in the order they were said.
    pub(crate) fn read_fact(&mut self, fact: &Fact) {
        self.read_agent(fact);
        match fact {
            Fact::CallEnqueued { call, queue, priority, .. } => {
                self.enqueue(*call, queue, *priority);
            }
            Fact::CallTurnedAway { queue, .. } => {
                self.count(queue, |totals| totals.turned_away += 1);
            }
            Fact::CallOverflowed { call, from, to, .. } => {
                self.count(from, |totals| totals.overflowed += 1);
                self.count(to, |totals| totals.entered += 1);
                self.change(*call, |book| {
                    book.queue = to.clone();
                    book.place = Place::Waiting;
                });
                self.forget_drained(from);
            }
            Fact::CallReserved { call, agents, .. } => {
                let ringing = agents.iter().cloned().collect();
                self.change(*call, |book| book.place = Place::Ringing(ringing));
            }
            Fact::ReservationJoined { call, agents, .. } => self.change(*call, |book| {
                if let Place::Ringing(ringing) = &mut book.place {
                    ringing.extend(agents.iter().cloned());
                }
            }),
            Fact::ReservationEnded { call, agent, .. } => self.stop_ringing(*call, agent),
            Fact::CallAnswered { call, queue, agent, .. } => self.answer(*call, queue, agent),
            Fact::CallPrioritized { call, priority, .. } => {
                self.change(*call, |book| book.priority = *priority);
            }
            Fact::CallTransferring { call, .. } => {
                self.change(*call, |book| {
                    book.on_its_way = true;
                    if !matches!(book.place, Place::Talking(_)) {
                        book.place = Place::Leaving;
                    }
                });
            }
            Fact::CallTransferFailed { call, .. } => {
                self.change(*call, |book| {
                    book.on_its_way = false;
                    if book.place == Place::Leaving {
                        book.place = Place::Waiting;
                    }
                });
            }
            Fact::CallReturned { call, queue, .. } => {
                if self.nodes.is_empty() {
                    self.legs.retain(|leg, _| leg.call != *call || leg.is_caller());
                }
                self.count(queue, |totals| totals.entered += 1);
                self.change(*call, |book| {
                    book.place = if book.on_its_way { Place::Leaving } else { Place::Waiting };
                    book.answered = false;
                });
            }
            Fact::CallEnded { call, why, .. } => self.end(*call, why),
            Fact::ConfigPut { kind: ConfigKind::Agent, .. } => self.put_agent(),
            Fact::ConfigRemoved { kind: ConfigKind::Queue, name, .. } => {
                let id = QueueId::new(name);
                if let Some(queue) = self.queues.get_mut(&id) {
                    queue.draining = true;
                }
                self.forget_drained(&id);
            }
            _ => {}
        }
    }

    fn read_agent(&mut self, fact: &Fact) {
        let now = self.now;
        let (agent, state, call) = match fact {
            Fact::AgentLoggedOut { agent, .. } => (agent, AgentStateName::LoggedOut, None),
            Fact::AgentReady { agent, .. } => (agent, AgentStateName::Ready, None),
            Fact::AgentNotReady { agent, .. } => (agent, AgentStateName::NotReady, None),
            Fact::AgentReserved { agent, call } => (agent, AgentStateName::Reserved, Some(*call)),
            Fact::AgentTalking { agent, call } => (agent, AgentStateName::Talking, Some(*call)),
            Fact::AgentWrappingUp { agent, .. } => (agent, AgentStateName::WrapUp, None),
            _ => return,
        };
        let Some(book) = self.agents.get_mut(agent) else {
            return;
        };
        let willing_again = state == AgentStateName::Ready
            && matches!(book.state, AgentStateName::LoggedOut | AgentStateName::NotReady);
        if willing_again || book.state == AgentStateName::Talking {
            book.idle_since = now;
        }
        book.state = state;
        book.call = call;
    }

    /// The orders of the entry, after its facts.
    pub(crate) fn read_orders(&mut self, out: &Output) {
        for order in &out.orders {
            match &order.effect {
                Effect::ReleaseLeg { leg, .. } => {
                    self.legs.remove(leg);
                }
                Effect::PlayPrompt { leg, .. } => {
                    self.change(leg.call, |book| book.place = Place::Leaving);
                }
                // After a rule's prompt, or a way that led back.
                Effect::HoldCaller { leg, .. } => self.change(leg.call, |book| {
                    if book.place == Place::Leaving {
                        book.place = Place::Waiting;
                    }
                }),
                _ => {}
            }
        }
    }

    fn enqueue(&mut self, call: CallId, queue: &QueueId, priority: i32) {
        self.arrived += 1;
        self.count(queue, |totals| totals.entered += 1);
        let (queue, arrived) = (queue.clone(), self.now);
        let book = CallBook {
            queue,
            priority,
            arrived,
            nth: self.arrived,
            place: Place::Waiting,
            answered: false,
            on_its_way: false,
        };
        self.calls.insert(call, book);
    }

    fn stop_ringing(&mut self, call: CallId, agent: &AgentId) {
        self.change(call, |book| {
            if let Place::Ringing(agents) = &mut book.place {
                agents.remove(agent);
                if agents.is_empty() {
                    book.place = Place::Waiting;
                }
            }
        });
    }

    fn answer(&mut self, call: CallId, queue: &QueueId, agent: &AgentId) {
        let Some(book) = self.calls.get_mut(&call) else {
            return;
        };
        book.answered = true;
        book.place = Place::Talking(agent.clone());
        let waited = self.now.since(book.arrived);
        let threshold = self.queues.get(queue).map(|queue| queue.config.service_level.threshold);
        let in_time = threshold.is_some_and(|threshold| waited <= threshold);
        self.count(queue, |totals| {
            totals.answered += 1;
            totals.answered_in_time += u64::from(in_time);
        });
    }

    fn end(&mut self, call: CallId, why: &CallEnd) {
        self.ended += 1;
        let Some(book) = self.calls.remove(&call) else {
            return;
        };
        if !book.answered {
            self.count(&book.queue, |totals| match why {
                CallEnd::Abandoned => totals.abandoned += 1,
                CallEnd::ShortAbandoned => totals.short_abandoned += 1,
                CallEnd::Overflowed(_) => totals.overflowed += 1,
                CallEnd::Rejected(_) => totals.overflowed += 1,
                CallEnd::AnsweredAndHungUp { .. } | CallEnd::Transferred => totals.withdrawn += 1,
                CallEnd::HungUp { .. } => totals.hung_up += 1,
                CallEnd::CallerLost | CallEnd::AgentLost | CallEnd::NodeLost => totals.lost += 1,
            });
        }
        if self.nodes.is_empty() {
            self.legs.retain(|leg, _| leg.call != call); // Nobody is there to be told.
        }
        self.forget_drained(&book.queue);
    }

    fn change(&mut self, call: CallId, change: impl FnOnce(&mut CallBook)) {
        if let Some(book) = self.calls.get_mut(&call) {
            change(book);
        }
    }

    fn count(&mut self, queue: &QueueId, count: impl FnOnce(&mut QueueTotals)) {
        if let Some(book) = self.queues.get_mut(queue) {
            count(&mut book.totals);
        }
    }

    fn forget_drained(&mut self, queue: &QueueId) {
        let draining = self.queues.get(queue).is_some_and(|book| book.draining);
        if draining && !self.calls.values().any(|call| call.queue == *queue) {
            self.queues.remove(queue);
            self.dismiss(queue);
        }
    }

    /// Nobody stays in a queue that is gone, or is back.
    fn dismiss(&mut self, queue: &QueueId) {
        for book in self.agents.values_mut() {
            book.staying.remove(queue);
        }
    }
}

impl AgentBook {
    pub(crate) fn serves(&self, queue: &QueueId) -> bool {
        self.queues.contains(queue) || self.staying.contains(queue)
    }
}
