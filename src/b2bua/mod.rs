//! Phones: SIP messages become commands to the core, the core's effects become SIP and audio.
//!
//! ```text
//!   message ─► sip::transaction ─► ingress ─► legs ─► Propose ─────► (the log, the core)
//!                                               │                             │
//!   Transmit ◄── sip::transaction ◄─────────── legs ◄── execute ◄── effect ◄──┘
//!   Media(order) ◄──────────────────────────────┘
//! ```
//!
//! | question | file |
//! |---|---|
//! | may this INVITE come in, and what is it | `ingress`, `admission`, `board::auth` |
//! | does this message count within a call | `admission::outsider` |
//! | what does a waiting caller get | `caller`, `sound` |
//! | how is an agent's phone rung | `placing`, `ringing`, `outcome` |
//! | what happens while two talk | `confirmed`, `change`, `refresh`, `keys`, `transfer` |
//! | how does a leg end | `confirmed`, `ending` |
//! | what is kept of a leg for another process, and how that goes on | `codec`, `adopt` |
//! | what do all legs share | `board`, with its alarms, proposals, names and routes |
//!
//! [`Ua`] is one shard: both legs of a call live in the same one, because the agent's Call-ID is
//! drawn until it leads there. One input at a time, then outputs are polled until `None` (the
//! drain rule), then `next_deadline` says when to come back.
//!
//! Always holds: no clock, no socket, no randomness of its own; equal inputs give equal outputs.
//! **Invariant:** nothing is decided here about who talks with whom.
//!
//! Not here: queues and agents (`acd`), packets and prompts (`media`), sockets (`node`).

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;

use crate::acd::command::Command;
use crate::acd::command::Outcome;
use crate::acd::config::TrunkConfig;
use crate::acd::effect::Effect;
use crate::b2bua::board::Board;
use crate::b2bua::board::Key;
use crate::b2bua::counter::Counter;
use crate::b2bua::counter::Rejected;
use crate::b2bua::counter::TurnedAway;
use crate::b2bua::leg::Leg;
use crate::b2bua::leg::State;
use crate::base::id::CallId;
use crate::base::id::LegId;
use crate::base::id::Owner;
use crate::base::id::RequestId;
use crate::base::time::LocalTime;
use crate::base::time::Millis;
use crate::media::order::Order;
use crate::media::order::Report;
use crate::sip::dialog::session_timer::Wanted;
use crate::sip::flow::Flow;
use crate::sip::flow::Transport;
use crate::sip::message::Message;
use crate::sip::transaction::Counts;
use crate::sip::transaction::timer::Timers;
use crate::sip::uri::HostPort;

mod admission;
mod adopt;
mod board;
mod caller;
mod change;
pub mod codec;
mod confirmed;
pub mod counter;
mod ending;
mod execute;
mod ingress;
mod keys;
mod leg;
mod outcome;
mod placing;
mod refresh;
mod ringing;
mod sound;
mod transfer;

pub use crate::b2bua::admission::trunks::knows;

/// Most legs of one shard, unless it is told otherwise.
pub const LEGS_MAX: usize = 100_000;

/// Who a shard is to the world.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The node, in this life of it.
    pub owner: Owner,
    /// The sockets SIP is spoken on.
    pub listeners: Vec<Listener>,
    /// The RTP ports of the shard's media thread, used one after the other.
    pub rtp: Vec<RtpPort>,
    /// The address written into session descriptions.
    pub media_address: IpAddr,
    /// Which shard this is.
    pub shard: u16,
    /// How many there are.
    pub shards: u16,
    /// The secret all nodes share.
    pub cluster_key: [u8; 32],
}

/// The shard in which a call lives: the one its INVITE came to, as the call's name tells.
pub fn shard_of_call(call: CallId, shards: u16) -> u16 {
    (call.0 % u64::from(shards.max(1))) as u16
}

