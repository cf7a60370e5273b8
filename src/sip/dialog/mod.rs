//! Dialogs: what two sides of a call must remember to send each other the next request.
//!
//! ```text
//!              1xx           2xx               BYE either way,
//!            ┌─────┐ ┌───────────────┐ ┌───── 481 or 408 to a request
//!            ▼     │ │               ▼ │
//!           Early ─┴─┘           Confirmed ──► Ended
//!             └── 300–699, BYE, 481 ────────────►┘
//! ```
//!
//! A [`Dialog`] is plain data, versioned, well under 1.2 KB when serialized, and part of the
//! replicated record: another node can go on with it. Its functions are pure; messages go in,
//! builders come out. Beside it stand
//!
//! | file | is |
//! |---|---|
//! | `id`, `route_set` | its name, and the way its requests take |
//! | `state`, `reading` | the machine above; what a message says to it |
//! | `offer_answer` | who owes whom a description; who gets 491 and 500 |
//! | `reliable`, `accepted` | 1xx and 2xx that are repeated until confirmed |
//! | `session_timer`, `glare` | refreshes; pauses after a 491 |
//! | `forks` | several dialogs made by one INVITE of ours |
//! | `verdict` | what a request or a response means to a dialog |
//!
//! Always holds: the CSeq of our requests only grows, also over a takeover: numbers are reserved in
//! blocks of [`CSEQ_BLOCK`], and a new owner begins behind the block ([`Dialog::take_over`]).
//!
//! Not here: transactions ([`crate::sip::transaction`]), what is offered (`sdp`), deadlines and
//! sending (`b2bua`), subscriptions ([`crate::sip::subscription`]).

use serde::Deserialize;
use serde::Serialize;

use crate::sip::dialog::id::DialogId;
use crate::sip::dialog::offer_answer::Carrier;
use crate::sip::dialog::offer_answer::OfferAnswer;
use crate::sip::dialog::offer_answer::Stage;
use crate::sip::dialog::reading::carrier_of;
use crate::sip::dialog::reading::contact_of;
use crate::sip::dialog::reading::is_described;
use crate::sip::dialog::reading::is_fatal;
use crate::sip::dialog::reading::is_target_refresh;
use crate::sip::dialog::reading::party;
use crate::sip::dialog::reading::reliable_number;
use crate::sip::dialog::reading::stage_of;
use crate::sip::dialog::reliable::Arrival;
use crate::sip::dialog::reliable::Receiver;
use crate::sip::dialog::route_set::Itinerary;
use crate::sip::dialog::route_set::RouteSet;
use crate::sip::dialog::session_timer::SessionTimer;
use crate::sip::dialog::state::Input;
use crate::sip::dialog::state::State;
use crate::sip::flow::Flow;
use crate::sip::header::HeaderError;
use crate::sip::header::cseq::CSeq;
use crate::sip::header::name::Name;
use crate::sip::header::name_addr::NameAddr;
use crate::sip::header::rack::RAck;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::status;
use crate::sip::uri::Uri;
use crate::sip::write::RequestBuilder;

pub mod accepted;
pub mod forks;
pub mod glare;
pub mod id;
pub mod offer_answer;
pub mod reading;
pub mod reliable;
pub mod route_set;
pub mod session_timer;
pub mod state;
pub mod verdict;

pub use crate::sip::dialog::verdict::Heard;
pub use crate::sip::dialog::verdict::Reject;

/// The shape of the record; raised when a field changes its meaning.
pub const VERSION: u8 = 1;

/// How many CSeq numbers are reserved at once.
pub const CSEQ_BLOCK: u32 = 16;

/// Which side of the first request we were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// We sent it, and made the Call-ID.
    Client,
    /// We answered it.
    Server,
}

/// Our side of one dialog (RFC 3261 §12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialog {
    /// The shape of this record.
    pub version: u8,
    /// Which side of the first request we were.
    pub role: Role,
    /// Call-ID and tags.
    pub id: DialogId,
    /// We, as From of our requests, with our tag.
    pub local: NameAddr,
    /// They, as To of our requests, with their tag.
    pub remote: NameAddr,
    /// The CSeq of our latest request.
    pub local_cseq: u32,
    /// The last CSeq that may be used before more are reserved.
    pub local_cseq_reserved: u32,
    /// The CSeq of their latest request.
    pub remote_cseq: Option<u32>,
    /// The CSeq of their latest INVITE, which its ACK repeats.
    pub remote_invite_cseq: Option<u32>,
    /// The CSeq of the INVITE (or SUBSCRIBE) that made the dialog.
    pub first_cseq: u32,
    /// The hops our requests take.
    pub route_set: RouteSet,
    /// Where they are reached: their latest Contact.
    pub remote_target: Uri,
    /// Where we are reached: our Contact.
    pub local_contact: Uri,
    /// The path the latest message took; a hint, not a promise.
    pub flow: Flow,
    /// All hops must be `sips` (RFC 3261 §12.1.1).
    pub secure: bool,
    /// Where the dialog stands.
    pub state: State,
    /// Who owes an answer.
    pub offer_answer: OfferAnswer,
    /// The reliable 1xx acknowledged last.
    pub reliable: Receiver,
    /// The session timer, once agreed.
    pub session_timer: Option<SessionTimer>,
}

