//! Headers with structure: what is read, what is refused, and that what is printed reads back.

use std::fmt::Debug;
use std::fmt::Display;
use std::str::FromStr;

use carillon::sip::CSeq;
use carillon::sip::HeaderError;
use carillon::sip::Message;
use carillon::sip::Name;
use carillon::sip::NameAddr;
use carillon::sip::Transport;
use carillon::sip::Via;
use carillon::sip::header::content_type::ContentType;
use carillon::sip::header::event::Event;
use carillon::sip::header::event::SubscriptionPhase;
use carillon::sip::header::event::SubscriptionState;
use carillon::sip::header::param::Params;
use carillon::sip::header::rack::RAck;
use carillon::sip::header::reason::Reason;
use carillon::sip::header::replaces::Replaces;
use carillon::sip::header::retry_after::RetryAfter;
use carillon::sip::header::scan::Malformed;
use carillon::sip::header::session_expires::MinSe;
use carillon::sip::header::session_expires::Refresher;
use carillon::sip::header::session_expires::SessionExpires;

use crate::codec::INVITE;
use crate::codec::message;

/// Reads `text`, prints it, and reads that again.
fn read<T>(text: &str) -> T
where
    T: FromStr<Err = Malformed> + Display + Debug + PartialEq,
{
    let value: T = text.parse().unwrap_or_else(|_| panic!("{text}"));
    assert_eq!(value.to_string().parse().as_ref(), Ok(&value), "{text}");
    value
}

fn refuse<T: FromStr<Err = Malformed> + Debug>(texts: &[&str]) {
    for text in texts {
        assert!(text.parse::<T>().is_err(), "{text}");
    }
}

#[test]
fn names_are_found_long_and_compact_in_any_case() {
    for name in Name::ALL {
        assert_eq!(Name::find(name.as_str().as_bytes()), Some(*name));
        assert_eq!(Name::find(name.as_str().to_uppercase().as_bytes()), Some(*name));
        if let Some(compact) = name.compact() {
            assert_eq!(Name::find(compact.as_bytes()), Some(*name));
            assert_eq!(Name::find(compact.to_uppercase().as_bytes()), Some(*name));
        }
    }
    let compact: String = Name::ALL.iter().filter_map(|name| name.compact()).collect();
    assert_eq!(compact, "uimelcofrbxsktv", "RFC 3261 §7.3.3, 3265, 3515, 3892, 4028");
    for unknown in ["", "x-", "vi", "Viaa", "Fro m", "q"] {
        assert_eq!(Name::find(unknown.as_bytes()), None, "{unknown}");
    }
}

