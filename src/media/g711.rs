//! G.711: sixteen-bit samples in eight bits, after µ-law and after A-law.
//!
//! Both laws are a sign, three bits of segment and four bits within the segment; µ-law adds a bias
//! before it looks for the segment and sends all bits inverted, A-law inverts every other bit.
//! Tables are made by the compiler: decoding and transcoding are one look-up a sample.
//!
//! Always holds: encoding is what ITU-T G.711 says for each of the 65,536 samples, and encoding a
//! decoded byte gives the byte back, µ-law's negative zero excepted (`tests/media/g711.rs`).
//!
//! Not here: what is sent when (`super::program`, `super::relay`).

use crate::sdp::negotiate::Codec;

/// The µ-law byte of a sample of nothing.
const SILENCE_PCMU: u8 = 0xff;
/// The A-law byte of the sample next to nothing; A-law has no zero.
const SILENCE_PCMA: u8 = 0xd5;

const BIAS: i32 = 33;
/// The largest magnitude whose biased value still has thirteen bits.
const CLIP: i32 = 8158;

const DECODED_PCMU: [i16; 256] = decoded(Codec::Pcmu);
const DECODED_PCMA: [i16; 256] = decoded(Codec::Pcma);
const PCMU_TO_PCMA: [u8; 256] = transcoded(&DECODED_PCMU, Codec::Pcma);
const PCMA_TO_PCMU: [u8; 256] = transcoded(&DECODED_PCMA, Codec::Pcmu);

/// The byte for a sample.
pub const fn encode(codec: Codec, sample: i16) -> u8 {
    match codec {
        Codec::Pcmu => encode_pcmu(sample),
        Codec::Pcma => encode_pcma(sample),
    }
}

/// The sample of a byte.
pub fn decode(codec: Codec, byte: u8) -> i16 {
    match codec {
        Codec::Pcmu => DECODED_PCMU[usize::from(byte)],
        Codec::Pcma => DECODED_PCMA[usize::from(byte)],
    }
}

/// The byte that sounds like nothing.
pub fn silence(codec: Codec) -> u8 {
    match codec {
        Codec::Pcmu => SILENCE_PCMU,
        Codec::Pcma => SILENCE_PCMA,
    }
}

/// Writes `audio` into `out`, in the other law if they differ; both have the same length.
pub fn transcode(from: Codec, to: Codec, audio: &[u8], out: &mut [u8]) {
    let table = match (from, to) {
        (Codec::Pcmu, Codec::Pcma) => &PCMU_TO_PCMA,
        (Codec::Pcma, Codec::Pcmu) => &PCMA_TO_PCMU,
        (Codec::Pcmu, Codec::Pcmu) | (Codec::Pcma, Codec::Pcma) => {
            out.copy_from_slice(audio);
            return;
        }
    };
    for (out, byte) in out.iter_mut().zip(audio) {
        *out = table[usize::from(*byte)];
    }
}

/// G.711 table 2: fourteen bits, a bias of 33, segments that double from 64.
const fn encode_pcmu(sample: i16) -> u8 {
    let scaled = (sample as i32) >> 2;
    let (magnitude, mask) = if scaled < 0 { (-scaled, 0x7f) } else { (scaled, 0xff) };
    let biased = if magnitude > CLIP { CLIP } else { magnitude } + BIAS;
    // The highest bit set is 5 in the lowest segment and 12 in the highest.
    let segment = 31 - (biased as u32).leading_zeros() - 5;
    let within = (biased >> (segment + 1)) & 0x0f;
    (((segment << 4) as u8) | within as u8) ^ mask
}

/// G.711 table 1: thirteen bits, the two lowest segments alike.
const fn encode_pcma(sample: i16) -> u8 {
    let scaled = (sample as i32) >> 3;
    let (magnitude, mask) = if scaled < 0 { (-scaled - 1, 0x55) } else { (scaled, 0xd5) };
    let segment = if magnitude < 32 { 0 } else { 31 - (magnitude as u32).leading_zeros() - 4 };
    let shift = if segment < 2 { 1 } else { segment };
    let within = (magnitude >> shift) & 0x0f;
    (((segment << 4) as u8) | within as u8) ^ mask
}

const fn decode_pcmu(byte: u8) -> i16 {
    let bits = !byte;
    let segment = (bits >> 4) & 0x07;
    let magnitude = ((((bits & 0x0f) as i32) << 3) + (BIAS << 2)) << segment;
    let sample = magnitude - (BIAS << 2);
    (if bits & 0x80 != 0 { -sample } else { sample }) as i16
}

const fn decode_pcma(byte: u8) -> i16 {
    let bits = byte ^ 0x55;
    let segment = (bits >> 4) & 0x07;
    let within = ((bits & 0x0f) as i32) << 4;
    let sample = match segment {
        0 => within + 8,
        1 => within + 0x108,
        _ => (within + 0x108) << (segment - 1),
    };
    (if bits & 0x80 != 0 { sample } else { -sample }) as i16
}

const fn decoded(codec: Codec) -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match codec {
            Codec::Pcmu => decode_pcmu(byte as u8),
            Codec::Pcma => decode_pcma(byte as u8),
        };
        byte += 1;
    }
    table
}

const fn transcoded(from: &[i16; 256], to: Codec) -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = encode(to, from[byte]);
        byte += 1;
    }
    table
}
