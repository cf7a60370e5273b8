//! Telephone keys: SIP INFO on one leg, telephone events or INFO on the other.
//!
//! | the key comes as | the other party takes events | the other party takes none |
//! |---|---|---|
//! | RFC 4733 event | media relays it by itself | INFO |
//! | INFO | an event, by media | INFO |
//!
//! | INFO body | answer |
//! |---|---|
//! | a key | 200, and it crosses |
//! | none | 200 |
//! | of another type | 415 |
//! | a key nobody has | 400 |
//!
//! Always holds: a key crosses once, and only between two parties that talk.
//!
//! Not here: what the bodies look like (`media::dtmf`).

use crate::b2bua::board::Asked;
use crate::b2bua::board::Board;
use crate::b2bua::board::Key;
use crate::b2bua::board::Sent;
use crate::b2bua::leg::Leg;
use crate::b2bua::leg::State;
use crate::base::time::Millis;
use crate::media::dtmf;
use crate::media::dtmf::Digit;
use crate::media::order::Order;
use crate::sip::dialog::Heard;
use crate::sip::header::name::Name;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::transaction::key::ServerKey;
use crate::sip::write::ResponseBuilder;

/// The bodies of INFO that carry keys.
const TYPES: [&str; 2] = ["application/dtmf-relay", "application/dtmf"];

impl Leg {
    /// Takes an INFO.
    pub(super) fn on_info(&mut self, board: &mut Board, key: &ServerKey, request: &Message) {
        if request.body().is_empty() {
            self.reply(board, key, request, 200);
            return;
        }
        let of = request.content_type().ok().flatten();
        let Some(kind) = TYPES.into_iter().find(|kind| of.as_ref().is_some_and(|t| t.is(kind)))
        else {
            let accepted = TYPES.join(", ");
            let response = ResponseBuilder::to(request, 415).header(Name::Accept, accepted);
            self.answer(board, key, &response.build());
            return;
        };
        match dtmf::read_info(kind, request.body()) {
            Some((digit, duration)) => {
                self.reply(board, key, request, 200);
                self.cross(board, digit, duration);
            }
            None => self.reply(board, key, request, 400),
        }
    }

    /// Takes a response to an INFO of ours.
    pub(super) fn on_info_answered(&mut self, board: &mut Board, sent: Sent, heard: &Message) {
        let State::Confirmed(confirmed) = &mut self.state else { return };
        match confirmed.dialog.on_response(heard).unwrap_or(Heard::Failure) {
            // 481 or 408: the party has no such call any more.
            Heard::Ended => self.lose(board),
            Heard::Failure => {
                // A phone that refuses keys does without them.
                let _again = board.authorize(&mut confirmed.dialog, sent, heard);
            }
            Heard::Progress
            | Heard::WantsPrack { .. }
            | Heard::Ignore
            | Heard::WantsAck { .. }
            | Heard::Success => {}
        }
    }

    /// Passes a key on to the other party, if there is one.
    fn cross(&self, board: &mut Board, digit: Digit, duration: Millis) {
        if let Some(to) = self.sound.partner() {
            board.keys.push_back(Key { to, digit, duration });
        }
    }

    /// Media heard a key; it has relayed it if the other party takes events.
    pub(super) fn on_key_heard(&self, digit: Digit) -> Option<Key> {
        let to = self.sound.partner()?;
        Some(Key { to, digit, duration: dtmf::DURATION_USUAL })
    }

    /// Tells whether media can send keys to this party.
    pub(super) fn takes_events(&self) -> bool {
        self.sound.agreed().is_some_and(|agreed| agreed.dtmf.is_some())
    }

    /// Sends a key to this party.
    pub(super) fn send_key(&mut self, board: &mut Board, digit: Digit, duration: Millis) {
        if self.takes_events() {
            let stream = self.id;
            self.sound.order(Order::SendDigit { stream, digit, duration });
            return;
        }
        let State::Confirmed(confirmed) = &mut self.state else { return };
        let body = dtmf::write_relay(digit, duration).into_bytes();
        let request = confirmed.dialog.request(Method::Info).body(TYPES[0], body).build();
        confirmed.send(board, self.id, Asked::Info, request);
        self.report_change(board);
    }
}
