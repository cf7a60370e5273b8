//! A message is read, found to be what it says, written, edited and read again.

use bytes::Bytes;
use carillon::sip::Message;
use carillon::sip::Method;
use carillon::sip::Name;
use carillon::sip::RequestBuilder;
use carillon::sip::ResponseBuilder;
use carillon::sip::peek_call_id;

/// An INVITE as phones send it, with compact names, a folded header and a body.
pub(crate) const INVITE: &str = "INVITE sip:sales@acd.example SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKa1;rport\r\n\
    v: SIP/2.0/UDP [2001:db8::9]:5060;branch=z9hG4bKa0, SIP/2.0/TCP b.example;branch=z9hG4bKb\r\n\
    Max-Forwards: 70\r\n\
    f: \"Ann \\\"A\\\" B\" <sip:ann@a.example;x=y>;tag=1928\r\n\
    t: <sip:sales@acd.example>\r\n\
    Call-ID: a84b4c76e66710@a.example\r\n\
    CSeq: 314159 INVITE\r\n\
    m: <sip:ann@192.0.2.1:5070;transport=udp>;+sip.instance=\"<urn:uuid:0>\"\r\n\
    Subject: one\r\n two\r\n\
    X-Odd: kept\r\n\
    c: application/sdp\r\n\
    l: 4\r\n\r\nv=0\n";

/// Reads text that must be a message.
pub(crate) fn message(text: &str) -> Message {
    Message::parse(Bytes::copy_from_slice(text.as_bytes())).expect("a well-formed message")
}

#[test]
fn an_invite_says_what_is_in_it() {
    let invite = message(INVITE);
    assert!(invite.is_request());
    assert_eq!(invite.method(), Method::Invite);
    assert_eq!(invite.request_uri().unwrap().user.as_deref(), Some("sales"));
    assert_eq!(invite.top_via().unwrap().branch(), Some("z9hG4bKa1"));
    let vias = invite.vias().unwrap();
    assert_eq!(vias.len(), 3);
    assert_eq!(vias[1].sent_by.host, "[2001:db8::9]");
    let from = invite.from().unwrap();
    assert_eq!((from.display.as_deref(), from.tag()), (Some("Ann \"A\" B"), Some("1928")));
    assert_eq!(invite.to().unwrap().tag(), None);
    assert_eq!(invite.call_id(), Ok("a84b4c76e66710@a.example"));
    assert_eq!(peek_call_id(INVITE.as_bytes()), Some(&b"a84b4c76e66710@a.example"[..]));
    assert_eq!(invite.cseq().unwrap().number, 314_159);
    assert_eq!(invite.max_forwards(), Ok(Some(70)));
    assert_eq!(invite.header(Name::Subject).as_deref(), Some("one two"));
    assert_eq!(invite.extension("x-odd").as_deref(), Some("kept"));
    assert!(invite.content_type().unwrap().unwrap().is("application/sdp"));
    assert_eq!(invite.body(), b"v=0\n");
    assert_eq!(invite.as_bytes(), INVITE.as_bytes());
}

#[test]
fn a_call_id_is_found_behind_names_that_begin_like_it() {
    for line in ["I7.0: x", "i!: x", "Call-ID2: x", "call-id.: x"] {
        let text = INVITE.replacen("Max-Forwards", &format!("{line}\r\nMax-Forwards"), 1);
        let told = message(&text).call_id().map(str::to_owned).expect("a Call-ID");
        assert_eq!(peek_call_id(text.as_bytes()), Some(told.as_bytes()), "{line}");
    }
}

#[test]
fn a_response_carries_the_requests_own_bytes() {
    let invite = message(INVITE);
    let ringing = ResponseBuilder::to(&invite, 180).to_tag("a6c85cf").build();
    let again = message(std::str::from_utf8(ringing.as_bytes()).unwrap());
    assert_eq!(again.status(), Some(180));
    assert_eq!(again.reason(), "Ringing");
    assert_eq!(again.method(), Method::Invite);
    assert!(again.raw_headers(Name::Via).eq(invite.raw_headers(Name::Via)));
    assert!(again.raw_headers(Name::From).eq(invite.raw_headers(Name::From)));
    assert_eq!(again.to().unwrap().tag(), Some("a6c85cf"));
    assert!(ringing.all_headers().eq(again.all_headers()));
}

#[test]
fn what_is_built_is_indexed_as_it_would_be_read() {
    let uri = "sip:bob@b.example;transport=tcp".parse().unwrap();
    let built = RequestBuilder::new(Method::Options, &uri)
        .copy(Name::Via, &message(INVITE))
        .header(Name::From, "<sip:a@b>;tag=1")
        .header(Name::To, "<sip:b@b>")
        .header(Name::CallId, "x")
        .header(Name::CSeq, "1 OPTIONS")
        .raw("X-Queue", "sales")
        .body("text/plain", b"hello".to_vec())
        .build();
    let read = message(std::str::from_utf8(built.as_bytes()).unwrap());
    assert!(built.all_headers().eq(read.all_headers()));
    assert_eq!((built.body(), read.body()), (&b"hello"[..], &b"hello"[..]));
    assert_eq!(built.request_uri(), read.request_uri());
}

#[test]
fn an_edited_message_reads_as_it_is_indexed() {
    let invite = message(INVITE);
    let peer = "198.51.100.7:6000".parse().unwrap();
    let edited = invite
        .with_received(peer)
        .with_top(Name::Via, "SIP/2.0/TCP edge;branch=z9hG4bKtop")
        .with_header(Name::MaxForwards, 69)
        .with_header(Name::Reason, "SIP;cause=200");
    let read = message(std::str::from_utf8(edited.as_bytes()).unwrap());
    assert!(edited.all_headers().eq(read.all_headers()));
    assert_eq!(edited.body(), read.body());
    assert_eq!(read.top_via().unwrap().branch(), Some("z9hG4bKtop"));
    assert_eq!(read.max_forwards(), Ok(Some(69)));
    assert_eq!(read.vias().unwrap()[1].rport(), Some(Some(6000)));
    assert_eq!(read.vias().unwrap()[1].received(), Some("198.51.100.7".parse().unwrap()));

    let vias = read.vias().unwrap();
    let branches: Vec<_> = vias.iter().filter_map(|via| via.branch()).collect();
    assert_eq!(branches, ["z9hG4bKtop", "z9hG4bKa1", "z9hG4bKa0", "z9hG4bKb"]);
    assert_eq!(read.call_id(), invite.call_id());
}

#[test]
fn an_empty_header_is_given_a_value() {
    let quiet = message(&INVITE.replace("X-Odd: kept", "Supported:"));
    let edited = quiet.with_header(Name::Supported, "timer");
    let read = message(std::str::from_utf8(edited.as_bytes()).unwrap());
    assert_eq!(edited.header(Name::Supported).as_deref(), Some("timer"));
    assert!(edited.all_headers().eq(read.all_headers()));
}

#[test]
fn a_sender_cannot_choose_where_its_responses_go() {
    let claims = INVITE.replace(";rport", ";received=203.0.113.9;maddr=x");
    let peer = "192.0.2.1:5070".parse().unwrap();
    let received = message(&claims).with_received(peer);
    assert_eq!(received.top_via().unwrap().received(), Some(peer.ip()));
    let claims = INVITE.replace(";rport", ";rport=53");
    assert_eq!(message(&claims).with_received(peer).top_via().unwrap().rport(), Some(Some(5070)));
    let plain = message(&INVITE.replace(";rport", ""));
    assert_eq!(plain.with_received(peer).as_bytes(), plain.as_bytes(), "nothing to say");
}
