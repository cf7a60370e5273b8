//! What the legs of one shard share: transactions, names, alarms, proposals, outputs.
//!
//! A leg that wants something of the world asks the board; the board is handed to every step of a
//! leg beside the leg itself. It also keeps by which names a leg is found again: dialog, INVITE,
//! and the keys of the transactions it waits for.
//!
//! Always holds: `now` is the time of the input being handled; a leg that is forgotten
//! ([`Board::forget`]) is found by no name any more, and what is proposed for it still goes out.
//!
//! Not here: any decision about a call.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::acd::command::Command;
use crate::acd::config::Settings;
use crate::acd::config::TrunkConfig;
use crate::acd::effect::Cause;
use crate::b2bua::Identity;
use crate::b2bua::Listener;
use crate::b2bua::Output;
use crate::b2bua::admission::trunks;
use crate::b2bua::board::alarm::Alarm;
use crate::b2bua::board::alarm::Alarms;
use crate::b2bua::board::proposal::Proposals;
use crate::b2bua::board::token::Tokens;
use crate::b2bua::counter::Counter;
use crate::b2bua::counter::TurnedAway;
use crate::b2bua::counter::Why;
use crate::b2bua::outcome;
use crate::base::id::LegId;
use crate::base::id::RequestId;
use crate::base::id::TrunkId;
use crate::base::time::LocalTime;
use crate::base::time::Millis;
use crate::media::dtmf::Digit;
use crate::sip::dialog::Reject;
use crate::sip::dialog::session_timer::Wanted;
use crate::sip::digest::server::Realm;
use crate::sip::flow::Flow;
use crate::sip::flow::Transport;
use crate::sip::header::name::Name;
use crate::sip::header::via::Via;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::transaction;
use crate::sip::transaction::Layer;
use crate::sip::transaction::key::ClientKey;
use crate::sip::transaction::key::ServerKey;
use crate::sip::transaction::timer::Timers;
use crate::sip::uri::HostPort;
use crate::sip::uri::Uri;
use crate::sip::write::ResponseBuilder;

pub(in crate::b2bua) mod alarm;
pub(in crate::b2bua) mod auth;
mod proposal;
pub(in crate::b2bua) mod route;
mod token;

/// The methods served, for Allow.
pub(in crate::b2bua) const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, NOTIFY";
/// The events understood, for Allow-Events, which a 489 must have (RFC 3265 §7.2, RFC 6665 §8.2.2).
pub(in crate::b2bua) const EVENTS: &str = "refer";
/// The extensions understood, for Supported.
pub(in crate::b2bua) const SUPPORTED: &str = "timer, 100rel, norefersub";
/// How we call ourselves in Server and User-Agent.
pub(in crate::b2bua) const PRODUCT: &str = "Carillon";

/// What a request of ours was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::b2bua) enum Asked {
    /// To ring an agent.
    Ring,
    /// To confirm a reliable provisional response.
    Prack,
    /// To refresh the session.
    Refresh,
    /// To pass a key on.
    Info,
    /// To send the party elsewhere.
    Transfer,
    /// To hang up.
    Bye,
    /// To hang up a second phone that answered a forked INVITE.
    ByeFork,
}

/// A request of ours that is under way.
#[derive(Clone, Debug)]
pub(in crate::b2bua) struct Sent {
    /// Whose it is.
    pub(in crate::b2bua) leg: LegId,
    /// What for.
    pub(in crate::b2bua) asked: Asked,
    /// As it was sent, without our Via.
    pub(in crate::b2bua) request: Message,
    /// Where it went.
    pub(in crate::b2bua) flow: Flow,
    /// Whose credentials it may carry.
    pub(in crate::b2bua) trunk: Option<TrunkId>,
    /// Whether it carries credentials already.
    pub(in crate::b2bua) authorized: bool,
}

/// A dialog as requests name it: Call-ID and our tag.
pub(in crate::b2bua) type DialogName = (String, String);
/// An INVITE as a merged one names it: Call-ID, From-tag, CSeq (RFC 3261 §8.2.2.2).
pub(in crate::b2bua) type InviteName = (String, String, u32);

/// By which names legs are found.
#[derive(Default)]
struct Names {
    dialogs: BTreeMap<DialogName, LegId>,
    invites: BTreeMap<InviteName, LegId>,
    servers: BTreeMap<ServerKey, LegId>,
    clients: BTreeMap<ClientKey, Sent>,
    lookups: BTreeMap<u64, LegId>,
    of_leg: BTreeMap<LegId, Vec<Found>>,
}