/// A socket SIP is spoken on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// By what.
    pub transport: Transport,
    /// As it is bound; names the socket in flows.
    pub local: SocketAddr,
    /// As others reach it.
    pub advertised: HostPort,
}

/// A socket RTP is spoken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpPort {
    /// Its port, as written into session descriptions.
    pub port: u16,
}

/// The log cannot be reached, or did not answer in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable;

/// A host name has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotFound;

/// What a shard wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send these bytes.
    Transmit {
        /// One message.
        bytes: Bytes,
        /// Where.
        flow: Flow,
    },
    /// Ask the core; the answer goes to [`Ua::handle_outcome`].
    Propose {
        /// The proposal's name, the same when it is made again.
        request: RequestId,
        /// What is asked.
        command: Command,
    },
    /// Tell the shard's media thread.
    Media(Order),
    /// Find the addresses of a host; they go to [`Ua::handle_resolved`].
    Resolve {
        /// Comes back with the addresses.
        token: u64,
        /// The name.
        host: String,
        /// The port, if one was given.
        port: Option<u16>,
        /// By what the request will be sent.
        transport: Transport,
    },
    /// Who is at the other end of this flow was let in: a call of theirs was taken, or we ring
    /// them.
    LetIn {
        /// How it came, or goes.
        flow: Flow,
    },
    /// A caller's INVITE begins a call, which has no final answer yet, or not its ACK.
    HalfOpen {
        /// The caller's leg.
        leg: LegId,
        /// Where it came from.
        source: IpAddr,
    },
    /// That call has both, or is over.
    NotHalfOpen {
        /// The caller's leg.
        leg: LegId,
    },
    /// Count something.
    Count(Counter),
    /// Write down that a caller was turned away.
    TurnedAway(Box<TurnedAway>),
}

/// One shard of the B2BUA.
pub struct Ua {
    board: Board,
    /// Each by itself: a leg is taken out for every step, and is large.
    legs: BTreeMap<LegId, Box<Leg>>,
    legs_max: usize,
    draining: bool,
    /// Why the INVITE at hand may not begin a call.
    excess: Option<Rejected>,
}

impl Ua {
    /// A shard without legs; `seed` is entropy of its own.
    pub fn new(identity: Identity, seed: [u8; 32]) -> Self {
        Self::with_timers(identity, seed, Timers::default())
    }

    /// The same with other timers, for tests.
    pub fn with_timers(identity: Identity, seed: [u8; 32], timers: Timers) -> Self {
        let board = Board::new(identity, seed, timers);
        Self { board, legs: BTreeMap::new(), legs_max: LEGS_MAX, draining: false, excess: None }
    }

    /// Takes the trunks as configured now.
    pub fn set_trunks(&mut self, trunks: Arc<[TrunkConfig]>) {
        self.board.trunks = trunks;
    }

    /// Takes the session timer of new dialogs as configured now.
    pub fn set_session_expires(&mut self, interval: Millis) {
        self.board.wanted = Wanted::every(interval);
    }

    /// Turns new calls away (503), or takes them again.
    pub fn set_draining(&mut self, draining: bool) {
        self.draining = draining;
    }

    /// Refuses legs beyond this number.
    pub fn set_legs_max(&mut self, legs_max: usize) {
        self.legs_max = legs_max;
    }

    /// Gives a talking party up after this long without a packet; none: never.
    pub fn set_lost_after(&mut self, silence: Option<Millis>) {
        self.board.lost_after = silence;
    }

    /// Takes a message from the network.
    pub fn handle_message(&mut self, now: LocalTime, message: Message, flow: Flow) {
        self.board.now = now;
        if self.is_stranger(&message, flow) {
            self.board.layer.handle_passing(now, message, flow);
        } else {
            self.board.layer.handle_message(now, message, flow);
        }
        self.settle();
    }

