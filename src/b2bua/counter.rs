//! What is counted of SIP: plain names that `observe` turns into metrics; and who was turned away,
//! for the log.
//!
//! Always holds: the set of counted values is small and closed, so a stranger's message cannot make
//! a new time series; of a caller who was turned away nothing is told but from where and which
//! Call-ID.
//!
//! Not here: the metrics' published names (`observe`), and what is counted of calls (`acd::fact`).

use std::net::IpAddr;

use crate::acd::command::Refusal;
use crate::acd::command::RingFailure;
use crate::base::id::TrunkId;
use crate::sip::method::Method;

/// One thing that happened once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counter {
    /// A request arrived that was not seen before.
    RequestReceived(Method),
    /// A request was sent for the first time.
    RequestSent(Method),
    /// A response to a request of ours arrived: its class, 1 to 6.
    ResponseReceived(Method, u16),
    /// A response was sent: its class, 1 to 6.
    ResponseSent(Method, u16),
    /// A request was turned away before it could become a call.
    Rejected(Rejected),
    /// A phone did not take a call.
    RingFailed(RingFailure),
    /// A 2xx of ours was never acknowledged.
    AckMissing,
    /// A session ended because nobody refreshed it.
    SessionExpired,
    /// A talking party that media heard nothing of any more.
    MediaLost,
    /// A second phone answered a forked INVITE and was hung up.
    ForkHungUp,
    /// A message was dropped that belongs to nothing.
    Stray,
}

/// A caller who got a final answer and no call, or an outsider who spoke in another's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnedAway {
    /// The answer.
    pub status: u16,
    /// Why.
    pub why: Why,
    /// Where the request came from.
    pub source: IpAddr,
    /// The trunk that names that address, if one does.
    pub trunk: Option<TrunkId>,
    /// The request's Call-ID, as it was sent.
    pub call_id: String,
}

/// Who turned a caller away, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// This node, before the core was asked, or because it could not be.
    Rejected(Rejected),
    /// The core.
    Refused(Refusal),
}

/// Why a request was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rejected {
    /// It comes from an address no trunk allows.
    Source,
    /// Its credentials are missing or wrong; it was challenged.
    Challenged,
    /// It cannot be read.
    Malformed,
    /// It arrived a second time on another way, or went in a circle.
    Merged,
    /// The method is not served.
    Method,
    /// It requires what is not supported.
    Extension,
    /// Its SDP has no audio we speak.
    Media,
    /// The node is being drained.
    Draining,
    /// The node holds as many legs as it may.
    TooMany,
    /// Its address sends more INVITEs than one may.
    TooOften,
    /// Its address has as many calls half open as one may.
    HalfOpen,
    /// The transactions keep as much as they may.
    Full,
    /// The log could not be reached.
    Unavailable,
    /// It names a dialog nobody here has.
    UnknownDialog,
    /// It names a dialog, but comes from an address that is none of the dialog's.
    Outsider,
}
