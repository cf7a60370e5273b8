//! A leg whose INVITE was answered 2xx: its ACK, its end, and what it may be asked.
//!
//! | comes | goes |
//! |---|---|
//! | ACK | the 2xx is no longer repeated; SDP in it answers our late offer |
//! | no ACK for 64·T1 | BYE; the core hears that the party is lost |
//! | BYE | 200; the core hears that the party hung up |
//! | re-INVITE, UPDATE | [`super::change`] |
//! | PRACK | 200, if the 2xx has overtaken it |
//! | INFO | [`super::keys`] |
//! | NOTIFY of our REFER | [`super::transfer`] |
//! | REFER | 603: parties are transferred by the core alone |
//! | OPTIONS | 200 |
//!
//! Always holds: a caller's dialog gets its BYE only after the ACK or the end of waiting for it
//! (RFC 3261 §15); a leg ends once for the core, whoever ended it.
//!
//! Not here: after our BYE ([`super::ending`]), the session timer ([`super::refresh`]).

use crate::acd::command::Command;
use crate::acd::command::LegEnd;
use crate::acd::effect::Cause;
use crate::b2bua::board::ALLOW;
use crate::b2bua::board::Asked;
use crate::b2bua::board::Board;
use crate::b2bua::board::EVENTS;
use crate::b2bua::board::PRODUCT;
use crate::b2bua::board::SUPPORTED;
use crate::b2bua::board::Sent;
use crate::b2bua::board::alarm::Alarm;
use crate::b2bua::caller::with_body;
use crate::b2bua::codec::Essence;
use crate::b2bua::counter::Counter;
use crate::b2bua::counter::Rejected;
use crate::b2bua::ending::Ending;
use crate::b2bua::leg::Leg;
use crate::b2bua::leg::State;
use crate::b2bua::outcome;
use crate::b2bua::sound;
use crate::b2bua::transfer::Transfer;
use crate::base::id::LegId;
use crate::base::id::TrunkId;
use crate::sdp::Session;
use crate::sip::dialog::Dialog;
use crate::sip::dialog::accepted::Nudge;
use crate::sip::dialog::accepted::Repeating;
use crate::sip::dialog::forks::Forks;
use crate::sip::dialog::reading::is_described;
use crate::sip::dialog::reliable::Sender;
use crate::sip::flow::Flow;
use crate::sip::header::name::Name;
use crate::sip::header::rack::RAck;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::transaction::key::ServerKey;
use crate::sip::write::ResponseBuilder;

/// A leg that was answered.
pub(super) struct Confirmed {
    /// Its dialog.
    pub(super) dialog: Dialog,
    /// Our 2xx that waits for its ACK.
    pub(super) unacknowledged: Option<Unacknowledged>,
    /// The INVITE of ours that made the dialog, for phones that answer again.
    pub(super) made_by: Option<Made>,
    /// The reliable response whose PRACK our 200 has overtaken.
    pub(super) sender: Option<Sender>,
    /// Whether the party takes UPDATE.
    pub(super) knows_update: bool,
    /// The trunk the phone is behind.
    pub(super) trunk: Option<TrunkId>,
    /// A BYE is to follow the ACK.
    pub(super) release: Option<Cause>,
    /// A REFER of ours that is under way.
    pub(super) transfer: Option<Transfer>,
    /// What the core was told last of the party holding us.
    pub(super) held: bool,
    /// A refresh of ours is under way.
    pub(super) refreshing: bool,
    /// Taken over from another node, and not heard of since.
    pub(super) taking_over: bool,
    /// The largest Min-SE a 422 has asked for, which every refresh repeats (RFC 4028 §7.4).
    pub(super) minimum_seconds: Option<u32>,
    /// What of this leg the core knows.
    pub(super) reported: Option<Essence>,
}

/// A 2xx of ours to an INVITE, before its ACK.
pub(super) struct Unacknowledged {
    /// The INVITE's transaction.
    pub(super) key: ServerKey,
    /// The 2xx.
    pub(super) response: Message,
    /// When it is sent again.
    pub(super) repeating: Repeating,
}

/// How a dialog came to be that we asked for.
pub(super) struct Made {
    /// The INVITE.
    pub(super) invite: Message,
    /// Where it went.
    pub(super) flow: Flow,
    /// The dialogs it made.
    pub(super) forks: Forks,
    /// The ACK of the 2xx that won.
    pub(super) ack: Message,
    /// Where it goes.
    pub(super) ack_flow: Flow,
}

