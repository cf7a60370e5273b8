//! SIP in, commands out: what a message from the network means, and who may start a call.
//!
//! | a request outside any dialog | is answered |
//! |---|---|
//! | INVITE that may come in | 100, then as the core decides |
//! | INVITE, not allowed from there | 401, or 403 if no password would help |
//! | INVITE whose password was given for another address | 400 |
//! | INVITE seen before on another way | 482 |
//! | INVITE of no more hops | 483 |
//! | INVITE that requires what we lack | 420 |
//! | INVITE with SDP we cannot use | 488, or 400 if it cannot be read; other bodies 415 |
//! | INVITE that nobody answers while its `Expires` lasts | 487 |
//! | INVITE while draining, when full, or from where too many come | 503 |
//! | INVITE that accepts no SDP | 406 |
//! | OPTIONS | 200; 420 as above; 503 while draining |
//! | SUBSCRIBE, PUBLISH | 489 |
//! | in a dialog nobody has | 481 |
//! | in a dialog, from an address that is none of its (`admission::outsider`) | 403, 401 |
//! | other known methods | 405 |
//! | unknown methods | 501 |
//! | unknown URI schemes, and `sips`, for there is no TLS | 416 |
//! | a body in an encoding (also within a dialog) | 415 |
//!
//! Always holds: an INVITE is proposed under a name derived from itself, so whichever node takes
//! its retransmission, one call comes of it.
//!
//! Of somebody no trunk names ([`trunks::knows`]) nothing is kept: the answer is given and
//! forgotten, until a password lets an INVITE in (RFC 3261 §8.2.7).
//!
//! Not here: requests within a dialog ([`super::leg`]).

use std::sync::Arc;

use crate::acd::command::Arrival;
use crate::acd::command::Command;
use crate::b2bua::Ua;
use crate::b2bua::admission::identity;
use crate::b2bua::admission::trunks;
use crate::b2bua::admission::trunks::Admission;
use crate::b2bua::admission::trunks::Entry;
use crate::b2bua::board::ALLOW;
use crate::b2bua::board::EVENTS;
use crate::b2bua::board::InviteName;
use crate::b2bua::board::PRODUCT;
use crate::b2bua::board::SUPPORTED;
use crate::b2bua::board::alarm::Alarm;
use crate::b2bua::caller::Progress;
use crate::b2bua::caller::Unanswered;
use crate::b2bua::change;
use crate::b2bua::codec;
use crate::b2bua::counter::Counter;
use crate::b2bua::counter::Rejected;
use crate::b2bua::counter::Why;
use crate::b2bua::leg::HOPS_MAX;
use crate::b2bua::leg::Leg;
use crate::b2bua::leg::State;
use crate::b2bua::outcome;
use crate::b2bua::refresh;
use crate::b2bua::sound;
use crate::b2bua::sound::Sound;
use crate::base::id::LegId;
use crate::base::time::Millis;
use crate::sdp::Local;
use crate::sdp::Session;
use crate::sip::check;
use crate::sip::dialog::Dialog;
use crate::sip::dialog::id::DialogId;
use crate::sip::dialog::reading::is_described;
use crate::sip::dialog::reading::is_foreign;
use crate::sip::dialog::reliable::Sender;
use crate::sip::flow::Flow;
use crate::sip::header::name::Name;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::transaction::Discard;
use crate::sip::transaction::Output as Heard;
use crate::sip::transaction::key::ServerKey;
use crate::sip::write::ResponseBuilder;

/// The extensions a caller may require.
const REQUIRABLE: [&str; 3] = ["100rel", "timer", "norefersub"];

/// A refusal: its status, what is counted, and the headers that go with it.
pub(super) struct Refused {
    status: u16,
    why: Rejected,
    headers: Vec<(Name, String)>,
}

impl Refused {
    fn new(status: u16, why: Rejected) -> Self {
        Self { status, why, headers: Vec::new() }
    }