#[test]
fn addresses() {
    let ann: NameAddr = read(r#""A \"B\" \\" <sip:ann@a.example;x=y?a=b>;tag=1;q=0.5"#);
    assert_eq!(ann.display.as_deref(), Some(r#"A "B" \"#));
    assert_eq!((ann.uri.params.value("x"), ann.params.value("q")), (Some("y"), Some("0.5")));
    let bare: NameAddr = read("sip:ann@a.example;tag=1");
    assert!(bare.uri.params.is_empty(), "without brackets parameters are the header's");
    assert_eq!(bare.tag(), Some("1"));
    assert_eq!(
        read::<NameAddr>("J. O'Ren Smith <sip:j@x>").display.as_deref(),
        Some("J. O'Ren Smith")
    );
    assert_eq!(read::<NameAddr>("Zoë 北 <sip:z@x>").display.as_deref(), Some("Zoë 北"));
    assert_eq!(read::<NameAddr>("\"\" <sip:z@x>").display, None);
    assert_eq!(read::<NameAddr>("A & B (1/2) <sip:z@x>").display.as_deref(), Some("A & B (1/2)"));
    assert_eq!(read::<NameAddr>("\"\\\u{7f}\t\" <sip:z@x>").display.as_deref(), Some("\u{7f}\t"));
    assert_eq!(read::<NameAddr>("100@pbx: 2 <sip:z@x>").display.as_deref(), Some("100@pbx: 2"));
    assert_eq!(read::<NameAddr>("<sip:z@x>;tag=dGFn+/==").tag(), Some("dGFn+/=="));
    assert_eq!(read::<NameAddr>("<sip:z@x>;tag=a@b?c$1").tag(), Some("a@b?c$1"));
    assert_eq!(read::<NameAddr>("<tel:+1555;phone-context=x>;tag=2").tag(), Some("2"));
    let phone: NameAddr = read("<sip:a@1.2.3.4;ob>;+sip.instance=\"<urn:uuid:0;1>\";reg-id=1");
    assert_eq!(phone.params.unquoted("+SIP.instance").as_deref(), Some("<urn:uuid:0;1>"));
    assert_eq!(phone.params.value("reg-id"), Some("1"));
    assert!(read::<NameAddr>("<sip:p;lr>").is_loose());
    refuse::<NameAddr>(&[
        "",
        "ann",
        "<sip:a@b",
        "sip:a@b>",
        "\"a <sip:a@b>",
        "\"a\" sip:a@b",
        "\"a\" \"b\" <sip:a@b>",
        "a, b <sip:a@b>",
        "< sip:a@b>",
        "<sip:a@b >",
        "<sip:a@b> tag=1",
        "<sip:a@b>;",
        "<sip:a@b>;;tag=1",
        "<sip:a@b>;tag=1, <sip:c@d>",
        "sip:a@b?x=y",
        "sip:a@b, sip:c@d",
        "<>",
        "<sip:a@b>;x=\"y",
        "<sip:a@b>;tag=",
        "<sip:a@b>;tag=a>b",
        "<sip:a@b>;t/g=1",
        "<sip:a@b>;x=\u{e9}",
        "<sip:a@b>;x=\"\0\"",
        "\"a\u{1}\" <sip:a@b>",
        "\"a\u{7f}\" <sip:a@b>",
        "a\0 <sip:a@b>",
    ]);
}

#[test]
fn hops() {
    let via: Via =
        read("SIP/2.0/UDP [2001:db8::1]:5061;branch=z9hG4bKx;received=2001:db8::2;rport=7");
    assert_eq!((via.sent_by.port, via.branch()), (Some(5061), Some("z9hG4bKx")));
    assert_eq!(via.received(), Some("2001:db8::2".parse().unwrap()));
    assert_eq!(via.rport(), Some(Some(7)));
    let spaced: Via = read("SIP / 2.0 /\tTLS  host : 5060 ; branch = Z9HG4BKy ; rport ; maddr=m");
    assert_eq!((spaced.sent_by.host.as_str(), spaced.sent_by.port), ("host", Some(5060)));
    assert_eq!((spaced.rport(), spaced.maddr()), (Some(None), Some("m")));
    assert!(spaced.has_cookie());
    assert!(!read::<Via>("SIP/2.0/UDP h;branch=z9hG4bK").has_cookie(), "RFC 4475 §3.2.1");
    assert!(!read::<Via>("SIP/2.0/UDP h;branch=1").has_cookie());
    assert_eq!(read::<Via>("SIP/2.0/UDP h").rport(), None);
    let ours = Via::new(Transport::Tcp, "acd.example:5060".parse().unwrap(), "z9hG4bK1");
    assert_eq!(ours.to_string(), "SIP/2.0/TCP acd.example:5060;branch=z9hG4bK1;rport");
    refuse::<Via>(&[
        "",
        "SIP/2.0/UDP",
        "SIP/2.0/UDP ",
        "SIP/3.0/UDP h",
        "HTTP/2.0/UDP h",
        "SIP/2.0 h",
        "SIP/2.0/UDP h:99999",
        "SIP/2.0/UDP h:",
        "SIP/2.0/UDP [::1",
        "SIP/2.0/UDP ::1",
        "SIP/2.0/UDP h;;branch=x",
        "SIP/2.0/UDP h i;branch=x",
        "SIP/2.0/U<>P h",
    ]);
}

#[test]
fn numbers_and_words() {
    assert_eq!(read::<CSeq>("0009\t INVITE").number, 9);
    refuse::<CSeq>(&["", "1", "INVITE", "1INVITE", "-1 BYE", "+1 BYE", "2147483648 BYE", "1 B Y"]);
    let rack: RAck = read("776656 1 INVITE");
    assert_eq!((rack.rseq, rack.cseq.number), (776_656, 1));
    refuse::<RAck>(&["1 INVITE", "1 2", "x 1 INVITE"]);
    assert_eq!(read::<RetryAfter>("120").0, 120);
    assert_eq!("18000;duration=3600".parse(), Ok(RetryAfter(18_000)));
    assert_eq!("120 (I'm in a meeting)".parse(), Ok(RetryAfter(120)));
    refuse::<RetryAfter>(&["", "soon", "-1", "99999999999999999999"]);
    assert_eq!(read::<SessionExpires>("1800;refresher=uas").refresher, Some(Refresher::Uas));
    assert_eq!(read::<SessionExpires>("90 ; Refresher = UAC").refresher, Some(Refresher::Uac));
    assert_eq!(read::<MinSe>("90;x=y").0, 90);
    refuse::<SessionExpires>(&["", "1800;refresher=both", "4294967296", "1800 s"]);
    let reason: Reason = read("Q.850 ;cause = 16 ;text=\"Normal; \\\"clear\\\"\"");
    assert_eq!((reason.protocol.as_str(), reason.cause), ("Q.850", Some(16)));
    assert_eq!(reason.text.as_deref(), Some("Normal; \"clear\""));
    refuse::<Reason>(&["", ";cause=1", "SIP;cause=x", "S IP;cause=1"]);
    assert!(read::<ContentType>("Application / SDP ; a=\"b;c\"").is("application/sdp"));
    refuse::<ContentType>(&["", "sdp", "a/", "/b", "a/b/c", "a/b;", "a b/c"]);
}

#[test]
fn subscriptions_and_dialogs() {
    let event: Event = read("refer;id=93809824");
    assert_eq!((event.package.as_str(), event.id()), ("refer", Some("93809824")));
    let state: SubscriptionState = read("Terminated;reason=noresource;retry-after=5");
    assert_eq!(state.phase, SubscriptionPhase::Terminated);
    assert_eq!((state.reason(), state.retry_after()), (Some("noresource"), Some(5)));
    assert_eq!(read::<SubscriptionState>("active;expires=60").expires(), Some(60));
    assert!(matches!(read::<SubscriptionState>("odd").phase, SubscriptionPhase::Other(_)));
    let replaces: Replaces = read("a@b ;from-tag=2; to-tag=1;early-only");
    assert_eq!((replaces.to_tag.as_str(), replaces.from_tag.as_str()), ("1", "2"));
    assert!(replaces.early_only);
    refuse::<Replaces>(&["", "a", "a;to-tag=1", "a;from-tag=1", "a b;to-tag=1;from-tag=2"]);
}

#[test]
fn parameters_change_in_their_place() {
    let mut params: Params = ";a=1 ; B ;c=\"x;y\"".parse().unwrap();
    assert_eq!(params.to_string(), ";a=1 ; B ;c=\"x;y\"", "untouched, kept as it came");
    params.set("b", Some("2"));
    params.set("d", None);
    assert_eq!(params.to_string(), ";a=1;b=2;c=\"x;y\";d");
    params.remove("C");
    assert_eq!(params.to_string(), ";a=1;b=2;d");
    assert_eq!(params.iter().count(), 3);
}

#[test]
fn lists_span_lines_and_respect_quotes() {
    let text = INVITE.replace(
        "X-Odd: kept\r\n",
        "Route: \"a, b\" <sip:a@x;lr>, <sip:b,c@x>;z=\"1,2\"\r\nrOUTE:\r\n <sip:c@x>\r\n\
         Supported:\r\nk: timer , 100rel,,replaces\r\nAllow: INVITE,ACK\r\nAllow: BYE\r\n",
    );
    let invite = message(&text);
    let routes = invite.routes().unwrap();
    assert_eq!(routes.len(), 3);
    assert_eq!(routes[0].display.as_deref(), Some("a, b"));
    assert_eq!(routes[1].params.value("z"), Some("\"1,2\""));
    assert_eq!(routes[2].uri.to_string(), "sip:c@x");
    assert_eq!(invite.supported(), ["timer", "100rel", "replaces"]);
    assert_eq!(invite.allow(), ["INVITE", "ACK", "BYE"]);
    assert!(
        invite.has_token(Name::Supported, "TIMER") && !invite.has_token(Name::Supported, "time")
    );
    assert!(invite.require().is_empty());
}

#[test]
fn a_bad_header_harms_no_other() {
    let text =
        INVITE.replace("X-Odd: kept", "Session-Expires: soon\r\nMin-SE: 90\r\nEvent: \u{e9}");
    let mut bytes = text.into_bytes();
    let at = bytes.windows(2).position(|pair| pair == [0xc3, 0xa9]).unwrap();
    bytes.splice(at..at + 2, [0xe9]);
    let invite = Message::parse(bytes.into()).unwrap();
    assert_eq!(invite.session_expires(), Err(HeaderError::Malformed(Name::SessionExpires)));
    assert_eq!(invite.min_se(), Ok(Some(90)));
    assert_eq!(invite.event(), Err(HeaderError::Malformed(Name::Event)));
    assert_eq!(invite.header(Name::Event).as_deref(), Some("\u{fffd}"));
    assert_eq!(invite.raw_headers(Name::Event).next(), Some(&[0xe9][..]));
    assert_eq!(invite.replaces(), Ok(None));
    assert!(invite.content_type().is_ok());
}

#[test]
fn a_via_that_is_no_utf8_is_edited_where_it_ends() {
    let mut bytes = b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;x=\"".to_vec();
    bytes.extend(b"\x8b\xff\";branch=z9hG4bK1, SIP/2.0/TCP c;branch=z9hG4bK2\r\n");
    bytes.extend(b"From: <sip:a@b>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: x\r\nCSeq: 2 OPTIONS\r\n");
    bytes.extend(b"Content-Length: 0\r\n\r\n");
    let message = Message::parse(bytes.into()).expect("a message");
    let stamped = message.with_received("192.0.2.9:5060".parse().expect("an address"));
    let again = Message::parse(stamped.as_bytes().clone()).expect("still a message");
    let vias = again.vias().expect("Vias");
    let branches: Vec<_> = vias.iter().map(|via| via.branch().unwrap_or("-").to_owned()).collect();
    assert_eq!(branches, ["z9hG4bK1", "z9hG4bK2"]);
}
