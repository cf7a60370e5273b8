//! Outsiders: from where a message counts within a call.
//!
//! Who overheard Call-ID and tags could otherwise end a call, or lead its audio elsewhere.
//!
//! | comes | counts from |
//! |---|---|
//! | a request within a dialog | the dialog's own addresses, those a trunk allows, its password |
//! | an ACK | the first two: it cannot be asked for a password (RFC 3261 §22.1) |
//! | a CANCEL | where its INVITE came from, and what a trunk allows (RFC 3261 §22.1) |
//! | a response | where its request went, and what a trunk allows |
//!
//! A dialog's own addresses are the one its INVITE came from or went to, and those its Contact and
//! its routes name. Others are answered 403. A caller whom a trunk's password let in is asked for
//! the password of that trunk, if it takes calls from there; who gives it has moved, and its new
//! address is the dialog's own from then on. Ports do not count: a NAT changes them.
//!
//! Always holds: nothing an outsider sends changes a leg; another trunk's password opens no call
//! that was not let in by it, and none opens an agent's leg.
//!
//! Not here: who may begin a call ([`crate::b2bua::ingress`]), CANCELs, responses and repeats of
//! messages (`sip::transaction`), RTP (`media::latch`).

use std::net::IpAddr;
use std::slice::from_ref;
use std::sync::Arc;

use crate::b2bua::Ua;
use crate::b2bua::admission::trunks;
use crate::b2bua::board::Board;
use crate::b2bua::counter::Rejected;
use crate::b2bua::leg::Leg;
use crate::b2bua::leg::State;
use crate::base::id::LegId;
use crate::sip::dialog::Dialog;
use crate::sip::flow::Flow;
use crate::sip::message::Message;
use crate::sip::transaction::key::ServerKey;
use crate::sip::uri::Uri;

impl Ua {
    /// Tells whether nothing is to be kept, or believed, of a message for now.
    pub(in crate::b2bua) fn is_stranger(&self, message: &Message, flow: Flow) -> bool {
        if trunks::knows(&self.board.trunks, flow.peer.ip()) {
            return false;
        }
        let leg = if message.is_request() { self.leg_of(message) } else { None };
        leg.is_none_or(|leg| self.is_outsider(leg, flow))
    }

    /// Tells whether a message is none of a leg's, by where it comes from.
    pub(in crate::b2bua) fn is_outsider(&self, leg: LegId, flow: Flow) -> bool {
        let from = flow.peer.ip();
        !trunks::knows(&self.board.trunks, from)
            && !self.legs.get(&leg).is_some_and(|leg| leg.has_party_at(from))
    }

    /// Judges an outsider's request within a dialog: `Ok` if the password that let the caller in
    /// makes it count. `Err` is the status of its refusal, none if it was challenged.
    pub(in crate::b2bua) fn admit_outsider(
        &mut self,
        leg: LegId,
        (key, request, flow): (&ServerKey, &Message, Flow),
    ) -> Result<(), Option<(u16, Rejected)>> {
        let source = flow.peer.ip();
        let trunks = Arc::clone(&self.board.trunks);
        let let_in_by = self.legs.get(&leg).and_then(|leg| leg.let_in_by.as_ref());
        let Some(own) = let_in_by.and_then(|id| trunks::asks_from(&trunks, id, source)) else {
            return Err(Some((403, Rejected::Outsider)));
        };
        if let Err(answer) = self.board.check_caller(request, (source, from_ref(own)), "") {
            self.challenge(key, &answer);
            return Err(None);
        }
        if !self.board.layer.keep(self.board.now, key) {
            return Err(Some((503, Rejected::TooMany)));
        }
        self.with_leg(leg, |leg, _: &mut Board| leg.move_to(flow));
        Ok(())
    }
}

impl Leg {
    /// Tells whether an address is one of the party's.
    fn has_party_at(&self, address: IpAddr) -> bool {
        match &self.state {
            State::Unanswered(caller) => is_of(&caller.dialog, address),
            State::Confirmed(confirmed) => is_of(&confirmed.dialog, address),
            State::Ending(ending) => is_of(&ending.dialog, address),
            State::Ringing(ringing) => {
                is_same(ringing.flow.peer.ip(), address)
                    || ringing.forks.newest().is_some_and(|dialog| is_of(dialog, address))
            }
            State::Placing(_) | State::Over => false,
        }
    }

    /// The party has shown that it is elsewhere now.
    fn move_to(&mut self, flow: Flow) {
        match &mut self.state {
            State::Unanswered(caller) => caller.dialog.flow = flow,
            State::Confirmed(confirmed) => confirmed.dialog.flow = flow,
            State::Ending(ending) => ending.dialog.flow = flow,
            State::Ringing(_) | State::Placing(_) | State::Over => {}
        }
    }
}

fn is_of(dialog: &Dialog, address: IpAddr) -> bool {
    let names = |uri: &Uri| uri.host_port().ip().is_some_and(|named| is_same(named, address));
    is_same(dialog.flow.peer.ip(), address)
        || names(&dialog.remote_target)
        || dialog.route_set.hops().iter().any(|hop| names(&hop.uri))
}

fn is_same(one: IpAddr, other: IpAddr) -> bool {
    one.to_canonical() == other.to_canonical()
}
