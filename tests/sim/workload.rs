//! The moves: who calls, what people do, what goes wrong, and when it is their turn.
//!
//! The workload keeps an agenda in virtual time. The next entry is the earliest of the agenda and
//! of the core's next deadline (then `Advance`, as the leader would propose), or a fault.
//!
//! Always holds: equal seeds make equal moves; what is learnt comes from orders and facts alone,
//! as phones and people learn it, never from the state.
//!
//! Not here: how phones take orders ([`super::phones`]), garbage and other faults ([`super::run`]
//! only asks for entries).

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::Arc;

use carillon::acd::command::Actor;
use carillon::acd::command::Arrival;
use carillon::acd::command::Caller;
use carillon::acd::command::Command;
use carillon::acd::command::DeviceState;
use carillon::acd::command::Dialog;
use carillon::acd::command::Entry;
use carillon::acd::command::LogIn;
use carillon::acd::command::LoginKind;
use carillon::acd::command::Role;
use carillon::acd::config::Source;
use carillon::base::id::AgentId;
use carillon::base::id::CallId;
use carillon::base::id::Incarnation;
use carillon::base::id::NodeId;
use carillon::base::id::Owner;
use carillon::base::id::RequestId;
use carillon::base::secret::Private;
use carillon::base::time::ClusterTime;
use carillon::base::time::Millis;

use crate::swarm;
use crate::swarm::Faults;
use crate::swarm::Lots;
use crate::swarm::Swarm;

/// How many entries may still be repeated, and for how long: a proposer does not ask for ever.
const REPEATABLE: usize = 50;
const REPEATABLE_FOR: Millis = Millis::from_secs(60);

/// When the world begins.
const BEGINNING: ClusterTime = ClusterTime(1_800_000_000_000);

/// What stands in the agenda.
#[derive(Debug)]
pub(crate) enum Move {
    /// This will be proposed.
    Propose(Command),
    /// A caller calls, and the next one is drawn.
    Caller,
    /// Somebody does something, and the next one is drawn.
    Person,
}

/// Everything outside of the core.
pub(crate) struct Workload {
    pub(crate) swarm: Swarm,
    pub(crate) lots: Lots,
    /// Faults have ended; everybody works on what is there.
    pub(crate) calm: bool,
    clock: ClusterTime,
    agenda: BTreeMap<(ClusterTime, u64), Move>,
    planned: u64,
    requests: u128,
    calls: u64,
    repeatable: VecDeque<Entry>,
    lives: BTreeMap<u64, u64>,
}

impl Workload {
    /// Draws the world of a seed, and plans its beginning.
    pub(crate) fn new(seed: u64) -> Self {
        let mut lots = Lots::from_seed(seed);
        let swarm = Swarm::draw(&mut lots);
        let mut workload = Self {
            swarm,
            lots,
            calm: false,
            clock: BEGINNING,
            agenda: BTreeMap::new(),
            planned: 0,
            requests: 0,
            calls: 0,
            repeatable: VecDeque::new(),
            lives: BTreeMap::new(),
        };
        workload.set_up();
        workload
    }

    fn set_up(&mut self) {
        for node in 1..=self.swarm.nodes {
            let owner = self.next_life(node);
            self.plan(Millis::ZERO, Move::Propose(Command::StartNode { owner }));
        }
        let settings = Box::new(swarm::settings(&mut self.lots));
        let source = Source::Folder;
        self.plan(Millis::ZERO, Move::Propose(Command::PutSettings { settings, source }));
        for nth in 1..=self.swarm.queues {
            let put = self.put_queue(nth);
            self.plan(Millis::ZERO, Move::Propose(put));
        }
        for nth in 1..=self.swarm.agents {
            let put = self.put_agent(nth);
            self.plan(Millis::ZERO, Move::Propose(put));
            self.plan_shift(nth, Millis(10));
        }
        self.plan(Millis(20), Move::Caller);
        self.plan(Millis(30), Move::Person);
    }

    /// Puts a move on the agenda, so long from now.
    pub(crate) fn plan(&mut self, after: Millis, what: Move) {
        self.planned += 1;
        self.agenda.insert((self.clock + after, self.planned), what);
    }

    /// The agent comes to work: logs in and is ready.
    pub(crate) fn plan_shift(&mut self, nth: u64, after: Millis) {
        let agent = swarm::agent_id(nth);
        let by = themselves(nth);
        let login = self.login(nth, false);
        self.plan(after, Move::Propose(login));
        self.plan(after + Millis(1), Move::Propose(Command::SetReady { agent, by }));
    }