impl Confirmed {
    /// A leg that has just been answered.
    pub(super) fn new(dialog: Dialog) -> Self {
        Self {
            dialog,
            unacknowledged: None,
            made_by: None,
            sender: None,
            knows_update: false,
            trunk: None,
            release: None,
            transfer: None,
            held: false,
            refreshing: false,
            taking_over: false,
            minimum_seconds: None,
            reported: None,
        }
    }

    /// Notes what the party can do, from its INVITE or 2xx.
    pub(super) fn note_peer(&mut self, message: &Message) {
        self.knows_update = message.has_token(Name::Allow, "UPDATE");
    }

    /// Repeats a 2xx, which was sent just now, until its ACK comes.
    pub(super) fn await_ack(
        &mut self,
        board: &mut Board,
        leg: LegId,
        key: ServerKey,
        response: Message,
    ) {
        let repeating = Repeating::success(board.now, &board.timers);
        board.alarms.set(leg, Alarm::ResendAccepted, repeating.next_deadline());
        self.unacknowledged = Some(Unacknowledged { key, response, repeating });
    }

    /// Sends a request within the dialog.
    pub(super) fn send(&mut self, board: &mut Board, leg: LegId, asked: Asked, request: Message) {
        self.dialog.on_sent(&request);
        let flow = board.flow_of(&self.dialog);
        let trunk = self.trunk.clone();
        board.send(Sent { leg, asked, request, flow, trunk, authorized: false });
    }
}

impl Leg {
    /// Takes the ACK of our 2xx.
    pub(super) fn on_ack(&mut self, board: &mut Board, ack: &Message) {
        let State::Confirmed(confirmed) = &mut self.state else { return };
        let due = confirmed.dialog.is_confirmed_by(ack);
        if !due || confirmed.unacknowledged.take().is_none() {
            return; // A repeat, perhaps that of an earlier INVITE.
        }
        board.alarms.clear(self.id, Alarm::ResendAccepted);
        let owed = confirmed.dialog.on_request(ack);
        if let Some(cause) = confirmed.release {
            self.hang_up(board, cause);
            return;
        }
        let taken = match owed {
            Err(_) => false,
            Ok(()) if is_described(ack) && self.sound.awaits_answer() => self.take_answer(ack),
            Ok(()) => true,
        };
        if !taken {
            // RFC 3261 §13.2.2.4 as seen from here: a call without audio is no call.
            self.lose(board);
            return;
        }
        self.report_change(board);
        self.move_here(board);
    }

    fn take_answer(&mut self, ack: &Message) -> bool {
        let taken =
            Session::parse(sound::description(ack)).and_then(|theirs| self.sound.accept(&theirs));
        if taken.is_ok() {
            self.sound.open();
        }
        taken.is_ok()
    }

    /// Sends our 2xx again, or gives the party up.
    pub(super) fn resend_accepted(&mut self, board: &mut Board) {
        let State::Confirmed(confirmed) = &mut self.state else { return };
        let Some(waiting) = &mut confirmed.unacknowledged else { return };
        match waiting.repeating.on_deadline(board.now) {
            Nudge::GiveUp => {
                confirmed.unacknowledged = None;
                board.count(Counter::AckMissing);
                match confirmed.release {
                    Some(cause) => self.hang_up(board, cause),
                    None => self.lose(board),
                }
                return;
            }
            Nudge::Resend => board.respond(&waiting.key, &waiting.response),
            Nudge::Wait => {}
        }
        board.alarms.set(self.id, Alarm::ResendAccepted, waiting.repeating.next_deadline());
    }

    /// Takes a request within the dialog.
    pub(super) fn on_request(&mut self, board: &mut Board, key: &ServerKey, request: &Message) {
        let State::Confirmed(confirmed) = &mut self.state else { return };
        if let Err(reject) = confirmed.dialog.on_request(request) {
            let response = board.rejection(request, reject).header(Name::Server, PRODUCT).build();
            self.answer(board, key, &response);
            return;
        }
        match request.method() {
            Method::Bye => self.on_bye(board, key, request),
            Method::Invite => self.on_reinvite(board, key, request),
            Method::Update => self.on_update(board, key, request),
            Method::Info => self.on_info(board, key, request),
            Method::Notify => self.on_notify(board, key, request),
            Method::Prack => self.on_late_prack(board, key, request),
            Method::Options => self.on_options(board, key, request),
            Method::Refer => self.reply(board, key, request, 603),
            Method::Subscribe => self.reply(board, key, request, 489),
            Method::Register | Method::Publish | Method::Message => {
                self.reply(board, key, request, 405);
            }
            // Neither comes as a request: the transactions keep them.
            Method::Ack | Method::Cancel => {}
            Method::Other(_) => self.reply(board, key, request, 501),
        }
    }

