//! Offer and answer (RFC 3264): what both sides can do, written down as [`Agreed`].
//!
//! | the peer's stream | what we make of it |
//! |---|---|
//! | audio over RTP/AVP or RTP/AVPF with PCMU or PCMA | taken, the first such one |
//! | any other (video, fax, SAVP, DTLS, a second audio) | declined in its place, port 0 |
//! | `sendonly`, `inactive`, `c=0.0.0.0` | hold: we answer `recvonly` or `inactive` |
//! | `telephone-event` at a number from 96 to 127 | taken as numbered |
//!
//! The first codec in the peer's order that we were allowed wins, and the answer names it alone, so
//! that nobody changes codecs in the middle of a call.
//!
//! Always holds: the answer contains no format, profile or `m=` line the offer lacked; [`Agreed`]
//! is plain data, so that any node can carry on a stream another one agreed.
//!
//! Not here: reading ([`super::session`]) and the text itself ([`super::write`]).

use std::net::IpAddr;
use std::net::SocketAddr;
use std::ops::RangeInclusive;

use serde::Deserialize;
use serde::Serialize;

use crate::sdp::session::Direction;
use crate::sdp::session::Format;
use crate::sdp::session::Media;
use crate::sdp::session::Session;
use crate::sdp::session::is_nowhere;
use crate::sdp::write;

/// The payload type we offer for telephone events; the one most phones use themselves.
pub const DTMF_PAYLOAD: u8 = 101;
/// The packet length we send unless the peer asks for another.
pub const PTIME_MS: u8 = 20;
/// The packet lengths we can send.
const PTIMES_MS: [u8; 4] = [10, 20, 30, 40];
/// The payload types that a session gives their meaning; below, some have one (RFC 3551 6).
const DYNAMIC: RangeInclusive<u8> = 96..=127;

/// A codec we speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Codec {
    /// G.711 µ-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
}

impl Codec {
    /// The static payload type (RFC 3551 6).
    pub fn payload(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
        }
    }

    /// The encoding's name in `a=rtpmap`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }

    fn of(format: &Format) -> Option<Self> {
        [Self::Pcmu, Self::Pcma]
            .into_iter()
            .find(|codec| format.rate == 8000 && format.name == codec.as_str())
    }
}

/// The codecs a leg may use, the preferred one first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CodecList(Vec<Codec>);

impl CodecList {
    /// Both, `first` preferred: what the other leg speaks already needs no transcoding.
    pub fn preferring(first: Codec) -> Self {
        let second = match first {
            Codec::Pcmu => Codec::Pcma,
            Codec::Pcma => Codec::Pcmu,
        };
        Self(vec![first, second])
    }

    /// One codec and no other.
    pub fn only(codec: Codec) -> Self {
        Self(vec![codec])
    }

    /// The codecs in order.
    pub fn iter(&self) -> impl Iterator<Item = Codec> + '_ {
        self.0.iter().copied()
    }

    /// Tells whether the codec is allowed.
    pub fn has(&self, codec: Codec) -> bool {
        self.0.contains(&codec)
    }
}

impl Default for CodecList {
    fn default() -> Self {
        Self::preferring(Codec::Pcmu)
    }
}

/// Our side of a negotiation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Local {
    /// Where we receive, as the peer can reach it.
    pub address: IpAddr,
    /// The RTP port there.
    pub port: u16,
    /// The `o=` identifier: the same for as long as the dialog lives, on any node.
    pub id: u64,
    /// The `o=` version: one more for each description that differs from the one before.
    pub version: u64,
    /// What we want: `SendOnly` to hold the peer, `SendRecv` to talk.
    pub direction: Direction,
    /// What we may speak.
    pub codecs: CodecList,
    /// The packet length our first offer asks for; later ones keep what was agreed, so it is not
    /// part of any record.
    #[serde(skip, default = "usual_ptime")]
    pub ptime_ms: u8,
}

fn usual_ptime() -> u8 {
    PTIME_MS
}

/// What both sides settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    /// Where the peer says it receives.
    pub remote: SocketAddr,
    /// The codec of both ways.
    pub codec: Codec,
    /// Its payload type.
    pub payload: u8,
    /// The payload type of telephone events we send; none if the peer takes none.
    pub dtmf: Option<u8>,
    /// The payload type of telephone events the peer sends; differs from `dtmf` when the peer
    /// answered our offer with a number of its own.
    pub dtmf_received: Option<u8>,
    /// Which way audio flows, seen from us.
    pub direction: Direction,
    /// The length of the packets we send.
    pub ptime_ms: u8,
    /// Where the peer wants RTCP.
    pub rtcp: Option<SocketAddr>,
    /// Whether RTCP shares the RTP port.
    pub rtcp_mux: bool,
    /// Which `m=` line is ours, from 0; later offers keep it in its place.
    pub slot: u8,
    /// How many `m=` lines there are; later offers have no fewer (RFC 3264 8).
    pub slots: u8,
}

/// Why there can be no audio with this peer. The SIP status is `b2bua`'s choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not SDP, or beyond all limits.
    #[error("the session description cannot be read")]
    NotReadable,
    /// No audio stream, or it was declined.
    #[error("there is no audio stream")]
    NoAudio,
    /// Audio in a profile we do not speak: SRTP or DTLS only.
    #[error("audio is offered in a secured or unknown profile only")]
    NoProfile,
    /// Audio, but neither PCMU nor PCMA as allowed.
    #[error("no common codec: PCMU or PCMA is needed")]
    NoCodec,
    /// The address is missing, a host name, or multicast.
    #[error("the session description names no usable address")]
    NoAddress,
    /// The address is of the other IP version than ours, so no packet would find its way.
    #[error("audio here is not of the IP version that the session description names")]
    OtherFamily,
}

