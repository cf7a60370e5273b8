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

#[test]
fn a_report_has_a_name_and_can_say_goodbye() {
    let sent = Some(rtcp::Sent { timestamp: 160, packets: 1, octets: 160 });
    let heard = Some(rtcp::Heard { ssrc: 5, lost: 3, highest: 70_000 });
    for (sent, heard, bye) in [(sent, heard, true), (None, heard, false), (sent, None, false)] {
        let compound = rtcp::Compound { ssrc: 9, sent, heard, cname: "0123456789abcdef", bye };
        let mut bytes = [0; rtcp::LEN_MAX];
        let len = rtcp::write(&compound, LocalTime(1_500_000), &mut bytes);
        let bytes = &bytes[..len];
        assert!(rtcp::is_rtcp(bytes));
        assert_eq!(len % 4, 0);
        let parts: Vec<_> = rtcp::parts(bytes).collect();
        let kinds: Vec<u8> = parts.iter().map(|(kind, _)| *kind).collect();
        let first = if sent.is_some() { 200 } else { 201 };
        assert_eq!(kinds, if bye { vec![first, 202, 203] } else { vec![first, 202] });
        assert_eq!(rtcp::has_bye(bytes), bye);
        let used: usize = parts.iter().map(|(_, body)| 4 + body.len()).sum();
        assert_eq!(used, len);
        let body = parts[1].1;
        assert_eq!(&body[4..6], &[1, 16]);
        assert_eq!(&body[6..22], b"0123456789abcdef");
        assert_eq!(body.last(), Some(&0));
    }
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
        let _ = rtcp::has_bye(&bytes);
        prop_assert!(rtcp::parts(&bytes).count() <= bytes.len() / 4);
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
