//! Who this node is to the world: where others reach it for SIP and send audio to, and the secret
//! by which it knows what it said.
//!
//! Always holds: what is written in `Settings` goes before what is found; nothing is sent to find
//! out.
//!
//! Not here: the node's name in its cluster (`cluster::identity`), its sockets
//! ([`super::running`]).

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::SocketAddr;

use crate::b2bua::Identity;
use crate::b2bua::Listener;
use crate::base::id::Owner;
use crate::cluster::handle::Handle;
use crate::node::shard::SHARDS;
use crate::resource::ListenTransport;
use crate::resource::NodeSettings;
use crate::sip::flow::Transport;
use crate::sip::uri::HostPort;

/// Who this node is, as its shards tell others.
pub fn identity(settings: &NodeSettings, owner: Owner, handle: &Handle) -> Identity {
    let listeners: Vec<Listener> = settings
        .sip_listen
        .iter()
        .map(|listen| Listener {
            transport: match listen.transport {
                ListenTransport::Udp => Transport::Udp,
                ListenTransport::Tcp => Transport::Tcp,
            },
            local: listen.address,
            advertised: advertised(settings, listen.address),
        })
        .collect();
    let media_address = media_address(settings);
    if settings.sip_advertise.is_none() {
        tell_found(&listeners, media_address);
    }
    Identity {
        owner,
        listeners,
        rtp: Vec::new(),
        media_address,
        shard: 0,
        shards: SHARDS,
        cluster_key: key_of(handle),
    }
}

/// Says what nobody wrote, and others are told all the same.
fn tell_found(listeners: &[Listener], rtp: IpAddr) {
    let sip: BTreeSet<String> =
        listeners.iter().map(|listener| listener.advertised.to_string()).collect();
    let sip = sip.into_iter().collect::<Vec<_>>().join(",");
    tracing::info!(sip, %rtp, "sip.advertise is left out; others are told what was found");
}

/// The host and port others reach a listener by.
fn advertised(settings: &NodeSettings, listened: SocketAddr) -> HostPort {
    let written = settings.sip_advertise.as_ref().and_then(|text| text.parse::<HostPort>().ok());
    match written {
        Some(HostPort { host, port }) => {
            HostPort { host, port: port.or_else(|| Some(listened.port())) }
        }
        None => HostPort::from(SocketAddr::new(own_address(listened.ip()), listened.port())),
    }
}

/// The address phones send audio to.
fn media_address(settings: &NodeSettings) -> IpAddr {
    let advertised = settings.sip_advertise.as_ref();
    let spoken = advertised.and_then(|text| text.parse::<HostPort>().ok()?.ip());
    let listened = settings.sip_listen.first().map(|listen| listen.address.ip());
    settings.rtp_advertise.or(spoken).unwrap_or_else(|| own_address(listened.unwrap_or(ANY)))
}

/// Every interface.
const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// A listener on every interface is reached by the one that leads outside.
fn own_address(listened: IpAddr) -> IpAddr {
    if !listened.is_unspecified() {
        return listened;
    }
    // Nothing is sent: a connected datagram socket only chooses its interface. RFC 5737 §3.
    let chosen = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        socket.local_addr()
    });
    chosen.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip())
}

/// The secret all nodes of a cluster share, made of the name only they know.
fn key_of(handle: &Handle) -> [u8; 32] {
    use sha2::Digest;
    let cluster = handle.identity().cluster.0.to_be_bytes();
    sha2::Sha256::new().chain_update(b"carillon to-tags").chain_update(cluster).finalize().into()
}
