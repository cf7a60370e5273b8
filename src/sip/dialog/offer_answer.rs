//! Who owes whom an answer: RFC 3264 as it travels in INVITE, 2xx, ACK, 1xx, PRACK and UPDATE.
//!
//! | offer in | answer in | |
//! |---|---|---|
//! | INVITE | reliable 1xx or 2xx | usual |
//! | reliable 1xx | PRACK | late offer (RFC 3262 §5) |
//! | 2xx to INVITE | ACK | late offer (RFC 3261 §13.2.1) |
//! | PRACK, UPDATE | its 2xx | RFC 3262 §5, RFC 3311 §5 |
//!
//! A new request of theirs that meets an open exchange is refused: 491 if the open offer is ours,
//! 500 with `Retry-After` if it is theirs (RFC 3261 §14.2, RFC 3311 §5.2).
//!
//! Always holds: at most one offer is open. A description in a response after the exchange of its
//! INVITE is settled is a repeat and changes nothing (RFC 3261 §13.2.1).
//!
//! Not here: what is offered (`sdp`) and the pause after a 491 (`glare`).

use serde::Deserialize;
use serde::Serialize;

/// Whose offer waits for an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Offer {
    /// Nobody's.
    #[default]
    None,
    /// Ours, made in this request or in a response to it.
    Ours(Carrier),
    /// Theirs, so that we owe the answer.
    Theirs(Carrier),
}

/// The transaction an offer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Carrier {
    /// An INVITE, its responses and its ACK.
    Invite,
    /// A PRACK and its response.
    Prack,
    /// An UPDATE and its response.
    Update,
}

/// The INVITE under way in this dialog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Invite {
    /// There is none.
    #[default]
    None,
    /// Ours, without a final response.
    Ours,
    /// Theirs, without a final response.
    Theirs,
    /// Theirs, answered 2xx, and its ACK has not come.
    Unconfirmed,
}

/// The stage of a response that may carry a description in earnest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A 1xx sent reliably. A plain 1xx is only a preview and is not reported here.
    Reliable,
    /// A 2xx.
    Success,
    /// A 300–699, a time-out or a transport failure.
    Failure,
}

/// Why a request of theirs is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collision {
    /// Our own change is under way: 491.
    Pending,
    /// Their own earlier change is under way: 500 with `Retry-After` of 0 to 10 seconds.
    RetryLater,
    /// The answer that had to be in it is missing: 400 (an ACK cannot be refused: BYE).
    NoAnswer,
}

/// The state of offer and answer in one dialog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferAnswer {
    offer: Offer,
    invite: Invite,
    settled: bool,
    ever_settled: bool,
    our_update: bool,
    their_update: bool,
}

impl OfferAnswer {
    /// Whose offer is open.
    pub fn offer(&self) -> Offer {
        self.offer
    }

    /// Which INVITE is under way.
    pub fn invite(&self) -> Invite {
        self.invite
    }

    /// Tells whether a request of ours may go out now. `described`: it carries a description.
    pub fn may_send(&self, carrier: Carrier, described: bool) -> bool {
        match carrier {
            Carrier::Invite => self.invite == Invite::None && self.offer == Offer::None,
            // RFC 3262 §5: the answer to an offer in a reliable 1xx has to be in its PRACK.
            Carrier::Prack if self.settles_in_prack() => described,
            Carrier::Prack => !described || self.is_free(),
            Carrier::Update => {
                !self.our_update && (!described || self.ever_settled && self.is_free())
            }
        }
    }

    /// Notes a request of ours.
    pub fn on_sent(&mut self, carrier: Carrier, described: bool) {
        match carrier {
            Carrier::Invite => {
                self.invite = Invite::Ours;
                self.settled = false;
            }
            Carrier::Update => self.our_update = true,
            Carrier::Prack => {}
        }
        if described && carrier == Carrier::Prack && self.settles_in_prack() {
            self.settle(Carrier::Invite);
        } else if described {
            self.offer = Offer::Ours(carrier);
        }
    }

    /// Notes our ACK of a 2xx.
    pub fn on_ack_sent(&mut self, described: bool) {
        if described && self.offer == Offer::Theirs(Carrier::Invite) {
            self.settle(Carrier::Invite);
        }
    }

    /// Judges a request of theirs, and notes it if it may go on.
    pub fn on_request(&mut self, carrier: Carrier, described: bool) -> Result<(), Collision> {
        match carrier {
            Carrier::Invite => self.on_invite(described),
            Carrier::Prack => self.on_prack(described),
            Carrier::Update => self.on_update(described),
        }
    }

    fn on_invite(&mut self, described: bool) -> Result<(), Collision> {
        match self.invite {
            Invite::Ours => return Err(Collision::Pending),
            Invite::Theirs => return Err(Collision::RetryLater),
            Invite::None | Invite::Unconfirmed => self.refuse_while_open()?,
        }
        self.invite = Invite::Theirs;
        self.settled = false;
        if described {
            self.offer = Offer::Theirs(Carrier::Invite);
        }
        Ok(())
    }

