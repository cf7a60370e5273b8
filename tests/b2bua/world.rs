//! One shard, the real core and some telephones, on virtual time and without sockets.
//!
//! Every message takes 5 ms, or is lost as the link says; every proposal takes 3 ms to be
//! committed, or as long as the log says. The world takes the next event until a moment, and
//! writes down what went to media and to the log.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use carillon::acd::State;
use carillon::acd::apply;
use carillon::acd::check;
use carillon::acd::command::Actor;
use carillon::acd::command::Command;
use carillon::acd::command::Entry;
use carillon::acd::command::LogIn;
use carillon::acd::command::LoginKind;
use carillon::acd::command::Outcome;
use carillon::acd::command::Role;
use carillon::acd::config::Address;
use carillon::acd::config::AgentConfig;
use carillon::acd::config::AnswerMode;
use carillon::acd::config::DeviceConfig;
use carillon::acd::config::QueueConfig;
use carillon::acd::config::Source;
use carillon::acd::config::TrunkConfig;
use carillon::acd::config::UnreachableAction;
use carillon::acd::config::UnreachablePolicy;
use carillon::acd::effect::Effect;
use carillon::acd::fact::Fact;
use carillon::acd::view::View;
use carillon::b2bua::Identity;
use carillon::b2bua::Output;
use carillon::b2bua::RtpPort;
use carillon::b2bua::Ua;
use carillon::b2bua::Unavailable;
use carillon::b2bua::counter::Counter;
use carillon::b2bua::counter::TurnedAway;
use carillon::base::id::AgentId;
use carillon::base::id::Incarnation;
use carillon::base::id::LegId;
use carillon::base::id::LogIndex;
use carillon::base::id::NodeId;
use carillon::base::id::Owner;
use carillon::base::id::QueueId;
use carillon::base::id::RequestId;
use carillon::base::id::TrunkId;
use carillon::base::prng::Prng;
use carillon::base::time::ClusterTime;
use carillon::base::time::LocalTime;
use carillon::base::time::Millis;
use carillon::media::order::Order;
use carillon::sip::flow::Flow;
use carillon::sip::flow::Transport;
use carillon::sip::message::Message;

pub(crate) use crate::centre::listener;
pub(crate) use crate::centre::queue;
pub(crate) use crate::centre::trunk;
use crate::phone::Phone;

/// What is on its way.
enum Event {
    Message { bytes: Bytes, from: SocketAddr, to: SocketAddr },
    Commit { request: RequestId, command: Command },
    Outcome { request: RequestId, outcome: Result<Outcome, Unavailable> },
    Effect(Effect),
}

pub(crate) struct World {
    pub(crate) now: LocalTime,
    pub(crate) ua: Ua,
    /// Which life of the node it is.
    pub(crate) owner: Owner,
    pub(crate) core: State,
    pub(crate) phones: Vec<Phone>,
    /// What came to addresses where there is no phone.
    pub(crate) mail: Vec<(SocketAddr, Bytes)>,
    pub(crate) media: Vec<Order>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) commands: Vec<Command>,
    pub(crate) counters: Vec<Counter>,
    pub(crate) turned_away: Vec<TurnedAway>,
    /// Calls that are half open, and where they came from.
    pub(crate) half_open: BTreeMap<LegId, IpAddr>,
    /// Messages lost in each direction, per mille.
    pub(crate) loss: u64,
    /// How long a proposal takes.
    pub(crate) commit_after: Millis,
    /// The log cannot be reached.
    pub(crate) minority: bool,
    /// What the core orders does not reach the shard.
    pub(crate) deaf: bool,
    pub(crate) trunks: Vec<TrunkConfig>,
    prng: Prng,
    events: BTreeMap<(LocalTime, u64), Event>,
    count: u64,
    index: u64,
    requests: u128,
}

pub(crate) const UA: &str = "127.0.0.1:5060";
pub(crate) const OWNER: Owner = Owner { node: NodeId(1), incarnation: Incarnation(1) };

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn start(seed: u64) -> LocalTime {
    LocalTime(1_000_000 + seed % 1000)
}

fn actor() -> Actor {
    Actor { role: Role::Administrator, name: "test".to_owned() }
}

