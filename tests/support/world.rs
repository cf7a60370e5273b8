//! The world of a script: one core, its leader's clock, phones, and what is told of a block.
//!
//! The world does what a cluster does around the core: it stamps and numbers entries, proposes
//! `Advance` when a deadline is due, and remembers which leg was made to ring whom. After every
//! entry the state must be sound ([`broken_invariants`]) and survive a snapshot unchanged.
//!
//! Not here: what steps mean ([`super::step`]) and how things are worded ([`super::wording`]).

use std::collections::BTreeMap;

use carillon::acd::State;
use carillon::acd::apply::Output;
use carillon::acd::apply::apply;
use carillon::acd::check::broken_invariants;
use carillon::acd::command::Command;
use carillon::acd::command::Entry;
use carillon::acd::command::Outcome;
use carillon::acd::effect::Effect;
use carillon::acd::view::AgentPicture;
use carillon::acd::view::CallPicture;
use carillon::acd::view::View;
use carillon::base::id::AgentId;
use carillon::base::id::CallId;
use carillon::base::id::Incarnation;
use carillon::base::id::LegId;
use carillon::base::id::LogIndex;
use carillon::base::id::NodeId;
use carillon::base::id::Owner;
use carillon::base::id::RequestId;
use carillon::base::time::ClusterTime;
use carillon::base::time::Millis;

use super::notation::Read;
use super::notation::length;
use super::wording;
use super::wording::Phones;

/// The script's moment 0; declarations may lie up to a day before it.
const START: ClusterTime = ClusterTime(1_800_000_000_000);
const DAY: u64 = 86_400_000;

/// One core and what surrounds it.
pub(crate) struct World {
    state: State,
    entries: u64,
    clock: ClusterTime,
    newest: Option<(Entry, Outcome)>,
    lives: BTreeMap<u64, u64>,
    phones: Phones,
    rung: BTreeMap<AgentId, LegId>,
    transfers: BTreeMap<CallId, LegId>,
    told: Vec<String>,
    printed: String,
    before: Scene,
}

/// What can be seen of calls and agents at one moment.
struct Scene {
    calls: Vec<CallPicture>,
    agents: Vec<AgentPicture>,
}

impl Scene {
    fn of(state: &State) -> Self {
        let view = View::new(state);
        let mut calls = view.calls();
        calls.extend(view.recent_calls());
        calls.sort_by_key(|call| call.id);
        Self { calls, agents: view.agents() }
    }

    /// One line a call and an agent, as they look at `now`.
    fn lines(&self, now: ClusterTime) -> Vec<String> {
        let calls = self.calls.iter().map(|call| wording::call_line(call, now));
        calls.chain(self.agents.iter().map(|agent| wording::agent(agent, now))).collect()
    }
}

impl World {
    /// A center with nothing in it and two nodes, `n1` and `n2`, in their first life.
    pub(crate) fn new() -> Self {
        let state = State::new();
        let mut world = Self {
            before: Scene::of(&state),
            state,
            entries: 0,
            clock: ClusterTime(START.0 - DAY),
            newest: None,
            lives: BTreeMap::new(),
            phones: Phones::new(),
            rung: BTreeMap::new(),
            transfers: BTreeMap::new(),
            told: Vec::new(),
            printed: String::new(),
        };
        for node in [1, 2] {
            let owner = world.next_life(node);
            world.propose(Command::StartNode { owner }).unwrap_or_else(|wrong| panic!("{wrong}"));
        }
        world
    }

    /// When a declaration happens: settings and queues first, agents in the order of `since`.
    pub(crate) fn declared_at(step: &str) -> i64 {
        if !step.starts_with("agent ") {
            return i64::MIN;
        }
        let since = step.split_whitespace().find_map(|word| word.strip_prefix("since=-"));
        since.and_then(|ago| length(ago).ok()).map_or(0, |ago| -(ago.0 as i64))
    }

    /// Brings the clock to so long before the script's moment 0, unless it is past that.
    pub(crate) fn forward_to(&mut self, ago: Millis) {
        self.clock = self.clock.max(ClusterTime(START.0 - ago.0));
    }

    /// The declarations are over and were all taken: the script's moment 0, if it is not past.
    pub(crate) fn begin(&mut self) -> Read<()> {
        self.advance_to(self.clock.max(START))?;
        match self.told.iter().find(|line| line.starts_with("= ")) {
            Some(refused) => Err(format!("a declaration was refused: {refused}")),
            None => Ok(()),
        }
    }

    /// What is seen now is what the next steps change; nothing of before is told.
    pub(crate) fn look(&mut self) {
        self.told.clear();
        self.before = Scene::of(&self.state);
    }

    /// What came of the steps since: told lines, then every call and agent that changed.
    pub(crate) fn tell(&mut self, silent: bool) -> Read<Vec<String>> {
        let mut told = std::mem::take(&mut self.told);
        if let Some(refused) = told.iter().find(|line| silent && line.starts_with("= ")) {
            return Err(format!("refused in a block without a rule: {refused}"));
        }
        let now = self.now();
        let scene = Scene::of(&self.state);
        let before = self.before.lines(now);
        told.extend(scene.lines(now).into_iter().filter(|line| !before.contains(line)));
        Ok(told)
    }

    /// Commits a command as a new request.
    pub(crate) fn propose(&mut self, command: Command) -> Read<()> {
        let request = RequestId((u128::from(self.entries) + 1) << 32);
        self.commit(Entry { proposed_at: self.clock, request, command }).map(|_| ())
    }

