//! The way a response goes back, read from the request's top Via.
//!
//! | the request came by | and its Via has | responses go to |
//! |---|---|---|
//! | a stream | anything | the same stream; if it is gone, `received` and the sent-by port |
//! | datagrams | `rport` | the very address it came from (RFC 3581 §4) |
//! | datagrams | no `rport` | the address it came from, at the sent-by port |
//!
//! RFC 3261 §18.2.1 and §18.2.2. `maddr` is not followed: it would let anyone point our responses
//! at a third party.
//!
//! Not here: the header's grammar (`header::via`), and filling in `received` and `rport` (`edit`),
//! which lets another node answer after a takeover.

use std::net::SocketAddr;

use crate::sip::flow::Flow;
use crate::sip::header::via::Via;

/// The port of SIP where none is written (RFC 3261 §19.1.2).
const DEFAULT_PORT: u16 = 5060;

/// Where responses to a request go, and where if a stream is gone.
pub(super) fn reply(via: &Via, flow: Flow) -> (Flow, Option<Flow>) {
    let port = via.sent_by.port.unwrap_or(DEFAULT_PORT);
    let named = Flow { peer: SocketAddr::new(flow.peer.ip(), port), ..flow };
    match (flow.transport.is_reliable(), via.rport()) {
        (true, _) => (flow, Some(named)),
        (false, Some(_)) => (flow, None),
        (false, None) => (named, None),
    }
}