    /// Takes an INVITE from where too many come: if it would begin a call, it is answered 503 and
    /// nothing is kept of it; a repeat is taken as always.
    pub fn handle_excess(&mut self, now: LocalTime, message: Message, flow: Flow, why: Rejected) {
        self.board.now = now;
        self.excess = Some(why);
        self.board.layer.handle_passing(now, message, flow);
        self.settle();
        self.excess = None;
    }

    /// Carries out an effect of the core.
    pub fn handle_order(&mut self, now: LocalTime, effect: Effect) {
        self.board.now = now;
        self.execute(effect);
        self.settle();
    }

    /// Lets go of a leg another node goes on with, and of what was to be said of it. The party
    /// hears nothing from here, but for the CANCEL of an INVITE that is under way.
    pub fn give_up(&mut self, now: LocalTime, leg: LegId) {
        self.board.now = now;
        self.with_leg(leg, |leg, _| leg.state = State::Over);
        self.board.proposals.forget(leg);
        self.settle();
    }

    /// Makes good that orders were lost: a snapshot has jumped over them.
    ///
    /// `standing` are this shard's legs by the snapshot, whose orders have all been given or are
    /// lost; `known` are those the core knows now.
    pub fn handle_jump(
        &mut self,
        now: LocalTime,
        standing: &BTreeSet<LegId>,
        known: &BTreeSet<LegId>,
    ) {
        self.board.now = now;
        self.reconcile(standing, known);
        self.settle();
    }

    /// Takes the core's answer to a proposal.
    pub fn handle_outcome(
        &mut self,
        now: LocalTime,
        request: RequestId,
        outcome: Result<Outcome, Unavailable>,
    ) {
        self.board.now = now;
        self.on_outcome(request, outcome);
        self.settle();
    }

    /// Takes a report of the media thread.
    #[expect(clippy::needless_pass_by_value, reason = "inputs are handed over, like all others")]
    pub fn handle_report(&mut self, now: LocalTime, report: Report) {
        self.board.now = now;
        self.on_report(&report);
        self.settle();
    }

    /// Takes the addresses of a host.
    pub fn handle_resolved(
        &mut self,
        now: LocalTime,
        token: u64,
        addresses: Result<Vec<SocketAddr>, NotFound>,
    ) {
        self.board.now = now;
        if let Some(leg) = self.board.take_lookup(token) {
            let addresses = addresses.unwrap_or_default();
            self.with_leg(leg, |leg, board| leg.on_resolved(board, addresses));
        }
        self.settle();
    }

    /// Takes the news that nothing can be sent by `flow`.
    pub fn handle_transport_error(&mut self, now: LocalTime, flow: Flow) {
        self.board.now = now;
        self.board.layer.handle_transport_error(now, flow);
        self.settle();
    }

    /// Does what is due.
    pub fn handle_deadline(&mut self, now: LocalTime) {
        self.board.now = now;
        self.board.layer.handle_deadline(now);
        self.settle();
        while let Some((leg, alarm)) = self.board.alarms.pop_due(now) {
            self.with_leg(leg, |leg, board| leg.handle_alarm(board, alarm));
            self.settle();
        }
        while let Some((request, command)) = self.board.proposals.pop_due(now) {
            self.board.outputs.push_back(Output::Propose { request, command });
        }
    }

    /// When to call [`Ua::handle_deadline`].
    pub fn next_deadline(&self) -> Option<LocalTime> {
        let board = &self.board;
        let times = [board.layer.next_deadline(), board.alarms.next(), board.proposals.next()];
        times.into_iter().flatten().min()
    }