    /// Commits the newest request once more, as a proposer does that heard no answer.
    pub(crate) fn repeat(&mut self) -> Read<()> {
        let (entry, first) = self.newest.clone().ok_or("there is nothing to repeat")?;
        let again = self.commit(Entry { proposed_at: self.clock, ..entry })?;
        match again == first {
            true => Ok(()),
            false => Err(format!("the first outcome was {first:?}, now it is {again:?}")),
        }
    }

    /// Asks something else under the name of the newest request.
    pub(crate) fn reuse(&mut self) -> Read<()> {
        let newest = self.newest.clone().ok_or("there is nothing to reuse")?;
        let request = RequestId(newest.0.request.0 + 1);
        self.commit(Entry { proposed_at: self.clock, request, ..newest.0.clone() })?;
        self.newest = Some(newest);
        Ok(())
    }

    fn commit(&mut self, entry: Entry) -> Read<Outcome> {
        self.entries += 1;
        let mut out = Output::default();
        let outcome = apply(&mut self.state, LogIndex(self.entries), &entry, &mut out);
        self.told.extend(wording::outcome(&outcome));
        self.printed.push_str(&format!("{entry:?}\n{outcome:?}\n{out:?}\n"));
        for order in &out.orders {
            match &order.effect {
                Effect::RingAgent(ring) => {
                    self.phones.insert(ring.leg, ring.agent.clone());
                    self.rung.insert(ring.agent.clone(), ring.leg);
                }
                Effect::TransferLeg { leg, .. } => {
                    self.transfers.insert(leg.call, *leg);
                }
                _ => {}
            }
        }
        self.told.extend(out.facts.iter().map(|fact| wording::fact(fact, &self.phones)));
        self.told.extend(out.orders.iter().map(|order| wording::order(order, &self.phones)));
        self.newest = Some((entry, outcome.clone()));
        self.check()?;
        Ok(outcome)
    }

    /// The state must be sound and the same after a snapshot.
    fn check(&self) -> Read<()> {
        let broken = broken_invariants(&self.state);
        if !broken.is_empty() {
            return Err(format!("the state is broken: {broken:?}"));
        }
        let stored = postcard::to_stdvec(&self.state).map_err(|error| error.to_string())?;
        let restored: State = postcard::from_bytes(&stored).map_err(|error| error.to_string())?;
        match restored == self.state {
            true => Ok(()),
            false => Err("a snapshot changed the state".to_owned()),
        }
    }

    /// Lets time pass; the leader proposes `Advance` whenever a deadline falls due.
    pub(crate) fn advance(&mut self, length: Millis) -> Read<()> {
        self.advance_to(self.clock + length)
    }

    fn advance_to(&mut self, then: ClusterTime) -> Read<()> {
        for _ in 0..1_000 {
            let due = self.state.next_deadline().filter(|due| *due <= then);
            let Some(due) = due else {
                self.clock = then;
                return Ok(());
            };
            self.clock = self.clock.max(due);
            self.propose(Command::Advance)?;
        }
        Err("a deadline stays due for ever".to_owned())
    }

    /// Sets the leader's clock back, as a leader change can.
    pub(crate) fn set_back(&mut self, length: Millis) {
        self.clock = ClusterTime(self.clock.0 - length.0);
    }

    /// Sets the leader's clock ahead, as after a time without a leader: nobody told the core.
    pub(crate) fn set_ahead(&mut self, length: Millis) {
        self.clock = self.clock + length;
    }

    /// What there is to see.
    pub(crate) fn view(&self) -> View<'_> {
        View::new(&self.state)
    }

    /// The moment the script is at.
    pub(crate) fn now(&self) -> ClusterTime {
        self.clock.max(self.state.now())
    }

    /// When the next deadline falls due.
    pub(crate) fn next_deadline(&self) -> Option<ClusterTime> {
        self.state.next_deadline()
    }

    /// Every entry, outcome, order and fact so far as a log would print them, and the state.
    pub(crate) fn printed(&self) -> String {
        format!("{}{:?}", self.printed, self.state)
    }

    /// Adds a line to what is told.
    pub(crate) fn say(&mut self, line: String) {
        self.told.push(line);
    }

    /// The node in its present life.
    pub(crate) fn owner(&self, node: u64) -> Owner {
        let life = self.lives.get(&node).copied().unwrap_or(1);
        Owner { node: NodeId(node), incarnation: Incarnation(life) }
    }

    /// The node in a new life.
    pub(crate) fn next_life(&mut self, node: u64) -> Owner {
        *self.lives.entry(node).or_insert(0) += 1;
        self.owner(node)
    }

    /// The leg of a call's caller, or the newest that rang an agent; the first call's first if the
    /// agent's phone never rang, so that a leg nobody made can be spoken of.
    pub(crate) fn leg(&self, name: &str) -> LegId {
        match call_named(name) {
            Some(call) => LegId::of_caller(call),
            None => {
                let rung = self.rung.get(&AgentId::new(name)).copied();
                rung.unwrap_or(LegId { call: CallId(1), nth: 1 })
            }
        }
    }

    /// The leg that was ordered to be transferred, the caller's if none was.
    pub(crate) fn transferred(&self, call: CallId) -> LegId {
        self.transfers.get(&call).copied().unwrap_or_else(|| LegId::of_caller(call))
    }
}

/// `c1` is call 1.
pub(crate) fn call_named(name: &str) -> Option<CallId> {
    name.strip_prefix('c').and_then(|number| number.parse().ok()).map(CallId)
}
