//! One datagram: read, read again, edited, answered, and its parts by themselves.
//!
//! Always holds: one look tells what the full rules tell; what is taken goes out byte for byte and
//! is taken again; an edited message and an answer to a taken request are taken; what is printed
//! is read back as the same.

use bytes::Bytes;
use carillon::sip::Fault;
use carillon::sip::Message;
use carillon::sip::Name;
use carillon::sip::NameAddr;
use carillon::sip::ParseError;
use carillon::sip::ResponseBuilder;
use carillon::sip::Uri;
use carillon::sip::Via;
use carillon::sip::peek_call_id;

use crate::readers::read_all;

/// Above these an added line may go over a limit of the codec.
const ROOM: (usize, usize) = (200, 7_000);

/// Takes one datagram.
pub(crate) fn run(input: &[u8]) {
    let peeked = peek_call_id(input).map(<[u8]>::to_vec);
    let read = Message::parse(Bytes::copy_from_slice(input));
    told_by_the_full_rules(input, &read);
    match read {
        Ok(message) => {
            assert_eq!(peeked.as_deref(), message.call_id().ok().map(str::as_bytes));
            taken(input, &message);
        }
        Err(error) => {
            if let Some(message) = &error.message {
                read_all(message);
            }
            if let Some((status, request)) = error.answer() {
                let answer = ResponseBuilder::to(request, status).to_tag("x").build();
                assert_eq!(answer.status(), Some(status));
            }
        }
    }
    if let Ok(text) = std::str::from_utf8(input) {
        parts(text);
    }
}

/// Holds what was read against the same with a line added that makes one look not enough.
fn told_by_the_full_rules(input: &[u8], read: &Result<Message, ParseError>) {
    let Some(start) = input.iter().position(|byte| !b"\r\n".contains(byte)) else { return };
    let end = input[start..].windows(2).position(|pair| pair == b"\r\n");
    let Some(at) = end.map(|end| start + end + 2).filter(|_| input.len() <= ROOM.1) else { return };
    if matches!(input.get(at), Some(b' ' | b'\t')) {
        return; // It would be folded onto the line added.
    }
    let odd = [&input[..at], b"X:\ty\r\n", &input[at..]].concat();
    match (read, Message::parse(Bytes::from(odd))) {
        (Ok(read), Ok(full)) => {
            assert!(read.all_headers().eq(full.all_headers().skip(1)));
            assert_eq!(read.body(), full.body());
        }
        // The line added may be one too many.
        (_, Err(full)) if full.fault == Fault::TooLarge => {}
        (Err(read), Err(full)) => assert_eq!(read.fault, full.fault),
        (Ok(_), Err(full)) => panic!("passed by one look: {full}"),
        (Err(error), Ok(_)) => panic!("{error}, and the full rules take it"),
    }
}

fn taken(input: &[u8], message: &Message) {
    read_all(message);
    let kept = message.as_bytes();
    assert!(input.windows(kept.len()).any(|window| window == kept), "bytes were changed");
    let again = Message::parse(kept.clone()).expect("what was taken is taken again");
    assert_eq!(again.as_bytes(), kept);
    if message.all_headers().count() > ROOM.0 || input.len() > ROOM.1 {
        return;
    }
    let peer = "192.0.2.1:5060".parse().expect("an address");
    let edited = message.with_received(peer).with_top(Name::Via, "SIP/2.0/UDP x;branch=z9hG4bK");
    let edited = edited.with_header(Name::MaxForwards, 69);
    let again = Message::parse(edited.as_bytes().clone()).expect("an edited message is taken");
    assert_eq!(again.body(), message.body());
    assert_eq!(again.vias().expect("checked").len(), message.vias().expect("checked").len() + 1);
    if message.is_request() {
        let answer = ResponseBuilder::to(message, 486).to_tag("x").build();
        let again = Message::parse(answer.as_bytes().clone()).expect("our answer is taken");
        assert_eq!(again.call_id().ok(), message.call_id().ok());
        assert_eq!(again.cseq().ok(), message.cseq().ok());
    }
}

/// Reads every line as an address, a URI and a Via.
fn parts(text: &str) {
    for line in text.lines().filter(|line| line.len() < 500) {
        let value = line.split_once(": ").map_or(line, |(_, value)| value);
        if let Ok(uri) = value.parse::<Uri>() {
            let printed = uri.to_string();
            assert_eq!(printed.parse::<Uri>().as_ref(), Ok(&uri), "{printed}");
            let _ = uri.is_equivalent(&uri);
        }
        if let Ok(address) = value.parse::<NameAddr>() {
            let printed = address.to_string();
            // A NUL in a display name, which may be there escaped, goes out as a space.
            let again = printed.parse::<NameAddr>().expect("what is printed is read");
            assert_eq!((again.to_string(), again.uri), (printed, address.uri));
        }
        if let Ok(via) = value.parse::<Via>() {
            let printed = via.to_string();
            assert_eq!(printed.parse::<Via>().as_ref(), Ok(&via), "{printed}");
        }
    }
}
