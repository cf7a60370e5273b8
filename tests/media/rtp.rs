//! RTP and RTCP headers: what is read, what is refused, what is written.

use carillon::base::time::LocalTime;
use carillon::media::rtcp;
use carillon::media::rtp;
use carillon::media::rtp::Header;
use proptest::prelude::*;

const PLAIN: Header = Header {
    marker: true,
    payload: 101,
    sequence: 0xfffe,
    timestamp: 0x0102_0304,
    ssrc: 0xdead_beef,
};

fn plain() -> Vec<u8> {
    let mut bytes = vec![0; rtp::HEADER_LEN];
    rtp::write(&PLAIN, &mut bytes);
    bytes.extend_from_slice(b"audio");
    bytes
}

#[test]
fn a_header_survives_the_wire() {
    let bytes = plain();
    assert_eq!(bytes[..2], [0x80, 0x80 | 101]);
    assert_eq!(rtp::parse(&bytes), Some((PLAIN, b"audio".as_slice())));
}

#[test]
fn contributors_extension_and_padding_are_not_payload() {
    let mut bytes = plain();
    bytes[0] = 0x80 | 0x20 | 0x10 | 2;
    let tail = bytes.split_off(rtp::HEADER_LEN);
    bytes.extend_from_slice(&[1; 8]);
    bytes.extend_from_slice(&[0xbe, 0xde, 0, 1, 9, 9, 9, 9]);
    bytes.extend_from_slice(&tail);
    bytes.extend_from_slice(&[0, 0, 3]);
    assert_eq!(rtp::parse(&bytes), Some((PLAIN, b"audio".as_slice())));
}

#[test]
fn lengths_that_do_not_add_up_are_refused() {
    let good = plain();
    for len in 0..rtp::HEADER_LEN {
        assert_eq!(rtp::parse(&good[..len]), None);
    }
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        rtp::parse(&bytes).map(|(header, _)| header)
    };
    assert_eq!(with(0, 0x40), None, "version 1");
    assert_eq!(with(0, 0x80 | 15), None, "contributors beyond the end");
    assert_eq!(with(0, 0x90), None, "an extension beyond the end");
    assert_eq!(with(0, 0xa0), None, "more padding than packet");
}

const SENT: rtcp::Sent = rtcp::Sent { timestamp: 160, packets: 1, octets: 160 };
const HEARD: rtcp::Heard = rtcp::Heard {
    ssrc: 5,
    fraction: 64,
    lost: -3,
    highest: 70_000,
    jitter: 12,
    last_report: 0x1234_5678,
    delay: 65_536,
};

fn report(compound: &rtcp::Compound<'_>, now: LocalTime) -> Vec<u8> {
    let mut bytes = [0; rtcp::LEN_MAX];
    let len = rtcp::write(compound, now, &mut bytes);
    bytes[..len].to_vec()
}

#[test]
fn a_report_has_a_name_and_can_say_goodbye() {
    let (sent, heard) = (Some(SENT), Some(HEARD));
    for (sent, heard, bye) in [(sent, heard, true), (None, heard, false), (sent, None, false)] {
        let compound = rtcp::Compound { ssrc: 9, sent, heard, cname: "0123456789abcdef", bye };
        let bytes = report(&compound, LocalTime(1_500_000));
        assert!(rtcp::is_rtcp(&bytes));
        assert_eq!(bytes.len() % 4, 0);
        let parts: Vec<_> = rtcp::parts(&bytes).collect();
        let kinds: Vec<u8> = parts.iter().map(|part| part.kind).collect();
        let first = if sent.is_some() { 200 } else { 201 };
        assert_eq!(kinds, if bye { vec![first, 202, 203] } else { vec![first, 202] });
        let used: usize = parts.iter().map(|part| 4 + part.body.len()).sum();
        assert_eq!(used, bytes.len());
        let body = parts[1].body;
        assert_eq!(&body[4..6], &[1, 16]);
        assert_eq!(&body[6..22], b"0123456789abcdef");
        assert_eq!(body.last(), Some(&0));
        let read = rtcp::read(&bytes).unwrap();
        assert_eq!((read.ssrc, read.leaves), (9, bye));
        assert_eq!(read.ntp, sent.map(|_| 0x0001_8000), "one and a half seconds");
    }
}