impl World {
    /// A shard with one queue, `sales`, and a trunk that allows everybody.
    pub(crate) fn new(seed: u64, answer: AnswerMode) -> Self {
        let ua = Ua::new(Self::identity(), [u8::try_from(seed % 251).expect("small"); 32]);
        let mut world = Self {
            now: start(seed),
            ua,
            owner: OWNER,
            core: State::new(),
            phones: Vec::new(),
            mail: Vec::new(),
            media: Vec::new(),
            facts: Vec::new(),
            commands: Vec::new(),
            counters: Vec::new(),
            turned_away: Vec::new(),
            half_open: BTreeMap::new(),
            loss: 0,
            commit_after: Millis(3),
            minority: false,
            deaf: false,
            trunks: Vec::new(),
            prng: Prng::from_seed(seed),
            events: BTreeMap::new(),
            count: 0,
            index: 0,
            requests: 0,
        };
        world.set_trunks(vec![trunk()]);
        world.ask(Command::StartNode { owner: OWNER });
        world.put_queue(queue("sales", answer));
        world
    }

    pub(crate) fn identity() -> Identity {
        Identity {
            owner: OWNER,
            listeners: vec![listener()],
            rtp: vec![RtpPort { port: 20_000 }, RtpPort { port: 20_002 }],
            media_address: address(UA).ip(),
            shard: 1,
            shards: 1 + 1,
            cluster_key: [7; 32],
        }
    }

    /// The process ends, and its next life begins with nothing but what the core has kept.
    pub(crate) fn crash(&mut self) {
        self.owner.incarnation.0 += 1;
        let identity = Identity { owner: self.owner, ..Self::identity() };
        self.ua = Ua::new(identity, [u8::try_from(self.owner.incarnation.0).expect("few"); 32]);
        self.ua.set_trunks(self.trunks.clone().into());
        self.events.retain(|_, event| !matches!(event, Event::Effect(_) | Event::Outcome { .. }));
        self.half_open.clear();
        self.media.clear();
        self.ask(Command::StartNode { owner: self.owner });
    }

    pub(crate) fn set_trunks(&mut self, trunks: Vec<TrunkConfig>) {
        self.trunks.clone_from(&trunks);
        self.ua.set_trunks(Arc::from(trunks));
    }

    pub(crate) fn put_queue(&mut self, queue: QueueConfig) {
        self.ask(Command::PutQueue { queue: Box::new(queue), source: Source::Rest });
    }

    /// Adds a caller's phone; returns its number.
    pub(crate) fn caller(&mut self) -> usize {
        let nth = self.phones.len();
        let at = SocketAddr::new(address(UA).ip(), 6000 + u16::try_from(nth).expect("few") * 2);
        self.phones.push(Phone::new(&format!("p{nth}"), at, address(UA)));
        nth
    }

    /// Adds a phone with an agent who is ready; returns its number.
    pub(crate) fn agent(&mut self, name: &str) -> usize {
        let nth = self.caller();
        let device = format!("sip:{name}@{}", self.phones[nth].at);
        self.log_in(name, &device, None);
        nth
    }

    /// Makes an agent of `sales` who is ready at a device.
    pub(crate) fn log_in(&mut self, name: &str, device: &str, trunk: Option<TrunkId>) {
        let agent = AgentConfig {
            id: AgentId::new(name),
            display_name: name.to_owned(),
            queues: vec![QueueId::new("sales")],
            pin: None,
            device: Some(DeviceConfig { address: device.to_owned(), trunk }),
            allowed_logins: vec![LoginKind::Callback],
            wrap_up: None,
            duplicate_login: None,
            on_unreachable: UnreachablePolicy {
                action: UnreachableAction::Nothing,
                after: Millis::ZERO,
            },
            team: None,
        };
        let id = agent.id.clone();
        self.ask(Command::PutAgent { agent: Box::new(agent), source: Source::Rest });
        let wish = LogIn {
            agent: id.clone(),
            pin: None,
            device: None,
            kind: LoginKind::Callback,
            by: actor(),
        };
        assert_eq!(self.ask(Command::LogIn(Box::new(wish))), Outcome::Done);
        self.ask(Command::SetReady { agent: id, by: actor() });
    }