    /// Answers a request with a status and nothing else.
    pub(super) fn reply(
        &mut self,
        board: &mut Board,
        key: &ServerKey,
        request: &Message,
        status: u16,
    ) {
        let mut response = ResponseBuilder::to(request, status).header(Name::Server, PRODUCT);
        match status {
            405 | 501 => {
                board.count(Counter::Rejected(Rejected::Method));
                response = response.header(Name::Allow, ALLOW);
            }
            489 => response = response.header(Name::AllowEvents, EVENTS),
            _ => {}
        }
        self.answer(board, key, &response.build());
    }

    /// Answers a request, and lets the dialog know.
    pub(super) fn answer(&mut self, board: &mut Board, key: &ServerKey, response: &Message) {
        if let State::Confirmed(confirmed) = &mut self.state {
            confirmed.dialog.on_answered(response);
        }
        board.respond(key, response);
    }

    /// RFC 3262 §3: a PRACK is good also if the 200 went out before it came.
    fn on_late_prack(&mut self, board: &mut Board, key: &ServerKey, prack: &Message) {
        let State::Confirmed(confirmed) = &mut self.state else { return };
        let waiting = confirmed.sender.as_mut().zip(prack.rack().ok().flatten());
        let fits = |(sender, rack): (&mut Sender, RAck)| {
            sender.on_prack(rack.rseq, rack.cseq.number).is_ok()
        };
        if !waiting.is_some_and(fits) {
            self.reply(board, key, prack, 481);
            return;
        }
        let response = match self.answer_change(prack) {
            Ok(body) => with_body(ResponseBuilder::to(prack, 200), body),
            Err(response) => response,
        };
        self.answer(board, key, &response.header(Name::Server, PRODUCT).build());
    }

    fn on_options(&mut self, board: &mut Board, key: &ServerKey, request: &Message) {
        let response = ResponseBuilder::to(request, 200)
            .header(Name::Allow, ALLOW)
            .header(Name::Supported, SUPPORTED)
            .header(Name::Accept, "application/sdp")
            .build();
        self.answer(board, key, &response);
    }

    /// The party hung up.
    fn on_bye(&mut self, board: &mut Board, key: &ServerKey, request: &Message) {
        self.reply(board, key, request, 200);
        self.settle_transfer_by_bye(board);
        board.propose(self.id, Command::EndLeg { leg: self.id, why: LegEnd::HungUp });
        self.state = State::Over;
    }

    /// The party cannot be reached any more: the core hears of it, and the leg is ended.
    pub(super) fn lose(&mut self, board: &mut Board) {
        let why = match &self.state {
            State::Confirmed(confirmed) if confirmed.taking_over => LegEnd::LostWithNode,
            State::Confirmed(_)
            | State::Unanswered(_)
            | State::Placing(_)
            | State::Ringing(_)
            | State::Ending(_)
            | State::Over => LegEnd::Lost,
        };
        board.propose(self.id, Command::EndLeg { leg: self.id, why });
        self.release(board, Cause::HungUp);
    }

    /// Media heard nothing of the party for as long as was to be watched.
    pub(super) fn on_silence(&mut self, board: &mut Board) {
        // Whoever is no longer joined is no longer watched; the report was under way.
        if self.sound.partner().is_none() {
            return;
        }
        board.count(Counter::MediaLost);
        self.lose(board);
    }

    /// Ends an answered leg: BYE, at once or after the ACK.
    pub(super) fn hang_up(&mut self, board: &mut Board, cause: Cause) {
        let State::Confirmed(confirmed) = &mut self.state else { return };
        if confirmed.unacknowledged.is_some() {
            confirmed.release = Some(cause);
            self.sound.close();
            return;
        }
        let State::Confirmed(confirmed) = std::mem::replace(&mut self.state, State::Over) else {
            return;
        };
        self.sound.close();
        board.alarms.forget(self.id);
        let mut confirmed = confirmed;
        let dialog = &mut confirmed.dialog;
        let bye = dialog.request(Method::Bye).header(Name::Reason, outcome::reason(cause)).build();
        confirmed.send(board, self.id, Asked::Bye, bye);
        let Confirmed { dialog, made_by, .. } = *confirmed;
        self.state = State::Ending(Box::new(Ending { dialog, made_by }));
    }
}