#[test]
fn a_block_is_written_as_the_rfc_draws_it() {
    let compound =
        rtcp::Compound { ssrc: 9, sent: None, heard: Some(HEARD), cname: "x", bye: false };
    let bytes = report(&compound, LocalTime(0));
    let expected = [
        [0x81, 201, 0, 7],
        [0, 0, 0, 9],
        [0, 0, 0, 5],
        [64, 0xff, 0xff, 0xfd],
        70_000_u32.to_be_bytes(),
        [0, 0, 0, 12],
        [0x12, 0x34, 0x56, 0x78],
        [0, 1, 0, 0],
    ];
    assert_eq!(bytes[..32], *expected.as_flattened());
    let lost = |lost: i32| {
        let heard = Some(rtcp::Heard { lost, ..HEARD });
        let bytes = report(&rtcp::Compound { heard, ..compound }, LocalTime(0));
        rtcp::read(&bytes).unwrap().lost_of(5)
    };
    assert_eq!(lost(-3), Some(0), "more came than was sent");
    assert_eq!(lost(0x12_3456), Some(0x12_3456));
    assert_eq!(lost(i32::MAX), Some(0x7f_ffff), "24 bits hold no more");
    assert_eq!(rtcp::read(&bytes).unwrap().lost_of(6), None, "nobody speaks of 6");
}

#[test]
fn what_is_no_whole_compound_is_refused() {
    let whole =
        rtcp::Compound { ssrc: 9, sent: Some(SENT), heard: Some(HEARD), cname: "name", bye: true };
    let good = report(&whole, LocalTime(0));
    assert!(rtcp::read(&good).is_some());
    // Cut where a part ends it is whole again, and only says less.
    let ends = [52, 68];
    for len in (0..good.len()).filter(|len| !ends.contains(len)) {
        assert_eq!(rtcp::read(&good[..len]), None, "cut at {len}");
    }
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        rtcp::read(&bytes).is_some()
    };
    assert!(!with(0, 0x41), "version 1");
    assert!(!with(0, 0x82), "a block beyond the end");
    assert!(!with(0, 0xa1), "padding in the middle");
    assert!(!with(1, 202), "a description comes first");
    assert!(!with(3, 11), "shorter than its blocks");
    let extended = [good.as_slice(), &[0]].concat();
    assert_eq!(rtcp::read(&extended), None, "a byte too much");
}

#[test]
fn rtp_is_not_taken_for_rtcp() {
    assert!(!rtcp::is_rtcp(&plain()));
}

proptest! {
    #[test]
    fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Some((_, payload)) = rtp::parse(&bytes) {
            prop_assert!(payload.len() + rtp::HEADER_LEN <= bytes.len());
        }
        let _ = rtcp::is_rtcp(&bytes);
        if let Some(report) = rtcp::read(&bytes) {
            let _ = report.lost_of(0);
        }
        prop_assert!(rtcp::parts(&bytes).count() <= bytes.len() / 4);
    }

    #[test]
    fn reports_with_blocks_are_read_within_bounds(
        count in 0x80_u8..=0x9f,
        kind in 200_u8..=204,
        words in 0_u8..40,
        body in prop::collection::vec(any::<u8>(), 0..160),
    ) {
        let mut bytes = vec![count, kind, 0, words];
        bytes.extend(body);
        if let Some(report) = rtcp::read(&bytes) {
            prop_assert!(kind <= 201);
            let _ = report.lost_of(report.ssrc);
        }
    }

    #[test]
    fn rtp_that_looks_right_is_read_within_bounds(
        first in 0x80_u8..=0xbf,
        rest in prop::collection::vec(any::<u8>(), 11..64),
    ) {
        let mut bytes = vec![first];
        bytes.extend(rest);
        let _ = rtp::parse(&bytes);
    }
}
