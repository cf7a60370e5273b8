//! The ring of one shard: a `Ua`, what comes in to it, and what goes out.
//!
//! ```text
//! datagrams, frames ─┐                     ┌─► sockets
//! orders of the log ─┤                     ├─► proposals ─► outcome comes back in
//! media reports     ─┼─► Input ─► Ua ─► Output ─► media orders
//! outcomes          ─┤                     └─► names to resolve ─► addresses come back in
//! its own deadline  ─┘
//! ```
//!
//! A call lives in one shard with all its legs: the Call-ID of the caller's INVITE chooses it, the
//! agent's Call-ID is drawn to match, and the call's name says it ([`shard_of_call`]).
//!
//! Always holds: one input, then every output, then the next input. What the network sends waits
//! in bounded queues ([`super::waiting`]) behind what the cluster and the media say; when one is
//! full, datagrams are dropped and counted, and the sender sends them again.
//!
//! Not here: sockets ([`super::udp`], [`super::tcp`]), what a message means (`b2bua`).

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::sync::oneshot;

use crate::acd::command::Command;
use crate::acd::command::Outcome;
use crate::acd::config::TrunkConfig;
use crate::acd::effect::Effect;
use crate::b2bua;
use crate::b2bua::NotFound;
use crate::b2bua::Output;
use crate::b2bua::Ua;
use crate::b2bua::Unavailable;
use crate::b2bua::counter::Rejected;
use crate::b2bua::shard_of_call;
use crate::base::id::CallId;
use crate::base::id::LegId;
use crate::base::id::RequestId;
use crate::base::time::LocalTime;
use crate::base::time::Millis;
use crate::cluster::handle::Handle;
use crate::media::order::Report;
use crate::node::clock;
use crate::node::count::Counts;
use crate::node::count::Lapse;
use crate::node::port::crowd::Place;
use crate::node::port::sources::Sources;
use crate::node::port::sources::Standing;
use crate::node::rtp::MediaThreads;
use crate::node::tcp::TcpConnections;
use crate::node::udp::UdpSockets;
use crate::node::waiting;
use crate::node::waiting::Arrived;
use crate::node::waiting::Intake;
use crate::node::waiting::Waiting;
use crate::resource::SipLimits;
use crate::sip::flow::Flow;
use crate::sip::flow::Transport;
use crate::sip::message::Message;
use crate::sip::message::peek_call_id;
use crate::sip::method::Method;
use crate::sip::parse::ParseError;
use crate::sip::shard_of;
use crate::sip::write::ResponseBuilder;

/// How many shards a node has; fixed, so that a call's name finds its shard after a restart.
pub const SHARDS: u16 = 4;

/// How long a shard without deadlines sleeps.
const LONG: Duration = Duration::from_secs(3600);

/// A stream that is too fast is looked at so often; a second's worth may come at once.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Where SIP is heard if nobody says otherwise (RFC 3261 §19.1.2).
const SIP_PORT: u16 = 5060;

/// What a shard is told by Carillon itself.
#[derive(Debug)]
pub enum Input {
    /// An order of the core.
    Order {
        /// What is to be done.
        effect: Effect,
        /// What the time until it is done tells, and since when.
        lapse: Option<(Lapse, LocalTime)>,
        /// Dropped when it is done.
        done: Option<oneshot::Sender<()>>,
    },
    /// Another node has this leg now.
    GiveUp(LegId),
    /// Orders are lost that a snapshot has jumped over.
    Jumped {
        /// This shard's legs by the snapshot.
        standing: BTreeSet<LegId>,
    },
    /// The answer to a proposal.
    Outcome {
        /// Which proposal.
        request: RequestId,
        /// What the core said, if it could be asked.
        outcome: Result<Outcome, Unavailable>,
    },
    /// What the media has to say.
    Report(Report),
    /// The addresses of a name, none if it could not be resolved.
    Resolved {
        /// Which question.
        token: u64,
        /// The answer.
        addresses: Vec<SocketAddr>,
    },
    /// The flow broke, or nothing could be sent by it.
    TransportFailed(Flow),
    /// The trunks as configured now.
    Trunks(Arc<[TrunkConfig]>),
    /// The session timer of new dialogs as configured now.
    SessionExpires(Millis),
    /// New calls are to be refused, or taken again.
    Draining(bool),
}

/// The doors of all shards.
#[derive(Clone)]
pub struct Shards {
    doors: Arc<[Door]>,
    counts: Counts,
    trunks: Arc<RwLock<Arc<[TrunkConfig]>>>,
    sources: Arc<Sources>,
}