impl Dialog {
    /// The dialog a received INVITE makes; `contact` is ours.
    pub fn from_invite_received(
        invite: &Message,
        local_tag: &str,
        contact: &Uri,
        flow: Flow,
    ) -> Result<Self, HeaderError> {
        let caller = invite.from()?;
        let local = party(invite.to()?).with_param("tag", Some(local_tag));
        let number = invite.cseq()?.number;
        // RFC 2543 §11.4, known by the tag that is not there: without a Contact, From is called.
        let old = caller.tag().is_none().then(|| caller.uri.clone());
        let target = contact_of(invite)?.or(old).ok_or(HeaderError::Missing(Name::Contact))?;
        let remote = party(caller);
        let mut dialog = Self {
            remote_cseq: Some(number),
            remote_invite_cseq: Some(number),
            first_cseq: number,
            route_set: RouteSet::as_server(invite)?,
            remote_target: target,
            secure: invite.request_uri()?.scheme.as_str() == "sips",
            ..Self::blank(Role::Server, invite.call_id()?, (local, remote), contact, flow)
        };
        // A new dialog has nothing open, so its first INVITE cannot collide.
        let _free = dialog.offer_answer.on_request(Carrier::Invite, is_described(invite));
        Ok(dialog)
    }

    /// The dialog a response to `request`, an INVITE or SUBSCRIBE of ours, makes.
    ///
    /// The response has not been judged yet: hand it to [`Self::on_response`] next.
    pub fn from_response(
        request: &Message,
        response: &Message,
        flow: Flow,
    ) -> Result<Self, HeaderError> {
        let number = request.cseq()?.number;
        let local = party(request.from()?);
        let remote = party(response.to()?);
        let contact = contact_of(request)?.ok_or(HeaderError::Missing(Name::Contact))?;
        let uri = request.request_uri()?;
        let mut dialog = Self {
            local_cseq: number,
            local_cseq_reserved: number + CSEQ_BLOCK,
            first_cseq: number,
            route_set: RouteSet::as_client(response),
            // Some peers leave Contact out of a 1xx; the 2xx brings it.
            remote_target: contact_of(response)?.unwrap_or_else(|| uri.clone()),
            secure: uri.scheme.as_str() == "sips",
            ..Self::blank(Role::Client, request.call_id()?, (local, remote), &contact, flow)
        };
        dialog.note_offer(request);
        Ok(dialog)
    }

    fn blank(
        role: Role,
        call_id: &str,
        (local, remote): (NameAddr, NameAddr),
        contact: &Uri,
        flow: Flow,
    ) -> Self {
        let id = DialogId {
            call_id: call_id.into(),
            local_tag: local.tag().unwrap_or_default().into(),
            remote_tag: remote.tag().unwrap_or_default().into(),
        };
        Self {
            version: VERSION,
            role,
            id,
            local,
            remote,
            local_cseq: 0,
            local_cseq_reserved: CSEQ_BLOCK,
            remote_cseq: None,
            remote_invite_cseq: None,
            first_cseq: 0,
            route_set: RouteSet::DIRECT,
            remote_target: contact.clone(),
            local_contact: contact.clone(),
            flow,
            secure: false,
            state: State::Early,
            offer_answer: OfferAnswer::default(),
            reliable: Receiver::default(),
            session_timer: None,
        }
    }

    /// The dialog a SUBSCRIBE of ours is about to make: begun with [`Self::request`], completed by
    /// [`Self::on_subscribed`] or [`Self::on_first_notify`], whichever comes first.
    pub fn asking(
        call_id: &str,
        (local, remote): (NameAddr, NameAddr),
        contact: &Uri,
        flow: Flow,
    ) -> Self {
        let remote_target = remote.uri.clone();
        Self { remote_target, ..Self::blank(Role::Client, call_id, (local, remote), contact, flow) }
    }

    /// Tells whether we made the Call-ID, which decides the pause after a 491 ([`glare`]).
    pub fn owns_call_id(&self) -> bool {
        self.role == Role::Client
    }