    fn on_prack(&mut self, described: bool) -> Result<(), Collision> {
        match (self.offer, described) {
            (Offer::Ours(Carrier::Invite), true) if self.invite == Invite::Theirs => {
                self.settle(Carrier::Invite);
            }
            (Offer::Ours(Carrier::Invite), false) if self.invite == Invite::Theirs => {
                return Err(Collision::NoAnswer);
            }
            (Offer::None, true) => self.offer = Offer::Theirs(Carrier::Prack),
            (Offer::Ours(_), true) => return Err(Collision::Pending),
            (Offer::Theirs(_), true) => return Err(Collision::RetryLater),
            (Offer::None | Offer::Ours(_) | Offer::Theirs(_), false) => {}
        }
        Ok(())
    }

    fn on_update(&mut self, described: bool) -> Result<(), Collision> {
        if self.their_update {
            return Err(Collision::RetryLater);
        }
        if described {
            self.refuse_while_open()?;
            self.offer = Offer::Theirs(Carrier::Update);
        }
        self.their_update = true;
        Ok(())
    }

    /// Takes the ACK of a 2xx of ours. `Err`: it lacks the answer, and the call must end.
    ///
    /// An ACK that comes again, while something else is open already, means nothing.
    pub fn on_ack(&mut self, described: bool) -> Result<(), Collision> {
        if self.invite != Invite::Unconfirmed {
            return Ok(());
        }
        self.invite = Invite::None;
        if self.offer != Offer::Ours(Carrier::Invite) {
            return Ok(());
        }
        self.settle(Carrier::Invite);
        if described { Ok(()) } else { Err(Collision::NoAnswer) }
    }

    /// Notes a response of ours.
    pub fn on_answered(&mut self, carrier: Carrier, stage: Stage, described: bool) {
        let owed = Offer::Theirs(carrier);
        let late = Offer::Ours(carrier);
        self.on_stage(carrier, stage, described, (owed, late));
        match (carrier, stage) {
            (Carrier::Invite, Stage::Success) => self.invite = Invite::Unconfirmed,
            (Carrier::Invite, Stage::Failure) => self.invite = Invite::None,
            (Carrier::Update, _) => self.their_update = false,
            (Carrier::Invite, Stage::Reliable) | (Carrier::Prack, _) => {}
        }
    }

    /// Takes a response of theirs. `Err`: it ends the exchange without the answer it had to hold.
    pub fn on_response(
        &mut self,
        carrier: Carrier,
        stage: Stage,
        described: bool,
    ) -> Result<(), Collision> {
        let owed = Offer::Ours(carrier);
        let late = Offer::Theirs(carrier);
        let lacking = stage == Stage::Success && self.offer == owed && !described;
        self.on_stage(carrier, stage, described, (owed, late));
        match (carrier, stage) {
            (Carrier::Invite, Stage::Success | Stage::Failure) => self.invite = Invite::None,
            (Carrier::Update, _) => self.our_update = false,
            (Carrier::Invite, Stage::Reliable) | (Carrier::Prack, _) => {}
        }
        if lacking { Err(Collision::NoAnswer) } else { Ok(()) }
    }

    /// What a response does to the open offer: `owed` is the offer it may answer, `late` the one
    /// it makes itself when its INVITE came without.
    fn on_stage(
        &mut self,
        carrier: Carrier,
        stage: Stage,
        described: bool,
        (owed, late): (Offer, Offer),
    ) {
        match stage {
            Stage::Failure if self.offer == owed || self.offer == late => self.offer = Offer::None,
            Stage::Failure => {}
            Stage::Reliable | Stage::Success => {
                // With its 2xx a transaction is over, even if that forgot the answer.
                if self.offer == owed && (described || stage == Stage::Success) {
                    self.settle(carrier);
                } else if described && self.makes_late_offer(carrier) {
                    self.offer = late;
                }
            }
        }
    }

    fn makes_late_offer(&self, carrier: Carrier) -> bool {
        carrier == Carrier::Invite && self.offer == Offer::None && !self.settled
    }

    fn settles_in_prack(&self) -> bool {
        self.offer == Offer::Theirs(Carrier::Invite) && self.invite == Invite::Ours
    }

    fn refuse_while_open(&self) -> Result<(), Collision> {
        match self.offer {
            Offer::None => Ok(()),
            Offer::Ours(_) => Err(Collision::Pending),
            Offer::Theirs(_) => Err(Collision::RetryLater),
        }
    }

    /// Tells whether nothing is open, nor about to be: an INVITE without an offer asks for one.
    fn is_free(&self) -> bool {
        let asks = matches!(self.invite, Invite::Ours | Invite::Theirs) && !self.settled;
        self.offer == Offer::None && !asks
    }

    fn settle(&mut self, carrier: Carrier) {
        self.offer = Offer::None;
        self.ever_settled = true;
        if carrier == Carrier::Invite {
            self.settled = true;
        }
    }
}
