//! An agent's phone that was sent an INVITE, until it has answered in one way or another.
//!
//! | the phone says | then |
//! |---|---|
//! | 18x | nothing; a reliable one gets its PRACK |
//! | 2xx | ACK at once, `AnswerReservation`; the core's refusal hangs up again |
//! | 2xx although it was cancelled | ACK and BYE |
//! | 2xx from a second phone (fork) | ACK and BYE |
//! | 401, 407 | the INVITE again, once, with credentials |
//! | 422 | the INVITE again with the interval asked for |
//! | 500, 502–504, no transport | the next way to the phone, if there is one |
//! | nothing at all for four seconds | the next way; else `FailReservation`: it is unreachable |
//! | anything, but to an attempt given up for that | CANCEL; a 2xx gets ACK and BYE |
//! | other failures | `FailReservation` with the reason |
//!
//! Always holds: the core hears exactly one of answer and failure, and neither after it has
//! released the leg; a CANCEL waits for a provisional response (`sip::transaction`).
//!
//! Not here: composing the INVITE ([`super::placing`]), the meaning of statuses
//! ([`super::outcome`]).

use crate::acd::command::Command;
use crate::acd::command::RingFailure;
use crate::acd::effect::Cause;
use crate::b2bua::board::ALLOW;
use crate::b2bua::board::Asked;
use crate::b2bua::board::Board;
use crate::b2bua::board::Sent;
use crate::b2bua::board::alarm::Alarm;
use crate::b2bua::codec;
use crate::b2bua::confirmed::Confirmed;
use crate::b2bua::confirmed::Made;
use crate::b2bua::counter::Counter;
use crate::b2bua::leg::Leg;
use crate::b2bua::leg::State;
use crate::b2bua::outcome;
use crate::b2bua::placing::Placing;
use crate::b2bua::sound;
use crate::base::id::LegId;
use crate::sdp::Session;
use crate::sip::dialog::Dialog;
use crate::sip::dialog::Heard;
use crate::sip::dialog::forks;
use crate::sip::dialog::forks::Forked;
use crate::sip::dialog::forks::Forks;
use crate::sip::dialog::id::DialogId;
use crate::sip::dialog::reading::is_described;
use crate::sip::dialog::session_timer;
use crate::sip::dialog::session_timer::INTERVAL_MIN_SECONDS;
use crate::sip::flow::Flow;
use crate::sip::header::name::Name;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::transaction::key::ClientKey;
use crate::sip::transaction::key::ServerKey;
use crate::sip::write::ResponseBuilder;

/// A phone that was sent an INVITE.
pub(super) struct Ringing {
    /// How it was found, and the ways left.
    pub(super) placing: Box<Placing>,
    /// The INVITE.
    pub(super) invite: Message,
    /// Its transaction.
    pub(super) key: ClientKey,
    /// Where it went.
    pub(super) flow: Flow,
    /// The dialogs it made.
    pub(super) forks: Forks,
    /// The first SDP of each that came in a provisional response.
    pub(super) early: Vec<(DialogId, Vec<u8>)>,
    /// The core has released the leg: a CANCEL is out or held back.
    pub(super) release: Option<Cause>,
}

impl Leg {
    /// Takes a response to the INVITE.
    pub(super) fn on_ring_answered(&mut self, board: &mut Board, sent: &Sent, heard: &Message) {
        if self.has_moved_on(sent) {
            hang_up_late(board, sent, heard);
            return;
        }
        board.alarms.clear(self.id, Alarm::PhoneSilent);
        match &mut self.state {
            State::Ringing(ringing) => {
                if heard.status().is_some_and(|status| status >= 300) {
                    self.on_ring_refused(board, sent, heard);
                    return;
                }
                let judged = ringing.forks.on_response(&ringing.invite, heard, ringing.flow);
                self.on_progress(board, judged.unwrap_or(Forked::NoDialog), heard);
            }
            State::Confirmed(_)
            | State::Ending(_)
            | State::Unanswered(_)
            | State::Placing(_)
            | State::Over => self.on_ring_repeated(board, heard),
        }
    }

