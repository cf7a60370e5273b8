//! What is known of a peer's packets: what is missing, how unevenly they come, its last report.
//!
//! | of the peer's | we keep | for our report blocks |
//! |---|---|---|
//! | sequence numbers | first, highest, how many came | lost so far, lost since the last block |
//! | timestamps | how far from our clock they come | jitter |
//! | sender reports | the middle of its NTP time, and when | last report, delay since it |
//!
//! The sums are those of RFC 3550 6.4.1, A.1, A.3 and A.8, without probation: the address was
//! agreed or latched, so the first packet counts.
//!
//! Always holds: one source at a time; another SSRC, a BYE, or a leap of a minute begins anew.
//!
//! Not here: whose packet it is ([`super::latch`]), what goes on the wire ([`super::rtcp`]).

use crate::base::time::LocalTime;
use crate::media::rtcp;
use crate::media::rtp::Header;

/// A sequence number this far ahead, a minute, is no loss but another beginning.
const LEAP: i16 = 3000;
/// The middle 32 bits of an NTP time count these parts of a second.
const NTP_SECOND: u64 = 1 << 16;

/// What is known of the packets of one stream's peer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heard {
    source: Option<Source>,
    /// When anything came, RTP or RTCP.
    at: LocalTime,
}

#[derive(Clone, Copy, Debug)]
struct Source {
    ssrc: u32,
    first: u32,
    highest: u32,
    received: u32,
    /// What was due and what had come when the last block was written.
    prior: (u32, u32),
    /// In samples, times 16 (RFC 3550 A.8).
    jitter: u32,
    /// Our time less theirs, and theirs, of the last packet.
    transit: u32,
    timestamp: u32,
    reported: Option<(u32, LocalTime)>,
}

impl Heard {
    /// When anything was heard last.
    pub fn at(&self) -> LocalTime {
        self.at
    }

    /// Who is heard.
    pub fn ssrc(&self) -> Option<u32> {
        self.source.map(|source| source.ssrc)
    }

    /// Takes note of a packet; returns how many more are missing now, less those that came late.
    pub fn note(&mut self, now: LocalTime, header: &Header) -> i64 {
        self.at = now;
        match &mut self.source {
            Some(source) if source.ssrc == header.ssrc => source.note(now, header),
            Some(_) | None => {
                self.source = Some(Source::begin(now, header));
                0
            }
        }
    }

    /// Takes note of a report of the peer's: its time, and whether it leaves.
    pub fn note_report(&mut self, now: LocalTime, report: &rtcp::Received<'_>) {
        self.at = now;
        let Some(source) = self.source.as_mut().filter(|source| source.ssrc == report.ssrc) else {
            return;
        };
        if let Some(ntp) = report.ntp {
            source.reported = Some((ntp, now));
        }
        if report.leaves {
            self.source = None;
        }
    }

    /// The block about what was heard since the last one; none when nobody is heard.
    pub fn block(&mut self, now: LocalTime) -> Option<rtcp::Heard> {
        let source = self.source.as_mut()?;
        let expected = source.expected();
        let due = expected.wrapping_sub(source.prior.0);
        let came = source.received.wrapping_sub(source.prior.1);
        source.prior = (expected, source.received);
        let fraction = u64::from(due.saturating_sub(came)) * 256 / u64::from(due.max(1));
        let (last_report, delay) = source.reported.map_or((0, 0), |(ntp, at)| {
            let micros = now.0.saturating_sub(at.0);
            (ntp, (micros * NTP_SECOND / 1_000_000) as u32)
        });
        Some(rtcp::Heard {
            ssrc: source.ssrc,
            fraction: fraction.min(255) as u8,
            lost: expected.wrapping_sub(source.received) as i32,
            highest: source.highest,
            jitter: source.jitter >> 4,
            last_report,
            delay,
        })
    }
}

impl Source {
    fn begin(now: LocalTime, header: &Header) -> Self {
        let first = u32::from(header.sequence);
        Self {
            ssrc: header.ssrc,
            first,
            highest: first,
            received: 1,
            prior: (0, 0),
            jitter: 0,
            transit: transit(now, header),
            timestamp: header.timestamp,
            reported: None,
        }
    }

    fn note(&mut self, now: LocalTime, header: &Header) -> i64 {
        let ahead = header.sequence.wrapping_sub(self.highest as u16) as i16;
        if !(-LEAP..=LEAP).contains(&ahead) {
            *self = Self { reported: self.reported, ..Self::begin(now, header) };
            return 0;
        }
        let before = self.missing();
        self.received = self.received.wrapping_add(1);
        if ahead > 0 {
            self.highest = self.highest.wrapping_add(ahead as u32);
        }
        self.time(now, header);
        self.missing() - before
    }

    fn expected(&self) -> u32 {
        self.highest.wrapping_sub(self.first).wrapping_add(1)
    }

    fn missing(&self) -> i64 {
        i64::from(self.expected().wrapping_sub(self.received) as i32).max(0)
    }

    /// Packets of one key have one timestamp (RFC 4733 2.1) and tell nothing of the network.
    fn time(&mut self, now: LocalTime, header: &Header) {
        if header.timestamp == self.timestamp {
            return;
        }
        let transit = transit(now, header);
        let apart = (transit.wrapping_sub(self.transit) as i32).unsigned_abs();
        (self.transit, self.timestamp) = (transit, header.timestamp);
        // A pause that the timestamps do not tell of is no jitter of a network.
        let apart = apart.min(u32::from(u16::MAX));
        self.jitter = self.jitter + apart - ((self.jitter + 8) >> 4);
    }
}

/// Our time in samples, less theirs.
fn transit(now: LocalTime, header: &Header) -> u32 {
    ((now.0 / 125) as u32).wrapping_sub(header.timestamp)
}
