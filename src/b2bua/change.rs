//! Changes the party makes to an answered leg: re-INVITE and UPDATE.
//!
//! | asks | gets |
//! |---|---|
//! | hold (`sendonly`, `inactive`) | our answer; the core hears `HoldLeg` |
//! | another address or codec | our answer; media follows |
//! | nothing new | the words we said before, same `o=` version |
//! | no SDP, in a re-INVITE | our offer; the answer comes in the ACK |
//! | while a change of ours is under way | 491 (RFC 3261 §14.2) |
//! | while an earlier one of theirs is | 500 with Retry-After |
//! | no audio we speak | 488 with Warning, and nothing changes |
//! | another body that may not be passed over | 415 |
//!
//! Either request also refreshes the session and the party's Contact (RFC 4028 §9,
//! RFC 3261 §12.2.2).
//!
//! Always holds: a refused change leaves the media as it was.
//!
//! Not here: refreshes of ours ([`super::refresh`]).

use crate::acd::command::Command;
use crate::b2bua::board::ALLOW;
use crate::b2bua::board::Board;
use crate::b2bua::board::PRODUCT;
use crate::b2bua::board::SUPPORTED;
use crate::b2bua::caller::with_body;
use crate::b2bua::codec;
use crate::b2bua::leg::Leg;
use crate::b2bua::leg::State;
use crate::b2bua::refresh;
use crate::b2bua::sound;
use crate::sdp::Refusal;
use crate::sdp::Session;
use crate::sip::dialog::Dialog;
use crate::sip::dialog::reading::is_described;
use crate::sip::dialog::reading::is_foreign;
use crate::sip::dialog::session_timer;
use crate::sip::header::name::Name;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::transaction::key::ServerKey;
use crate::sip::write::ResponseBuilder;

/// The status that refuses SDP we cannot work with.
pub(super) fn refusal_status(refusal: Refusal) -> u16 {
    match refusal {
        Refusal::NotReadable => 400,
        Refusal::NoAudio
        | Refusal::NoProfile
        | Refusal::NoCodec
        | Refusal::NoAddress
        | Refusal::OtherFamily => 488,
    }
}

/// The value of the Warning that says why (RFC 3261 §20.43).
pub(super) fn warning(refusal: Refusal) -> String {
    let code = match refusal {
        Refusal::NotReadable => 399,
        Refusal::NoAddress | Refusal::OtherFamily => 301,
        Refusal::NoProfile => 302,
        Refusal::NoAudio => 304,
        Refusal::NoCodec => 305,
    };
    format!("{code} carillon \"{refusal}\"")
}

/// Refuses SDP we cannot work with, and says why (RFC 3261 §14.2, §21.4.26).
pub(super) fn refused(request: &Message, refusal: Refusal) -> ResponseBuilder {
    let response = ResponseBuilder::to(request, refusal_status(refusal));
    response.header(Name::Warning, warning(refusal))
}

impl Leg {
    /// Takes a re-INVITE the dialog has no objection to.
    pub(super) fn on_reinvite(&mut self, board: &mut Board, key: &ServerKey, request: &Message) {
        let Some(response) = self.judge_change(board, key, request) else { return };
        let State::Confirmed(confirmed) = &mut self.state else { return };
        confirmed.await_ack(board, self.id, key.clone(), response);
        self.report_change(board);
    }

    /// Takes an UPDATE the dialog has no objection to.
    pub(super) fn on_update(&mut self, board: &mut Board, key: &ServerKey, request: &Message) {
        if self.judge_change(board, key, request).is_some() {
            self.report_change(board);
        }
    }

    /// Carries a change out and returns the 2xx it sent, or refuses it.
    fn judge_change(
        &mut self,
        board: &mut Board,
        key: &ServerKey,
        request: &Message,
    ) -> Option<Message> {
        let timer = match refresh::answer(request, &board.wanted) {
            Ok(timer) => timer,
            Err(minimum_seconds) => {
                let response = ResponseBuilder::to(request, 422);
                let response = response.header(Name::MinSe, minimum_seconds).build();
                self.answer(board, key, &response);
                return None;
            }
        };
        let body = match self.answer_change(request) {
            Ok(body) => body,
            Err(response) => {
                self.answer(board, key, &response.header(Name::Server, PRODUCT).build());
                return None;
            }
        };
        let State::Confirmed(confirmed) = &mut self.state else { return None };
        confirmed.note_peer(request);
        confirmed.dialog.session_timer = Some(timer.timer);
        confirmed.watch_session(board, self.id);
        let response = success(request, &confirmed.dialog, &timer, body);
        self.answer(board, key, &response);
        Some(response)
    }

    /// Answers the offer in a request, or makes the one it asks for; `Err` is the refusal.
    pub(super) fn answer_change(
        &mut self,
        request: &Message,
    ) -> Result<Option<Vec<u8>>, ResponseBuilder> {
        if is_foreign(request) {
            let response = ResponseBuilder::to(request, 415);
            return Err(response.header(Name::Accept, "application/sdp"));
        }
        if is_described(request) {
            let theirs = Session::parse(sound::description(request));
            let answered = theirs.and_then(|theirs| self.sound.answer(&theirs));
            answered.map(Some).map_err(|refusal| refused(request, refusal))
        } else if request.method() == Method::Invite {
            Ok(Some(self.sound.offer()))
        } else {
            Ok(None)
        }
    }

    /// Tells the core what changed: the party's hold, and the newest picture of the leg.
    pub(super) fn report_change(&mut self, board: &mut Board) {
        let held = self.sound.is_held();
        let State::Confirmed(confirmed) = &mut self.state else { return };
        if confirmed.held != held {
            confirmed.held = held;
            board.propose(self.id, Command::HoldLeg { leg: self.id, held });
        }
        let essence = codec::essence(&confirmed.dialog, &self.sound);
        if confirmed.reported.as_ref() != Some(&essence) {
            confirmed.reported = Some(essence);
            let dialog = codec::answered(confirmed, &self.sound, self.let_in_by.as_ref());
            board.propose(self.id, Command::UpdateLeg { leg: self.id, dialog });
        }
    }
}

fn success(
    request: &Message,
    dialog: &Dialog,
    timer: &session_timer::Answer,
    body: Option<Vec<u8>>,
) -> Message {
    let mut response = ResponseBuilder::to(request, 200)
        .header(Name::Contact, format_args!("<{}>", dialog.local_contact))
        .header(Name::Allow, ALLOW)
        .header(Name::Supported, SUPPORTED)
        .header(Name::Server, PRODUCT)
        .header(Name::SessionExpires, timer.timer.as_server());
    if timer.require {
        response = response.header(Name::Require, "timer");
    }
    with_body(response, body).build()
}