    /// Tells whether a newer INVITE has taken this one's place.
    fn has_moved_on(&self, sent: &Sent) -> bool {
        let newest = match &self.state {
            State::Ringing(ringing) => Some(&ringing.invite),
            State::Confirmed(confirmed) => confirmed.made_by.as_ref().map(|made| &made.invite),
            State::Ending(ending) => ending.made_by.as_ref().map(|made| &made.invite),
            // Whatever was sent was given up: the next address is being looked up.
            State::Placing(_) => return true,
            State::Unanswered(_) | State::Over => None,
        };
        let number = |invite: &Message| invite.cseq().map_or(0, |cseq| cseq.number);
        newest.is_some_and(|newest| number(newest) > number(&sent.request))
    }

    /// Takes a 2xx whose transaction is over.
    pub(super) fn on_ring_repeated(&mut self, board: &mut Board, response: &Message) {
        match &mut self.state {
            State::Confirmed(confirmed) => again(board, &mut confirmed.made_by, response, self.id),
            State::Ending(ending) => again(board, &mut ending.made_by, response, self.id),
            State::Unanswered(_) | State::Placing(_) | State::Ringing(_) | State::Over => {}
        }
    }

    fn on_progress(&mut self, board: &mut Board, forked: Forked, response: &Message) {
        match forked {
            Forked::NoDialog | Forked::Repeated => {}
            Forked::Early(id, heard) => self.on_early(board, &id, heard, response),
            Forked::Won(dialog, _) => self.on_answered(board, *dialog, response),
            Forked::Extra(dialog) => hang_up_fork(board, *dialog, response, self.id),
        }
    }

    fn on_early(&mut self, board: &mut Board, id: &DialogId, heard: Heard, response: &Message) {
        let State::Ringing(ringing) = &mut self.state else { return };
        // RFC 3261 §13.2.1: the first one counts. One that is not reliable is no answer yet, but
        // all there is from phones that leave it out of the 200.
        let known = ringing.early.iter().any(|(known, _)| known == id);
        if is_described(response) && !known && ringing.early.len() < forks::MAX {
            ringing.early.push((id.clone(), sound::description(response).to_vec()));
        }
        let rseq = match heard {
            Heard::WantsPrack { rseq } => rseq,
            Heard::Progress
            | Heard::Ignore
            | Heard::WantsAck { .. }
            | Heard::Success
            | Heard::Failure
            | Heard::Ended => return,
        };
        let trunk = ringing.placing.ring.device.trunk.clone();
        let Some(dialog) = ringing.forks.early(id) else { return };
        let request = dialog.prack(rseq).build();
        dialog.on_sent(&request);
        let flow = board.flow_of(dialog);
        let (leg, asked) = (self.id, Asked::Prack);
        board.send(Sent { leg, asked, request, flow, trunk, authorized: false });
    }

    /// The phone answered: acknowledge, then ask the core whether it still wants it.
    fn on_answered(&mut self, board: &mut Board, mut dialog: Dialog, response: &Message) {
        let State::Ringing(ringing) = std::mem::replace(&mut self.state, State::Over) else {
            return;
        };
        let Ringing { placing, invite, flow, forks, early, release, .. } = *ringing;
        let (ack, ack_flow) = acknowledge(board, &mut dialog, &invite);
        let said = if is_described(response) {
            Some(sound::description(response).to_vec())
        } else {
            early.into_iter().find(|(id, _)| *id == dialog.id).map(|(_, body)| body)
        };
        let wanted = placing.wanted.interval_seconds;
        let timer = session_timer::accept(wanted, response.session_expires().ok().flatten());
        dialog.session_timer = Some(timer);
        let mut confirmed = Confirmed::new(dialog);
        confirmed.note_peer(response);
        confirmed.trunk = placing.ring.device.trunk.clone();
        let minimum = placing.wanted.minimum_seconds;
        confirmed.minimum_seconds = (minimum > INTERVAL_MIN_SECONDS).then_some(minimum);
        confirmed.made_by = Some(Made { invite, flow, forks, ack, ack_flow });
        board.alarms.forget(self.id);
        confirmed.watch_session(board, self.id);
        self.state = State::Confirmed(Box::new(confirmed));
        match release {
            Some(cause) => self.hang_up(board, cause),
            None => self.offer_answer_to_core(board, said),
        }
    }