/// Writes our first offer: one audio stream, all codecs allowed, telephone events.
pub fn offer(local: &Local) -> Vec<u8> {
    write::offer(local, None)
}

/// Writes an offer inside a session: `m=` lines stay in their places, numbers keep their meaning
/// (RFC 3264 8.3.2), the codec in use comes first.
pub fn offer_again(local: &Local, agreed: &Agreed) -> Vec<u8> {
    write::offer(local, Some(agreed))
}

/// Answers the peer's offer.
///
/// Saying the same `local` to the same offer gives the same bytes, as an unchanged re-INVITE needs.
pub fn answer(theirs: &Session, local: &Local) -> Result<(Vec<u8>, Agreed), Refusal> {
    let (slot, media, format, codec) = choose(theirs, &local.codecs)?;
    let agreed = settle(theirs, slot, media, (format.payload, codec), local)?;
    Ok((write::answer(theirs, local, &agreed), agreed))
}

/// Takes the peer's answer to our offer.
pub fn accept(theirs: &Session, local: &Local) -> Result<Agreed, Refusal> {
    let (slot, media, format, codec) = choose(theirs, &local.codecs)?;
    let mut agreed = settle(theirs, slot, media, (format.payload, codec), local)?;
    // We told them our number; they send with it, whatever number theirs is (RFC 3264 6.1).
    agreed.dtmf_received = agreed.dtmf.map(|_| DTMF_PAYLOAD);
    Ok(agreed)
}

/// Takes the peer's answer to an offer made with [`offer_again`].
pub fn accept_again(theirs: &Session, local: &Local, before: &Agreed) -> Result<Agreed, Refusal> {
    let mut agreed = accept(theirs, local)?;
    let ours = before.dtmf_received.or(before.dtmf).unwrap_or(DTMF_PAYLOAD);
    agreed.dtmf_received = agreed.dtmf.map(|_| ours);
    Ok(agreed)
}

/// Whether we speak the profile. AVPF differs in when RTCP may be sent, which we hardly do.
fn is_plain_rtp(media: &Media) -> bool {
    ["RTP/AVP", "RTP/AVPF"].iter().any(|plain| media.proto.eq_ignore_ascii_case(plain))
}

type Choice<'a> = (usize, &'a Media, &'a Format, Codec);

/// The first audio stream we can take, with its first codec we may use.
fn choose<'a>(theirs: &'a Session, codecs: &CodecList) -> Result<Choice<'a>, Refusal> {
    let mut refusal = Refusal::NoAudio;
    for (slot, media) in theirs.media.iter().enumerate() {
        if media.kind != "audio" || media.port == 0 {
            continue;
        }
        if !is_plain_rtp(media) {
            refusal = Refusal::NoProfile;
            continue;
        }
        let found = media.formats.iter().find_map(|format| {
            Codec::of(format).filter(|codec| codecs.has(*codec)).map(|codec| (format, codec))
        });
        match found {
            Some((format, codec)) => return Ok((slot, media, format, codec)),
            None => refusal = Refusal::NoCodec,
        }
    }
    Err(refusal)
}

fn settle(
    theirs: &Session,
    slot: usize,
    media: &Media,
    (payload, codec): (u8, Codec),
    local: &Local,
) -> Result<Agreed, Refusal> {
    let address = media.address.ok_or(Refusal::NoAddress)?;
    if address.is_multicast() {
        return Err(Refusal::NoAddress);
    }
    if address.is_ipv6() != local.address.is_ipv6() && !is_nowhere(address) {
        return Err(Refusal::OtherFamily);
    }
    let remote = SocketAddr::new(address, media.port);
    // RFC 3264 8.4: an address of nowhere means “do not send to me”.
    let reachable = Direction::of(true, !is_nowhere(address));
    let direction = media.direction.meet(reachable).reversed().meet(local.direction);
    let dtmf = telephone_event(media);
    Ok(Agreed {
        remote,
        codec,
        payload,
        dtmf,
        dtmf_received: dtmf,
        direction,
        ptime_ms: ptime_of(media),
        rtcp: rtcp_of(media, remote),
        rtcp_mux: media.rtcp_mux,
        slot: slot as u8,
        slots: theirs.media.len() as u8,
    })
}

/// The payload type of telephone events with our clock.
fn telephone_event(media: &Media) -> Option<u8> {
    let event = |format: &&Format| {
        let is_dynamic = DYNAMIC.contains(&format.payload);
        is_dynamic && format.name == "TELEPHONE-EVENT" && format.rate == 8000
    };
    media.formats.iter().find(event).map(|format| format.payload)
}

/// The packet length they ask for, if it is one of ours and within their longest.
fn ptime_of(media: &Media) -> u8 {
    let longest = media.ptime_ms_max.unwrap_or(u32::MAX);
    let asked = media.ptime_ms.unwrap_or_else(|| u32::from(PTIME_MS));
    let known = PTIMES_MS.into_iter().find(|ptime| u32::from(*ptime) == asked);
    let wanted = known.unwrap_or(PTIME_MS);
    let fits = |ptime: &u8| u32::from(*ptime) <= longest;
    if fits(&wanted) { wanted } else { PTIMES_MS.into_iter().rfind(fits).unwrap_or(PTIMES_MS[0]) }
}

fn rtcp_of(media: &Media, remote: SocketAddr) -> Option<SocketAddr> {
    if is_nowhere(remote.ip()) {
        return None;
    }
    if media.rtcp_mux {
        return Some(remote);
    }
    let next = || remote.port().checked_add(1).map(|port| SocketAddr::new(remote.ip(), port));
    media.rtcp.or_else(next)
}
