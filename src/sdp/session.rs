//! A peer's session description, read leniently and reduced to what decides a negotiation.
//!
//! Phones write odd SDP: a NUL at the end, lines of unknown letters, an `o=` with a host name or a
//! version beyond 64 bits. `sdp-types` reads most of it; lines nobody here needs are taken out
//! first, so that a mistake in them cannot spoil the rest.
//!
//! Always holds: reading never panics and costs no more than the text is long; at most
//! [`MEDIA_MAX`] streams and [`FORMATS_MAX`] formats a stream are kept, more is refused.
//!
//! Not here: what we make of it ([`super::negotiate`]).

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::SocketAddr;

use serde::Deserialize;
use serde::Serialize;

use crate::sdp::negotiate::Refusal;

/// The longest description that is read; a SIP message over UDP is no longer either.
pub const TEXT_MAX: usize = 64 * 1024;
/// More streams than any phone offers (audio, video, slides, fax, text).
pub const MEDIA_MAX: usize = 16;
/// More formats than the 7 bits of a payload type can number.
pub const FORMATS_MAX: usize = 128;

/// Which way audio flows, seen from the one who says it (RFC 8866 6.7).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// Sends only: the other side is on hold.
    SendOnly,
    /// Receives only.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// Tells whether the one who says it sends.
    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Tells whether the one who says it receives.
    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same flow seen from the other end.
    pub fn reversed(self) -> Self {
        Self::of(self.receives(), self.sends())
    }

    /// What both allow, both seen from the same end.
    pub fn meet(self, other: Self) -> Self {
        Self::of(self.sends() && other.sends(), self.receives() && other.receives())
    }

    /// The direction of one who sends, receives, both or neither.
    pub fn of(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// The attribute's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    fn named(text: &str) -> Option<Self> {
        [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive]
            .into_iter()
            .find(|direction| text.eq_ignore_ascii_case(direction.as_str()))
    }
}

/// One format of a stream: a payload type and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// The RTP payload type.
    pub payload: u8,
    /// The encoding's name, upper case; empty for a number nobody explained.
    pub name: String,
    /// Samples per second.
    pub rate: u32,
}

/// One `m=` line with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video`, `image`, ….
    pub kind: String,
    /// Where it wants to receive; 0 when the stream is declined or switched off.
    pub port: u16,
    /// `RTP/AVP`, `RTP/SAVP`, `udptl`, ….
    pub proto: String,
    /// The format list as written, for a stream that is declined word by word.
    pub formats_text: String,
    /// The formats that are payload types, in the order of preference.
    pub formats: Vec<Format>,
    /// Its `c=` address, or the session's; none when it is missing or a host name.
    pub address: Option<IpAddr>,
    /// Its direction, or the session's.
    pub direction: Direction,
    /// The packet length it asks for, in milliseconds.
    pub ptime_ms: Option<u32>,
    /// The longest packet it takes, in milliseconds.
    pub ptime_ms_max: Option<u32>,
    /// Where it wants RTCP, if not at the next port (RFC 3605).
    pub rtcp: Option<SocketAddr>,
    /// Whether RTCP shares the port of RTP (RFC 5761).
    pub rtcp_mux: bool,
}

/// A whole description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The `o=` identifier, as text: some exceed 64 bits.
    pub id: String,
    /// The `o=` version; 0 when it cannot be read.
    pub version: u64,
    /// The first `t=`, which an answer repeats; `0 0`, for ever, when it cannot be read.
    pub time: String,
    /// The streams, in order.
    pub media: Vec<Media>,
}

impl Session {
    /// Reads a description; refuses what is no SDP at all.
    pub fn parse(text: &[u8]) -> Result<Self, Refusal> {
        if text.len() > TEXT_MAX {
            return Err(Refusal::NotReadable);
        }
        let needed = needed_lines(text);
        let read = sdp_types::Session::parse(&needed).map_err(|_| Refusal::NotReadable)?;
        if read.medias.len() > MEDIA_MAX {
            return Err(Refusal::NotReadable);
        }
        let whole = Whole {
            address: read.connection.as_ref().and_then(address_of),
            direction: direction_of(&read.attributes),
            ptime_ms: number(&read.attributes, "ptime"),
            ptime_ms_max: number(&read.attributes, "maxptime"),
        };
        let media = read.medias.iter().map(|media| media_of(media, &whole)).collect();
        let (id, version) = (read.origin.sess_id, read.origin.sess_version);
        Ok(Self { id, version, time: time_of(text), media })
    }
}

/// What the session says for streams that do not say it themselves.
struct Whole {
    address: Option<IpAddr>,
    direction: Option<Direction>,
    ptime_ms: Option<u32>,
    ptime_ms_max: Option<u32>,
}

/// Keeps the lines a negotiation needs, each cleaned of what phones leave at its end.
fn needed_lines(text: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(text.len());
    let mut origins = 0;
    let mut in_media = false;
    let mut connected = false;
    for line in text.split(|byte| *byte == b'\n' || *byte == b'\r') {
        let line = trimmed(line);
        let [letter, b'=', value @ ..] = line else { continue };
        let wanted = match letter {
            b'v' => kept.is_empty(),
            b'o' => {
                origins += 1;
                origins == 1 && is_plain_origin(value)
            }
            b'm' => {
                in_media = true;
                true
            }
            // A second session-wide `c=` is nonsense; the first one counts.
            b'c' => {
                is_plain_connection(value) && (in_media || !std::mem::replace(&mut connected, true))
            }
            b'a' => std::str::from_utf8(value).is_ok(),
            _ => false,
        };
        if wanted {
            kept.extend_from_slice(line);
            kept.extend_from_slice(b"\r\n");
        }
    }
    kept
}

