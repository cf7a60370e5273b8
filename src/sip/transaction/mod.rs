//! Transactions: every request of one shard with its responses, from first byte to last repeat.
//!
//! ```text
//!   handle_message ─► stamp Via ─► key ─► server machine ─► Request, Ack, Cancelled
//!                                    └──► client machine ─► Response, StrayResponse
//!   send_request, respond, cancel ─────► the machines ────► Transmit
//!   handle_deadline ─► one heap ───────► the machines ────► Transmit, TimedOut, …
//! ```
//!
//! | file | is |
//! |---|---|
//! | `invite_client`, `invite_server`, `client`, `server` | RFC 3261 figures 5 to 8, pure |
//! | `machine`, `timer` | the words they share, their timers and the heap |
//! | `clients`, `servers`, `table`, `shared` | the books: who is where, what is kept |
//! | `key`, `via`, `compose` | matching, the way back, what the layer writes itself |
//!
//! The layer by itself: answers INVITE with 100 at once, absorbs and repeats, acknowledges
//! failures, answers CANCEL, holds an outgoing CANCEL back until a provisional response, refuses
//! what is beyond its limits (transactions, and the bytes they keep) with 503. For strangers it
//! keeps nothing ([`Layer::handle_passing`]): their requests are answered and forgotten, each
//! repeat like the first, unless the user says [`Layer::keep`] (RFC 3261 §8.2.7); and of
//! transactions there are, they are heard only from the address the other side has.
//!
//! Always holds: **every transaction ends**, provided its user answers each INVITE it is told of
//! and cancels each it no longer wants. An ended one costs its key and one response (< 1 KB).
//! After every call, outputs are polled until `None`.
//!
//! Not here: sockets and clocks (`node`), dialogs ([`crate::sip::dialog`]), the ACK of a 2xx and
//! the repeats of a 2xx (the user's, RFC 3261 §13).

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::base::time::LocalTime;
use crate::sip::flow::Flow;
use crate::sip::header::name::Name;
use crate::sip::header::via::Via;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::status;
use crate::sip::transaction::clients::Clients;
use crate::sip::transaction::key::ClientKey;
use crate::sip::transaction::key::ServerKey;
use crate::sip::transaction::servers::Servers;
use crate::sip::transaction::shared::Arrived;
use crate::sip::transaction::shared::Shared;
use crate::sip::transaction::timer::Timers;
use crate::sip::transaction::timer::Whose;
use crate::sip::uri::HostPort;

pub mod client;
mod clients;
mod compose;
pub mod invite_client;
pub mod invite_server;
pub mod key;
pub mod machine;
pub mod server;
mod servers;
mod shared;
mod table;
pub mod timer;
mod via;

pub use crate::sip::transaction::compose::cancel as cancel_of;

/// What a layer wants done or known.
#[derive(Debug)]
pub enum Output {
    /// Send these bytes.
    Transmit {
        /// One message.
        bytes: Bytes,
        /// Where.
        flow: Flow,
    },
    /// A new request; answer it with [`Layer::respond`].
    Request {
        /// Its transaction.
        key: ServerKey,
        /// The request, with `received` and `rport` filled in.
        message: Message,
        /// How it came.
        flow: Flow,
    },
    /// An ACK that belongs to no failure: that of a 2xx.
    Ack {
        /// The ACK.
        message: Message,
        /// How it came.
        flow: Flow,
    },
    /// A CANCEL came and was answered 200; the INVITE now wants its 487.
    Cancelled {
        /// The INVITE.
        invite: ServerKey,
        /// The CANCEL, which may say why (`Reason`).
        cancel: Message,
    },
    /// A response to a request of ours.
    Response {
        /// Its transaction.
        key: ClientKey,
        /// The response.
        message: Message,
    },
    /// A 2xx to an INVITE of ours whose transaction is over; it wants an ACK and a BYE, or its
    /// ACK again.
    StrayResponse {
        /// The response.
        message: Message,
        /// How it came.
        flow: Flow,
    },
    /// No final response came in time; the same as a 408 (RFC 3261 §8.1.3.1).
    TimedOut {
        /// The transaction, which is over.
        key: ClientKey,
    },
    /// The request could not be sent; the same as a 503 (RFC 3261 §8.1.3.1).
    TransportFailed {
        /// The transaction, which is over.
        key: ClientKey,
    },
    /// A response may not have arrived: a failure without its ACK, or a broken flow.
    ResponseUndelivered {
        /// The transaction.
        key: ServerKey,
    },
    /// A message was dropped, or a request refused, without anybody being told of it.
    Discarded {
        /// Why.
        why: Discard,
    },
}