    fn with(mut self, name: Name, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Identifier and version of an `o=` line.
type Said = (u64, u64);

/// An INVITE outside any dialog, and what is derived from it.
pub(super) struct Invite<'a> {
    key: &'a ServerKey,
    message: &'a Message,
    flow: Flow,
    tag: String,
    name: InviteName,
    number: String,
    branch: String,
}

impl Ua {
    /// Takes what the transactions have to say.
    pub(super) fn on_heard(&mut self, heard: Heard) {
        match heard {
            Heard::Transmit { bytes, flow } => {
                self.board.outputs.push_back(super::Output::Transmit { bytes, flow });
            }
            Heard::Request { key, message, flow } => self.on_request(&key, &message, flow),
            Heard::Ack { message, flow } => match self.leg_of(&message) {
                Some(leg) if !self.is_outsider(leg, flow) => {
                    self.with_leg(leg, |leg, board| leg.on_ack(board, &message));
                }
                Some(_) | None => self.board.count(Counter::Stray),
            },
            Heard::Cancelled { invite, .. } => {
                if let Some(leg) = self.board.leg_of_server(&invite) {
                    self.with_leg(leg, Leg::on_cancelled);
                }
            }
            Heard::Response { key, message } => {
                let status = message.status().unwrap_or_default();
                self.board.count(Counter::ResponseReceived(message.method(), status / 100));
                if let Some(sent) = self.board.sent(&key, status >= 200) {
                    self.with_leg(sent.leg, |leg, board| {
                        leg.handle_response(board, sent, &message);
                    });
                }
            }
            Heard::StrayResponse { message, flow } => self.on_stray(&message, flow),
            Heard::TimedOut { key } | Heard::TransportFailed { key } => {
                if let Some(sent) = self.board.sent(&key, true) {
                    self.with_leg(sent.leg, |leg, board| leg.handle_loss(board, &sent));
                }
            }
            // The caller will notice by its own timers; the transaction has done what it could.
            Heard::ResponseUndelivered { .. } => {}
            Heard::Discarded { why: Discard::Full } => {
                self.board.count(Counter::Rejected(Rejected::Full));
            }
            Heard::Discarded { .. } => self.board.count(Counter::Stray),
        }
    }

    /// A 2xx whose transaction is over: the ACK again, or the end of a second phone.
    fn on_stray(&mut self, response: &Message, flow: Flow) {
        let name = (|| {
            let tag = response.from().ok()?.tag()?.to_owned();
            Some((response.call_id().ok()?.to_owned(), tag))
        })();
        match name.and_then(|name| self.board.leg_of_dialog(&name)) {
            Some(leg) if !self.is_outsider(leg, flow) => {
                self.with_leg(leg, |leg, board| leg.on_ring_repeated(board, response));
            }
            Some(_) | None => self.board.count(Counter::Stray),
        }
    }

    /// The leg whose dialog a request names.
    pub(super) fn leg_of(&self, request: &Message) -> Option<LegId> {
        let id = DialogId::of_request(request).ok()??;
        let name = (id.call_id.to_string(), id.local_tag.to_string());
        let leg = self.board.leg_of_dialog(&name)?;
        self.legs.get(&leg).is_some_and(|leg| leg.is_named(&id)).then_some(leg)
    }

    fn on_request(&mut self, key: &ServerKey, request: &Message, flow: Flow) {
        self.board.count(Counter::RequestReceived(request.method()));
        if is_encoded(request) {
            let refused = Refused::new(415, Rejected::Media);
            self.refuse((key, request, flow), refused.with(Name::AcceptEncoding, "identity"));
            return;
        }
        if let Some(leg) = self.leg_of(request) {
            if self.is_outsider(leg, flow)
                && let Err(refusal) = self.admit_outsider(leg, (key, request, flow))
            {
                if let Some((status, why)) = refusal {
                    self.refuse((key, request, flow), Refused::new(status, why));
                }
                return;
            }
            if let Err(refused) = check_extensions(request) {
                self.refuse((key, request, flow), refused);
                return;
            }
            self.with_leg(leg, |leg, board| leg.handle_request(board, key, request));
            return;
        }
        if let Some(status) = check::refusal_of(request) {
            let refused = Refused::new(status, Rejected::Method).with(Name::Allow, ALLOW);
            self.refuse((key, request, flow), refused);
        } else if request.to().is_ok_and(|to| to.tag().is_some()) {
            self.refuse((key, request, flow), Refused::new(481, Rejected::UnknownDialog));
        } else {
            self.on_new_request(key, request, flow);
        }
    }

