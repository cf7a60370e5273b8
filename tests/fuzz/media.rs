//! Packets of strangers: each by itself, then all of them to a running engine.
//!
//! The input is a row of packets: a length, the port it comes to, how many milliseconds pass,
//! then as many bytes.
//!
//! Always holds: a payload lies within its packet; a header is written as it was read; the engine
//! sends nothing longer than a packet of sound may be.

use std::sync::Arc;

use carillon::base::id::CallId;
use carillon::base::id::LegId;
use carillon::base::time::LocalTime;
use carillon::media::engine::Engine;
use carillon::media::order::Order;
use carillon::media::prompt::PromptSet;
use carillon::media::rtcp;
use carillon::media::rtp;
use carillon::sdp::Agreed;
use carillon::sdp::Codec;
use carillon::sdp::Direction;

const PORTS: [u16; 2] = [20_000, 20_002];

fn agreed(remote: &str) -> Agreed {
    Agreed {
        remote: remote.parse().expect("an address"),
        codec: Codec::Pcmu,
        payload: Codec::Pcmu.payload(),
        dtmf: Some(101),
        dtmf_received: Some(101),
        direction: Direction::SendRecv,
        ptime_ms: 20,
        rtcp: None,
        rtcp_mux: true,
        slot: 0,
        slots: 1,
    }
}

/// Takes a row of packets.
pub(crate) fn run(input: &[u8]) {
    alone(input);
    let mut now = 0;
    let mut engine = Engine::new(PORTS.to_vec(), Arc::new(PromptSet::default()), 42, at(now));
    let legs = [0, 1].map(|nth| LegId { call: CallId(7), nth });
    for (stream, port) in legs.into_iter().zip(PORTS) {
        let agreed = agreed("198.51.100.7:4000");
        engine.handle_order(at(now), Order::Open { stream, port, agreed, signalled_by: None });
    }
    engine.handle_order(at(now), Order::Join { a: legs[0], b: legs[1] });
    let mut rest = input;
    while let [length, from, passed, after @ ..] = rest {
        let (packet, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        alone(packet);
        let peer = if from & 2 == 0 { "198.51.100.7:4000" } else { "203.0.113.9:9" };
        let peer = peer.parse().expect("an address");
        engine.handle_packet(at(now), usize::from(from & 1), peer, packet);
        now += u64::from(*passed);
        engine.handle_tick(at(now));
        engine.clear_outgoing();
        while engine.poll_report().is_some() {}
    }
}

fn at(milliseconds: u64) -> LocalTime {
    LocalTime(milliseconds * 1_000)
}

fn alone(packet: &[u8]) {
    if let Some((header, payload)) = rtp::parse(packet) {
        assert!(payload.len() + rtp::HEADER_LEN <= packet.len());
        let mut written = [0; rtp::HEADER_LEN];
        rtp::write(&header, &mut written);
        let (again, nothing) = rtp::parse(&written).expect("what we write is read");
        assert_eq!((again, nothing), (header, &[][..]));
    }
    let parts: usize = rtcp::parts(packet).map(|part| part.body.len() + 4).sum();
    assert!(parts <= packet.len());
    let _ = (rtcp::is_rtcp(packet), rtcp::read(packet));
}