struct Door {
    inputs: mpsc::UnboundedSender<Input>,
    network: Intake,
}

/// The far side of a shard's doors, to be given to [`Shard::run`].
pub struct Inbox {
    inputs: mpsc::UnboundedReceiver<Input>,
    network: Waiting,
}

impl Shards {
    /// Makes the doors of every shard, and what lies behind them.
    pub fn new(counts: Counts) -> (Self, Vec<Inbox>) {
        let mut doors = Vec::new();
        let mut inboxes = Vec::new();
        for _ in 0..SHARDS {
            let (inputs, inputs_in) = mpsc::unbounded_channel();
            let (network, network_in) = waiting::queues();
            doors.push(Door { inputs, network });
            inboxes.push(Inbox { inputs: inputs_in, network: network_in });
        }
        let trunks = Arc::new(RwLock::new(Arc::from([])));
        let sources = Arc::new(Sources::new(SipLimits::default()));
        (Self { doors: doors.into(), counts, trunks, sources }, inboxes)
    }

    /// Takes the limits of what one address may send, as configured now.
    pub fn limit(&self, limits: SipLimits) {
        self.sources.set_limits(limits);
    }

    /// Lets a datagram from this address be read, or counts that it is dropped.
    pub fn admit(&self, from: IpAddr) -> Option<Standing> {
        let admitted = self.sources.admit(clock::local(), from, self.is_named(from));
        admitted.map_err(|flood| self.counts.flooded(flood, from)).ok()
    }

