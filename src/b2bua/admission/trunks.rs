//! Trunks: who may call in, which credentials count, and which way an agent's phone is reached.
//!
//! | a trunk has | and takes INVITEs |
//! |---|---|
//! | `allowedSources` | from these addresses |
//! | `inbound.auth` | from anywhere, with the password |
//! | both | from these addresses, with the password |
//! | neither | not at all |
//!
//! | an INVITE comes from | and then |
//! |---|---|
//! | an address some trunk takes it from without a password | it is trusted |
//! | one some trunk takes it from with a password | 401, digest; then that trunk's alone counts |
//! | elsewhere | 403 |
//!
//! Trusted is, beside the call, the identity it asserts; a password from anywhere is not enough
//! for that.
//!
//! | a device is | and is reached |
//! |---|---|
//! | behind a trunk with an outbound proxy | through that, by a Route |
//! | behind a trunk | at the trunk's peers, in order, the next when one fails |
//! | behind no trunk | at its own address |
//!
//! Always holds: a password is compared by the digest alone and printed nowhere.
//!
//! Not here: writing and checking digests (`sip::digest`), finding host names (`node`).

use std::net::IpAddr;

use crate::acd::config::Credentials;
use crate::acd::config::DeviceConfig;
use crate::acd::config::TrunkConfig;
use crate::base::id::TrunkId;
use crate::sip::flow::Transport;
use crate::sip::uri::HostPort;
use crate::sip::uri::Scheme;
use crate::sip::uri::Uri;

/// What becomes of an INVITE from some address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::b2bua) enum Admission {
    /// A trunk allows the address and asks nothing more.
    Trusted,
    /// A password is wanted.
    Challenge,
    /// Nobody takes calls from the address.
    Refused,
}

/// Judges the address an INVITE came from.
pub(in crate::b2bua) fn admit(trunks: &[TrunkConfig], source: IpAddr) -> Admission {
    let open = |trunk: &TrunkConfig| trunk.inbound_auth.is_none() && allows(trunk, source);
    if trunks.iter().any(open) {
        Admission::Trusted
    } else if trunks.iter().any(|trunk| login_from(trunk, source).is_some()) {
        Admission::Challenge
    } else {
        Admission::Refused
    }
}

/// How a caller was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::b2bua) struct Entry {
    /// The trunk whose password it gave, if it was asked for one.
    pub(in crate::b2bua) by: Option<TrunkId>,
    /// Whether the trunk allows its address, so that the identity it asserts counts.
    pub(in crate::b2bua) trusted: bool,
}

/// The password of callers from `source` who name themselves `username`, and as what it lets them
/// in; a trunk that names the address goes before one that takes any.
pub(in crate::b2bua) fn inbound<'a>(
    trunks: &'a [TrunkConfig],
    source: IpAddr,
    username: &str,
) -> Option<(&'a str, Entry)> {
    let named = trunks.iter().filter_map(|trunk| {
        let login = login_from(trunk, source).filter(|login| login.username == username)?;
        let entry = Entry { by: Some(trunk.id.clone()), trusted: allows(trunk, source) };
        Some((login.password.expose().as_str(), entry))
    });
    named.reduce(|found, next| if next.1.trusted && !found.1.trusted { next } else { found })
}

/// The trunk of that name, if a password of its own lets callers in from `source`.
pub(in crate::b2bua) fn asks_from<'a>(
    trunks: &'a [TrunkConfig],
    id: &TrunkId,
    source: IpAddr,
) -> Option<&'a TrunkConfig> {
    find(trunks, id).filter(|trunk| login_from(trunk, source).is_some())
}

/// The credentials a trunk wants from this address, if it takes calls from there with any.
fn login_from(trunk: &TrunkConfig, source: IpAddr) -> Option<&Credentials> {
    let login = trunk.inbound_auth.as_ref()?;
    (trunk.allowed_sources.is_empty() || allows(trunk, source)).then_some(login)
}

/// Tells whether some trunk names this address among those it takes calls from.
pub fn knows(trunks: &[TrunkConfig], address: IpAddr) -> bool {
    entrance(trunks, address).is_some()
}

/// The first trunk that names this address among those it takes calls from.
pub(in crate::b2bua) fn entrance(trunks: &[TrunkConfig], address: IpAddr) -> Option<&TrunkId> {
    trunks.iter().find(|trunk| allows(trunk, address)).map(|trunk| &trunk.id)
}

