//! What is counted of SIP: plain names that `observe` turns into metrics.
//!
//! Always holds: the set of values is small and closed, so a stranger's message cannot make a new
//! time series.
//!
//! Not here: the metrics' published names (`observe`), and what is counted of calls (`acd::fact`).

use crate::acd::command::RingFailure;
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
    /// The log could not be reached.
    Unavailable,
    /// It names a dialog nobody here has.
    UnknownDialog,
}
