//! What a dialog answers when it is shown a request of theirs, or a response of theirs.
//!
//! Not here: coming to the verdict ([`crate::sip::dialog::Dialog`]).

use crate::sip::dialog::offer_answer::Collision;
use crate::sip::header::HeaderError;

/// Why a request within a dialog is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reject {
    /// The dialog is over: 481.
    NoDialog,
    /// Its CSeq is lower than one seen before: 500 (RFC 3261 §12.2.2).
    Stale,
    /// It meets an open offer or INVITE.
    Collision(Collision),
    /// A header it must have cannot be read: 400.
    Malformed(HeaderError),
}

impl Reject {
    /// The status that says so.
    pub fn status(self) -> u16 {
        match self {
            Self::NoDialog => 481,
            Self::Stale | Self::Collision(Collision::RetryLater) => 500,
            Self::Collision(Collision::Pending) => 491,
            Self::Collision(Collision::NoAnswer) | Self::Malformed(_) => 400,
        }
    }

    /// Whether `Retry-After` goes with it: 0 to 10 seconds, drawn at random (RFC 3261 §14.2).
    pub fn wants_retry_after(self) -> bool {
        self == Self::Collision(Collision::RetryLater)
    }
}

/// What a response to a request of ours means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A provisional response; nothing is owed for it.
    Progress,
    /// A reliable provisional response: use it and send `Dialog::prack`.
    WantsPrack {
        /// Its RSeq.
        rseq: u32,
    },
    /// A repeated or misplaced reliable response: do nothing with it.
    Ignore,
    /// A 2xx to INVITE: send `Dialog::ack`, now and for each repeat.
    WantsAck {
        /// It should have held the answer to our offer and does not; BYE after the ACK.
        lacks_answer: bool,
    },
    /// A 2xx to another request.
    Success,
    /// The request failed; the dialog goes on as it was.
    Failure,
    /// The request failed, and the dialog is over.
    Ended,
}