    fn offer_answer_to_core(&mut self, board: &mut Board, said: Option<Vec<u8>>) {
        let theirs = said.and_then(|body| Session::parse(&body).ok());
        let taken = theirs.is_some_and(|theirs| self.sound.accept(&theirs).is_ok());
        let State::Confirmed(confirmed) = &mut self.state else { return };
        if !taken {
            let why = RingFailure::NoCodec;
            board.count(Counter::RingFailed(why));
            board.propose(self.id, Command::FailReservation { leg: self.id, why });
            self.hang_up(board, Cause::HungUp);
            return;
        }
        confirmed.reported = Some(codec::essence(&confirmed.dialog, &self.sound));
        let dialog = codec::answered(confirmed, &self.sound, None);
        board.propose(self.id, Command::AnswerReservation { leg: self.id, dialog });
        self.sound.open();
    }

    fn on_ring_refused(&mut self, board: &mut Board, sent: &Sent, response: &Message) {
        let status = response.status().unwrap_or_default();
        let State::Ringing(ringing) = &mut self.state else { return };
        if ringing.release.is_some() {
            self.state = State::Over;
            return;
        }
        ringing.placing.failure = outcome::ring_failure(status);
        match status {
            401 | 407 if !sent.authorized => {
                let way = (sent.trunk.as_ref(), sent.flow);
                match board.prove(&sent.request, response, way) {
                    Some(proof) => {
                        let flow = ringing.flow;
                        self.back_to_placing();
                        self.invite(board, flow, Some(proof));
                    }
                    None => self.fail_ringing(board),
                }
            }
            422 if ringing.placing.wanted.minimum_seconds == INTERVAL_MIN_SECONDS => {
                let least = response.min_se().ok().flatten();
                let wanted = session_timer::after_too_small(&ringing.placing.wanted, least);
                ringing.placing.wanted = wanted;
                let flow = ringing.flow;
                self.back_to_placing();
                self.invite(board, flow, None);
            }
            _ if outcome::is_peer_trouble(status) => self.try_elsewhere(board),
            _ => self.fail_ringing(board),
        }
    }

    /// Takes a request of a phone that rings, in one of the early dialogs.
    pub(super) fn on_phone_request(&mut self, board: &mut Board, key: &ServerKey, asks: &Message) {
        let State::Ringing(ringing) = &mut self.state else { return };
        let id = DialogId::of_request(asks).ok().flatten();
        let Some(dialog) = id.and_then(|id| ringing.forks.early(&id)) else {
            board.refuse(key, asks, 481, "");
            return;
        };
        let judged = dialog.on_request(asks);
        let response = match (judged, asks.method()) {
            (Err(reject), _) => board.rejection(asks, reject),
            // Our offer is not answered yet, so theirs was refused above (RFC 3311 §5.2).
            (Ok(()), Method::Update) if is_described(asks) => ResponseBuilder::to(asks, 488),
            (Ok(()), Method::Update) => ResponseBuilder::to(asks, 200)
                .header(Name::Contact, format_args!("<{}>", dialog.local_contact)),
            (Ok(()), Method::Info | Method::Options | Method::Bye) => {
                ResponseBuilder::to(asks, 200)
            }
            (Ok(()), _) => ResponseBuilder::to(asks, 405).header(Name::Allow, ALLOW),
        };
        let response = response.build();
        dialog.on_answered(&response);
        board.respond(key, &response);
    }

    /// The INVITE got no final answer, or could not be sent.
    pub(super) fn on_ring_lost(&mut self, board: &mut Board, sent: &Sent) {
        if self.has_moved_on(sent) {
            return;
        }
        let State::Ringing(ringing) = &mut self.state else { return };
        if ringing.release.is_some() {
            self.state = State::Over;
            return;
        }
        ringing.placing.failure = RingFailure::Unreachable;
        self.try_elsewhere(board);
    }

    /// Nothing was heard of the INVITE, not so much as a 100.
    pub(super) fn on_phone_silent(&mut self, board: &mut Board) {
        let another = match &mut self.state {
            State::Ringing(ringing) if ringing.placing.has_another_way() => ringing,
            State::Ringing(_)
            | State::Unanswered(_)
            | State::Placing(_)
            | State::Confirmed(_)
            | State::Ending(_)
            | State::Over => return self.give_up_ringing(board, RingFailure::Unreachable),
        };
        // RFC 3263 §4.3: a silent server is followed by the next. What comes of this INVITE after
        // all is cancelled when it is heard of.
        let _waits = board.layer.cancel(board.now, &another.key, None);
        another.placing.failure = RingFailure::Unreachable;
        self.try_elsewhere(board);
    }