    /// The next entry of the log.
    pub(crate) fn next(&mut self, deadline: Option<ClusterTime>) -> Entry {
        if let Some(entry) = self.repeat() {
            return entry;
        }
        let command = match self.fault() {
            Some(command) => command,
            None => self.next_in_time(deadline),
        };
        self.requests += 1;
        let entry = Entry { proposed_at: self.stamp(), request: self.request(), command };
        self.repeatable.push_back(entry.clone());
        if self.repeatable.len() > REPEATABLE {
            self.repeatable.pop_front();
        }
        entry
    }

    /// The leader's clock, which a new leader may have behind the former one's.
    fn stamp(&mut self) -> ClusterTime {
        match self.lots.per_mille(self.swarm.faults.clock_back) {
            true => ClusterTime(self.clock.0 - self.lots.between(0, 5_000)),
            false => self.clock,
        }
    }

    /// A name of its own, in the bits that are the name.
    fn request(&self) -> RequestId {
        RequestId(self.requests << 32)
    }

    fn repeat(&mut self) -> Option<Entry> {
        if self.repeatable.is_empty() || !self.lots.per_mille(self.swarm.faults.repeats) {
            return None;
        }
        let nth = self.lots.between(0, self.repeatable.len() as u64 - 1) as usize;
        let entry = self.repeatable[nth].clone();
        let recent = self.clock.since(entry.proposed_at) < REPEATABLE_FOR;
        recent.then(|| Entry { proposed_at: self.stamp(), ..entry })
    }

    fn next_in_time(&mut self, deadline: Option<ClusterTime>) -> Command {
        let planned = self.agenda.keys().next().map(|(at, _)| *at);
        if let Some(due) = deadline.filter(|due| planned.is_none_or(|at| *due <= at)) {
            // The leader wakes up a little late, as timers do.
            let late = Millis(self.lots.between(0, 3) * self.lots.between(0, 3));
            let latest = planned.unwrap_or(due + late);
            self.clock = self.clock.max((due + late).min(latest));
            return Command::Advance;
        }
        let Some(((at, _), what)) = self.agenda.pop_first() else {
            return Command::Advance;
        };
        self.clock = self.clock.max(at);
        match what {
            Move::Propose(command) => command,
            Move::Caller => {
                let after = self.lots.about(self.swarm.arrival);
                self.plan(after, Move::Caller);
                self.caller()
            }
            Move::Person => {
                let after = self.lots.about(self.swarm.people);
                self.plan(after, Move::Person);
                self.person()
            }
        }
    }

    /// Nothing is planned any more.
    pub(crate) fn is_idle(&self) -> bool {
        self.agenda.is_empty()
    }

