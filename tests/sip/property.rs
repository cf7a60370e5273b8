//! What holds for every message, found out by trying many.

use std::str::FromStr;

use bytes::Bytes;
use carillon::sip::CSeq;
use carillon::sip::Fault;
use carillon::sip::Message;
use carillon::sip::Method;
use carillon::sip::Name;
use carillon::sip::NameAddr;
use carillon::sip::RequestBuilder;
use carillon::sip::ResponseBuilder;
use carillon::sip::Uri;
use carillon::sip::Via;
use carillon::sip::parse::MAX_FOLDS;
use carillon::sip::parse::MAX_HEADER;
use carillon::sip::parse::MAX_HEADERS;
use carillon::sip::parse::MAX_MESSAGE;
use carillon::sip::peek_call_id;
use carillon::sip::plain;
use carillon::sip::shard_of;
use carillon::sip::stream::Framer;
use proptest::collection::vec;
use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::proptest;
use proptest::sample::select;

use crate::codec::INVITE;
use crate::corpus::corpus;
use crate::readers::read_all;

/// Calls everything that reads or edits a message; whatever comes of it, nothing panics.
fn read_and_edit(message: &Message) {
    read_all(message);
    for name in [Name::Authorization, Name::WwwAuthenticate] {
        let _ = carillon::sip::digest::credentials::credentials(message, name);
        let _ = carillon::sip::digest::challenge::challenges(message, name);
    }
    let peer = "192.0.2.1:5060".parse().expect("an address");
    let edited = message.with_received(peer).with_top(Name::Via, "SIP/2.0/UDP x;branch=z9hG4bK");
    assert_eq!(edited.body(), message.body());
    assert_eq!(
        edited.top_via().ok().and_then(|via| via.branch().map(str::to_owned)).as_deref(),
        Some("z9hG4bK")
    );
}

fn corpus_bytes() -> Vec<Vec<u8>> {
    let mut all: Vec<_> = corpus().into_iter().map(|sample| sample.bytes.to_vec()).collect();
    all.push(INVITE.as_bytes().to_vec());
    all
}

const PLAIN_VIA: &str = "SIP/2.0/UDP 192.0.2.1:65535;branch=z9hG4bK1;rport;a=b=c";
const PLAIN_ADDRESS: &str = "\"Ada \u{e9}\" <sip:+1/a@x-y.example:5060;lr;a=b>;tag=1;x";
const PLAIN_CSEQ: &str = "214748364 INVITE";

/// `text` cut short at the front, and with a few bytes replaced by ones that matter.
fn near(text: &'static str) -> impl Strategy<Value = String> {
    let bytes = b" \t\r\n\"\\<>@,;:?=/%[]*-._09az\x01\x7f`#&^".to_vec();
    let changes = vec((0..text.len(), select(bytes)), 0..4);
    let starts: Vec<usize> = text.match_indices("sip:").map(|(at, _)| at).chain([0]).collect();
    (changes, select(starts)).prop_map(move |(changes, start)| {
        let mut changed = text.as_bytes().to_vec();
        for (at, byte) in changes {
            changed[at] = byte;
        }
        String::from_utf8_lossy(&changed[start..]).into_owned()
    })
}

#[test]
fn the_usual_forms_are_plain() {
    assert!(plain::hop(b"SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bKPjd6c1f2;rport").is_some());
    assert!(plain::hop(PLAIN_VIA.as_bytes()).is_some());
    assert!(plain::address(PLAIN_ADDRESS.as_bytes()).is_some());
    for address in [
        "<sip:+4922199@acd.example>",
        "Ada Lovelace <sip:ada@pbx.example:64999;transport=udp>;tag=1;expires=5",
        "\"J\u{fc}rgen \u{2013} 7\" <sip:+491711234567@pbx.example;user=phone>;tag=8a7fd2c1",
    ] {
        assert!(plain::address(address.as_bytes()).is_some(), "{address}");
    }
    for control in [b"\"a\x01\" <sip:a@b>", b"\"a\x7f\" <sip:a@b>"] {
        assert!(plain::address(control).is_none(), "{}", control.escape_ascii());
    }
    assert_eq!(plain::cseq(b"102 INVITE"), Some((102, &b"INVITE"[..])));
    assert!(plain::target(b"sip:a@b;lr").is_some());
    assert!(plain::target(b"sip:a@b?c=d").is_none());
}

/// Makes `text` miss the one look and mean the same: `from` is what is plain, `to` what is not.
fn by_the_full_rules<T: FromStr>(text: &str, from: &str, to: &str) -> Option<T> {
    let odd = text.replacen(from, to, 1);
    odd.parse().ok()
}

