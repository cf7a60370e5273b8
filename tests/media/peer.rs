//! What the tests of streams share: names, agreements, packets, and an engine to run.

use std::net::SocketAddr;
use std::sync::Arc;

use carillon::base::id::CallId;
use carillon::base::id::LegId;
use carillon::base::id::PromptId;
use carillon::base::time::LocalTime;
use carillon::media::engine::Engine;
use carillon::media::g711;
use carillon::media::order::Order;
use carillon::media::order::Report;
use carillon::media::prompt::Prompt;
use carillon::media::prompt::PromptSet;
use carillon::media::rtp;
use carillon::media::rtp::Header;
use carillon::sdp::Agreed;
use carillon::sdp::Codec;
use carillon::sdp::Direction;

pub(crate) const PORTS: [u16; 2] = [20_000, 20_001];

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(crate) fn leg(nth: u32) -> LegId {
    LegId { call: CallId(7), nth }
}

pub(crate) fn agreed(remote: &str, codec: Codec) -> Agreed {
    Agreed {
        remote: address(remote),
        codec,
        payload: codec.payload(),
        dtmf: Some(101),
        dtmf_received: Some(101),
        direction: Direction::SendRecv,
        ptime_ms: 20,
        rtcp: None,
        rtcp_mux: false,
        slot: 0,
        slots: 1,
    }
}

pub(crate) fn millis(now: u64) -> LocalTime {
    LocalTime(now * 1000)
}

/// A prompt of `samples` samples of one loudness, so that it can be told apart on the wire.
pub(crate) fn level(level: i16, samples: usize) -> Arc<Prompt> {
    Arc::new(Prompt::from_samples(&vec![level; samples]).unwrap())
}

pub(crate) const WELCOME: i16 = 1000;
pub(crate) const MUSIC: i16 = 4000;
pub(crate) const PLEASE_HOLD: i16 = 9000;

/// `welcome` 100 ms, `music` 300 ms, `please-hold` 60 ms.
pub(crate) fn prompts() -> Arc<PromptSet> {
    let mut set = PromptSet::default();
    set.insert(PromptId::new("welcome"), level(WELCOME, 800));
    set.insert(PromptId::new("music"), level(MUSIC, 2400));
    set.insert(PromptId::new("please-hold"), level(PLEASE_HOLD, 480));
    Arc::new(set)
}

pub(crate) fn engine() -> Engine {
    Engine::new(PORTS.to_vec(), prompts(), 42, LocalTime::default())
}

pub(crate) fn open(engine: &mut Engine, now: u64, nth: u32, agreed: Agreed) {
    let port = PORTS[0];
    let order = Order::Open { stream: leg(nth), port, agreed, signalled_by: None };
    engine.handle_order(millis(now), order);
}

/// One packet that left the engine.
#[derive(Clone, Debug)]
pub(crate) struct Left {
    pub(crate) at: u64,
    pub(crate) to: SocketAddr,
    pub(crate) header: Header,
    pub(crate) audio: Vec<u8>,
}

impl Left {
    /// The loudness of its first sample, heard as µ-law.
    pub(crate) fn level(&self) -> i16 {
        g711::decode(Codec::Pcmu, self.audio[0])
    }
}

/// Takes the RTP packets that wait in the engine.
pub(crate) fn taken(engine: &mut Engine, at: u64) -> Vec<Left> {
    let mut all = Vec::new();
    for batch in engine.outgoing() {
        for (to, bytes) in batch.iter() {
            if carillon::media::rtcp::is_rtcp(bytes) {
                continue;
            }
            let (header, audio) = rtp::parse(bytes).unwrap();
            all.push(Left { at, to, header, audio: audio.to_vec() });
        }
    }
    engine.clear_outgoing();
    all
}

/// Runs the engine from one millisecond to another, ticking at each.
pub(crate) fn run(engine: &mut Engine, from: u64, to: u64) -> Vec<Left> {
    let mut all = Vec::new();
    for at in from..to {
        engine.handle_tick(millis(at));
        all.extend(taken(engine, at));
    }
    all
}

pub(crate) fn reports(engine: &mut Engine) -> Vec<Report> {
    std::iter::from_fn(|| engine.poll_report()).collect()
}

pub(crate) fn packet(header: Header, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; rtp::HEADER_LEN + payload.len()];
    rtp::write(&header, &mut bytes);
    bytes[rtp::HEADER_LEN..].copy_from_slice(payload);
    bytes
}

/// The packet number `nth` of a phone that speaks at one loudness.
pub(crate) fn speech(codec: Codec, ssrc: u32, nth: u32, level: i16) -> Vec<u8> {
    let header = Header {
        marker: nth == 0,
        payload: codec.payload(),
        sequence: 65_000_u16.wrapping_add(nth as u16),
        timestamp: 0xffff_0000_u32.wrapping_add(nth * 160),
        ssrc,
    };
    packet(header, &[g711::encode(codec, level); 160])
}