    /// The faults end: nobody new calls, every node is there, every agent works in every queue.
    pub(crate) fn calm_down(&mut self) {
        self.calm = true;
        self.swarm.faults = Faults::none();
        self.swarm.answering = 1000;
        self.agenda.retain(|_, what| match what {
            // An earlier wish must not undo what is configured below.
            Move::Propose(Command::PutAgent { .. } | Command::PutQueue { .. }) => false,
            Move::Propose(_) => true,
            _ => false,
        });
        for node in 1..=self.swarm.nodes {
            let owner = self.owner(node);
            self.plan(Millis(1), Move::Propose(Command::StartNode { owner }));
        }
        for life in 0..=1 {
            // Whom a fault made up: nobody plays its phones, and its callers would wait for ever.
            let owner =
                Owner { incarnation: Incarnation(life), ..self.owner(self.swarm.nodes + 1) };
            self.plan(Millis(1), Move::Propose(Command::LoseNode { owner }));
        }
        for nth in 1..=self.swarm.queues {
            let mut queue = swarm::queue(nth, &self.swarm, &mut self.lots);
            queue.open = true;
            queue.limits.wait_max = None;
            let put = Command::PutQueue { queue: Box::new(queue), source: Source::Folder };
            self.plan(Millis(2), Move::Propose(put));
        }
        for nth in 1..=self.swarm.agents {
            let mut agent = swarm::agent(nth, &self.swarm, &mut self.lots);
            agent.queues = (1..=self.swarm.queues).map(swarm::queue_id).collect();
            let (id, state) = (agent.id.clone(), DeviceState::Idle);
            let put = Command::PutAgent { agent: Box::new(agent), source: Source::Folder };
            self.plan(Millis(3), Move::Propose(put));
            self.plan(Millis(4), Move::Propose(Command::ReportDevice { agent: id, state }));
            self.plan_shift(nth, Millis(5));
        }
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

    /// The name of a call that was made lately, or of none.
    pub(crate) fn some_call(&mut self) -> CallId {
        CallId(self.calls.saturating_sub(self.lots.between(0, 15)))
    }

    pub(crate) fn some_agent(&mut self) -> u64 {
        self.lots.between(1, self.swarm.agents)
    }

    pub(crate) fn some_queue(&mut self) -> u64 {
        self.lots.between(1, self.swarm.queues)
    }

    fn caller(&mut self) -> Command {
        self.calls += 1;
        let node = self.lots.between(1, self.swarm.nodes);
        let owner = self.owner(node);
        let call = CallId(self.calls);
        self.arrival_of(call, owner)
    }

    /// A caller by this name at this node.
    pub(crate) fn arrival_of(&mut self, call: CallId, owner: Owner) -> Command {
        let queue = self.some_queue();
        let to = swarm::address_of(queue, &mut self.lots);
        let priority = match self.lots.between(0, 9) {
            0 => Some(5),
            1 => Some(-5),
            _ => None,
        };
        let caller = Caller {
            sip_call_id: format!("{call}@pstn"),
            from: Private::new(format!("{call}@pstn")),
            to: to.to_string(),
            number: Private::new(None),
            name: Private::new(None),
        };
        let (caller, dialog) = (Arc::new(caller), Dialog::from(vec![7; 16]));
        Command::EnqueueCall(Box::new(Arrival { call, owner, to, caller, priority, dialog }))
    }

    /// What one of the agents, or a supervisor, does next.
    fn person(&mut self) -> Command {
        let nth = self.some_agent();
        let agent = swarm::agent_id(nth);
        let by = if self.lots.per_mille(200) { supervisor() } else { themselves(nth) };
        match self.lots.between(0, 15) {
            0..=2 => self.login(nth, true),
            3..=5 => Command::SetReady { agent, by },
            6 => Command::SetNotReady { agent, reason: "Break".to_owned(), by },
            7 => Command::SetNotReady { agent, reason: "Fishing".to_owned(), by },
            8 => Command::LogOut { agent, by },
            9 => Command::ForceLogOut { agent, by: supervisor() },
            10 => Command::EndWrapUp { agent, by },
            11 | 12 => Command::ReportDevice { agent, state: self.device_state() },
            13 => {
                let to = swarm::address_of(1, &mut self.lots);
                Command::TransferCall { call: self.some_call(), to, by }
            }
            14 => Command::HangUpCall { call: self.some_call(), by },
            _ => {
                let priority = self.lots.between(0, 6) as i32 - 3;
                Command::PrioritizeCall { call: self.some_call(), priority, by }
            }
        }
    }

    fn device_state(&mut self) -> DeviceState {
        self.lots.one_of(&[
            DeviceState::Idle,
            DeviceState::Idle,
            DeviceState::Idle,
            DeviceState::Ringing,
            DeviceState::Busy,
            DeviceState::Unreachable,
            DeviceState::Unknown,
        ])
    }

    fn login(&mut self, nth: u64, clumsy: bool) -> Command {
        let wrong = clumsy && self.lots.per_mille(300);
        let seat = if clumsy && self.lots.per_mille(200) { self.some_agent() } else { nth };
        let pin = if wrong { "0".to_owned() } else { swarm::pin_of(nth) };
        Command::LogIn(Box::new(LogIn {
            agent: swarm::agent_id(nth),
            pin: Some(Private::new(pin)),
            device: Some(swarm::device_of(seat)),
            kind: LoginKind::Callback,
            by: themselves(nth),
        }))
    }

    pub(crate) fn put_queue(&mut self, nth: u64) -> Command {
        let queue = Box::new(swarm::queue(nth, &self.swarm, &mut self.lots));
        Command::PutQueue { queue, source: Source::Folder }
    }

    pub(crate) fn put_agent(&mut self, nth: u64) -> Command {
        let agent = Box::new(swarm::agent(nth, &self.swarm, &mut self.lots));
        Command::PutAgent { agent, source: Source::Folder }
    }
}

/// The nth agent, acting for itself.
pub(crate) fn themselves(nth: u64) -> Actor {
    Actor { role: Role::Agent, name: swarm::agent_id(nth).to_string() }
}

/// Somebody who may act for all agents.
pub(crate) fn supervisor() -> Actor {
    Actor { role: Role::Supervisor, name: "eve".to_owned() }
}

/// Which agent this is.
pub(crate) fn nth_of(agent: &AgentId) -> u64 {
    agent.as_str().trim_start_matches('a').parse().unwrap_or(0)
}