impl Names {
    fn add_client(&mut self, key: ClientKey, sent: Sent) {
        let (clients, found) = (&mut self.clients, self.of_leg.entry(sent.leg).or_default());
        if found.len() > NAMES_KEPT {
            // A long call: what was answered since is no name any more.
            found
                .retain(|found| !matches!(found, Found::Client(key) if !clients.contains_key(key)));
        }
        found.push(Found::Client(key.clone()));
        clients.insert(key, sent);
    }
}

/// How many names of a leg there may be before answered requests are sorted out.
const NAMES_KEPT: usize = 32;

/// Of how many peers it is known which RTP port they had last; then all is forgotten.
const PEERS_MAX: usize = 10_000;

/// One name of a leg.
enum Found {
    Dialog(DialogName),
    Invite(InviteName),
    Server(ServerKey),
    Client(ClientKey),
    Lookup(u64),
}

/// Something that crosses from one leg of a pair to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::b2bua) struct Key {
    /// The leg that is to hear of it.
    pub(in crate::b2bua) to: LegId,
    /// Which key.
    pub(in crate::b2bua) digit: Digit,
    /// How long it was pressed.
    pub(in crate::b2bua) duration: Millis,
}

/// What the legs of one shard share.
pub(in crate::b2bua) struct Board {
    pub(in crate::b2bua) now: LocalTime,
    pub(in crate::b2bua) identity: Identity,
    pub(in crate::b2bua) trunks: Arc<[TrunkConfig]>,
    /// The session timer of new dialogs.
    pub(in crate::b2bua) wanted: Wanted,
    /// After how long without a packet a talking party counts as gone; none: never.
    pub(in crate::b2bua) lost_after: Option<Millis>,
    pub(in crate::b2bua) timers: Timers,
    pub(in crate::b2bua) layer: Layer,
    pub(in crate::b2bua) tokens: Tokens,
    pub(in crate::b2bua) alarms: Alarms,
    pub(in crate::b2bua) proposals: Proposals,
    realm: Realm,
    pub(in crate::b2bua) keys: VecDeque<Key>,
    pub(in crate::b2bua) outputs: VecDeque<Output>,
    names: Names,
    /// Which turn each peer's last stream had at the RTP ports.
    turns: BTreeMap<IpAddr, usize>,
    streams: usize,
    numbers: u64,
    /// When the last of many legs has its turn.
    turn: LocalTime,
}

impl Board {
    /// An empty board.
    pub(in crate::b2bua) fn new(identity: Identity, seed: [u8; 32], timers: Timers) -> Self {
        let mut layer = Layer::new(timers);
        for listener in &identity.listeners {
            layer.add_name(&listener.advertised);
        }
        let mut tokens = Tokens::new(identity.cluster_key, seed);
        Self {
            now: LocalTime::default(),
            realm: auth::realm(&mut tokens),
            tokens,
            identity,
            trunks: Arc::from([]),
            wanted: Wanted::every(Settings::default().session_expires),
            timers,
            layer,
            alarms: Alarms::default(),
            proposals: Proposals::default(),
            keys: VecDeque::new(),
            outputs: VecDeque::new(),
            names: Names::default(),
            lost_after: None,
            turns: BTreeMap::new(),
            streams: 0,
            numbers: 0,
            turn: LocalTime::default(),
        }
    }

    // What goes out.

    /// Counts something.
    pub(in crate::b2bua) fn count(&mut self, counter: Counter) {
        self.outputs.push_back(Output::Count(counter));
    }

    /// Has it written down that an INVITE was turned away.
    pub(in crate::b2bua) fn tell_turned_away(
        &mut self,
        invite: &Message,
        source: IpAddr,
        status: u16,
        why: Why,
    ) {
        let trunk = trunks::entrance(&self.trunks, source).cloned();
        let call_id = invite.call_id().unwrap_or_default().to_owned();
        let told = TurnedAway { status, why, source, trunk, call_id };
        self.outputs.push_back(Output::TurnedAway(Box::new(told)));
    }

    /// Asks the core for something, after what was asked for this leg before.
    pub(in crate::b2bua) fn propose(&mut self, leg: LegId, command: Command) {
        let request = self.tokens.request();
        self.propose_as(request, leg, command);
    }

    /// The same under a given name.
    pub(in crate::b2bua) fn propose_as(
        &mut self,
        request: RequestId,
        leg: LegId,
        command: Command,
    ) {
        if let Some((request, command)) = self.proposals.add(leg, request, command) {
            self.outputs.push_back(Output::Propose { request, command });
        }
    }

