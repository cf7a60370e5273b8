//! A caller who has not got a final answer yet.
//!
//! | the core says | the caller gets | repeated |
//! |---|---|---|
//! | hold, `OnEntry` | 200 with SDP | until the ACK |
//! | hold, `EarlyMedia` | 183 with SDP | every minute |
//! | hold, `OnAgent` | 180 | every minute |
//! | join | 200 with SDP | until the ACK |
//! | release | the cause's final status | by the transaction |
//!
//! Where the caller knows 100rel a 183 with SDP is sent reliably, where the caller insists on it
//! every 18x is (RFC 3262 §3). A 200 waits for the PRACK of SDP that is on its way.
//!
//! One that came to another process gets none reliably: nobody knows which numbers that used
//! (RFC 3262 §4), and the 200 needs none.
//!
//! An INVITE without SDP is offered ours in the first reliable response; where there is none
//! before the 200, early media is not possible and a 180 takes its place (RFC 3261 §13.2.1).
//!
//! Always holds: nothing but 100 is sent before the core has taken the call.
//!
//! Not here: whether an INVITE may come in ([`super::ingress`]), what follows the 200
//! ([`super::confirmed`]).

use std::net::IpAddr;

use crate::acd::command::Command;
use crate::acd::command::LegEnd;
use crate::acd::effect::Cause;
use crate::b2bua::board::ALLOW;
use crate::b2bua::board::Board;
use crate::b2bua::board::PRODUCT;
use crate::b2bua::board::SUPPORTED;
use crate::b2bua::board::alarm::Alarm;
use crate::b2bua::change;
use crate::b2bua::confirmed::Confirmed;
use crate::b2bua::counter::Why;
use crate::b2bua::leg::Leg;
use crate::b2bua::leg::State;
use crate::b2bua::outcome;
use crate::b2bua::sound;
use crate::base::id::LegId;
use crate::base::time::Millis;
use crate::sdp::Session;
use crate::sip::dialog::Dialog;
use crate::sip::dialog::accepted::Nudge;
use crate::sip::dialog::reading::is_described;
use crate::sip::dialog::reliable::Sender;
use crate::sip::dialog::session_timer;
use crate::sip::header::name::Name;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::transaction::key::ServerKey;
use crate::sip::uri::Uri;
use crate::sip::write::ResponseBuilder;

/// A provisional response is repeated this often, so that no proxy gives the call up
/// (RFC 3261 §13.3.1.1, §16.7 timer C).
const REPEAT: Millis = Millis(55_000);

/// A caller's INVITE that waits for its final answer.
pub(super) struct Unanswered {
    /// Its transaction.
    pub(super) key: ServerKey,
    /// As it came.
    pub(super) invite: Message,
    /// Where it came from.
    pub(super) source: IpAddr,
    /// The dialog it will make.
    pub(super) dialog: Dialog,
    /// Reliable provisional responses.
    pub(super) sender: Sender,
    /// What the session timer will be.
    pub(super) timer: session_timer::Answer,
    /// What was said so far.
    pub(super) progress: Progress,
    /// The reliable response that waits for its PRACK.
    pub(super) reliable: Option<Message>,
    /// A provisional response that may be sent only after the PRACK: status and SDP.
    pub(super) held_back: Option<(u16, Option<Vec<u8>>)>,
    /// A 200 is to follow the PRACK.
    pub(super) accept_next: bool,
    /// The INVITE came to another process, which may have answered it.
    pub(super) adopted: bool,
}

/// What a caller was told so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// 100, by the transaction.
    Trying,
    /// 180.
    Alerting,
    /// 183 with SDP.
    EarlyMedia,
}

impl Leg {
    /// Tells the caller that the phone rings somewhere, without music.
    pub(super) fn alert(&mut self, board: &mut Board) {
        let State::Unanswered(caller) = &mut self.state else { return };
        if caller.progress == Progress::Trying {
            caller.progress = Progress::Alerting;
            caller.send_provisional(board, 180, None);
            board.wake_after(self.id, Alarm::RepeatProvisional, REPEAT);
            caller.set_resend_alarm(board, self.id);
        }
    }