/// Why a message went no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Discard {
    /// A request that lacks what names a transaction.
    Unreadable,
    /// A response that answers nothing of ours (RFC 3261 §18.1.2), or from elsewhere.
    Unmatched,
    /// A repeat or an ACK from elsewhere than its request.
    Elsewhere,
    /// A response whose top Via is not ours, or not alone (RFC 3261 §8.1.3.3).
    NotOurs,
    /// A new request beyond the limit; it was answered 503.
    Full,
    /// A request of ours beyond the limit, or with a branch in use; reported as failed.
    Unsendable,
    /// A response of ours to a transaction that is over.
    TooLate,
}

/// What became of the wish to take an INVITE back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelling {
    /// The CANCEL is on its way; a final response or `TimedOut` follows.
    Sent,
    /// It goes out with the first provisional response; until then the INVITE rings nowhere.
    Held,
    /// There is a final response already, or no such INVITE: a 2xx wants a BYE.
    TooLate,
}

/// Counters since the start, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests sent again by a timer.
    pub requests_repeated: u64,
    /// Responses sent again by a timer.
    pub responses_repeated: u64,
    /// Requests that were repeats, and ACKs of failures.
    pub requests_absorbed: u64,
    /// Requests refused because the layer was full.
    pub refused_full: u64,
}

/// All transactions of one shard.
#[derive(Debug)]
pub struct Layer {
    clients: Clients,
    servers: Servers,
    shared: Shared,
    /// The names we send by. A response to another name is not ours.
    names: BTreeSet<String>,
    /// The request at hand, if nothing is kept of it.
    passing: Option<Passing>,
}

/// A request without a transaction: it is answered before the next message is taken, or never.
#[derive(Debug)]
struct Passing {
    key: ServerKey,
    reply: (Flow, Option<Flow>),
    trying: Bytes,
}

/// A request whose name is longer than this is refused: nobody needs such a branch, and the name is
/// kept as long as the transaction.
const KEY_MAX: usize = 4096;

impl Layer {
    /// A layer without transactions.
    pub fn new(timers: Timers) -> Self {
        Self {
            clients: Clients::none(),
            servers: Servers::none(),
            shared: Shared::new(timers),
            names: BTreeSet::new(),
            passing: None,
        }
    }

    /// Says that responses to `sent_by` are ours, before anything was sent by that name.
    pub fn add_name(&mut self, sent_by: &HostPort) {
        self.names.insert(sent_by.to_string().to_ascii_lowercase());
    }

    /// Takes one message from the network.
    #[expect(clippy::needless_pass_by_value, reason = "inputs are handed over, like all others")]
    pub fn handle_message(&mut self, now: LocalTime, message: Message, flow: Flow) {
        self.take(now, &message, flow, true);
    }

    /// Takes one message of a stranger, for whom no transaction is begun: a request that belongs to
    /// none is told, and may be answered by [`Self::respond`] until the next message is taken.
    /// Responses, repeats, ACKs and CANCELs count only from where the transaction's other side is.
    #[expect(clippy::needless_pass_by_value, reason = "inputs are handed over, like all others")]
    pub fn handle_passing(&mut self, now: LocalTime, message: Message, flow: Flow) {
        self.take(now, &message, flow, false);
    }

    /// Begins the transaction of the passing request after all; `false` beyond the limits. One
    /// that has begun goes on.
    pub fn keep(&mut self, now: LocalTime, key: &ServerKey) -> bool {
        if self.servers.has(key) {
            return true;
        }
        if self.is_full() {
            return false;
        }
        let Some(Passing { key, reply, trying }) = self.passing.take_if(|one| one.key == *key)
        else {
            return false;
        };
        self.servers.begin(&mut self.shared, now, key, None, (reply, trying));
        true
    }

    fn take(&mut self, now: LocalTime, message: &Message, flow: Flow, known: bool) {
        self.passing = None;
        let Ok(via) = message.top_via() else {
            self.shared.discard(Discard::Unreadable);
            return;
        };
        if message.is_request() {
            let stamped = message.with_received(flow.peer);
            self.on_request(now, &via, &Arrived { message: &stamped, flow, known });
        } else {
            self.on_response(now, &via, &Arrived { message, flow, known });
        }
        self.forget_stale();
    }