/// Reads `bytes` with a line that is not plain behind the first, and then without that line.
fn told_by_the_full_rules(bytes: &[u8]) -> Option<Told> {
    let at = bytes.windows(2).position(|pair| pair == b"\r\n")? + 2;
    if matches!(bytes.get(at), Some(b' ' | b'\t')) {
        return None; // It would be folded onto the line added.
    }
    let odd = [&bytes[..at], b"X:\ty\r\n", &bytes[at..]].concat();
    Some(told(odd, 1))
}

/// What comes of reading `bytes`: the fault, or the lines without the first few, and the body.
type Told = Result<(Vec<(String, String)>, Vec<u8>), Fault>;

fn told(bytes: Vec<u8>, skipped: usize) -> Told {
    let message = Message::parse(Bytes::from(bytes)).map_err(|error| error.fault)?;
    let lines = message.all_headers().skip(skipped);
    let lines = lines.map(|(name, value)| (name.to_owned(), value.into_owned())).collect();
    Ok((lines, message.body().to_vec()))
}

proptest! {
    #[test]
    fn no_bytes_make_the_codec_panic(bytes in vec(any::<u8>(), 0..400)) {
        let _ = peek_call_id(&bytes);
        if let Ok(message) = Message::parse(Bytes::from(bytes)) {
            read_and_edit(&message);
        }
    }

    #[test]
    fn no_damage_makes_the_codec_panic_or_lose_a_byte(
        mut bytes in select(corpus_bytes()),
        changes in vec((any::<u16>(), any::<u8>()), 1..6),
    ) {
        for (at, byte) in changes {
            let at = usize::from(at) % bytes.len();
            bytes[at] = byte;
        }
        let mut framer = Framer::new();
        framer.feed(&bytes);
        while let Ok(Some(_)) = framer.poll_frame() {}
        let peeked = peek_call_id(&bytes).map(<[u8]>::to_vec);
        match Message::parse(Bytes::from(bytes.clone())) {
            Ok(message) => {
                read_and_edit(&message);
                let kept = message.as_bytes();
                prop_assert!(bytes.windows(kept.len()).any(|window| window == kept));
                let again = Message::parse(kept.clone()).expect("what was taken is taken again");
                prop_assert_eq!(again.as_bytes(), kept);
                prop_assert_eq!(peeked.as_deref(), message.call_id().ok().map(str::as_bytes));
            }
            Err(error) => {
                if let Some(message) = &error.message {
                    read_and_edit(message);
                }
                if let Some((status, request)) = error.answer() {
                    prop_assert!([400, 501, 505].contains(&status));
                    let answer = ResponseBuilder::to(request, status).to_tag("x").build();
                    prop_assert_eq!(answer.status(), Some(status));
                }
            }
        }
    }

    /// The one look lets nothing pass that the full rules refuse, and finds what they find.
    #[test]
    fn what_is_plain_is_read_as_by_the_full_rules(
        (via, address, cseq) in (near(PLAIN_VIA), near(PLAIN_ADDRESS), near(PLAIN_CSEQ)),
    ) {
        let full = by_the_full_rules::<Via>(&via, "SIP/", "SIP /");
        prop_assert!(plain::hop(via.as_bytes()).is_none() || via.parse().ok() == full, "{via}");
        let full = by_the_full_rules::<NameAddr>(&address, "<sip:", "<SIP:");
        let is_plain = plain::address(address.as_bytes()).is_some();
        prop_assert!(!is_plain || address.parse().ok() == full, "{address}");
        let full = by_the_full_rules::<CSeq>(&cseq, " ", "  ");
        prop_assert!(plain::cseq(cseq.as_bytes()).is_none() || cseq.parse().ok() == full);
        let uri = address.rsplit('<').next().unwrap_or_default();
        let uri = uri.split('>').next().unwrap_or_default();
        let full = by_the_full_rules::<Uri>(uri, "sip:", "SIP:");
        prop_assert!(plain::target(uri.as_bytes()).is_none() || uri.parse().ok() == full, "{uri}");
    }

    #[test]
    fn one_look_at_a_message_tells_what_the_full_rules_tell(
        mut bytes in select(corpus_bytes()),
        changes in vec((any::<u16>(), select(b"\r\n \t:;,<>\"\\@=aZ09-\x7f\xff".to_vec())), 0..4),
    ) {
        for (at, byte) in changes {
            let at = usize::from(at) % bytes.len();
            bytes[at] = byte;
        }
        if let Some(full) = told_by_the_full_rules(&bytes) {
            prop_assert_eq!(told(bytes, 0), full);
        }
    }

    #[test]
    fn what_is_composed_reads_back(
        user in "[ -~]{1,12}",
        display in "\\PC{0,12}",
        values in vec("[!-~]([ -~]{0,20}[!-~])?", 0..8),
        body in vec(any::<u8>(), 0..50),
    ) {
        let uri = Uri::sip(Some(&user), "b.example".parse().expect("a host"));
        let from = NameAddr::new(uri.clone()).with_display(&display).with_param("tag", Some("1"));
        let mut request = RequestBuilder::new(Method::Info, &uri)
            .header(Name::Via, "SIP/2.0/UDP a;branch=z9hG4bK1")
            .header(Name::From, &from)
            .header(Name::To, NameAddr::new(uri.clone()))
            .header(Name::CallId, "x@y")
            .header(Name::CSeq, "1 INFO");
        for value in &values {
            request = request.raw("X-Value", value);
        }
        let built = request.body("application/octet-stream", body.clone()).build();
        let read = Message::parse(built.as_bytes().clone()).expect("well-formed");
        prop_assert!(built.all_headers().eq(read.all_headers()));
        prop_assert_eq!(read.body(), &body[..]);
        let read_uri = read.request_uri().expect("a URI");
        prop_assert_eq!(&read_uri, &uri);
        let read_user = read_uri.user_name();
        prop_assert_eq!(read_user.as_deref(), Some(&*user));
        let read_from = read.from().expect("an address");
        prop_assert_eq!(read_from.display.as_deref().unwrap_or_default(), display);
        prop_assert_eq!(read_from.tag(), Some("1"));
        let read_values = read.all_headers().filter(|(name, _)| *name == "X-Value");
        let read_values: Vec<_> = read_values.map(|(_, value)| value.into_owned()).collect();
        prop_assert_eq!(read_values, values);
    }

    #[test]
    fn a_shard_is_always_one_of_them(call_id in "\\PC{0,40}", shards in any::<u16>()) {
        prop_assert!(shard_of(&call_id, shards) < shards.max(1));
    }
}

