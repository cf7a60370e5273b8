//! The RTP header (RFC 3550 5.1), read and written.
//!
//! ```text
//! V=2 P X CC | M PT | sequence | timestamp | SSRC | CSRC × CC | extension | payload | padding
//! ```
//!
//! Always holds: reading never panics, and the payload it finds lies within the packet. What we
//! write is the plain twelve bytes.
//!
//! Not here: which stream a packet belongs to ([`super::latch`]), RTCP ([`super::rtcp`]).

/// The header without contributors or extensions.
pub const HEADER_LEN: usize = 12;

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The beginning of a talk spurt or of a key.
    pub marker: bool,
    /// The payload type, 7 bits.
    pub payload: u8,
    /// Counts packets.
    pub sequence: u16,
    /// Counts samples.
    pub timestamp: u32,
    /// Names the source.
    pub ssrc: u32,
}

/// Reads a packet; none if it is not RTP version 2 or its lengths do not add up.
pub fn parse(packet: &[u8]) -> Option<(Header, &[u8])> {
    let [flags, kind, ..] = *packet else { return None };
    if flags >> 6 != 2 || packet.len() < HEADER_LEN {
        return None;
    }
    let mut start = HEADER_LEN + 4 * usize::from(flags & 0x0f);
    if flags & 0x10 != 0 {
        let words = u16::from_be_bytes(array(packet, start + 2)?);
        start += 4 + 4 * usize::from(words);
    }
    let mut end = packet.len();
    if flags & 0x20 != 0 {
        let padding = usize::from(*packet.last()?);
        if padding == 0 {
            return None;
        }
        end = end.checked_sub(padding)?;
    }
    let header = Header {
        marker: kind & 0x80 != 0,
        payload: kind & 0x7f,
        sequence: u16::from_be_bytes(array(packet, 2)?),
        timestamp: u32::from_be_bytes(array(packet, 4)?),
        ssrc: u32::from_be_bytes(array(packet, 8)?),
    };
    Some((header, packet.get(start..end)?))
}

/// Writes the header into the first [`HEADER_LEN`] bytes of `packet`, which is at least as long.
pub fn write(header: &Header, packet: &mut [u8]) {
    packet[0] = 0x80;
    packet[1] = header.payload & 0x7f | if header.marker { 0x80 } else { 0 };
    packet[2..4].copy_from_slice(&header.sequence.to_be_bytes());
    packet[4..8].copy_from_slice(&header.timestamp.to_be_bytes());
    packet[8..12].copy_from_slice(&header.ssrc.to_be_bytes());
}

fn array<const N: usize>(packet: &[u8], start: usize) -> Option<[u8; N]> {
    packet.get(start..start.checked_add(N)?)?.try_into().ok()
}