    /// Sends a request of a leg's and remembers what it was for.
    pub(in crate::b2bua) fn send(&mut self, sent: Sent) -> ClientKey {
        let branch = self.tokens.branch();
        let sent_by = self.advertised(sent.flow);
        self.count(Counter::RequestSent(sent.request.method()));
        let (now, layer) = (self.now, &mut self.layer);
        let key = layer.send_request(now, &sent.request, &branch, &sent_by, sent.flow);
        self.names.add_client(key.clone(), sent);
        key
    }

    /// The CANCEL that would take an INVITE of ours back, for who goes on if this process ends.
    pub(in crate::b2bua) fn cancel_of(
        &self,
        invite: &Message,
        key: &ClientKey,
        flow: Flow,
    ) -> Option<Message> {
        let via = Via::new(flow.transport, self.advertised(flow), key.branch());
        let sent = invite.with_top(Name::Via, via);
        transaction::cancel_of(&sent, Some(outcome::reason(Cause::NodeLost)))
    }

    /// Sends an ACK of a 2xx.
    pub(in crate::b2bua) fn send_ack(&mut self, ack: &Message, flow: Flow) {
        let branch = self.tokens.branch();
        let sent_by = self.advertised(flow);
        self.count(Counter::RequestSent(ack.method()));
        self.layer.send_ack(ack, &branch, &sent_by, flow);
    }

    /// Answers a request.
    pub(in crate::b2bua) fn respond(&mut self, key: &ServerKey, response: &Message) {
        let class = response.status().unwrap_or_default() / 100;
        self.count(Counter::ResponseSent(response.method(), class));
        self.layer.respond(self.now, key, response);
    }

    /// Answers a request with nothing but a status.
    pub(in crate::b2bua) fn refuse(
        &mut self,
        key: &ServerKey,
        request: &Message,
        status: u16,
        tag: &str,
    ) {
        let response = ResponseBuilder::to(request, status).to_tag(tag);
        let response = response.header(Name::Server, PRODUCT).build();
        self.respond(key, &response);
    }

    /// Begins the answer to a request its dialog rejects, with the pause its RFC wants.
    pub(in crate::b2bua) fn rejection(
        &mut self,
        request: &Message,
        reject: Reject,
    ) -> ResponseBuilder {
        let response = ResponseBuilder::to(request, reject.status());
        if reject.wants_retry_after() {
            return response.header(Name::RetryAfter, self.tokens.below(11));
        }
        response
    }

    /// Wakes a leg after a while.
    pub(in crate::b2bua) fn wake_after(&mut self, leg: LegId, alarm: Alarm, pause: Millis) {
        self.alarms.set(leg, alarm, self.now + pause);
    }

    // Who we are.

    /// How others name the socket of this flow.
    pub(in crate::b2bua) fn advertised(&self, flow: Flow) -> HostPort {
        let same = |l: &&Listener| l.transport == flow.transport && l.local == flow.local;
        let alike = |l: &&Listener| l.transport == flow.transport;
        let listeners = &self.identity.listeners;
        let found = listeners.iter().find(same).or_else(|| listeners.iter().find(alike));
        found.map_or_else(|| HostPort::from(flow.local), |listener| listener.advertised.clone())
    }

    /// Our Contact on this flow.
    pub(in crate::b2bua) fn contact(&self, user: Option<&str>, flow: Flow) -> Uri {
        let mut contact = Uri::sip(user, self.advertised(flow));
        match flow.transport {
            Transport::Udp => {}
            Transport::Tcp => contact.params.set("transport", Some("tcp")),
        }
        contact
    }

    /// The flow to an address, through the listener of its kind.
    pub(in crate::b2bua) fn flow_to(&self, transport: Transport, peer: SocketAddr) -> Option<Flow> {
        let same = |l: &&Listener| l.transport == transport && l.local.is_ipv4() == peer.is_ipv4();
        let listener = self.identity.listeners.iter().find(same)?;
        Some(Flow { transport, local: listener.local, peer })
    }

    /// The flow of another process, through a listener of ours.
    pub(in crate::b2bua) fn own(&self, flow: Flow) -> Flow {
        self.flow_to(flow.transport, flow.peer).unwrap_or(flow)
    }

    /// When the next of many legs may have its turn: `pace` after the one before.
    pub(in crate::b2bua) fn next_turn(&mut self, pace: Millis) -> LocalTime {
        self.turn = self.now.max(self.turn + pace);
        self.turn
    }