    fn on_new_request(&mut self, key: &ServerKey, request: &Message, flow: Flow) {
        match request.method() {
            Method::Invite => self.on_invite(key, request, flow),
            Method::Options => self.on_options(key, request, flow),
            Method::Subscribe | Method::Publish => {
                let refused = Refused::new(489, Rejected::Method).with(Name::AllowEvents, EVENTS);
                self.refuse((key, request, flow), refused);
            }
            Method::Bye
            | Method::Prack
            | Method::Update
            | Method::Info
            | Method::Notify
            | Method::Ack
            | Method::Cancel => {
                self.refuse((key, request, flow), Refused::new(481, Rejected::UnknownDialog));
            }
            Method::Register | Method::Refer | Method::Message | Method::Other(_) => {
                let refused = Refused::new(405, Rejected::Method).with(Name::Allow, ALLOW);
                self.refuse((key, request, flow), refused);
            }
        }
    }

    fn refuse(&mut self, (key, request, flow): (&ServerKey, &Message, Flow), refused: Refused) {
        let Refused { status, why, headers } = refused;
        self.board.count(Counter::Rejected(why));
        let tag = self.board.tokens.to_tag(&[key.as_str()]);
        let mut response = ResponseBuilder::to(request, status).to_tag(&tag);
        let begins = request.method() == Method::Invite && self.leg_of(request).is_none();
        if begins || why == Rejected::Outsider {
            self.board.tell_turned_away(request, flow.peer.ip(), status, Why::Rejected(why));
        }
        if begins {
            response = response.header(Name::Reason, outcome::reason_of_status(status));
        }
        for (name, value) in headers {
            response = response.header(name, value);
        }
        let response = response.header(Name::Server, PRODUCT).build();
        self.board.respond(key, &response);
    }

    fn on_options(&mut self, key: &ServerKey, request: &Message, flow: Flow) {
        if self.draining {
            self.refuse((key, request, flow), self.later(Rejected::Draining));
            return;
        }
        if let Err(refused) = check_extensions(request) {
            self.refuse((key, request, flow), refused);
            return;
        }
        let tag = self.board.tokens.to_tag(&[key.as_str()]);
        let response = ResponseBuilder::to(request, 200)
            .to_tag(&tag)
            .header(Name::Allow, ALLOW)
            .header(Name::Supported, SUPPORTED)
            .header(Name::Accept, "application/sdp")
            .header(Name::Server, PRODUCT)
            .build();
        self.board.respond(key, &response);
    }

    fn on_invite(&mut self, key: &ServerKey, message: &Message, flow: Flow) {
        let Some(invite) = self.derive(key, message, flow) else {
            self.refuse((key, message, flow), Refused::new(400, Rejected::Malformed));
            return;
        };
        if let Err(refused) = self.check_invite(&invite) {
            self.refuse((key, message, flow), refused);
            return;
        }
        let source = flow.peer.ip();
        let trunks = Arc::clone(&self.board.trunks);
        let entry = match trunks::admit(&trunks, source) {
            Admission::Trusted => Entry { by: None, trusted: true },
            Admission::Refused => {
                self.refuse((key, message, flow), Refused::new(403, Rejected::Source));
                return;
            }
            Admission::Challenge => {
                match self.board.check_caller(message, (source, &trunks), &invite.tag) {
                    Ok(entry) => entry,
                    Err(answer) => return self.challenge(key, &answer),
                }
            }
        };
        match self.begin(&invite, None) {
            Ok(leg) if self.board.layer.keep(self.board.now, key) => {
                self.enqueue(&invite, Leg { let_in_by: entry.by, ..leg }, entry.trusted);
            }
            Ok(_) => self.refuse((key, message, flow), self.later(Rejected::Full)),
            Err(refused) => self.refuse((key, message, flow), refused),
        }
    }

    /// Asks for a password, or tells what is wrong with the one given.
    pub(super) fn challenge(&mut self, key: &ServerKey, answer: &Message) {
        self.board.count(Counter::Rejected(Rejected::Challenged));
        self.board.respond(key, answer);
    }