#[test]
fn shards_are_stable_and_even() {
    // Nodes of different releases must agree; a change here strands calls during an upgrade.
    let first: Vec<_> = (0..8).map(|n| shard_of(format!("call-{n}@acd"), 64)).collect();
    assert_eq!(first, STABLE);
    let mut counts = [0_u32; 16];
    for n in 0..16_000 {
        counts[usize::from(shard_of(format!("{n:x}@192.0.2.1"), 16))] += 1;
    }
    assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
}

const STABLE: [u16; 8] = [57, 63, 59, 20, 16, 29, 17, 61];

fn fault(text: &str) -> Option<Fault> {
    Message::parse(Bytes::copy_from_slice(text.as_bytes())).err().map(|error| error.fault)
}

#[test]
fn limits_hold_exactly() {
    let with = |lines: &str| INVITE.replace("X-Odd: kept\r\n", lines);
    let lines = INVITE.split_once("\r\n\r\n").expect("a head").0.lines().count() - 2;
    let many = |count: usize| with(&"X: y\r\n".repeat(count + 1 - lines));
    assert_eq!(fault(&many(MAX_HEADERS)), None);
    assert_eq!(fault(&many(MAX_HEADERS + 1)), Some(Fault::TooLarge));
    let long = |count: usize| with(&format!("X: {}\r\n", "y".repeat(count - 3)));
    assert_eq!(fault(&long(MAX_HEADER)), None);
    assert_eq!(fault(&long(MAX_HEADER + 1)), Some(Fault::TooLarge));
    let folded = |count: usize| with(&format!("X: y\r\n{}", " z\r\n".repeat(count)));
    assert_eq!(fault(&folded(MAX_FOLDS)), None);
    assert_eq!(fault(&folded(MAX_FOLDS + 1)), Some(Fault::TooLarge));
    let whole = |count: usize| {
        let start = INVITE.replace("l: 4\r\n", "").replace("v=0\n", "");
        format!("{start}{}", "b".repeat(count - start.len()))
    };
    assert_eq!(fault(&whole(MAX_MESSAGE)), None);
    assert_eq!(fault(&whole(MAX_MESSAGE + 1)), Some(Fault::TooLarge));
    let uri = |count| INVITE.replacen("sales", &"s".repeat(count), 1);
    assert_eq!(fault(&uri(MAX_HEADER)), Some(Fault::TooLarge));
}

