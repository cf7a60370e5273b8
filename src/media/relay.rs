//! One stream's outgoing packets: numbered and timed as one source, wherever they come from.
//!
//! A peer hears one RTP source from us for as long as the stream lives: music, then another
//! party's packets, then music again. Its sequence numbers and timestamps go on through all of it:
//!
//! | the packet | sequence | timestamp |
//! |---|---|---|
//! | made here | the next | where the last one ended, or later by the pause in between |
//! | relayed, the first of a source | the next | likewise |
//! | relayed, after it | as far from the first as at its source | likewise |
//!
//! So loss and reordering on the other side stay visible to the peer, and a join makes neither a
//! gap nor a burst.
//!
//! Always holds: the sequence number of a packet made here was never used before in the last
//! 32,768; timestamps of packets made here never go back.
//!
//! Not here: what the audio is ([`super::program`]) and where it goes ([`super::latch`]).

use crate::media::rtp::Header;

/// Microseconds in one sample at 8 kHz.
const PER_SAMPLE: u64 = 125;
/// A pause longer than this is a new talk spurt; shorter is jitter of our own.
const PAUSE_US: u64 = 20_000;
/// How far sent audio may reach into the future: a burst of packets that came late.
const AHEAD_US: u64 = 60_000;
/// A source's timestamp that leaps farther than this, 10 s, begins anew.
const LEAP: u32 = 80_000;
/// How long a packet from before the join may still come in late.
const LATE_MAX: u32 = 200;

/// The source a peer hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outbound {
    ssrc: u32,
    /// The next sequence number.
    sequence: u16,
    /// Where the audio sent so far ends, in samples and in microseconds of our clock.
    timestamp: u32,
    ends_at: u64,
    marker: bool,
    source: Option<Source>,
    packets: u32,
    octets: u32,
}

/// How a relayed source's numbers become ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Source {
    ssrc: u32,
    first: u16,
    timestamp: u32,
    sequence_offset: u16,
    timestamp_offset: u32,
    packets: u32,
}

impl Outbound {
    /// Begins a source; the three numbers are drawn at random (RFC 3550 5.1).
    pub fn new(ssrc: u32, sequence: u16, timestamp: u32, now_us: u64) -> Self {
        Self {
            ssrc,
            sequence,
            timestamp,
            ends_at: now_us,
            marker: true,
            source: None,
            packets: 0,
            octets: 0,
        }
    }

    /// Our SSRC.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// How many packets were sent, and how many bytes of payload in them.
    pub fn sent(&self) -> (u32, u32) {
        (self.packets, self.octets)
    }

    /// The timestamp that belongs to this moment.
    pub fn timestamp_at(&self, now_us: u64) -> u32 {
        let samples = now_us.saturating_sub(self.ends_at) / PER_SAMPLE;
        self.timestamp.wrapping_add(samples as u32)
    }

    /// The header of a packet of `samples` made here and due at `at_us`.
    pub fn made(&mut self, at_us: u64, payload: u8, samples: u32) -> Header {
        self.source = None;
        let timestamp = self.begin(at_us);
        let header = self.header(payload, self.sequence, timestamp);
        self.advance(self.sequence, timestamp, samples, at_us);
        self.count(samples);
        header
    }

    /// The header of an event packet: its timestamp is the key's beginning, which the first packet
    /// of a key fixes and the caller hands in afterwards.
    pub fn event(&mut self, at_us: u64, payload: u8, start: Option<u32>, samples: u32) -> Header {
        self.source = None;
        let at = self.begin(at_us);
        let timestamp = start.unwrap_or(at);
        self.marker = start.is_none();
        let header = self.header(payload, self.sequence, timestamp);
        self.advance(self.sequence, at, samples, at_us);
        self.count(4);
        header
    }

    /// The header of a relayed packet; none for one from before the join.
    pub fn relayed(
        &mut self,
        now_us: u64,
        from: &Header,
        payload: u8,
        samples: u32,
    ) -> Option<Header> {
        let known = self.source.filter(|source| source.goes_on_with(from));
        let mut source = known.unwrap_or_else(|| self.rebased(now_us, from));
        let since_first = from.sequence.wrapping_sub(source.first);
        if source.packets < LATE_MAX && since_first > 0x8000 {
            return None;
        }
        source.packets += 1;
        let sequence = from.sequence.wrapping_add(source.sequence_offset);
        let timestamp = from.timestamp.wrapping_add(source.timestamp_offset);
        if (from.timestamp.wrapping_sub(source.timestamp) as i32) > 0 {
            source.timestamp = from.timestamp;
        }
        self.source = Some(source);
        self.marker |= from.marker;
        let header = self.header(payload, sequence, timestamp);
        self.advance(sequence, timestamp, samples, now_us);
        self.count(samples);
        Some(header)
    }

    /// Forgets the relayed source; its next packet joins on anew.
    pub fn leave_source(&mut self) {
        self.source = None;
        self.marker = true;
    }

    fn rebased(&mut self, now_us: u64, from: &Header) -> Source {
        let timestamp = self.begin(now_us);
        self.marker = true;
        Source {
            ssrc: from.ssrc,
            first: from.sequence,
            timestamp: from.timestamp,
            sequence_offset: self.sequence.wrapping_sub(from.sequence),
            timestamp_offset: timestamp.wrapping_sub(from.timestamp),
            packets: 0,
        }
    }

    /// The timestamp of audio that begins now.
    fn begin(&mut self, at_us: u64) -> u32 {
        let pause = at_us.saturating_sub(self.ends_at);
        if pause > PAUSE_US {
            self.timestamp = self.timestamp.wrapping_add((pause / PER_SAMPLE) as u32);
            self.ends_at = at_us;
            self.marker = true;
        }
        self.timestamp
    }

    fn header(&mut self, payload: u8, sequence: u16, timestamp: u32) -> Header {
        let marker = std::mem::take(&mut self.marker);
        Header { marker, payload, sequence, timestamp, ssrc: self.ssrc }
    }

    /// Moves the ends forward; a packet out of order moves nothing.
    fn advance(&mut self, sequence: u16, timestamp: u32, samples: u32, at_us: u64) {
        let next = sequence.wrapping_add(1);
        if (next.wrapping_sub(self.sequence) as i16) > 0 {
            self.sequence = next;
        }
        let end = timestamp.wrapping_add(samples);
        let moved = end.wrapping_sub(self.timestamp);
        if (moved as i32) >= 0 {
            self.timestamp = end;
            // A source's clock is not ours: however it drifts, the end stays near the moment.
            let begin = self.ends_at.clamp(at_us.saturating_sub(PAUSE_US), at_us + AHEAD_US);
            self.ends_at = begin + u64::from(moved.min(samples)) * PER_SAMPLE;
        }
    }

    fn count(&mut self, octets: u32) {
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(octets);
    }
}

impl Source {
    fn goes_on_with(&self, header: &Header) -> bool {
        let leap = header.timestamp.wrapping_sub(self.timestamp) as i32;
        self.ssrc == header.ssrc && leap.unsigned_abs() < LEAP
    }
}
