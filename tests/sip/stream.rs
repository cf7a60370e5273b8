//! Streams: the same frames however the bytes are cut, and an end where nothing can be trusted.

use carillon::sip::Fault;
use carillon::sip::Name;
use carillon::sip::parse::MAX_MESSAGE;
use carillon::sip::stream::Frame;
use carillon::sip::stream::Framer;

use crate::codec::INVITE;

const BYE: &str = "BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP c;branch=z9hG4bK1\r\n\
    From: <sip:a@b>;tag=1\r\n\
    To: <sip:b@b>;tag=2\r\nCall-ID: x\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n";

/// What came out of a stream, as short words.
fn drain(framer: &mut Framer, seen: &mut Vec<String>) {
    loop {
        match framer.poll_frame() {
            Ok(Some(Frame::Message(message))) => {
                seen.push(format!("{} {}", message.method(), message.as_bytes().len()));
            }
            Ok(Some(Frame::Refused(error))) => seen.push(format!("refused: {error}")),
            Ok(Some(Frame::KeepAlive)) => seen.push("keep-alive".into()),
            Ok(None) => return,
            Err(error) => seen.push(format!("{error}")),
        }
    }
}

fn frames<'a>(feeds: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
    let (mut framer, mut seen) = (Framer::new(), Vec::new());
    for feed in feeds {
        framer.feed(feed);
        drain(&mut framer, &mut seen);
    }
    seen
}

#[test]
fn every_cut_gives_the_same_frames() {
    let wrong = BYE.replace("Max-Forwards: 70\r\n", "").replace("CSeq: 2 BYE", "CSeq: 2 INVITE");
    let stream = format!(
        "\r\n\r\n{INVITE}\r\n{BYE}\r\n\r\n\r\n{wrong}\r\n\r\n\r\n\r\n{BYE}{INVITE}\r\n\r\n"
    );
    let bytes = stream.as_bytes();
    let whole = frames([bytes]);
    let invite = format!("INVITE {}", INVITE.len());
    let bye = format!("BYE {}", BYE.len());
    let expected = [
        "keep-alive",
        &invite,
        &bye,
        "keep-alive",
        "refused: method differs from CSeq",
        "keep-alive",
        "keep-alive",
        &bye,
        &invite,
        "keep-alive",
    ];
    assert_eq!(whole, expected);
    for cut in 0..=bytes.len() {
        assert_eq!(frames([&bytes[..cut], &bytes[cut..]]), whole, "cut at {cut}");
    }
    assert_eq!(frames(bytes.chunks(1)), whole);
    assert_eq!(frames(bytes.chunks(7)), whole);
}

#[test]
fn a_stream_ends_where_its_messages_cannot_be_told_apart() {
    let without = BYE.replace("Content-Length: 0\r\n", "");
    let twice = BYE.replace("Content-Length: 0\r\n", "Content-Length: 0\r\nl: 5\r\n");
    let negative = BYE.replace("Content-Length: 0", "Content-Length: -1");
    let huge = BYE.replace("Content-Length: 0", "Content-Length: 70000");
    let beyond = BYE.replace("Content-Length: 0", "Content-Length: 99999999999999999999");
    let bare_feed = BYE.replace("CSeq: 2 BYE\r\n", "CSeq: 2 BYE\n");
    let bare_return = BYE.replace("Call-ID: x", "Call-ID: x\rEvil: y");
    let cases = [
        (without, "missing Content-Length"),
        (twice, "repeated Content-Length"),
        (negative, "wrong Content-Length"),
        (huge, "over a limit"),
        (beyond, "wrong Content-Length"),
        (bare_feed, "bare CR or LF"),
        (bare_return, "bare CR or LF"),
        ("GARBAGE\r\n\r\n".into(), "not SIP"),
        ("\u{16}\u{3}\u{1}\r\n\r\n".into(), "not SIP"),
    ];
    for (text, why) in cases {
        let expected = [format!("unreadable stream: {why}")];
        assert_eq!(frames([text.as_bytes(), BYE.as_bytes()]), expected, "nothing is read after");
        assert_eq!(frames(text.as_bytes().chunks(1)), expected);
    }
}

#[test]
fn the_last_request_of_an_unreadable_stream_may_be_answered() {
    let mut framer = Framer::new();
    framer.feed(BYE.replace("Content-Length: 0\r\n", "").as_bytes());
    let error = framer.poll_frame().expect_err("no length").0;
    assert_eq!(error.fault, Fault::Missing(Name::ContentLength));
    assert_eq!(error.answer().map(|(status, _)| status), Some(400));
}

#[test]
fn a_head_that_never_ends_is_not_buffered_for_ever() {
    let mut framer = Framer::new();
    framer.feed(b"INVITE sip:a@b SIP/2.0\r\n");
    for _ in 0..MAX_MESSAGE / 10 {
        framer.feed(b"A: bcdefg\r\n");
        if let Err(error) = framer.poll_frame() {
            assert_eq!(error.0.fault, Fault::TooLarge);
            return;
        }
    }
    panic!("still buffering");
}

#[test]
fn a_message_that_has_begun_is_known_to_be_unfinished() {
    let mut framer = Framer::new();
    let inside_after = |framer: &mut Framer, bytes: &[u8]| {
        framer.feed(bytes);
        while framer.poll_frame().expect("readable").is_some() {}
        framer.is_inside()
    };
    assert!(!framer.is_inside());
    assert!(!inside_after(&mut framer, b"\r\n"), "half a keep-alive is no message");
    assert!(!inside_after(&mut framer, b"\r\n"));
    let (first, rest) = BYE.split_at(BYE.len() / 2);
    assert!(inside_after(&mut framer, first.as_bytes()));
    assert!(!inside_after(&mut framer, rest.as_bytes()));
    assert!(inside_after(&mut framer, format!("{BYE}B").as_bytes()));
    let with_body = BYE[1..].replace("Content-Length: 0", "Content-Length: 3");
    assert!(inside_after(&mut framer, with_body.as_bytes()));
    assert!(!inside_after(&mut framer, b"abc"));
}

#[test]
fn what_a_short_length_leaves_over_ends_the_stream() {
    let short = BYE.replace("Content-Length: 0", "Content-Length: 3");
    let mut framer = Framer::new();
    framer.feed(format!("{short}v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n{BYE}").as_bytes());
    assert!(matches!(framer.poll_frame(), Ok(Some(Frame::Message(_)))), "as long as it says");
    assert!(framer.poll_frame().is_err(), "the rest is no message");
    framer.feed(BYE.as_bytes());
    assert!(matches!(framer.poll_frame(), Ok(None)), "nothing is read after");
}

#[test]
fn a_message_too_long_is_answered_513() {
    let mut framer = Framer::new();
    framer.feed(BYE.replace("Content-Length: 0", "Content-Length: 70000").as_bytes());
    let error = framer.poll_frame().expect_err("too long").0;
    assert_eq!(error.answer().map(|(status, _)| status), Some(513));
}