/// What the first `t=` says: two numbers, of which nothing is made here.
fn time_of(text: &[u8]) -> String {
    let mut lines = text.split(|byte| *byte == b'\n' || *byte == b'\r').map(trimmed);
    let said = lines.find_map(|line| line.strip_prefix(b"t=")).unwrap_or_default();
    let said = std::str::from_utf8(said).unwrap_or_default();
    let numbers: Option<Vec<u64>> =
        said.split_ascii_whitespace().map(|word| word.parse().ok()).collect();
    match numbers.as_deref() {
        Some([start, stop]) => format!("{start} {stop}"),
        Some(_) | None => "0 0".to_owned(),
    }
}

fn trimmed(line: &[u8]) -> &[u8] {
    let is_dirt = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
    let start = line.iter().position(|byte| !is_dirt(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !is_dirt(byte)).map_or(start, |last| last + 1);
    &line[start..end]
}

/// Whether an `o=` line has the six fields; one that has not is left out, not held against them.
fn is_plain_origin(value: &[u8]) -> bool {
    let Ok(value) = std::str::from_utf8(value) else { return false };
    let fields: Vec<&str> = value.split_ascii_whitespace().collect();
    fields.len() == 6 && fields[2].parse::<u64>().is_ok()
}

fn is_plain_connection(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_ok_and(|value| value.split_ascii_whitespace().count() == 3)
}

fn media_of(media: &sdp_types::Media, whole: &Whole) -> Media {
    let attributes = &media.attributes;
    let own = media.connections.first();
    let address = match own {
        Some(connection) => address_of(connection),
        None => whole.address,
    };
    Media {
        kind: media.media.to_ascii_lowercase(),
        port: media.port,
        proto: media.proto.clone(),
        formats_text: media.fmt.clone(),
        formats: formats_of(media),
        address,
        direction: direction_of(attributes).or(whole.direction).unwrap_or_default(),
        ptime_ms: number(attributes, "ptime").or(whole.ptime_ms),
        ptime_ms_max: number(attributes, "maxptime").or(whole.ptime_ms_max),
        rtcp: rtcp_of(attributes, address),
        rtcp_mux: values(attributes, "rtcp-mux").next().is_some(),
    }
}

fn formats_of(media: &sdp_types::Media) -> Vec<Format> {
    let mut formats: Vec<Format> = Vec::new();
    for text in media.fmt.split_ascii_whitespace().take(FORMATS_MAX) {
        let Ok(payload) = text.parse::<u8>() else { continue };
        if payload > 127 || formats.iter().any(|known| known.payload == payload) {
            continue;
        }
        let (name, rate) = mapped(media, payload).unwrap_or_else(|| well_known(payload));
        formats.push(Format { payload, name, rate });
    }
    formats
}

/// What `a=rtpmap` says of a payload type: `0 PCMU/8000`, `96 opus/48000/2`.
fn mapped(media: &sdp_types::Media, payload: u8) -> Option<(String, u32)> {
    values(&media.attributes, "rtpmap").find_map(|value| {
        let (number, encoding) = value.trim().split_once(char::is_whitespace)?;
        if number.parse::<u8>() != Ok(payload) {
            return None;
        }
        let mut parts = encoding.trim().split('/');
        let name = parts.next()?.to_ascii_uppercase();
        let rate = parts.next().and_then(|rate| rate.trim().parse().ok()).unwrap_or(8000);
        Some((name, rate))
    })
}

/// Static payload types need no `rtpmap` (RFC 3551 6).
fn well_known(payload: u8) -> (String, u32) {
    match payload {
        0 => ("PCMU".to_owned(), 8000),
        8 => ("PCMA".to_owned(), 8000),
        _ => (String::new(), 8000),
    }
}

fn values<'a>(attributes: &'a [sdp_types::Attribute], name: &str) -> impl Iterator<Item = &'a str> {
    attributes
        .iter()
        .filter(move |attribute| attribute.attribute.eq_ignore_ascii_case(name))
        .map(|attribute| attribute.value.as_deref().unwrap_or_default())
}

fn number(attributes: &[sdp_types::Attribute], name: &str) -> Option<u32> {
    // Some phones write `a=ptime:20.0`.
    let value = values(attributes, name).next()?;
    value.trim().split('.').next()?.parse().ok()
}

fn direction_of(attributes: &[sdp_types::Attribute]) -> Option<Direction> {
    attributes.iter().find_map(|attribute| Direction::named(attribute.attribute.trim()))
}

fn address_of(connection: &sdp_types::Connection) -> Option<IpAddr> {
    // `224.2.1.1/127/3`: everything after the slash is for multicast.
    let text = connection.connection_address.split('/').next().unwrap_or_default();
    text.parse().ok()
}

/// `a=rtcp:53020` or `a=rtcp:53020 IN IP4 126.16.64.4`.
fn rtcp_of(attributes: &[sdp_types::Attribute], address: Option<IpAddr>) -> Option<SocketAddr> {
    let value = values(attributes, "rtcp").next()?;
    let mut words = value.split_ascii_whitespace();
    let port: u16 = words.next()?.parse().ok().filter(|port| *port != 0)?;
    let named = words.nth(2).and_then(|text| text.parse().ok());
    Some(SocketAddr::new(named.or(address)?, port))
}

/// Whether an address means “nowhere”: the hold of RFC 2543.
pub(super) fn is_nowhere(address: IpAddr) -> bool {
    address == IpAddr::V4(Ipv4Addr::UNSPECIFIED) || address.is_unspecified()
}