    /// Puts a command through the core at once.
    pub(crate) fn ask(&mut self, command: Command) -> Outcome {
        self.requests += 1;
        let request = RequestId(self.requests << 32);
        self.apply(request, command)
    }

    pub(crate) fn transfer(&mut self, to: &str) -> Outcome {
        self.transfer_to(Address { user: to.to_owned(), host: Some("other.test".to_owned()) })
    }

    pub(crate) fn transfer_to(&mut self, to: Address) -> Outcome {
        let call = View::new(&self.core).calls()[0].id;
        self.ask(Command::TransferCall { call, to, by: actor() })
    }

    pub(crate) fn hang_up(&mut self) -> Outcome {
        let call = View::new(&self.core).calls()[0].id;
        self.ask(Command::HangUpCall { call, by: actor() })
    }

    fn apply(&mut self, request: RequestId, command: Command) -> Outcome {
        self.index += 1;
        let entry = Entry { proposed_at: self.cluster_now(), request, command };
        let mut out = apply::Output::default();
        let outcome = apply::apply(&mut self.core, LogIndex(self.index), &entry, &mut out);
        assert_eq!(check::broken_invariants(&self.core), Vec::new(), "after {entry:?}");
        self.facts.extend(out.facts);
        for order in out.orders {
            if order.owner == self.owner && !self.deaf {
                self.later(Millis(1), Event::Effect(order.effect));
            }
        }
        outcome
    }

    fn cluster_now(&self) -> ClusterTime {
        ClusterTime(1_700_000_000_000 + self.now.0 / 1000)
    }

    fn later(&mut self, pause: Millis, event: Event) {
        self.count += 1;
        self.events.insert((self.now + pause, self.count), event);
    }

    /// Lets a phone do something.
    pub(crate) fn with(&mut self, phone: usize, act: impl FnOnce(&mut Phone, LocalTime)) {
        act(&mut self.phones[phone], self.now);
        self.collect();
    }

    /// Lets the shard do something.
    pub(crate) fn with_ua(&mut self, act: impl FnOnce(&mut Ua, LocalTime)) {
        act(&mut self.ua, self.now);
        self.collect();
    }

    /// Hands bytes to the shard as if they came from somewhere.
    pub(crate) fn inject(&mut self, text: &str, from: SocketAddr) {
        let bytes = Bytes::from(text.to_owned());
        self.later(Millis(0), Event::Message { bytes, from, to: address(UA) });
    }

    fn collect(&mut self) {
        while let Some(output) = self.ua.poll_output() {
            self.on_output(output);
        }
        for nth in 0..self.phones.len() {
            while let Some((bytes, to)) = self.phones[nth].poll() {
                let from = self.phones[nth].at;
                self.send(bytes, from, to);
            }
        }
    }

    fn send(&mut self, bytes: Bytes, from: SocketAddr, to: SocketAddr) {
        if std::env::var_os("TRACE").is_some() {
            let text = String::from_utf8_lossy(&bytes);
            let first = text.lines().next().unwrap_or_default();
            eprintln!("{:>10} {from} > {to}  {first}", self.now.0 / 1000);
        }
        if self.prng.below(1000) >= self.loss {
            self.later(Millis(5), Event::Message { bytes, from, to });
        }
    }

