//! G.711 against the algorithm as the standard describes it: decision values in a list, searched.

use carillon::media::g711::decode;
use carillon::media::g711::encode;
use carillon::media::g711::silence;
use carillon::media::g711::transcode;
use carillon::sdp::Codec;

/// Segment ends of µ-law with the bias added, and of A-law (G.711 tables 1 and 2).
const ENDS_PCMU: [i32; 8] = [0x3f, 0x7f, 0xff, 0x1ff, 0x3ff, 0x7ff, 0xfff, 0x1fff];
const ENDS_PCMA: [i32; 8] = [0x1f, 0x3f, 0x7f, 0xff, 0x1ff, 0x3ff, 0x7ff, 0xfff];

fn segment(value: i32, ends: &[i32; 8]) -> Option<usize> {
    ends.iter().position(|end| value <= *end)
}

fn reference_pcmu(sample: i16) -> u8 {
    let mut value = i32::from(sample) >> 2;
    let mask = if value < 0 { 0x7f } else { 0xff };
    value = value.abs().min(8159) + 33;
    match segment(value, &ENDS_PCMU) {
        Some(segment) => ((segment as u8) << 4 | ((value >> (segment + 1)) & 0xf) as u8) ^ mask,
        None => 0x7f ^ mask,
    }
}

fn reference_pcma(sample: i16) -> u8 {
    let mut value = i32::from(sample) >> 3;
    let mask = if value >= 0 { 0xd5 } else { 0x55 };
    if value < 0 {
        value = -value - 1;
    }
    match segment(value, &ENDS_PCMA) {
        Some(segment) => {
            let shift = if segment < 2 { 1 } else { segment };
            ((segment as u8) << 4 | ((value >> shift) & 0xf) as u8) ^ mask
        }
        None => 0x7f ^ mask,
    }
}

#[test]
fn every_sample_is_encoded_as_the_standard_says() {
    for sample in i16::MIN..=i16::MAX {
        assert_eq!(encode(Codec::Pcmu, sample), reference_pcmu(sample), "µ-law of {sample}");
        assert_eq!(encode(Codec::Pcma, sample), reference_pcma(sample), "A-law of {sample}");
    }
}

#[test]
fn what_was_decoded_encodes_to_the_same_byte() {
    for byte in 0..=255 {
        let pcma = encode(Codec::Pcma, decode(Codec::Pcma, byte));
        assert_eq!(pcma, byte);
        let pcmu = encode(Codec::Pcmu, decode(Codec::Pcmu, byte));
        assert_eq!(pcmu, if byte == 0x7f { 0xff } else { byte }, "µ-law has a negative zero");
    }
}

#[test]
fn decoding_hits_the_known_corners() {
    for (byte, sample) in [(0x00, -32_124), (0x80, 32_124), (0xff, 0), (0x7f, 0), (0xf0, 120)] {
        assert_eq!(decode(Codec::Pcmu, byte), sample, "µ-law {byte:#x}");
    }
    for (byte, sample) in [(0xd5, 8), (0x55, -8), (0x2a, -32_256), (0xaa, 32_256)] {
        assert_eq!(decode(Codec::Pcma, byte), sample, "A-law {byte:#x}");
    }
}

#[test]
fn transcoding_changes_the_law_and_not_the_sound() {
    let pcmu: Vec<u8> = (0..=255).collect();
    let mut pcma = [0; 256];
    transcode(Codec::Pcmu, Codec::Pcma, &pcmu, &mut pcma);
    for (from, to) in pcmu.iter().zip(pcma) {
        let (from, to) = (decode(Codec::Pcmu, *from), decode(Codec::Pcma, to));
        let step = (i32::from(from).abs() / 16).max(16);
        assert!((i32::from(from) - i32::from(to)).abs() <= step, "{from} became {to}");
    }
    let mut same = [0; 256];
    transcode(Codec::Pcmu, Codec::Pcmu, &pcmu, &mut same);
    assert_eq!(same.as_slice(), pcmu);
    assert_eq!(silence(Codec::Pcmu), encode(Codec::Pcmu, 0));
    assert_eq!(silence(Codec::Pcma), encode(Codec::Pcma, 0));
}