fn allows(trunk: &TrunkConfig, address: IpAddr) -> bool {
    trunk.allowed_sources.iter().any(|network| network.contains(address))
}

/// What we answer with when a peer asks who we are: the named trunk's credentials, or those of
/// the trunk the peer belongs to.
pub(in crate::b2bua) fn outbound<'a>(
    trunks: &'a [TrunkConfig],
    trunk: Option<&TrunkId>,
    peer: IpAddr,
) -> Option<&'a Credentials> {
    let found = match trunk {
        Some(id) => find(trunks, id),
        None => trunks.iter().find(|trunk| allows(trunk, peer)),
    };
    found?.outbound_auth.as_ref()
}

/// Where the trunk is that an address belongs to: the host of its first peer.
pub(in crate::b2bua) fn host_of(trunks: &[TrunkConfig], peer: IpAddr) -> Option<HostPort> {
    let trunk = trunks.iter().find(|trunk| allows(trunk, peer))?;
    first_peer(trunk).map(|peer| peer.host_port())
}

/// One way to a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::b2bua) struct Way {
    /// The Request-URI.
    pub(in crate::b2bua) target: Uri,
    /// A Route to send along: the outbound proxy.
    pub(in crate::b2bua) route: Option<Uri>,
    /// Where the request is sent.
    pub(in crate::b2bua) next: Hop,
}

/// Where a request is sent: a host, perhaps by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::b2bua) struct Hop {
    /// The host and the port, if one is given.
    pub(in crate::b2bua) host: HostPort,
    /// By what.
    pub(in crate::b2bua) transport: Transport,
}

/// Why a device cannot be rung at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::b2bua) enum NoWay {
    /// Its address is not a SIP URI.
    Address,
    /// Its trunk does not exist, or none of the trunk's peers is a SIP URI.
    Trunk,
}

/// The ways to a device, the preferred one first; at least one.
pub(in crate::b2bua) fn ways(
    trunks: &[TrunkConfig],
    device: &DeviceConfig,
) -> Result<Vec<Way>, NoWay> {
    let Some(id) = &device.trunk else {
        let target = sip_uri(&device.address).ok_or(NoWay::Address)?;
        let next = hop(&target);
        return Ok(vec![Way { target, route: None, next }]);
    };
    let trunk = find(trunks, id).ok_or(NoWay::Trunk)?;
    let proxy = trunk.outbound_proxy.as_deref().and_then(sip_uri);
    if let Some(proxy) = proxy {
        let next = hop(&proxy);
        let target = target_at(&device.address, first_peer(trunk).as_ref())?;
        let loose = Uri { params: proxy.params.clone().with("lr", None), ..proxy };
        return Ok(vec![Way { target, route: Some(loose), next }]);
    }
    let peers: Vec<_> = trunk.peers.iter().filter_map(|peer| sip_uri(peer)).collect();
    let way = |peer: &Uri| {
        let target = target_at(&device.address, Some(peer))?;
        Ok(Way { target, route: None, next: hop(peer) })
    };
    let ways = peers.iter().map(way).collect::<Result<Vec<_>, _>>()?;
    if ways.is_empty() { Err(NoWay::Trunk) } else { Ok(ways) }
}

/// Where a request for this URI is sent when no route says otherwise (RFC 3263 §4.1).
pub(in crate::b2bua) fn hop(uri: &Uri) -> Hop {
    let named = uri.params.value("transport").and_then(Transport::from_name);
    Hop { host: uri.host_port(), transport: named.unwrap_or(Transport::Udp) }
}

/// The device's own URI, or its number at a peer when the address is a bare number.
fn target_at(address: &str, peer: Option<&Uri>) -> Result<Uri, NoWay> {
    if let Some(uri) = sip_uri(address) {
        return Ok(uri);
    }
    let user = address.strip_prefix("tel:").unwrap_or(address);
    let peer = peer.filter(|_| !user.is_empty() && !user.contains([':', '@', ' ']));
    Ok(Uri::sip(Some(user), peer.ok_or(NoWay::Address)?.host_port()))
}

fn first_peer(trunk: &TrunkConfig) -> Option<Uri> {
    trunk.peers.iter().find_map(|peer| sip_uri(peer))
}

fn sip_uri(text: &str) -> Option<Uri> {
    text.parse::<Uri>().ok().filter(|uri| uri.scheme == Scheme::Sip)
}

fn find<'a>(trunks: &'a [TrunkConfig], id: &TrunkId) -> Option<&'a TrunkConfig> {
    trunks.iter().find(|trunk| trunk.id == *id)
}