    /// Takes the news that nothing can be sent by `flow`, or that its stream has ended.
    pub fn handle_transport_error(&mut self, now: LocalTime, flow: Flow) {
        self.clients.on_transport_error(&mut self.shared, now, flow);
        self.servers.on_transport_error(&mut self.shared, now, flow);
        self.forget_stale();
    }

    /// Sends a request of any method but ACK and CANCEL, with a Via of this branch on top.
    ///
    /// `branch` begins with `z9hG4bK` and is never used twice. Returns the name of the transaction;
    /// beyond the limit it has failed at once ([`Output::TransportFailed`]).
    pub fn send_request(
        &mut self,
        now: LocalTime,
        request: &Message,
        branch: &str,
        sent_by: &HostPort,
        flow: Flow,
    ) -> ClientKey {
        self.add_name(sent_by);
        let key = ClientKey::new(branch, &request.method());
        let request =
            request.with_top(Name::Via, Via::new(flow.transport, sent_by.clone(), branch));
        if self.is_full() || self.clients.has(&key) {
            self.shared.discard(Discard::Unsendable);
            self.shared.put(Output::TransportFailed { key: key.clone() });
        } else {
            let way = (sent_by.clone(), flow);
            self.clients.begin(&mut self.shared, now, key.clone(), request, way);
        }
        key
    }

    /// Sends the ACK of a 2xx, which has no transaction (RFC 3261 §13.2.2.4).
    pub fn send_ack(&mut self, ack: &Message, branch: &str, sent_by: &HostPort, flow: Flow) {
        self.add_name(sent_by);
        let ack = ack.with_top(Name::Via, Via::new(flow.transport, sent_by.clone(), branch));
        self.shared.transmit(ack.as_bytes().clone(), flow);
    }

    /// Answers a request. A 2xx to an INVITE is given again for each repeat of it.
    pub fn respond(&mut self, now: LocalTime, key: &ServerKey, response: &Message) {
        if let Some(passing) = self.passing.take_if(|passing| passing.key == *key) {
            self.shared.transmit(response.as_bytes().clone(), passing.reply.0);
            return;
        }
        if !self.servers.respond(&mut self.shared, now, key, response) {
            self.shared.discard(Discard::TooLate);
        }
        self.forget_stale();
    }

    /// Takes an INVITE back. `reason` is the value of the CANCEL's `Reason` header (RFC 3326).
    pub fn cancel(
        &mut self,
        now: LocalTime,
        invite: &ClientKey,
        reason: Option<&str>,
    ) -> Cancelling {
        self.clients.cancel(&mut self.shared, now, invite, reason)
    }

    /// Sends the CANCEL of an INVITE of another process ([`cancel_of`]); nobody hears of it.
    pub fn send_cancel(&mut self, now: LocalTime, cancel: &Message, flow: Flow) {
        let Ok(via) = cancel.top_via() else { return };
        let (Some(branch), sent_by) = (via.branch(), via.sent_by.clone()) else { return };
        let key = ClientKey::new(branch, &Method::Cancel);
        self.add_name(&sent_by);
        if !self.is_full() && !self.clients.has(&key) {
            self.clients.begin(&mut self.shared, now, key, cancel.clone(), (sent_by, flow));
        }
    }

    /// Fires every timer that is due.
    pub fn handle_deadline(&mut self, now: LocalTime) {
        while let Some(due) = self.shared.heap.first().filter(|due| due.at <= now) {
            self.shared.heap.remove_first();
            match due.whose {
                Whose::Client(slot) => {
                    self.clients.on_timer(&mut self.shared, now, slot, due.timer);
                }
                Whose::Server(slot) => {
                    self.servers.on_timer(&mut self.shared, now, slot, due.timer);
                }
            }
        }
        self.forget_stale();
    }

    /// When to call [`Self::handle_deadline`].
    pub fn next_deadline(&self) -> Option<LocalTime> {
        self.shared.heap.first().map(|due| due.at)
    }

