//! Which flow a request within a dialog takes.
//!
//! | the dialog runs over | and the next hop is | the request goes |
//! |---|---|---|
//! | TCP | anything | on the connection it runs over |
//! | TCP, after a takeover | an address | on a new connection to it; its connection is gone |
//! | UDP | an address | there |
//! | UDP | a name | where the last message came from |
//! | UDP | an address its sender was not seen at (NAT) | where the last message came from |
//!
//! Always holds: there is always a flow, so nothing is looked up in the middle of a call.
//!
//! Not here: the first request to a phone ([`crate::b2bua::placing`]), the route set
//! (`sip::dialog`).

use std::net::IpAddr;
use std::net::SocketAddr;

use crate::b2bua::admission::trunks;
use crate::b2bua::board::Board;
use crate::sip::dialog::Dialog;
use crate::sip::flow::Flow;
use crate::sip::flow::Transport;

/// The port of SIP where none is written (RFC 3261 §19.1.2).
pub(in crate::b2bua) const PORT: u16 = 5060;

impl Board {
    /// Where the next request of this dialog goes.
    pub(in crate::b2bua) fn flow_of(&self, dialog: &Dialog) -> Flow {
        let hop = trunks::hop(&dialog.itinerary().next_hop);
        match dialog.flow.transport {
            Transport::Tcp => dialog.flow,
            Transport::Udp => {
                let named = hop.host.ip().filter(|ip| !is_hidden(*ip, dialog.flow.peer.ip()));
                let peer = named.map(|ip| SocketAddr::new(ip, hop.host.port.unwrap_or(PORT)));
                peer.and_then(|peer| self.flow_to(hop.transport, peer)).unwrap_or(dialog.flow)
            }
        }
    }

    /// Where requests of a dialog go whose sockets were another process's.
    pub(in crate::b2bua) fn new_flow_of(&self, dialog: &Dialog) -> Flow {
        let hop = trunks::hop(&dialog.itinerary().next_hop);
        let known = self.own(dialog.flow);
        match dialog.flow.transport {
            Transport::Udp => known,
            Transport::Tcp => {
                let host = hop.host.ip().unwrap_or_else(|| dialog.flow.peer.ip());
                let peer = SocketAddr::new(host, hop.host.port.unwrap_or(PORT));
                self.flow_to(hop.transport, peer).unwrap_or(known)
            }
        }
    }
}

/// Tells whether a party that names a private address was seen at a public one: its address
/// means nothing here.
fn is_hidden(named: IpAddr, seen: IpAddr) -> bool {
    is_private(named) && !is_private(seen)
}

fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let shared = ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64;
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || shared
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}