    /// Opens the caller's audio before the answer; tells whether there will be any.
    pub(super) fn open_early(&mut self, board: &mut Board) -> bool {
        let State::Unanswered(caller) = &mut self.state else { return true };
        if caller.progress == Progress::EarlyMedia {
            return true;
        }
        let late = self.sound.agreed().is_none();
        if late && (caller.adopted || !caller.knows_reliable()) {
            self.alert(board);
            return false;
        }
        let body = if late { self.sound.offer() } else { self.sound.said() };
        caller.progress = Progress::EarlyMedia;
        caller.send_provisional(board, 183, Some(body));
        board.wake_after(self.id, Alarm::RepeatProvisional, REPEAT);
        caller.set_resend_alarm(board, self.id);
        self.sound.open();
        true
    }

    /// Answers the caller with 200, or as soon as the PRACK allows it.
    pub(super) fn accept_caller(&mut self, board: &mut Board) {
        let State::Unanswered(caller) = &mut self.state else { return };
        if caller.sender.may_accept().is_err() {
            caller.accept_next = true;
            return;
        }
        let State::Unanswered(caller) = std::mem::replace(&mut self.state, State::Over) else {
            return;
        };
        let mut caller = *caller;
        caller.sender.finish();
        let body = self.body_of_success(&caller);
        let response = caller.success(body);
        board.alarms.forget(self.id);
        board.respond(&caller.key, &response);
        let Unanswered { key, invite, mut dialog, timer, sender, adopted, .. } = caller;
        dialog.on_answered(&response);
        dialog.session_timer = Some(timer.timer);
        let mut confirmed = Confirmed::new(dialog);
        confirmed.note_peer(&invite);
        confirmed.taking_over = adopted;
        confirmed.sender = sender.awaits_prack().then_some(sender);
        confirmed.await_ack(board, self.id, key, response);
        confirmed.watch_session(board, self.id);
        self.state = State::Confirmed(Box::new(confirmed));
        self.sound.open();
    }

    fn body_of_success(&mut self, caller: &Unanswered) -> Option<Vec<u8>> {
        let late = !caller.invite_has_offer();
        match (late, self.sound.agreed()) {
            // Offered and answered in a reliable 183 and its PRACK: all is said.
            (true, Some(_)) => None,
            (true, None) => Some(self.sound.offer()),
            (false, _) => Some(self.sound.said()),
        }
    }

    /// Gives the caller a final status that is no success; the leg is over.
    pub(super) fn refuse_caller(&mut self, board: &mut Board, response: &Message) {
        if let State::Unanswered(caller) = std::mem::replace(&mut self.state, State::Over) {
            board.respond(&caller.key, response);
        }
    }

    /// Takes the caller's CANCEL: 487, and the core hears that the caller is gone.
    pub(super) fn on_cancelled(&mut self, board: &mut Board) {
        let State::Unanswered(caller) = &self.state else { return };
        let response = caller.response(487).build();
        self.refuse_caller(board, &response);
        board.propose(self.id, Command::EndLeg { leg: self.id, why: LegEnd::HungUp });
    }

    /// Tells a caller, and the log, that no call came of the INVITE.
    pub(super) fn turn_away_at_door(&mut self, board: &mut Board, status: u16, why: Why) {
        if let State::Unanswered(caller) = &self.state {
            board.tell_turned_away(&caller.invite, caller.source, status, why);
        }
        self.turn_away(board, Cause::TurnedAway(status));
    }

    /// Ends an unanswered caller's leg because the core says so.
    pub(super) fn turn_away(&mut self, board: &mut Board, cause: Cause) {
        let State::Unanswered(caller) = &self.state else { return };
        let status = outcome::release_status(cause);
        let mut response = caller.response(status).header(Name::Reason, outcome::reason(cause));
        if status == 503 {
            response = response.header(Name::RetryAfter, board.timers.retry_after_seconds);
        }
        self.refuse_caller(board, &response.build());
    }

    /// Sends an unanswered caller to another address by 302.
    pub(super) fn redirect_caller(&mut self, board: &mut Board, to: &Uri) {
        let State::Unanswered(caller) = &self.state else { return };
        let response = caller.response(302).header(Name::Contact, format_args!("<{to}>")).build();
        self.refuse_caller(board, &response);
    }