    fn try_elsewhere(&mut self, board: &mut Board) {
        self.back_to_placing();
        self.try_next(board);
    }

    fn back_to_placing(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Over) {
            State::Ringing(ringing) => State::Placing(ringing.placing),
            state @ (State::Unanswered(_)
            | State::Placing(_)
            | State::Confirmed(_)
            | State::Ending(_)
            | State::Over) => state,
        };
    }

    /// Stops the ringing because the core says so.
    pub(super) fn stop_ringing(&mut self, board: &mut Board, cause: Cause) {
        let State::Ringing(ringing) = &mut self.state else { return };
        if ringing.release.replace(cause).is_none() {
            board.alarms.clear(self.id, Alarm::GiveUpRinging);
            board.alarms.clear(self.id, Alarm::PhoneSilent);
            // Too late means that a final response is here already; it decides.
            let _sent = board.layer.cancel(board.now, &ringing.key, Some(outcome::reason(cause)));
        }
    }

    /// The phone has rung for longer than any queue allows, or has not answered with so much as a
    /// provisional response; the core has not said stop.
    pub(super) fn give_up_ringing(&mut self, board: &mut Board, why: RingFailure) {
        board.count(Counter::RingFailed(why));
        board.propose(self.id, Command::FailReservation { leg: self.id, why });
        match &self.state {
            State::Ringing(_) => self.stop_ringing(board, Cause::RingOut),
            State::Placing(_) => self.state = State::Over,
            State::Unanswered(_) | State::Confirmed(_) | State::Ending(_) | State::Over => {}
        }
    }
}

/// A phone answered an INVITE that was answered before: the same one again, or another (fork).
fn again(board: &mut Board, made: &mut Option<Made>, response: &Message, leg: LegId) {
    let Some(made) = made else { return };
    match made.forks.on_response(&made.invite, response, made.flow) {
        Ok(Forked::Repeated) => {
            let ack = made.ack.clone();
            board.send_ack(&ack, made.ack_flow);
        }
        Ok(Forked::Extra(dialog)) => hang_up_fork(board, *dialog, response, leg),
        Ok(Forked::NoDialog | Forked::Early(..) | Forked::Won(..)) | Err(_) => {}
    }
}

/// ACK and BYE for who answers an INVITE that was given up; a CANCEL is on its way already.
fn hang_up_late(board: &mut Board, sent: &Sent, response: &Message) {
    if response.status().is_none_or(|status| status / 100 != 2) {
        return;
    }
    if let Ok(dialog) = Dialog::from_response(&sent.request, response, sent.flow) {
        hang_up_fork(board, dialog, response, sent.leg);
    }
}

/// ACK and BYE for a second phone that answered (RFC 3261 §13.2.2.4).
fn hang_up_fork(board: &mut Board, mut dialog: Dialog, response: &Message, leg: LegId) {
    board.count(Counter::ForkHungUp);
    let cseq = response.cseq().map_or(0, |cseq| cseq.number);
    let ack = dialog.ack(cseq).build();
    dialog.on_sent(&ack);
    let flow = board.flow_of(&dialog);
    board.send_ack(&ack, flow);
    let reason = outcome::reason(Cause::AnsweredElsewhere);
    let request = dialog.request(Method::Bye).header(Name::Reason, reason).build();
    let asked = Asked::ByeFork;
    board.send(Sent { leg, asked, request, flow, trunk: None, authorized: false });
}

/// Sends the ACK of the 2xx to our INVITE.
fn acknowledge(board: &mut Board, dialog: &mut Dialog, invite: &Message) -> (Message, Flow) {
    let cseq = invite.cseq().map_or(0, |cseq| cseq.number);
    let mut ack = dialog.ack(cseq);
    // RFC 3261 §22.1: the ACK repeats the credentials of its INVITE.
    for name in [Name::Authorization, Name::ProxyAuthorization] {
        ack = ack.copy(name, invite);
    }
    let ack = ack.build();
    dialog.on_sent(&ack);
    let flow = board.flow_of(dialog);
    board.send_ack(&ack, flow);
    (ack, flow)
}