#[test]
fn lines_end_in_one_way_and_a_message_may_begin_late() {
    assert_eq!(fault(&INVITE.replace("\r\n", "\n")), Some(Fault::LineEnd));
    assert_eq!(fault(&INVITE.replacen("70\r\n", "70\n", 1)), Some(Fault::LineEnd));
    assert_eq!(fault(&INVITE.replacen("kept", "ke\rpt", 1)), Some(Fault::LineEnd));
    for ends in ["\r\n\r\n\r\n", "\r\r\n\r\n", "\n"] {
        let late = format!("{ends}{INVITE}");
        assert_eq!(fault(&late), None);
        assert_eq!(peek_call_id(late.as_bytes()), peek_call_id(INVITE.as_bytes()), "{ends:?}");
    }
    assert_eq!(fault("\r\n\r\n"), Some(Fault::Empty));
    assert_eq!(fault(""), Some(Fault::Empty));
    assert_eq!(fault("\0\u{1}\0\0!\u{12}\u{a4}B"), Some(Fault::NotSip), "STUN");
    let head = INVITE.split_once("\r\n\r\n").expect("a head").0;
    assert_eq!(fault(&format!("{head}\r\n")), Some(Fault::NoEmptyLine));
    assert_eq!(fault(&INVITE.replacen("X-Odd: kept", "X Odd: kept", 1)), Some(Fault::HeaderLine));
    assert_eq!(fault(&INVITE.replacen("X-Odd: kept", "kept", 1)), Some(Fault::HeaderLine));
    assert_eq!(fault(&INVITE.replacen("\r\nVia", "\r\n Via", 1)), Some(Fault::HeaderLine));
    assert_eq!(fault(&INVITE.replacen("X-Odd:", "X-Odd\r\n :", 1)), Some(Fault::HeaderLine));
    assert_eq!(fault(&INVITE.replacen("X-Odd:", "X-Odd\u{c}:", 1)), Some(Fault::HeaderLine));
    assert_eq!(fault(&INVITE.replacen("INVITE ", "INVITE\t", 1)), Some(Fault::StartLine));
    assert_eq!(fault(&INVITE.replacen(" SIP/2.0\r\n", "\tSIP/2.0\r\n", 1)), Some(Fault::StartLine));
    assert_eq!(fault(&INVITE.replacen("SIP/2.0\r\n", "sip/2.0\r\n", 1)), None);
    assert_eq!(fault(&INVITE.replacen("INVITE sip", "invite sip", 1)), Some(Fault::MethodMismatch));
}

/// A response that is plain from the first line to the last.
const PLAIN_RESPONSE: &str = "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n\
    From: <sip:a@b>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n";

/// The INVITE as a response to itself.
fn response() -> String {
    INVITE.replacen("INVITE sip:sales@acd.example SIP/2.0", "SIP/2.0 180 Ringing", 1)
}

#[test]
fn a_header_of_requests_is_ignored_in_a_response() {
    for odd in ["Max-Forwards: many", "Max-Forwards: 1\r\nMax-Forwards: 2"] {
        assert_eq!(fault(&response().replace("Max-Forwards: 70", odd)), None);
        assert!(fault(&INVITE.replace("Max-Forwards: 70", odd)).is_some());
    }
}

#[test]
fn a_star_is_the_only_contact() {
    let (_, contact) = INVITE.split_once("m: ").expect("a Contact");
    let contact = contact.lines().next().expect("a line");
    assert_eq!(fault(&INVITE.replace(contact, "*")), None);
    for odd in [format!("*, {contact}"), format!("{contact}, *"), "*;q=1".to_owned()] {
        assert_eq!(fault(&INVITE.replace(contact, &odd)), Some(Fault::Malformed(Name::Contact)));
    }
}

#[test]
fn no_control_character_is_in_what_is_looked_at() {
    let controls = (0..32_u8).chain([127]).filter(|byte| !b"\t\r\n".contains(byte));
    for control in controls.map(char::from) {
        let places = ["Ann ", "ann@", "x=y", "tag=1928", "a84b4c76e", "314159", "INVITE\r", "70\r"];
        for place in ["sales", "UDP 192", "192.0.2.1", "5070", "z9hG4bKa1"].iter().chain(&places) {
            let (before, after) = place.split_at(place.len() - 1);
            let odd = INVITE.replacen(place, &format!("{before}{control}{after}"), 1);
            assert!(fault(&odd).is_some(), "{control:?} in {place}");
        }
        let phrase = response().replacen("Ring", &format!("Ri{control}ng"), 1);
        assert_eq!(fault(&phrase), Some(Fault::StartLine), "{control:?}");
        let plain = PLAIN_RESPONSE.replacen("Ring", &format!("Ri{control}ng"), 1);
        assert_eq!(fault(&plain), Some(Fault::StartLine), "{control:?}");
        // RFC 4475 §3.1.1.2: behind a backslash it may stand in a name.
        let quoted = INVITE.replacen("Ann ", &format!("Ann\\{control} "), 1);
        assert_eq!(fault(&quoted), None, "{control:?}");
    }
}