    /// Takes a request of a caller who has not got a final answer.
    pub(super) fn on_early_request(&mut self, board: &mut Board, key: &ServerKey, asks: &Message) {
        let State::Unanswered(caller) = &mut self.state else { return };
        if asks.method() == Method::Prack {
            self.on_prack(board, key, asks);
            return;
        }
        if asks.method() == Method::Invite {
            // RFC 3261 §14.2: the first one still waits for its final response.
            let pause = board.tokens.below(10);
            let response = ResponseBuilder::to(asks, 500).header(Name::RetryAfter, pause);
            board.respond(key, &response.header(Name::Server, PRODUCT).build());
            return;
        }
        let judged = caller.dialog.on_request(asks);
        let response = match (judged, asks.method()) {
            (Err(reject), _) => board.rejection(asks, reject),
            (Ok(()), Method::Update) => self.answer_early_update(asks),
            (Ok(()), Method::Bye | Method::Info | Method::Options) => {
                ResponseBuilder::to(asks, 200)
            }
            (Ok(()), _) => ResponseBuilder::to(asks, 405).header(Name::Allow, ALLOW),
        };
        let response = response.header(Name::Server, PRODUCT).build();
        if let State::Unanswered(caller) = &mut self.state {
            caller.dialog.on_answered(&response);
        }
        board.respond(key, &response);
        if asks.method() == Method::Bye && judged.is_ok() {
            // RFC 3261 §15: the caller may end an early dialog this way, too.
            self.on_cancelled(board);
        }
    }

    fn answer_early_update(&mut self, update: &Message) -> ResponseBuilder {
        let State::Unanswered(caller) = &self.state else {
            return ResponseBuilder::to(update, 481);
        };
        let contact = format!("<{}>", caller.dialog.local_contact);
        let answered = is_described(update).then(|| {
            Session::parse(sound::description(update)).and_then(|theirs| self.sound.answer(&theirs))
        });
        match answered.transpose() {
            Ok(body) => {
                let response = ResponseBuilder::to(update, 200).header(Name::Contact, contact);
                with_body(response, body)
            }
            Err(refusal) => change::refused(update, refusal),
        }
    }

    /// Takes the PRACK of a reliable provisional response.
    fn on_prack(&mut self, board: &mut Board, key: &ServerKey, prack: &Message) {
        let State::Unanswered(caller) = &mut self.state else { return };
        let rack = prack.rack().ok().flatten();
        let known = rack.is_some_and(|r| caller.sender.on_prack(r.rseq, r.cseq.number).is_ok());
        if !known {
            board.refuse(key, prack, 481, &caller.dialog.id.local_tag);
            return;
        }
        caller.reliable = None;
        board.alarms.clear(self.id, Alarm::ResendReliable);
        let taken = match caller.dialog.on_request(prack) {
            Ok(()) if is_described(prack) => self.take_prack_body(prack),
            Ok(()) => Ok(None),
            Err(reject) => Err(reject.status()),
        };
        self.answer_prack(board, key, prack, taken);
    }

    fn take_prack_body(&mut self, prack: &Message) -> Result<Option<Vec<u8>>, u16> {
        let theirs = Session::parse(sound::description(prack)).map_err(|_| 400_u16)?;
        if self.sound.agreed().is_none() {
            self.sound.accept(&theirs).map_err(|_| 488_u16)?;
            return Ok(None);
        }
        self.sound.answer(&theirs).map(Some).map_err(|_| 488)
    }

    fn answer_prack(
        &mut self,
        board: &mut Board,
        key: &ServerKey,
        prack: &Message,
        taken: Result<Option<Vec<u8>>, u16>,
    ) {
        let State::Unanswered(caller) = &mut self.state else { return };
        let tag = caller.dialog.id.local_tag.clone();
        let response = match taken {
            Ok(body) => {
                let response = ResponseBuilder::to(prack, 200).to_tag(&tag);
                with_body(response, body).build()
            }
            Err(status) => ResponseBuilder::to(prack, status).to_tag(&tag).build(),
        };
        caller.dialog.on_answered(&response);
        board.respond(key, &response);
        if caller.progress == Progress::EarlyMedia {
            self.sound.open();
        }
        let State::Unanswered(caller) = &mut self.state else { return };
        if caller.accept_next {
            self.accept_caller(board);
        } else if let Some((status, body)) = caller.held_back.take() {
            caller.send_provisional(board, status, body);
            caller.set_resend_alarm(board, self.id);
        }
    }

