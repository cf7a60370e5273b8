//! Reliable provisional responses, both sides: RFC 3262.
//!
//! | side | type | does |
//! |---|---|---|
//! | server | [`Sender`] | numbers a reliable 1xx, repeats it until its PRACK, holds others back |
//! | client | [`Receiver`] | tells a new 1xx from a repeated or misplaced one |
//!
//! While a reliable 1xx is unacknowledged no further reliable one may be sent, and if it carried a
//! session description no 2xx either (RFC 3262 §3). A plain 1xx or a failure may always be sent.
//!
//! Always holds: at most one reliable response is outstanding; RSeq grows by one each time.
//!
//! Not here: building the PRACK ([`Dialog::prack`]) and the messages themselves.
//!
//! [`Dialog::prack`]: crate::sip::dialog::Dialog::prack

use serde::Deserialize;
use serde::Serialize;

use crate::base::time::LocalTime;
use crate::sip::dialog::accepted::Nudge;
use crate::sip::dialog::accepted::Repeating;
use crate::sip::transaction::timer::Timers;

/// The server's side of one INVITE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    invite_cseq: u32,
    rseq: u32,
    outstanding: Option<Outstanding>,
    finished: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Outstanding {
    has_description: bool,
    /// `None` once a final response was sent: not repeated, yet its PRACK is still welcome.
    repeating: Option<Repeating>,
}

/// Why a response may not be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// An earlier reliable response waits for its PRACK; send this one when it has come.
    UntilPrack,
    /// The final response was sent; nothing reliable may follow it.
    Finished,
}

/// A PRACK for nothing that is outstanding; answered 481 (RFC 3262 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownPrack;

impl Sender {
    /// Begins for the INVITE with this CSeq. `random` chooses where RSeq starts, 1 to 2³¹−1.
    pub fn new(invite_cseq: u32, random: u64) -> Self {
        let first = (random % 0x7fff_ffff) as u32;
        Self { invite_cseq, rseq: first, outstanding: None, finished: false }
    }

    /// Takes the number for a reliable response that is sent now.
    pub fn send(
        &mut self,
        now: LocalTime,
        timers: &Timers,
        has_description: bool,
    ) -> Result<u32, Held> {
        if self.finished {
            return Err(Held::Finished);
        }
        if self.outstanding.is_some() {
            return Err(Held::UntilPrack);
        }
        self.rseq = self.rseq.checked_add(1).unwrap_or(1);
        let repeating = Some(Repeating::reliable(now, timers));
        self.outstanding = Some(Outstanding { has_description, repeating });
        Ok(self.rseq)
    }

    /// Tells whether a 2xx may be sent now; a failure always may.
    pub fn may_accept(&self) -> Result<(), Held> {
        match &self.outstanding {
            Some(waiting) if waiting.has_description => Err(Held::UntilPrack),
            Some(_) | None => Ok(()),
        }
    }

    /// Notes that the final response was sent: nothing is repeated any more.
    pub fn finish(&mut self) {
        self.finished = true;
        if let Some(waiting) = &mut self.outstanding {
            waiting.repeating = None;
        }
    }

    /// Tells whether a PRACK is still to come.
    pub fn awaits_prack(&self) -> bool {
        self.outstanding.is_some()
    }

    /// Takes the numbers of a PRACK's RAck. `Ok` means: answer 200, the next response may go.
    pub fn on_prack(&mut self, rseq: u32, invite_cseq: u32) -> Result<(), UnknownPrack> {
        if self.outstanding.is_none() || rseq != self.rseq || invite_cseq != self.invite_cseq {
            return Err(UnknownPrack);
        }
        self.outstanding = None;
        Ok(())
    }

    /// When to call [`Self::on_deadline`].
    pub fn next_deadline(&self) -> Option<LocalTime> {
        self.outstanding.as_ref()?.repeating.as_ref().map(Repeating::next_deadline)
    }

    /// Says what is due. [`Nudge::GiveUp`] means: refuse the INVITE with a 5xx (RFC 3262 §3).
    pub fn on_deadline(&mut self, now: LocalTime) -> Nudge {
        let Some(waiting) = &mut self.outstanding else { return Nudge::Wait };
        waiting.repeating.as_mut().map_or(Nudge::Wait, |repeating| repeating.on_deadline(now))
    }
}

/// The client's side of one early dialog: the RSeq acknowledged last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receiver {
    last: Option<u32>,
}

/// What a reliable 1xx is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Next in order: use it, and send a PRACK.
    InOrder,
    /// Seen before: the PRACK is under way, nothing is to be done.
    Repeated,
    /// One before it is missing: drop it, it will come again (RFC 3262 §4).
    TooEarly,
}

impl Receiver {
    /// Judges the RSeq of a reliable response.
    pub fn on_response(&mut self, rseq: u32) -> Arrival {
        match self.last {
            None => {
                self.last = Some(rseq);
                Arrival::InOrder
            }
            Some(last) if rseq <= last => Arrival::Repeated,
            Some(last) if rseq == last + 1 => {
                self.last = Some(rseq);
                Arrival::InOrder
            }
            Some(_) => Arrival::TooEarly,
        }
    }
}