    /// Takes the next output.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.shared.take()
    }

    /// How many transactions there are.
    pub fn len(&self) -> usize {
        self.clients.len() + self.servers.len()
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes the transactions keep alive: keys, books and messages.
    pub fn kept_bytes(&self) -> usize {
        self.shared.kept
    }

    /// Counters since the start.
    pub fn counts(&self) -> Counts {
        self.shared.counts
    }

    fn is_full(&self) -> bool {
        let timers = &self.shared.timers;
        self.len() >= timers.transactions_max || self.shared.kept >= timers.bytes_max
    }

    fn on_request(&mut self, now: LocalTime, via: &Via, arrived: &Arrived<'_>) {
        let Arrived { message, flow, known } = *arrived;
        let Some(key) = ServerKey::of(message, via) else {
            self.shared.discard(Discard::Unreadable);
            return;
        };
        if self.servers.on_request(&mut self.shared, now, &key, arrived) {
            return;
        }
        let method = message.method();
        let reply = via::reply(via, flow);
        if method == Method::Ack {
            self.shared.put(Output::Ack { message: message.clone(), flow });
        } else if key.len() > KEY_MAX {
            let refusal = compose::answer(message, 400, &key.own_tag());
            self.shared.transmit(refusal.as_bytes().clone(), reply.0);
            self.shared.discard(Discard::Unreadable);
        } else if method == Method::Cancel {
            self.on_cancel(now, &key, via, arrived);
        } else if known && self.is_full() {
            self.refuse(&key, message, reply.0);
        } else {
            let is_invite = method == Method::Invite;
            let trying = is_invite.then(|| compose::trying(message).as_bytes().clone());
            let trying = trying.unwrap_or_default();
            if known {
                let way = (reply, trying);
                self.servers.begin(&mut self.shared, now, key, Some(arrived), way);
            } else {
                self.passing = Some(Passing { key: key.clone(), reply, trying });
                self.shared.put(Output::Request { key, message: message.clone(), flow });
            }
        }
    }

    /// RFC 3261 §9.2: a CANCEL is answered here, whatever then becomes of the INVITE.
    fn on_cancel(&mut self, now: LocalTime, key: &ServerKey, via: &Via, arrived: &Arrived<'_>) {
        let invite = ServerKey::cancelled_by(arrived.message, via);
        let pending = |invite: ServerKey| Some((self.servers.pending(&invite, arrived)?, invite));
        let found = invite.and_then(pending);
        let reply = via::reply(via, arrived.flow);
        if found.is_none() && arrived.known && self.is_full() {
            self.refuse(key, arrived.message, reply.0);
            return;
        }
        let answer = match &found {
            Some(((_, latest), _)) => {
                let tag = compose::to_tag_of(latest).unwrap_or_else(|| key.own_tag());
                compose::answer(arrived.message, 200, &tag)
            }
            None => compose::answer(arrived.message, 481, &key.own_tag()),
        };
        if found.is_none() && !arrived.known {
            self.shared.transmit(answer.as_bytes().clone(), reply.0);
            return;
        }
        let silent = (reply, Bytes::new());
        self.servers.begin(&mut self.shared, now, key.clone(), None, silent);
        self.servers.respond(&mut self.shared, now, key, &answer);
        if let Some(((true, _), invite)) = found {
            let cancel = arrived.message.clone();
            self.shared.put(Output::Cancelled { invite, cancel });
        }
    }

    fn refuse(&mut self, key: &ServerKey, request: &Message, flow: Flow) {
        let wait = self.shared.timers.retry_after_seconds;
        let refusal = compose::unavailable(request, wait, &key.own_tag());
        self.shared.transmit(refusal.as_bytes().clone(), flow);
        self.shared.counts.refused_full += 1;
        self.shared.discard(Discard::Full);
    }

    fn on_response(&mut self, now: LocalTime, via: &Via, arrived: &Arrived<'_>) {
        let Arrived { message, flow, .. } = *arrived;
        let ours = self.names.contains(&via.sent_by.to_string().to_ascii_lowercase());
        if !ours || message.vias().is_ok_and(|vias| vias.len() > 1) {
            self.shared.discard(Discard::NotOurs);
            return;
        }
        let from = (via.branch().unwrap_or_default(), &via.sent_by);
        if self.clients.on_response(&mut self.shared, now, arrived, from) {
            return;
        }
        let is_success = message.status().is_some_and(status::is_success);
        if is_success && message.method() == Method::Invite {
            self.shared.put(Output::StrayResponse { message: message.clone(), flow });
        } else {
            self.shared.discard(Discard::Unmatched);
        }
    }

    /// Lets go of timers at the head of the heap whose transaction has moved on, so that
    /// `next_deadline` wakes nobody for nothing.
    fn forget_stale(&mut self) {
        while let Some(due) = self.shared.heap.first() {
            let awaited = match due.whose {
                Whose::Client(slot) => self.clients.awaits(slot, due.timer),
                Whose::Server(slot) => self.servers.awaits(slot, due.timer),
            };
            if awaited {
                return;
            }
            self.shared.heap.remove_first();
        }
    }
}