    /// How a request of ours is addressed now.
    pub fn itinerary(&self) -> Itinerary {
        self.route_set.towards(&self.remote_target)
    }

    /// Begins a request of any method but ACK and CANCEL, with the next CSeq.
    ///
    /// When it is built, hand it to [`Self::on_sent`].
    pub fn request(&mut self, method: Method) -> RequestBuilder {
        self.local_cseq += 1;
        if self.local_cseq > self.local_cseq_reserved {
            self.reserve();
        }
        let refreshes = is_target_refresh(&method);
        let request = self.addressed(method, self.local_cseq);
        if refreshes {
            request.header(Name::Contact, NameAddr::new(self.local_contact.clone()))
        } else {
            request
        }
    }

    /// Begins the ACK of the 2xx to our INVITE of this CSeq.
    pub fn ack(&self, invite_cseq: u32) -> RequestBuilder {
        self.addressed(Method::Ack, invite_cseq)
    }

    /// Begins the PRACK of a reliable 1xx to our first INVITE.
    pub fn prack(&mut self, rseq: u32) -> RequestBuilder {
        let cseq = CSeq { number: self.first_cseq, method: Method::Invite };
        self.request(Method::Prack).header(Name::RAck, RAck { rseq, cseq })
    }

    fn addressed(&self, method: Method, number: u32) -> RequestBuilder {
        let way = self.itinerary();
        let cseq = CSeq { number, method: method.clone() };
        let mut request = RequestBuilder::new(method, &way.request_uri);
        for route in &way.routes {
            request = request.header(Name::Route, route);
        }
        request
            .header(Name::MaxForwards, 70)
            .header(Name::From, &self.local)
            .header(Name::To, &self.remote)
            .header(Name::CallId, &self.id.call_id)
            .header(Name::CSeq, cseq)
    }

    /// Notes a request of ours, ACK included, as it goes out.
    pub fn on_sent(&mut self, request: &Message) {
        self.note_offer(request);
        if request.method() == Method::Bye {
            // RFC 3261 §15.1.1: over as soon as the BYE is handed on.
            self.state = state::step(self.state, Input::ByeSent);
        }
    }

    fn note_offer(&mut self, request: &Message) {
        let described = is_described(request);
        match carrier_of(&request.method()) {
            Some(carrier) => self.offer_answer.on_sent(carrier, described),
            None if request.method() == Method::Ack => self.offer_answer.on_ack_sent(described),
            None => {}
        }
    }

    /// Judges a request of theirs within this dialog. `Ok`: it may be answered as it deserves.
    pub fn on_request(&mut self, request: &Message) -> Result<(), Reject> {
        if self.state == State::Ended {
            return Err(Reject::NoDialog);
        }
        let number = request.cseq().map_err(Reject::Malformed)?.number;
        let method = request.method();
        if method == Method::Ack {
            return self.on_ack(request);
        }
        // RFC 3261 §12.2.2: lower is refused; gaps are legal.
        if self.remote_cseq.is_some_and(|latest| number < latest) {
            return Err(Reject::Stale);
        }
        self.remote_cseq = Some(number);
        if let Some(carrier) = carrier_of(&method) {
            let judged = self.offer_answer.on_request(carrier, is_described(request));
            judged.map_err(Reject::Collision)?;
        }
        if method == Method::Invite {
            self.remote_invite_cseq = Some(number);
        }
        if is_target_refresh(&method) {
            self.refresh_target(request).map_err(Reject::Malformed)?;
        }
        if method == Method::Bye {
            self.state = state::step(self.state, Input::ByeReceived);
        }
        Ok(())
    }

    /// Tells whether an ACK is that of their latest INVITE; one of an earlier INVITE that comes
    /// again is to be dropped.
    pub fn is_confirmed_by(&self, ack: &Message) -> bool {
        let number = ack.cseq().ok().map(|cseq| cseq.number);
        number.is_some() && number == self.remote_invite_cseq
    }

    /// An ACK is never answered: what is refused here is dropped, or ends the call.
    fn on_ack(&mut self, ack: &Message) -> Result<(), Reject> {
        if !self.is_confirmed_by(ack) {
            return Err(Reject::Stale);
        }
        self.offer_answer.on_ack(is_described(ack)).map_err(Reject::Collision)
    }

    /// Notes a response of ours to a request of theirs, as it goes out.
    pub fn on_answered(&mut self, response: &Message) {
        let code = response.status().unwrap_or_default();
        let method = response.method();
        if let (Some(carrier), Some(stage)) = (carrier_of(&method), stage_of(response)) {
            self.offer_answer.on_answered(carrier, stage, is_described(response));
        }
        let first = response.cseq().is_ok_and(|cseq| cseq.number == self.first_cseq);
        if method == Method::Invite && first && self.role == Role::Server {
            self.state = state::step(self.state, Input::of_status(code));
        }
    }

