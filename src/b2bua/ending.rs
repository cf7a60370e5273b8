//! A leg that was sent our BYE and waits for the answer.
//!
//! | comes | then |
//! |---|---|
//! | 401, 407 | the BYE again, once, with credentials |
//! | any other final response, or none in time | the leg is over |
//! | their BYE, which crossed ours | 200 |
//! | any other request | 481 (RFC 3261 §15.1.1) |
//!
//! Always holds: the core was told, or has ordered, the end before the leg comes here.
//!
//! Not here: sending the BYE ([`super::confirmed`]).

use crate::b2bua::board::Board;
use crate::b2bua::board::Sent;
use crate::b2bua::confirmed::Made;
use crate::b2bua::leg::Leg;
use crate::b2bua::leg::State;
use crate::sip::dialog::Dialog;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::transaction::key::ServerKey;

/// A leg whose BYE is on its way.
pub(super) struct Ending {
    /// Its dialog.
    pub(super) dialog: Dialog,
    /// The INVITE of ours that made it, for phones that answer again.
    pub(super) made_by: Option<Made>,
}

impl Leg {
    /// Takes the final response to our BYE.
    pub(super) fn on_bye_answered(&mut self, board: &mut Board, sent: Sent, response: &Message) {
        let State::Ending(ending) = &mut self.state else { return };
        if !board.authorize(&mut ending.dialog, sent, response) {
            self.state = State::Over;
        }
    }

    /// Takes a request that met our BYE.
    pub(super) fn on_late_request(&mut self, board: &mut Board, key: &ServerKey, late: &Message) {
        let status = if late.method() == Method::Bye { 200 } else { 481 };
        board.refuse(key, late, status, "");
    }
}