    /// Reads what names an INVITE, and derives our tag from it.
    pub(super) fn derive<'a>(
        &self,
        key: &'a ServerKey,
        message: &'a Message,
        flow: Flow,
    ) -> Option<Invite<'a>> {
        let call_id = message.call_id().ok()?.to_owned();
        let from_tag = message.from().ok()?.tag().unwrap_or_default().to_owned();
        let number = message.cseq().ok()?.number;
        let branch = message.top_via().ok()?.branch().unwrap_or_default().to_owned();
        let tag = self.board.tokens.to_tag(&[&call_id, &from_tag, &branch]);
        let name = (call_id, from_tag, number);
        Some(Invite { key, message, flow, tag, name, number: number.to_string(), branch })
    }

    fn check_invite(&self, invite: &Invite<'_>) -> Result<(), Refused> {
        let message = invite.message;
        if self.draining {
            return Err(self.later(Rejected::Draining));
        }
        if let Some(why) = self.excess {
            return Err(self.later(why));
        }
        if self.board.leg_of_invite(&invite.name).is_some() {
            return Err(Refused::new(482, Rejected::Merged));
        }
        if message.max_forwards().ok().flatten() == Some(0) {
            return Err(Refused::new(483, Rejected::Merged));
        }
        check_extensions(message)?;
        if self.legs.len() >= self.legs_max {
            return Err(self.later(Rejected::TooMany));
        }
        Ok(())
    }

    fn later(&self, why: Rejected) -> Refused {
        let seconds = self.board.timers.retry_after_seconds;
        Refused::new(503, why).with(Name::RetryAfter, seconds.to_string())
    }

    /// Makes the caller's leg, which goes on with this `o=` if another process has begun it, or
    /// finds why there can be none.
    pub(super) fn begin(
        &mut self,
        invite: &Invite<'_>,
        said: Option<Said>,
    ) -> Result<Leg, Refused> {
        let (message, flow) = (invite.message, invite.flow);
        let timer = refresh::answer(message, &self.board.wanted).map_err(|minimum| {
            Refused::new(422, Rejected::Extension).with(Name::MinSe, minimum.to_string())
        })?;
        let (shard, shards) = (self.board.identity.shard, self.board.identity.shards);
        let id = LegId::of_caller(self.board.tokens.call(&invite.parts(), shard, shards));
        let board = &mut self.board;
        let port = board.rtp_port_for(flow.peer.ip());
        let (session, version) = said.unwrap_or_else(|| (board.tokens.session_id(), 1));
        let local = sound::local(board.identity.media_address, port, session);
        let mut sound = Sound::new(id, Local { version, ..local }, Some(flow.peer.ip()));
        check_accept(message)?;
        take_offer(message, &mut sound)?;
        let user = message.request_uri().ok().and_then(|uri| uri.user_name().map(String::from));
        let contact = board.contact(user.as_deref(), flow);
        let dialog = Dialog::from_invite_received(message, &invite.tag, &contact, flow)
            .map_err(|_| Refused::new(400, Rejected::Malformed))?;
        let random = board.tokens.below(u64::MAX);
        let caller = Unanswered {
            key: invite.key.clone(),
            invite: message.clone(),
            source: flow.peer.ip(),
            sender: Sender::new(invite.name.2, random),
            dialog,
            timer,
            progress: Progress::Trying,
            reliable: None,
            held_back: None,
            accept_next: false,
            adopted: false,
        };
        // RFC 3261 §16.6: what goes on from here has one hop less.
        let hops = message.max_forwards().ok().flatten().unwrap_or(HOPS_MAX).min(HOPS_MAX);
        let hops = hops.saturating_sub(1);
        let state = State::Unanswered(Box::new(caller));
        Ok(Leg { id, let_in_by: None, sound, hops, half_open: false, state })
    }

    fn enqueue(&mut self, invite: &Invite<'_>, leg: Leg, trusted: bool) {
        let State::Unanswered(caller) = &leg.state else { return };
        let message = invite.message;
        self.board.outputs.push_back(super::Output::LetIn { flow: invite.flow });
        let arrival = Arrival {
            call: leg.id.call,
            owner: self.board.identity.owner,
            to: identity::called(message),
            caller: Arc::new(identity::caller(message, trusted)),
            priority: message.extension("X-ACD-Priority").and_then(|text| text.trim().parse().ok()),
            dialog: codec::unanswered(caller, &leg.sound, leg.let_in_by.as_ref()),
        };
        let id = leg.id;
        self.put_back(Box::new(leg));
        self.settle_in(invite, id);
        let request = self.board.tokens.enqueue(&invite.parts());
        self.board.propose_as(request, id, Command::EnqueueCall(Box::new(arrival)));
    }

    /// Notes by which names the leg of an INVITE is found, and how long the caller waits for us.
    pub(super) fn settle_in(&mut self, invite: &Invite<'_>, id: LegId) {
        self.board.add_invite(id, invite.name.clone(), invite.key.clone());
        self.board.add_dialog(id, (invite.name.0.clone(), invite.tag.clone()));
        if let Some(seconds) = invite.message.expires().ok().flatten() {
            // RFC 3261 §13.3.1: nobody is to answer later than the caller wants to wait.
            let patience = Millis::from_secs(seconds.into());
            self.board.wake_after(id, Alarm::InviteExpired, patience);
        }
    }
}