    /// Takes a response to a request of ours within this dialog, or to the one that made it.
    pub fn on_response(&mut self, response: &Message) -> Result<Heard, HeaderError> {
        let code = response.status().unwrap_or_default();
        let method = response.method();
        if let Some(rseq) = reliable_number(response)? {
            match self.reliable.on_response(rseq) {
                Arrival::Repeated | Arrival::TooEarly => return Ok(Heard::Ignore),
                Arrival::InOrder => {}
            }
        }
        let first = response.cseq()?.number == self.first_cseq && self.role == Role::Client;
        if is_target_refresh(&method) && code < 300 && code > 100 {
            self.settle_way(response, first)?;
        }
        if first || is_fatal(code) {
            let input = if is_fatal(code) { Input::Gone } else { Input::of_status(code) };
            self.state = state::step(self.state, input);
        }
        let judged = match (carrier_of(&method), stage_of(response)) {
            (Some(carrier), Some(stage)) => {
                self.offer_answer.on_response(carrier, stage, is_described(response))
            }
            (Some(_) | None, _) => Ok(()),
        };
        Ok(match reliable_number(response)? {
            Some(rseq) => Heard::WantsPrack { rseq },
            None if status::is_provisional(code) => Heard::Progress,
            None if status::is_success(code) && method == Method::Invite => {
                Heard::WantsAck { lacks_answer: judged.is_err() }
            }
            None if status::is_success(code) => Heard::Success,
            None if self.state == State::Ended => Heard::Ended,
            None => Heard::Failure,
        })
    }

    /// Takes a 2xx to our SUBSCRIBE. One of another branch than the first NOTIFY changes nothing.
    pub fn on_subscribed(&mut self, response: &Message) -> Result<(), HeaderError> {
        let remote = party(response.to()?);
        let tag = remote.tag().unwrap_or_default();
        if self.state == State::Early && !tag.is_empty() {
            self.route_set = RouteSet::as_client(response);
            self.become_known(remote);
        } else if tag != self.id.remote_tag {
            return Ok(());
        }
        self.refresh_target(response)
    }

    /// Takes the NOTIFY that comes before the 2xx to our SUBSCRIBE (RFC 6665 §4.4.1).
    pub fn on_first_notify(&mut self, notify: &Message) -> Result<(), HeaderError> {
        self.remote_cseq = Some(notify.cseq()?.number);
        self.route_set = RouteSet::as_server(notify)?;
        self.become_known(party(notify.from()?));
        self.refresh_target(notify)
    }

    fn become_known(&mut self, remote: NameAddr) {
        self.id.remote_tag = remote.tag().unwrap_or_default().into();
        self.remote = remote;
        self.state = State::Confirmed;
    }

    /// Notes that a request of ours got no response: as 408 (RFC 3261 §12.2.1.2).
    pub fn on_timed_out(&mut self, method: &Method) {
        if let Some(carrier) = carrier_of(method) {
            // A failure closes whatever was open; there is nothing to find missing.
            let _closed = self.offer_answer.on_response(carrier, Stage::Failure, false);
        }
        self.state = state::step(self.state, Input::Gone);
    }

    /// Route set and target of a response. RFC 3261 §13.2.2.4: the first 2xx makes the set anew,
    /// and from then on it stays.
    fn settle_way(&mut self, response: &Message, first: bool) -> Result<(), HeaderError> {
        let accepts = response.status().is_some_and(status::is_success);
        if first && accepts && self.state == State::Early {
            self.route_set = RouteSet::as_client(response);
        }
        self.refresh_target(response)
    }

    /// Takes the Contact of a message, if it has one, for the new target (RFC 3261 §12.2).
    pub fn refresh_target(&mut self, message: &Message) -> Result<(), HeaderError> {
        if let Some(target) = contact_of(message)? {
            self.remote_target = target;
        }
        Ok(())
    }

    /// Reserves the next block; commit the record before using it.
    pub fn reserve(&mut self) {
        self.local_cseq_reserved = self.local_cseq + CSEQ_BLOCK;
    }

    /// Becomes the owner after another node: begins behind the numbers it may have used. What was
    /// offered and not answered ended with that node's transactions.
    pub fn take_over(&mut self, contact: Uri, flow: Flow) {
        self.offer_answer = OfferAnswer::default();
        self.local_cseq = self.local_cseq_reserved;
        self.reserve();
        self.local_contact = contact;
        self.flow = flow;
    }
}
