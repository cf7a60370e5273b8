//! RTCP, as little of it as keeps a peer content: reports with a name, and BYE (RFC 3550 6).
//!
//! ```text
//! SR or RR (one block about what we hear, if we hear anything) | SDES with CNAME | BYE at the end
//! ```
//!
//! Always holds: a packet we write is a compound that begins with a report and has a CNAME, as
//! RFC 3550 6.1 asks. Reading never panics.
//!
//! Not here: when reports are due ([`super::stream`]).

use crate::base::time::LocalTime;

/// The longest packet we write: SR with a block, SDES with a name of 16 characters, BYE.
pub const LEN_MAX: usize = 28 + 24 + 28 + 8;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const DESCRIPTION: u8 = 202;
const BYE: u8 = 203;
const CNAME: u8 = 1;

/// What we tell of our sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The RTP timestamp that belongs to the moment of the report.
    pub timestamp: u32,
    /// Packets sent.
    pub packets: u32,
    /// Bytes of payload sent.
    pub octets: u32,
}

/// What we tell of what we hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Whom.
    pub ssrc: u32,
    /// Packets missing so far.
    pub lost: u32,
    /// The highest sequence number, with the times it wrapped above it.
    pub highest: u32,
}

/// One compound packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compound<'a> {
    /// Our SSRC.
    pub ssrc: u32,
    /// None when we send nothing: a receiver report.
    pub sent: Option<Sent>,
    /// None when we hear nobody.
    pub heard: Option<Heard>,
    /// Our name; at most 16 bytes of it are used.
    pub cname: &'a str,
    /// Whether the stream ends.
    pub bye: bool,
}

/// Tells RTCP from RTP on a shared port (RFC 5761 4).
pub fn is_rtcp(packet: &[u8]) -> bool {
    packet.len() >= 8 && packet[0] >> 6 == 2 && (192..=223).contains(&packet[1])
}

/// Tells whether a compound says that its source is leaving.
pub fn has_bye(packet: &[u8]) -> bool {
    parts(packet).any(|(kind, _)| kind == BYE)
}

/// The parts of a compound: type and body; ends at the first that does not fit.
pub fn parts(packet: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = packet;
    std::iter::from_fn(move || {
        let [flags, kind, high, low, ..] = *rest else { return None };
        let len = 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
        if flags >> 6 != 2 || len > rest.len() {
            return None;
        }
        let (part, after) = rest.split_at(len);
        rest = after;
        Some((kind, &part[4..]))
    })
}

/// Writes a compound into `out` and returns its length; `out` has [`LEN_MAX`] bytes.
pub fn write(compound: &Compound<'_>, now: LocalTime, out: &mut [u8; LEN_MAX]) -> usize {
    let mut writer = Writer { out, len: 0 };
    let blocks = u8::from(compound.heard.is_some());
    let words_of_blocks = 6 * u16::from(blocks);
    match compound.sent {
        Some(sent) => {
            writer.head(blocks, SENDER_REPORT, 6 + words_of_blocks);
            writer.word(compound.ssrc);
            // RFC 3550 6.4.1: without a wall clock, the time since the start will do.
            let micros = now.0;
            writer.word((micros / 1_000_000) as u32);
            writer.word((((micros % 1_000_000) << 32) / 1_000_000) as u32);
            writer.word(sent.timestamp);
            writer.word(sent.packets);
            writer.word(sent.octets);
        }
        None => {
            writer.head(blocks, RECEIVER_REPORT, 1 + words_of_blocks);
            writer.word(compound.ssrc);
        }
    }
    if let Some(heard) = compound.heard {
        writer.word(heard.ssrc);
        writer.word(heard.lost.min(0x7f_ffff));
        writer.word(heard.highest);
        for _unmeasured in ["jitter", "last report", "delay since it"] {
            writer.word(0);
        }
    }
    writer.description(compound.ssrc, compound.cname);
    if compound.bye {
        writer.head(1, BYE, 1);
        writer.word(compound.ssrc);
    }
    writer.len
}

struct Writer<'a> {
    out: &'a mut [u8; LEN_MAX],
    len: usize,
}

impl Writer<'_> {
    fn bytes(&mut self, bytes: &[u8]) {
        self.out[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    fn word(&mut self, word: u32) {
        self.bytes(&word.to_be_bytes());
    }

    fn head(&mut self, count: u8, kind: u8, words: u16) {
        self.bytes(&[0x80 | count, kind]);
        self.bytes(&words.to_be_bytes());
    }

    /// One chunk with a CNAME, closed by at least one zero byte at a word's end.
    fn description(&mut self, ssrc: u32, cname: &str) {
        let name = &cname.as_bytes()[..cname.len().min(16)];
        let items = 2 + name.len();
        let padded = (items / 4 + 1) * 4;
        self.head(1, DESCRIPTION, 1 + (padded / 4) as u16);
        self.word(ssrc);
        self.bytes(&[CNAME, name.len() as u8]);
        self.bytes(name);
        self.bytes(&[0; 4][..padded - items]);
    }
}