impl Invite<'_> {
    /// What makes this INVITE different from every other.
    fn parts(&self) -> [&str; 4] {
        [&self.name.0, &self.name.1, &self.number, &self.branch]
    }
}

/// Refuses a request that insists on what we lack (RFC 3261 §8.2.2.3).
///
/// A BYE is taken whatever it requires: the call is over for who sent it.
fn check_extensions(request: &Message) -> Result<(), Refused> {
    if request.method() == Method::Bye {
        return Ok(());
    }
    let known = |token: &str| REQUIRABLE.iter().any(|known| known.eq_ignore_ascii_case(token));
    let required = request.require();
    let lacking: Vec<&str> =
        required.iter().map(|token| token.as_str()).filter(|token| !known(token)).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let refused = Refused::new(420, Rejected::Extension);
    Err(refused.with(Name::Unsupported, lacking.join(", ")))
}

/// Refuses an INVITE to which no SDP may be answered (RFC 3261 §20.1, §21.4.7).
fn check_accept(invite: &Message) -> Result<(), Refused> {
    let range = |token: &str| token.split(';').next().unwrap_or_default().trim().to_lowercase();
    let listed = invite.tokens(Name::Accept);
    let sdp = ["application/sdp", "application/*", "*/*"];
    if listed.is_empty() || listed.iter().any(|token| sdp.contains(&range(token).as_str())) {
        return Ok(());
    }
    let refused = Refused::new(406, Rejected::Media).with(Name::Accept, "application/sdp");
    // RFC 3261 §20.43: 399 miscellaneous.
    Err(refused.with(Name::Warning, "399 carillon \"only application/sdp is spoken here\""))
}

/// Tells whether a body that would be read is in an encoding we cannot undo (RFC 3261 §8.2.3).
fn is_encoded(request: &Message) -> bool {
    let reads = [Method::Invite, Method::Update, Method::Prack, Method::Info, Method::Notify];
    let encodings = request.tokens(Name::ContentEncoding);
    let plain = encodings.iter().all(|encoding| encoding.eq_ignore_ascii_case("identity"));
    !plain && !request.body().is_empty() && reads.contains(&request.method())
}

/// Answers the INVITE's offer for later, if it has one.
fn take_offer(message: &Message, sound: &mut Sound) -> Result<(), Refused> {
    if is_foreign(message) {
        let refused = Refused::new(415, Rejected::Media);
        return Err(refused.with(Name::Accept, "application/sdp"));
    }
    if !is_described(message) {
        return Ok(());
    }
    let answered =
        Session::parse(sound::description(message)).and_then(|theirs| sound.answer(&theirs));
    match answered {
        Ok(_) => Ok(()),
        Err(refusal) => {
            let refused = Refused::new(change::refusal_status(refusal), Rejected::Media);
            Err(refused.with(Name::Warning, change::warning(refusal)))
        }
    }
}
