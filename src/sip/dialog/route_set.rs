//! The hops every request of a dialog takes, and how they are written (RFC 3261 §12.2.1.1).
//!
//! | first hop | Request-URI | Route |
//! |---|---|---|
//! | none | remote target | — |
//! | loose (`lr`) | remote target | the whole set |
//! | strict | first hop | the rest, then the remote target |
//!
//! Always holds: the order is the one requests of ours take; it is fixed when the dialog is
//! confirmed, whatever Record-Route later requests carry (RFC 3261 §12.2).
//!
//! Not here: resolving the next hop to an address (`b2bua` asks, `node` resolves).

use serde::Deserialize;
use serde::Serialize;

use crate::sip::header::HeaderError;
use crate::sip::header::name_addr::NameAddr;
use crate::sip::message::Message;
use crate::sip::uri::Uri;

/// The hops, nearest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RouteSet {
    hops: Vec<NameAddr>,
}

/// How a request is addressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Itinerary {
    /// What stands in the first line.
    pub request_uri: Uri,
    /// What stands in Route, in order.
    pub routes: Vec<NameAddr>,
    /// Whom the request is sent to.
    pub next_hop: Uri,
}

impl RouteSet {
    /// No hops: straight to the remote target.
    pub const DIRECT: Self = Self { hops: Vec::new() };

    /// A set given from outside, such as an outbound proxy (RFC 3261 §8.1.2).
    pub fn of_hops(hops: Vec<NameAddr>) -> Self {
        Self { hops }
    }

    /// The set a server takes from the request: Record-Route as it stands (RFC 3261 §12.1.1).
    pub fn as_server(request: &Message) -> Result<Self, HeaderError> {
        request.record_routes().map(Self::of_hops)
    }

    /// The set a client takes from the response: Record-Route reversed (RFC 3261 §12.1.2). One that
    /// is unreadable counts as left out: a response cannot be refused, and its phone wants an ACK.
    pub fn as_client(response: &Message) -> Self {
        let mut hops = response.record_routes().unwrap_or_default();
        hops.reverse();
        Self { hops }
    }

    /// The hops, nearest first.
    pub fn hops(&self) -> &[NameAddr] {
        &self.hops
    }

    /// Addresses a request to `target` along these hops.
    pub fn towards(&self, target: &Uri) -> Itinerary {
        let Some((first, rest)) = self.hops.split_first() else {
            let (request_uri, next_hop) = (target.clone(), target.clone());
            return Itinerary { request_uri, routes: Vec::new(), next_hop };
        };
        if first.is_loose() {
            let (routes, next_hop) = (self.hops.clone(), first.uri.clone());
            return Itinerary { request_uri: target.clone(), routes, next_hop };
        }
        // A strict router takes its own address from the Request-URI, which has no headers.
        let next_hop = first.uri.clone().without_headers();
        let mut routes = rest.to_vec();
        routes.push(NameAddr::new(target.clone()));
        Itinerary { request_uri: next_hop.clone(), routes, next_hop }
    }
}
