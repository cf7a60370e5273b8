//! A leg: our side of one dialog with its media, and the states it goes through.
//!
//! ```text
//!  caller's   INVITE ─► Unanswered ──200──► Confirmed ──BYE──► Ending ─► (gone)
//!                           └──── 3xx–6xx, CANCEL ────────────────────────┘
//!  agent's    RingAgent ─► Placing ─► Ringing ──200──► Confirmed ─► Ending ─► (gone)
//!                             └─ no way ─┴─ 3xx–6xx, CANCEL ──────────────────┘
//! ```
//!
//! This file hands each input to the state it is for; what a state does with it stands in the
//! state's own file.
//!
//! Always holds: a state carries only what is valid in it; a leg that is [`State::Over`] is
//! removed before the next input, with its alarms and every name it was found by.
//!
//! Not here: [`super::caller`] (Unanswered), [`super::placing`] and [`super::ringing`] (before the
//! agent answers), [`super::confirmed`] and [`super::change`] (afterwards), [`super::ending`].

use crate::acd::command::RingFailure;
use crate::acd::effect::Cause;
use crate::b2bua::board::Asked;
use crate::b2bua::board::Board;
use crate::b2bua::board::Sent;
use crate::b2bua::board::alarm::Alarm;
use crate::b2bua::caller::Unanswered;
use crate::b2bua::confirmed::Confirmed;
use crate::b2bua::ending::Ending;
use crate::b2bua::placing::Placing;
use crate::b2bua::ringing::Ringing;
use crate::b2bua::sound::Sound;
use crate::base::id::LegId;
use crate::base::id::TrunkId;
use crate::sip::dialog::id::DialogId;
use crate::sip::message::Message;
use crate::sip::transaction::key::ServerKey;

/// Where Max-Forwards begins (RFC 3261 §8.1.1.6), and the most that is taken from a caller.
pub(super) const HOPS_MAX: u8 = 70;

/// One leg of this shard.
pub(super) struct Leg {
    /// Its name; also the name of its media stream.
    pub(super) id: LegId,
    /// The trunk whose password let its caller in: nobody else's counts within the dialog. None of
    /// an agent's leg, and of a caller's whose address was enough.
    pub(super) let_in_by: Option<TrunkId>,
    /// Its media.
    pub(super) sound: Sound,
    /// How many more hops an INVITE for this call may take (Max-Forwards): a call that goes in a
    /// circle between a PBX and here must come to its end.
    pub(super) hops: u8,
    /// Whether it was told of as half open ([`Output::HalfOpen`](super::Output::HalfOpen)).
    pub(super) half_open: bool,
    /// Where it is in its life.
    pub(super) state: State,
}

/// Where a leg is in its life.
pub(super) enum State {
    /// A caller who has not got a final answer.
    Unanswered(Box<Unanswered>),
    /// An agent's phone whose address is being looked up.
    Placing(Box<Placing>),
    /// An agent's phone that was sent an INVITE.
    Ringing(Box<Ringing>),
    /// Either, after a 2xx.
    Confirmed(Box<Confirmed>),
    /// Either, after our BYE.
    Ending(Box<Ending>),
    /// Nothing is left to be done.
    Over,
}

impl Leg {
    /// Tells whether nothing is left to be done.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Tells whether a dialog that has our tag is this leg's by the other tag, too: the phones of a
    /// fork share all but theirs. Before the answer each of them may speak.
    pub(super) fn is_named(&self, id: &DialogId) -> bool {
        match &self.state {
            State::Unanswered(caller) => caller.dialog.id == *id,
            State::Confirmed(confirmed) => confirmed.dialog.id == *id,
            State::Ending(ending) => ending.dialog.id == *id,
            State::Placing(_) | State::Ringing(_) | State::Over => true,
        }
    }

    /// Tells whether a caller's INVITE has no final answer yet, or that no ACK.
    pub(super) fn is_half_open(&self) -> bool {
        match &self.state {
            State::Unanswered(_) => true,
            State::Confirmed(confirmed) => self.half_open && confirmed.unacknowledged.is_some(),
            State::Placing(_) | State::Ringing(_) | State::Ending(_) | State::Over => false,
        }
    }

    /// Takes a request within the leg's dialog.
    pub(super) fn handle_request(&mut self, board: &mut Board, key: &ServerKey, asks: &Message) {
        match &self.state {
            State::Unanswered(_) => self.on_early_request(board, key, asks),
            State::Ringing(_) => self.on_phone_request(board, key, asks),
            State::Confirmed(_) => self.on_request(board, key, asks),
            State::Placing(_) | State::Ending(_) | State::Over => {
                self.on_late_request(board, key, asks);
            }
        }
    }

    /// Takes a response to a request of this leg's.
    pub(super) fn handle_response(&mut self, board: &mut Board, sent: Sent, response: &Message) {
        match sent.asked {
            Asked::Ring => self.on_ring_answered(board, &sent, response),
            Asked::Refresh => self.on_refreshed(board, sent, response),
            Asked::Transfer => self.on_transfer_answered(board, sent, response),
            Asked::Bye => self.on_bye_answered(board, sent, response),
            Asked::Info => self.on_info_answered(board, sent, response),
            // A PRACK the phone does not want is sent again with the next 1xx or 2xx of its own.
            Asked::Prack | Asked::ByeFork => {}
        }
    }

    /// A request of this leg's got no final response, or could not be sent.
    pub(super) fn handle_loss(&mut self, board: &mut Board, sent: &Sent) {
        match sent.asked {
            Asked::Ring => self.on_ring_lost(board, sent),
            Asked::Refresh => self.on_refresh_lost(board),
            Asked::Transfer => self.on_transfer_lost(board),
            Asked::Bye => self.state = State::Over,
            Asked::Info | Asked::Prack | Asked::ByeFork => {}
        }
    }

    /// Something this leg set an alarm for is due.
    pub(super) fn handle_alarm(&mut self, board: &mut Board, alarm: Alarm) {
        match alarm {
            Alarm::RepeatProvisional => self.repeat_provisional(board),
            Alarm::ResendReliable => self.resend_reliable(board),
            Alarm::ResendAccepted => self.resend_accepted(board),
            Alarm::PhoneSilent => self.on_phone_silent(board),
            Alarm::GiveUpRinging => self.give_up_ringing(board, RingFailure::NoAnswer),
            Alarm::RefreshSession | Alarm::RetryRefresh => self.refresh(board),
            Alarm::SessionExpired => self.on_session_expired(board),
            Alarm::TransferSilent => self.on_transfer_silent(board),
            Alarm::InviteExpired => self.on_cancelled(board),
            Alarm::ResolveSilent => self.on_resolved(board, Vec::new()),
        }
    }

    /// Ends the leg in the way its state needs; the core has ordered it.
    pub(super) fn release(&mut self, board: &mut Board, cause: Cause) {
        match &self.state {
            State::Unanswered(_) => self.turn_away(board, cause),
            State::Placing(_) => self.state = State::Over,
            State::Ringing(_) => self.stop_ringing(board, cause),
            State::Confirmed(_) => self.hang_up(board, cause),
            State::Ending(_) | State::Over => {}
        }
    }
}