    /// Repeats the 180 or 183, so that nobody on the way gives up.
    pub(super) fn repeat_provisional(&mut self, board: &mut Board) {
        let State::Unanswered(caller) = &mut self.state else { return };
        let (status, body) = match caller.progress {
            Progress::Trying => return,
            Progress::Alerting => (180, None),
            // A reliable repeat is a new response, and its SDP has been said (RFC 3262 §5).
            Progress::EarlyMedia if caller.knows_reliable() => (183, None),
            Progress::EarlyMedia => (183, Some(self.sound.said())),
        };
        caller.send_provisional(board, status, body);
        board.wake_after(self.id, Alarm::RepeatProvisional, REPEAT);
        caller.set_resend_alarm(board, self.id);
    }

    /// Sends a reliable response again, or gives the call up (RFC 3262 §3).
    pub(super) fn resend_reliable(&mut self, board: &mut Board) {
        let State::Unanswered(caller) = &mut self.state else { return };
        match caller.sender.on_deadline(board.now) {
            Nudge::Wait => caller.set_resend_alarm(board, self.id),
            Nudge::Resend => {
                if let Some(response) = &caller.reliable {
                    board.respond(&caller.key, response);
                }
                caller.set_resend_alarm(board, self.id);
            }
            Nudge::GiveUp => {
                let response = caller.response(504).build();
                self.refuse_caller(board, &response);
                board.propose(self.id, Command::EndLeg { leg: self.id, why: LegEnd::Lost });
            }
        }
    }
}

impl Unanswered {
    /// Begins a response with everything that is the same in all of them.
    pub(super) fn response(&self, status: u16) -> ResponseBuilder {
        ResponseBuilder::to(&self.invite, status)
            .to_tag(&self.dialog.id.local_tag)
            .header(Name::Server, PRODUCT)
    }

    fn invite_has_offer(&self) -> bool {
        is_described(&self.invite)
    }

    fn knows_reliable(&self) -> bool {
        self.invite.has_token(Name::Supported, "100rel") || self.insists_on_reliable()
    }

    fn insists_on_reliable(&self) -> bool {
        self.invite.has_token(Name::Require, "100rel")
    }

    fn send_provisional(&mut self, board: &mut Board, status: u16, body: Option<Vec<u8>>) {
        if self.adopted && self.insists_on_reliable() {
            return;
        }
        let described = body.is_some();
        let mut response = self
            .response(status)
            .copy(Name::RecordRoute, &self.invite)
            .header(Name::Contact, format_args!("<{}>", self.dialog.local_contact))
            .header(Name::Allow, ALLOW)
            .header(Name::Supported, SUPPORTED);
        let reliably = self.insists_on_reliable() || (described && self.knows_reliable());
        let reliably = reliably || (self.progress == Progress::EarlyMedia && self.knows_reliable());
        let reliably = reliably && !self.adopted;
        if reliably {
            let Ok(rseq) = self.sender.send(board.now, &board.timers, described) else {
                self.held_back = Some((status, body));
                return;
            };
            response = response.header(Name::Require, "100rel").header(Name::RSeq, rseq);
        }
        let response = with_body(response, body).build();
        self.dialog.on_answered(&response);
        board.respond(&self.key, &response);
        if reliably {
            self.reliable = Some(response);
        }
    }

    fn set_resend_alarm(&self, board: &mut Board, leg: LegId) {
        if let Some(at) = self.sender.next_deadline() {
            board.alarms.set(leg, Alarm::ResendReliable, at);
        }
    }

    fn success(&self, body: Option<Vec<u8>>) -> Message {
        let mut response = self
            .response(200)
            .copy(Name::RecordRoute, &self.invite)
            .header(Name::Contact, format_args!("<{}>", self.dialog.local_contact))
            .header(Name::Allow, ALLOW)
            .header(Name::Supported, SUPPORTED)
            .header(Name::SessionExpires, self.timer.timer.as_server());
        if self.timer.require {
            response = response.header(Name::Require, "timer");
        }
        with_body(response, body).build()
    }
}

/// Adds a session description, if there is one.
pub(super) fn with_body(response: ResponseBuilder, body: Option<Vec<u8>>) -> ResponseBuilder {
    match body {
        Some(body) => response.body("application/sdp", body),
        None => response,
    }
}