    /// Takes the next output.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.board.outputs.pop_front()
    }

    /// How many legs there are.
    pub fn legs(&self) -> usize {
        self.legs.len()
    }

    /// How many transactions there are.
    pub fn transactions(&self) -> usize {
        self.board.layer.len()
    }

    /// How many bytes the transactions keep.
    pub fn transaction_bytes(&self) -> usize {
        self.board.layer.kept_bytes()
    }

    /// What the transactions have counted since the start.
    pub fn transaction_counts(&self) -> Counts {
        self.board.layer.counts()
    }

    /// How many commands wait for their outcome.
    pub fn proposals(&self) -> usize {
        self.board.proposals.len()
    }

    /// Lets everything happen that follows from the input.
    fn settle(&mut self) {
        loop {
            if let Some(heard) = self.board.layer.poll_output() {
                self.on_heard(heard);
            } else if let Some(Key { to, digit, duration }) = self.board.keys.pop_front() {
                self.with_leg(to, |leg, board| leg.send_key(board, digit, duration));
            } else {
                return;
            }
        }
    }

    /// Lets a leg take a step; tells whether there is such a leg.
    fn with_leg(&mut self, id: LegId, act: impl FnOnce(&mut Leg, &mut Board)) -> bool {
        let Some(mut leg) = self.legs.remove(&id) else { return false };
        act(&mut leg, &mut self.board);
        self.put_back(leg);
        true
    }

    /// Keeps a leg after its step, or lets go of it, and tells media what follows.
    fn put_back(&mut self, mut leg: Box<Leg>) {
        let (id, over, partner) = (leg.id, leg.is_over(), leg.sound.partner());
        self.tell_half_open(&mut leg);
        if over {
            leg.sound.close();
        }
        while let Some(order) = leg.sound.poll_order() {
            self.board.outputs.push_back(Output::Media(order));
        }
        if over {
            self.board.forget(id);
            if let Some(partner) = partner {
                self.part(partner, id);
            }
            return;
        }
        let meets = leg.sound.wants_join();
        self.legs.insert(id, leg);
        if let Some(partner) = meets {
            self.join_streams(id, partner);
        }
    }

    /// Tells of a call that has become half open, or is no more.
    fn tell_half_open(&mut self, leg: &mut Leg) {
        let (id, before) = (leg.id, leg.half_open);
        leg.half_open = leg.is_half_open();
        if let State::Unanswered(caller) = &leg.state
            && !before
        {
            let source = caller.source;
            self.board.outputs.push_back(Output::HalfOpen { leg: id, source });
        } else if before && !leg.half_open {
            self.board.outputs.push_back(Output::NotHalfOpen { leg: id });
        }
    }

    /// The partner of a leg is gone.
    fn part(&mut self, leg: LegId, gone: LegId) {
        self.with_leg(leg, |leg, board| {
            if leg.sound.partner() == Some(gone) {
                leg.on_parted(board);
            }
        });
    }

    /// Joins two streams as soon as both parties have audio and are meant for each other.
    fn join_streams(&mut self, a: LegId, b: LegId) {
        let ready = self.legs.get(&b).is_some_and(|leg| leg.sound.wants_join() == Some(a));
        if !ready {
            return;
        }
        self.board.outputs.push_back(Output::Media(Order::Join { a, b }));
        for id in [a, b] {
            let Some(leg) = self.legs.get_mut(&id) else { continue };
            let watch = leg.sound.note_joined(self.board.lost_after);
            self.board.outputs.extend(watch.map(Output::Media));
        }
    }

    fn on_report(&mut self, report: &Report) {
        match *report {
            Report::Digit { stream, digit } => {
                let key = self.legs.get(&stream).and_then(|leg| leg.on_key_heard(digit));
                let relayed =
                    |key: &Key| self.legs.get(&key.to).is_some_and(|leg| leg.takes_events());
                self.board.keys.extend(key.filter(|key| !relayed(key)));
            }
            Report::Finished { stream, token } => {
                self.with_leg(stream, |leg, board| leg.on_finished(board, token));
            }
            // Media passes it over and goes on; the metrics of media tell of it.
            Report::NoPrompt { .. } => {}
            Report::Lost { stream } => {
                self.with_leg(stream, Leg::on_silence);
            }
        }
    }
}