    /// Waits until a message that came by a stream may be read; none: it waited for too long.
    ///
    /// Nobody sends it again (RFC 3261 §17.1.1.2). That it has to wait is counted, once.
    pub async fn admit_from_stream(&self, from: IpAddr, within: Millis) -> Option<Standing> {
        let mut patience = None;
        loop {
            let now = clock::local();
            let admitted = self.sources.admit_from_stream(now, from, self.is_named(from));
            let Err(flood) = admitted else { return admitted.ok() };
            match patience {
                None => self.counts.flooded(flood, from),
                Some(patience) if now >= patience => return None,
                Some(_) => {}
            }
            patience.get_or_insert(now + within);
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Hands a datagram to the shard of its Call-ID, or drops it if that is overrun.
    ///
    /// One without a Call-ID belongs to no call: any shard may refuse it (RFC 4475 §3.3.1).
    pub fn datagram(&self, bytes: Bytes, flow: Flow, standing: Standing) {
        let beginning = &bytes[..bytes.len().min(64)];
        let door =
            &self.doors[usize::from(shard_of(peek_call_id(&bytes).unwrap_or(beginning), SHARDS))];
        if let Err(full) = door.network.datagram(bytes, flow, standing) {
            self.counts.overrun(full, flow.peer.ip());
        }
    }

    /// Hands a framed message to its shard; waits while the shard is busy, which slows the peer.
    pub async fn message(&self, message: Message, flow: Flow, standing: Standing) {
        let Ok(call_id) = message.call_id() else {
            self.counts.unreadable();
            return;
        };
        let door = &self.doors[usize::from(shard_of(call_id.as_bytes(), SHARDS))];
        door.network.message(message, flow, standing).await;
    }

    /// Lets this message begin a call if it asks for one, or tells why not.
    fn may_begin(&self, message: &Message, from: IpAddr) -> Result<(), Rejected> {
        let begins = message.is_request()
            && message.method() == Method::Invite
            && message.to().is_ok_and(|to| to.tag().is_none());
        if !begins {
            return Ok(());
        }
        self.sources.admit_invite(clock::local(), from, self.is_named(from))
    }

    /// Hands an order of the core to the shard of its call.
    pub fn order(&self, effect: Effect, lapse: Option<(Lapse, LocalTime)>) {
        self.tell(home(effect.leg().call), Input::Order { effect, lapse, done: None });
    }

    /// The same; what is returned ends when all that the order causes at once has gone out.
    pub fn order_and_tell(
        &self,
        effect: Effect,
        lapse: Option<(Lapse, LocalTime)>,
    ) -> oneshot::Receiver<()> {
        let (done, is_done) = oneshot::channel();
        self.tell(home(effect.leg().call), Input::Order { effect, lapse, done: Some(done) });
        is_done
    }

    /// Tells the shard of a leg that another node has it now.
    pub fn give_up(&self, leg: LegId) {
        self.tell(home(leg.call), Input::GiveUp(leg));
    }

    /// Tells every shard that orders are lost, and which legs of this node's there were then.
    pub fn jumped(&self, standing: &BTreeSet<LegId>) {
        for shard in 0..self.doors.len() {
            let here = standing.iter().copied().filter(|leg| home(leg.call) == shard);
            self.tell(shard, Input::Jumped { standing: here.collect() });
        }
    }

    /// Hands a report of the media to the shard of its call.
    pub fn report(&self, report: Report) {
        self.tell(home(report.stream().call), Input::Report(report));
    }

    /// Tells every shard that a flow broke.
    pub fn transport_failed(&self, flow: Flow) {
        for shard in 0..self.doors.len() {
            self.tell(shard, Input::TransportFailed(flow));
        }
    }

    /// Tells every shard the trunks.
    pub fn trunks(&self, trunks: &Arc<[TrunkConfig]>) {
        *self.trunks.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(trunks);
        for shard in 0..self.doors.len() {
            self.tell(shard, Input::Trunks(Arc::clone(trunks)));
        }
    }

    /// Tells whether some trunk names this address.
    pub fn is_named(&self, address: IpAddr) -> bool {
        let trunks = self.trunks.read().unwrap_or_else(PoisonError::into_inner);
        b2bua::knows(&trunks, address)
    }

    /// Where the sockets count what never comes to a shard.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Tells every shard the session timer of new dialogs.
    pub fn session_expires(&self, interval: Millis) {
        for shard in 0..self.doors.len() {
            self.tell(shard, Input::SessionExpires(interval));
        }
    }

    /// Tells every shard to refuse new calls, or to take them again.
    pub fn drain(&self, draining: bool) {
        for shard in 0..self.doors.len() {
            self.tell(shard, Input::Draining(draining));
        }
    }

    fn tell(&self, shard: usize, input: Input) {
        // A closed door means that the node is stopping, and nobody is left to be told.
        let _ = self.doors[shard].inputs.send(input);
    }
}

/// One shard at work.
pub struct Shard {
    /// The machine that decides what each input means.
    pub ua: Ua,
    /// Its number, from 0.
    pub number: usize,
    /// The doors, through which answers come back to this shard.
    pub shards: Shards,
    /// Where proposals go.
    pub handle: Handle,
    /// Where datagrams leave.
    pub udp: UdpSockets,
    /// Where streams leave.
    pub tcp: TcpConnections,
    /// Where media orders go.
    pub media: MediaThreads,
    /// What is counted.
    pub counts: Counts,
    /// The calls that are half open.
    pub half_open: BTreeMap<LegId, Place>,
    /// What the outputs of the input at hand will tell about time.
    pub lapse: Option<(Lapse, LocalTime)>,
    /// Who waits for them.
    pub done: Option<oneshot::Sender<()>>,
}

impl Shard {
    /// Runs until every door is closed.
    pub async fn run(mut self, mut inbox: Inbox) {
        loop {
            self.drain().await;
            self.done = None;
            self.tell_figures();
            let wait = self.ua.next_deadline().map(clock::until);
            let asleep = tokio::time::sleep(wait.unwrap_or(LONG));
            tokio::select! {
                biased;
                input = inbox.inputs.recv() => match input {
                    Some(input) => self.accept(input),
                    None => return,
                },
                () = asleep => self.ua.handle_deadline(clock::local()),
                arrived = inbox.network.next() => match arrived {
                    Some(arrived) => self.receive(arrived).await,
                    None => return,
                },
            }
        }
    }

    fn accept(&mut self, input: Input) {
        let now = clock::local();
        match input {
            Input::Order { effect, lapse, done } => {
                self.ua.handle_order(now, effect);
                self.lapse = lapse;
                self.done = done;
            }
            Input::GiveUp(leg) => self.ua.give_up(now, leg),
            Input::Jumped { standing } => {
                let owner = self.handle.identity().owner;
                // Looked at here: what any outcome before this one told of is in it.
                let legs = self.handle.view(|view| view.legs()).into_iter();
                let (ours, theirs): (Vec<_>, Vec<_>) = legs.partition(|(of, _)| *of == owner);
                theirs.into_iter().for_each(|(_, leg)| self.ua.give_up(now, leg));
                let known = ours.into_iter().map(|(_, leg)| leg).collect();
                self.ua.handle_jump(now, &standing, &known);
            }
            Input::Outcome { request, outcome } => self.ua.handle_outcome(now, request, outcome),
            Input::Report(report) => self.ua.handle_report(now, report),
            Input::Resolved { token, addresses } => {
                let found = if addresses.is_empty() { Err(NotFound) } else { Ok(addresses) };
                self.ua.handle_resolved(now, token, found);
            }
            Input::TransportFailed(flow) => self.ua.handle_transport_error(now, flow),
            Input::Trunks(trunks) => self.ua.set_trunks(trunks),
            Input::SessionExpires(interval) => self.ua.set_session_expires(interval),
            Input::Draining(draining) => self.ua.set_draining(draining),
        }
    }

    async fn receive(&mut self, arrived: Arrived) {
        let now = clock::local();
        match arrived {
            Arrived::Datagram(bytes, flow) => match Message::parse(bytes) {
                Ok(message) => self.hand_over(now, message, flow),
                Err(error) => self.refuse(&error, flow).await,
            },
            Arrived::Message(message, flow) => self.hand_over(now, message, flow),
        }
    }

    fn hand_over(&mut self, now: LocalTime, message: Message, flow: Flow) {
        match self.shards.may_begin(&message, flow.peer.ip()) {
            Ok(()) => self.ua.handle_message(now, message, flow),
            Err(why) => self.ua.handle_excess(now, message, flow, why),
        }
    }

    /// Says how long the order took whose outputs have just gone out, and how the shard stands.
    fn tell_figures(&mut self) {
        if let Some((lapse, since)) = self.lapse.take() {
            self.counts.timed(lapse, clock::local().0.saturating_sub(since.0));
        }
        self.counts.stands(self.number, &self.ua, self.half_open.len());
    }

    async fn refuse(&mut self, error: &ParseError, flow: Flow) {
        self.counts.unreadable();
        if let Some(answer) = refusal(error) {
            self.transmit(answer, flow).await;
        }
    }

    async fn drain(&mut self) {
        while let Some(output) = self.ua.poll_output() {
            match output {
                Output::Transmit { bytes, flow } => self.transmit(bytes, flow).await,
                Output::Propose { request, command } => self.propose(request, command),
                Output::Media(order) => self.media.order(self.number, order),
                Output::Resolve { token, host, port, .. } => {
                    self.resolve(token, host, port.unwrap_or(SIP_PORT));
                }
                Output::LetIn { flow } => {
                    self.tcp.let_in(flow);
                    self.shards.sources.let_in(clock::local(), flow.peer.ip());
                }
                Output::HalfOpen { leg, source } => {
                    let place = self.shards.sources.half_open(source);
                    self.half_open.extend(place.map(|place| (leg, place)));
                }
                Output::NotHalfOpen { leg } => drop(self.half_open.remove(&leg)),
                Output::Count(counter) => self.counts.count(&counter),
                Output::TurnedAway(caller) => self.counts.turned_away(&caller),
            }
        }
    }

    async fn transmit(&self, bytes: Bytes, flow: Flow) {
        match flow.transport {
            Transport::Udp => {
                if self.udp.send(flow, &bytes).await.is_err() {
                    self.shards.tell(self.number, Input::TransportFailed(flow));
                }
            }
            Transport::Tcp => self.tcp.send(flow, bytes),
        }
    }

    fn propose(&self, request: RequestId, command: Command) {
        let (handle, shards, shard) = (self.handle.clone(), self.shards.clone(), self.number);
        tokio::spawn(async move {
            let begins = matches!(command, Command::EnqueueCall(_));
            let outcome = match handle.propose(request, command).await {
                Ok(applied) => {
                    if begins {
                        // Until this node's copy has the call, it would look like one that ended.
                        let _stopping = handle.wait_applied(applied.index).await;
                    }
                    Ok(applied.outcome)
                }
                Err(_) => Err(Unavailable),
            };
            shards.tell(shard, Input::Outcome { request, outcome });
        });
    }

    fn resolve(&self, token: u64, host: String, port: u16) {
        let (shards, shard) = (self.shards.clone(), self.number);
        tokio::spawn(async move {
            let found = tokio::net::lookup_host((host, port)).await;
            let addresses = found.map(Iterator::collect).unwrap_or_default();
            shards.tell(shard, Input::Resolved { token, addresses });
        });
    }
}

/// The answer to a message that cannot be taken, if it may be answered (RFC 3261 §8.2, §16.3).
///
/// It goes back without a transaction: what is broken may be what a transaction is known by.
pub fn refusal(error: &ParseError) -> Option<Bytes> {
    let (status, message) = error.answer()?;
    let answer = ResponseBuilder::to(message, status).to_tag("unreadable").build();
    Some(answer.as_bytes().clone())
}

/// The shard in which a call lives.
pub fn home(call: CallId) -> usize {
    usize::from(shard_of_call(call, SHARDS))
}
