//! The text of our offers and answers.
//!
//! Written by hand: a description of ours is a dozen lines and must be byte for byte the same when
//! nothing has changed.
//!
//! Always holds: every line ends in CRLF, and no text of a peer is repeated but its time, and the
//! names and formats of a declined stream, which hold no line ends by construction.
//!
//! Not here: what is offered or agreed ([`super::negotiate`]).

use std::fmt::Write as _;
use std::net::IpAddr;

use crate::sdp::negotiate::Agreed;
use crate::sdp::negotiate::Codec;
use crate::sdp::negotiate::DTMF_PAYLOAD;
use crate::sdp::negotiate::Local;
use crate::sdp::session::Session;

/// Writes an offer; inside a session `before` keeps places and numbers.
pub(super) fn offer(local: &Local, before: Option<&Agreed>) -> Vec<u8> {
    let mut text = String::with_capacity(512);
    head(&mut text, local, "0 0");
    let (slot, slots) = before.map_or((0, 1), |before| (before.slot, before.slots));
    for nth in 0..slots.max(slot + 1) {
        if nth == slot {
            audio(&mut text, local, &formats_offered(local, before));
        } else {
            // A declined place stays declined; its type may change (RFC 3264 8.3.3).
            text.push_str("m=audio 0 RTP/AVP 0\r\n");
        }
    }
    text.into_bytes()
}

/// Writes the answer to `theirs`: one line for each of theirs.
pub(super) fn answer(theirs: &Session, local: &Local, agreed: &Agreed) -> Vec<u8> {
    let mut text = String::with_capacity(512);
    // RFC 3264 6: the answer's `t=` is the offer's.
    head(&mut text, local, &theirs.time);
    for (nth, media) in theirs.media.iter().enumerate() {
        if nth == usize::from(agreed.slot) {
            let formats = Formats {
                proto: &media.proto,
                codecs: vec![(agreed.payload, agreed.codec)],
                dtmf: agreed.dtmf,
                ptime_ms: agreed.ptime_ms,
                rtcp_mux: agreed.rtcp_mux,
                rtcp_port: !agreed.rtcp_mux,
                direction: agreed.direction.as_str(),
            };
            audio(&mut text, local, &formats);
        } else {
            line(
                &mut text,
                format_args!("m={} 0 {} {}", media.kind, media.proto, media.formats_text),
            );
        }
    }
    text.into_bytes()
}

/// What an audio line says.
struct Formats<'a> {
    proto: &'a str,
    codecs: Vec<(u8, Codec)>,
    dtmf: Option<u8>,
    ptime_ms: u8,
    rtcp_mux: bool,
    /// Whether reports of those who do not multiplex are called to our RTP port.
    rtcp_port: bool,
    direction: &'static str,
}

fn formats_offered(local: &Local, before: Option<&Agreed>) -> Formats<'static> {
    let mut codecs: Vec<(u8, Codec)> = Vec::new();
    if let Some(before) = before.filter(|before| local.codecs.has(before.codec)) {
        codecs.push((before.payload, before.codec));
    }
    for codec in local.codecs.iter() {
        if codecs.iter().all(|(_, known)| *known != codec) {
            codecs.push((codec.payload(), codec));
        }
    }
    let dtmf = before.and_then(|before| before.dtmf_received.or(before.dtmf));
    Formats {
        proto: "RTP/AVP",
        codecs,
        dtmf: Some(dtmf.unwrap_or(DTMF_PAYLOAD)),
        ptime_ms: before.map_or(local.ptime_ms, |before| before.ptime_ms),
        rtcp_mux: before.is_none_or(|before| before.rtcp_mux),
        rtcp_port: before.is_none_or(|before| !before.rtcp_mux),
        direction: local.direction.as_str(),
    }
}

fn head(text: &mut String, local: &Local, time: &str) {
    let (family, address) = (family(local.address), local.address);
    line(text, format_args!("v=0"));
    line(text, format_args!("o=- {} {} IN {family} {address}", local.id, local.version));
    line(text, format_args!("s=-"));
    line(text, format_args!("c=IN {family} {address}"));
    line(text, format_args!("t={time}"));
}

fn audio(text: &mut String, local: &Local, formats: &Formats<'_>) {
    let _ = write!(text, "m=audio {} {}", local.port, formats.proto);
    for payload in formats.codecs.iter().map(|(payload, _)| *payload).chain(formats.dtmf) {
        let _ = write!(text, " {payload}");
    }
    text.push_str("\r\n");
    for (payload, codec) in &formats.codecs {
        line(text, format_args!("a=rtpmap:{payload} {}/8000", codec.as_str()));
    }
    if let Some(payload) = formats.dtmf {
        line(text, format_args!("a=rtpmap:{payload} telephone-event/8000"));
        line(text, format_args!("a=fmtp:{payload} 0-16"));
    }
    line(text, format_args!("a=ptime:{}", formats.ptime_ms));
    if formats.rtcp_mux {
        line(text, format_args!("a=rtcp-mux"));
    }
    if formats.rtcp_port {
        line(text, format_args!("a=rtcp:{}", local.port));
    }
    line(text, format_args!("a={}", formats.direction));
}

fn family(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(_) => "IP4",
        IpAddr::V6(_) => "IP6",
    }
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = text.write_fmt(line);
    text.push_str("\r\n");
}