    fn on_output(&mut self, output: Output) {
        match output {
            Output::Transmit { bytes, flow } => self.send(bytes, flow.local, flow.peer),
            Output::Propose { request, command } => {
                self.commands.push(command.clone());
                if self.minority {
                    let outcome = Err(Unavailable);
                    self.later(self.commit_after, Event::Outcome { request, outcome });
                } else {
                    self.later(self.commit_after, Event::Commit { request, command });
                }
            }
            Output::Media(order) => self.media.push(order),
            Output::Resolve { token, host, .. } => {
                let ports = if host == "pbxes.test" { 6000..6003 } else { 6000..6001 };
                let found = ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port))).collect();
                let found = host.ends_with(".test").then_some(found);
                let found = found.ok_or(carillon::b2bua::NotFound);
                self.ua.handle_resolved(self.now, token, found);
            }
            Output::HalfOpen { leg, source } => {
                assert!(self.half_open.insert(leg, source).is_none(), "told once");
            }
            Output::NotHalfOpen { leg } => {
                assert!(self.half_open.remove(&leg).is_some(), "told before");
            }
            Output::LetIn { .. } => {}
            Output::Count(counter) => self.counters.push(counter),
            Output::TurnedAway(caller) => self.turned_away.push(*caller),
        }
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, length: Millis) {
        let end = self.now + length;
        while let Some(at) = self.next_event().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.step();
        }
        self.now = end;
    }

    pub(crate) fn run_secs(&mut self, seconds: u64) {
        self.run(Millis::from_secs(seconds));
    }

    fn core_deadline(&self) -> Option<LocalTime> {
        let due = self.core.next_deadline()?;
        Some(LocalTime(due.0.saturating_sub(1_700_000_000_000) * 1000))
    }

    fn next_event(&self) -> Option<LocalTime> {
        let events = self.events.keys().next().map(|(at, _)| *at);
        let phones = self.phones.iter().filter_map(Phone::next_deadline).min();
        let times = [events, phones, self.ua.next_deadline(), self.core_deadline()];
        times.into_iter().flatten().min()
    }

    fn step(&mut self) {
        let now = self.now;
        if let Some(((_, _), event)) = self.pop_event() {
            self.take(event);
        }
        if self.ua.next_deadline().is_some_and(|at| at <= now) {
            self.ua.handle_deadline(now);
        }
        for phone in &mut self.phones {
            if phone.next_deadline().is_some_and(|at| at <= now) {
                phone.wake(now);
            }
        }
        if self.core_deadline().is_some_and(|at| at <= now) {
            self.ask(Command::Advance);
        }
        self.collect();
    }

    fn pop_event(&mut self) -> Option<((LocalTime, u64), Event)> {
        let first = *self.events.keys().next()?;
        if first.0 > self.now {
            return None;
        }
        self.events.remove_entry(&first)
    }

    fn take(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::Message { bytes, from, to } if to == address(UA) => {
                if let Ok(message) = Message::parse(bytes) {
                    let flow = Flow { transport: Transport::Udp, local: to, peer: from };
                    self.ua.handle_message(now, message, flow);
                }
            }
            Event::Message { bytes, from, to } => {
                match self.phones.iter_mut().find(|phone| phone.at == to) {
                    Some(phone) => phone.receive(now, bytes, from),
                    None => self.mail.push((to, bytes)),
                }
            }
            Event::Commit { request, command } => {
                let outcome = Ok(self.apply(request, command));
                self.later(Millis(1), Event::Outcome { request, outcome });
            }
            Event::Outcome { request, outcome } => self.ua.handle_outcome(now, request, outcome),
            Event::Effect(effect) => self.ua.handle_order(now, effect),
        }
    }

    /// The caller's leg of the only call there is.
    pub(crate) fn leg(&self, _caller: usize) -> LegId {
        LegId::of_caller(View::new(&self.core).calls()[0].id)
    }

    /// Nothing is left of any call, anywhere.
    pub(crate) fn assert_clean(&mut self) {
        self.run_secs(400);
        assert_eq!(self.ua.legs(), 0, "legs are left");
        assert_eq!(self.ua.transactions(), 0, "transactions are left");
        assert_eq!(self.half_open.len(), 0, "half-open calls are left");
        assert_eq!(self.ua.proposals(), 0, "proposals are left");
        assert_eq!(View::new(&self.core).calls().len(), 0, "the core has calls left");
        assert_eq!(self.ua.next_deadline(), None, "something is still to be woken for");
        let opened = |order: &&Order| matches!(order, Order::Open { .. });
        let closed = |order: &&Order| matches!(order, Order::Close { .. });
        let count = |of: &dyn Fn(&&Order) -> bool| self.media.iter().filter(|o| of(o)).count();
        assert_eq!(count(&opened), count(&closed), "streams are left open");
    }

    /// How often a command of some kind was proposed.
    pub(crate) fn proposed(&self, is: impl Fn(&Command) -> bool) -> usize {
        self.commands.iter().filter(|command| is(command)).count()
    }
}