    /// The RTP port of the next stream to or from this peer.
    ///
    /// Streams of one peer have all ports in turn: behind a NAT they can be told apart only by the
    /// port their first packet comes to. The first of a peer has one of the first half, where the
    /// even ports are (RFC 3550 §11).
    pub(in crate::b2bua) fn rtp_port_for(&mut self, peer: IpAddr) -> u16 {
        if self.turns.len() >= PEERS_MAX {
            self.turns.clear();
        }
        let ports = &self.identity.rtp;
        let first = self.streams % ports.len().div_ceil(2).max(1);
        let turn = self.turns.entry(peer).and_modify(|turn| *turn += 1).or_insert(first);
        self.streams = self.streams.wrapping_add(1);
        ports.get(*turn % ports.len().max(1)).map_or(0, |rtp| rtp.port)
    }

    /// A number that was not used before in this process.
    pub(in crate::b2bua) fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    // Names.

    /// Finds a leg by its dialog.
    pub(in crate::b2bua) fn add_dialog(&mut self, leg: LegId, name: DialogName) {
        self.names.dialogs.insert(name.clone(), leg);
        self.names.of_leg.entry(leg).or_default().push(Found::Dialog(name));
    }

    /// Finds a leg by the INVITE that made it.
    pub(in crate::b2bua) fn add_invite(&mut self, leg: LegId, name: InviteName, key: ServerKey) {
        self.names.invites.insert(name.clone(), leg);
        self.names.servers.insert(key.clone(), leg);
        let found = self.names.of_leg.entry(leg).or_default();
        found.push(Found::Invite(name));
        found.push(Found::Server(key));
    }

    /// Asks for the addresses of a host and remembers who asked.
    pub(in crate::b2bua) fn look_up(&mut self, leg: LegId, host: &HostPort, transport: Transport) {
        let token = self.next_number();
        self.names.lookups.insert(token, leg);
        self.names.of_leg.entry(leg).or_default().push(Found::Lookup(token));
        let (host, port) = (host.host.to_string(), host.port);
        self.outputs.push_back(Output::Resolve { token, host, port, transport });
    }

    /// Whose dialog this is.
    pub(in crate::b2bua) fn leg_of_dialog(&self, name: &DialogName) -> Option<LegId> {
        self.names.dialogs.get(name).copied()
    }

    /// Whose INVITE this is.
    pub(in crate::b2bua) fn leg_of_invite(&self, name: &InviteName) -> Option<LegId> {
        self.names.invites.get(name).copied()
    }

    /// Whose server transaction this is.
    pub(in crate::b2bua) fn leg_of_server(&self, key: &ServerKey) -> Option<LegId> {
        self.names.servers.get(key).copied()
    }

    /// Who asked for these addresses; asked once.
    pub(in crate::b2bua) fn take_lookup(&mut self, token: u64) -> Option<LegId> {
        self.names.lookups.remove(&token)
    }

    /// What a request of ours was; an INVITE stays known, for it may be accepted more than once.
    pub(in crate::b2bua) fn sent(&mut self, key: &ClientKey, is_final: bool) -> Option<Sent> {
        match self.names.clients.get(key)?.asked {
            Asked::Ring => self.names.clients.get(key).cloned(),
            Asked::Prack
            | Asked::Refresh
            | Asked::Info
            | Asked::Transfer
            | Asked::Bye
            | Asked::ByeFork => {
                if is_final {
                    self.names.clients.remove(key)
                } else {
                    self.names.clients.get(key).cloned()
                }
            }
        }
    }

    /// Lets go of a request of ours. An INVITE that got 1xx and nothing else would wait for ever
    /// (RFC 3261 §16.6 gives proxies timer C for that), so it is cancelled.
    fn let_go(&mut self, key: &ClientKey) {
        let sent = self.names.clients.remove(key);
        if sent.is_some_and(|sent| sent.request.method() == Method::Invite) {
            let _ended = self.layer.cancel(self.now, key, None);
        }
    }

    /// Lets go of everything about a leg but what is proposed for it.
    pub(in crate::b2bua) fn forget(&mut self, leg: LegId) {
        self.alarms.forget(leg);
        for found in self.names.of_leg.remove(&leg).unwrap_or_default() {
            match found {
                Found::Dialog(name) => drop(self.names.dialogs.remove(&name)),
                Found::Invite(name) => drop(self.names.invites.remove(&name)),
                Found::Server(key) => drop(self.names.servers.remove(&key)),
                Found::Client(key) => self.let_go(&key),
                Found::Lookup(token) => drop(self.names.lookups.remove(&token)),
            }
        }
    }
}
