//! RTCP, as little of it as keeps a peer content: reports with a name, and BYE (RFC 3550 6).
//!
//! ```text
//! SR or RR (one block about what we hear, if we hear anything) | SDES with CNAME | BYE at the end
//! ```
//!
//! The CNAME is drawn at random when a media thread starts (RFC 7022): it names nobody.
//!
//! Always holds: a packet we write is a compound that begins with a report and has a CNAME, as
//! RFC 3550 6.1 asks. Reading never panics, and reads whole compounds or nothing.
//!
//! Not here: when reports are due ([`super::stream`]), the sums in a block ([`super::heard`]), on
//! which ports reports travel ([`crate::sdp`]).

use crate::base::time::LocalTime;

/// The longest packet we write: SR with a block, SDES with a name of 16 characters, BYE.
pub const LEN_MAX: usize = 28 + 24 + 28 + 8;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const DESCRIPTION: u8 = 202;
const BYE: u8 = 203;
const CNAME: u8 = 1;
/// The length of a report block.
const BLOCK: usize = 24;

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

/// What we tell of what we hear: a report block (RFC 3550 6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Whom.
    pub ssrc: u32,
    /// The share lost since the last report, in 256ths.
    pub fraction: u8,
    /// Packets missing so far; below zero when some came twice.
    pub lost: i32,
    /// The highest sequence number, with the times it wrapped above it.
    pub highest: u32,
    /// How unevenly packets come, in samples.
    pub jitter: u32,
    /// The middle of the NTP time of their last sender report; 0 before there was one.
    pub last_report: u32,
    /// How long ago that came, in 65,536ths of a second.
    pub delay: u32,
}

/// What a peer's compound tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received<'a> {
    /// Who says it.
    pub ssrc: u32,
    /// The middle of the NTP time of a sender report.
    pub ntp: Option<u32>,
    /// Whether the source is leaving.
    pub leaves: bool,
    blocks: &'a [u8],
}

impl Received<'_> {
    /// How many packets of this source the peer says never came to it.
    pub fn lost_of(&self, ssrc: u32) -> Option<u32> {
        let block =
            self.blocks.chunks_exact(BLOCK).find(|block| block[..4] == ssrc.to_be_bytes())?;
        let lost = u32::from_be_bytes([0, block[5], block[6], block[7]]);
        // 24 bits with a sign: below zero when packets came twice.
        Some(if lost < 0x80_0000 { lost } else { 0 })
    }
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

/// Reads a compound as RFC 3550 A.2 asks: reports first, the lengths fill the packet exactly,
/// padding at the end alone; none if it is anything else.
pub fn read(packet: &[u8]) -> Option<Received<'_>> {
    let first = parts(packet).next()?;
    let fixed = match first.kind {
        SENDER_REPORT => 24,
        RECEIVER_REPORT => 4,
        _ => return None,
    };
    let blocks = first.body.get(fixed..fixed + BLOCK * usize::from(first.count))?;
    let ssrc = word(first.body, 0)?;
    let (mut len, mut leaves) = (0, false);
    for part in parts(packet) {
        len += 4 + part.body.len();
        if part.padded && len < packet.len() {
            return None;
        }
        let who = part.body.chunks_exact(4).take(usize::from(part.count));
        leaves |= part.kind == BYE && who.into_iter().any(|who| who == ssrc.to_be_bytes());
    }
    // The SSRC, then eight bytes of NTP time.
    let ntp = word(first.body, 6).filter(|_| first.kind == SENDER_REPORT);
    (len == packet.len()).then_some(Received { ssrc, ntp, leaves, blocks })
}

fn word(body: &[u8], at: usize) -> Option<u32> {
    body.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
}

/// One part of a compound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// Its type.
    pub kind: u8,
    /// How many blocks, chunks or sources it has.
    pub count: u8,
    /// Whether its end is padding.
    pub padded: bool,
    /// What follows its first word.
    pub body: &'a [u8],
}

/// The parts of a compound; ends at the first that does not fit.
pub fn parts(packet: &[u8]) -> impl Iterator<Item = Part<'_>> {
    let mut rest = packet;
    std::iter::from_fn(move || {
        let [flags, kind, high, low, ..] = *rest else { return None };
        let len = 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
        if flags >> 6 != 2 || len > rest.len() {
            return None;
        }
        let (part, after) = rest.split_at(len);
        rest = after;
        Some(Part { kind, count: flags & 0x1f, padded: flags & 0x20 != 0, body: &part[4..] })
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
        let lost = heard.lost.clamp(-0x80_0000, 0x7f_ffff) as u32 & 0xff_ffff;
        writer.word(heard.ssrc);
        writer.word(u32::from(heard.fraction) << 24 | lost);
        writer.word(heard.highest);
        writer.word(heard.jitter);
        writer.word(heard.last_report);
        writer.word(heard.delay);
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
