//! How long reading and writing a SIP message takes, beside two other crates.
//!
//! | figure | what is timed |
//! |---|---|
//! | parse | bytes to a message that can be asked; Carillon also checks it (RFC 3261 §8.2) |
//! | parse and read | the same, and the values every message is asked for: top Via's branch, |
//! | | tags of From and To, Call-ID, CSeq |
//! | write | a 200 with SDP, made from the request it answers |
//!
//! Each crate does it the way its own documentation shows. Target: parse at least ten times as
//! fast as `rsip`.
//!
//!     cargo bench --bench codec
//!
//! Not here: whether they read the same (`tests/sip/oracle.rs`).

#[path = "jsonl.rs"]
mod jsonl;
#[path = "timing.rs"]
mod timing;

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use carillon::sip::Message;
use carillon::sip::Name;
use carillon::sip::ResponseBuilder;
use rsip::prelude::HeadersExt;
use rsip::prelude::ToTypedHeader;
use rsip::prelude::UntypedHeader;
use sipx_sip::Limits;
use sipx_sip::headers;

use crate::jsonl::Jsonl;
use crate::timing::Times;

const EACH: Duration = Duration::from_millis(700);

const INVITE: &str = "INVITE sip:+4922199@192.0.2.10:5060;user=phone SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bKPjd6c1f2;rport\r\n\
    Via: SIP/2.0/UDP 198.51.100.4:5060;received=198.51.100.4;branch=z9hG4bK-524287-1\r\n\
    Record-Route: <sip:192.0.2.20;lr;ftag=8a7f>\r\n\
    Max-Forwards: 69\r\n\
    From: \"Ada Lovelace\" <sip:+491711234567@pbx.example;user=phone>;tag=8a7fd2c1\r\n\
    To: <sip:+4922199@acd.example>\r\n\
    Call-ID: 3848276298220188511@198.51.100.4\r\n\
    CSeq: 102 INVITE\r\n\
    Contact: <sip:+491711234567@198.51.100.4:5060;transport=udp>\r\n\
    Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, INFO, PRACK, UPDATE\r\n\
    Supported: 100rel, timer, replaces, norefersub\r\n\
    Session-Expires: 1800\r\n\
    Min-SE: 90\r\n\
    P-Asserted-Identity: \"Ada Lovelace\" <sip:+491711234567@pbx.example>\r\n\
    User-Agent: A PBX 22.10.1\r\n\
    Content-Type: application/sdp\r\n\
    Content-Length: 229\r\n\r\n";

const SDP: &str = "v=0\r\no=- 1533 1533 IN IP4 198.51.100.4\r\ns=A PBX\r\n\
    c=IN IP4 198.51.100.4\r\nt=0 0\r\nm=audio 17844 RTP/AVP 0 8 101\r\n\
    a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
    a=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n";

const BYE: &str = "BYE sip:acd@192.0.2.10:5060 SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.31:5060;branch=z9hG4bK-2b1c-17;rport\r\n\
    From: <sip:2771@192.0.2.20>;tag=77aa31\r\n\
    To: \"Sales/Ada Lovelace\" <sip:+491711234567@192.0.2.10>;tag=c81e728d9d4c\r\n\
    Call-ID: 6f1ed002ab5595859014ebf0951522d9@192.0.2.10\r\n\
    CSeq: 2 BYE\r\n\
    Max-Forwards: 70\r\n\
    User-Agent: A phone 4.2\r\n\
    Content-Length: 0\r\n\r\n";

const RINGING: &str = "SIP/2.0 180 Ringing\r\n\
    Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK5f3759df;rport=5060;received=192.0.2.10\r\n\
    From: \"Sales/Ada Lovelace\" <sip:+491711234567@192.0.2.10>;tag=c81e728d9d4c\r\n\
    To: <sip:2771@192.0.2.20>;tag=77aa31\r\n\
    Call-ID: 6f1ed002ab5595859014ebf0951522d9@192.0.2.10\r\n\
    CSeq: 1 INVITE\r\n\
    Contact: <sip:2771@192.0.2.31:5060>\r\n\
    Content-Length: 0\r\n\r\n";

fn main() {
    let invite = INVITE.replace("229", &SDP.len().to_string()) + SDP;
    let samples = [("INVITE", invite.as_str()), ("180", RINGING), ("BYE", BYE)];
    let mut figures = Jsonl::create("codec");
    println!("                        │ Carillon │ sipx-sip │     rsip │ (ns)  rsip / Carillon");
    for (name, text) in samples {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        let parse = [
            Times::of(EACH, || Message::parse(bytes.clone()).is_ok()),
            Times::of(EACH, || {
                sipx_sip::parse_datagram(bytes.clone(), &Limits::datagram()).is_ok()
            }),
            Times::of(EACH, || rsip::SipMessage::try_from(&bytes[..]).is_ok()),
        ];
        tell(&format!("{name}: parse"), &parse, &mut figures);
        let read = [
            Times::of(EACH, || ours(&bytes).expect("it can be read")),
            Times::of(EACH, || theirs(&bytes).expect("it can be read")),
            Times::of(EACH, || strict(&bytes).expect("it can be read")),
        ];
        tell(&format!("{name}: parse and read"), &read, &mut figures);
    }
    write(&Bytes::from(invite), &mut figures);
}

/// One line of the table, in the order Carillon, sipx-sip, rsip.
fn tell(name: &str, times: &[Times; 3], figures: &mut Jsonl) {
    let [ours, theirs, strict] = times.each_ref().map(|times| times.quantile(0.5));
    let ratio = strict / ours;
    println!("{name:<23} │ {ours:>8.0} │ {theirs:>8.0} │ {strict:>8.0} │ {ratio:>17.1}");
    for (system, value) in [("carillon", ours), ("sipx-sip", theirs), ("rsip", strict)] {
        figures.add_of(system, name, value, "ns");
    }
}

fn ours(bytes: &Bytes) -> Option<u32> {
    let message = Message::parse(bytes.clone()).ok()?;
    black_box(message.top_via().ok()?.branch());
    black_box(message.from().ok()?.tag());
    black_box(message.to().ok()?.tag());
    black_box(message.call_id().ok()?);
    Some(message.cseq().ok()?.number)
}

fn theirs(bytes: &Bytes) -> Option<u32> {
    let message = sipx_sip::parse_datagram(bytes.clone(), &Limits::datagram()).ok()?;
    let found = message.headers();
    black_box(found.typed::<headers::Via>()?.ok()?.branch());
    black_box(found.typed::<headers::From>()?.ok()?.tag());
    black_box(found.typed::<headers::To>()?.ok()?.tag());
    black_box(found.typed::<headers::CallId>()?.ok()?);
    Some(found.typed::<headers::CSeq>()?.ok()?.sequence)
}

fn strict(bytes: &Bytes) -> Option<u32> {
    let message = rsip::SipMessage::try_from(&bytes[..]).ok()?;
    black_box(message.via_header().ok()?.typed().ok()?.branch());
    black_box(message.from_header().ok()?.typed().ok()?.tag());
    black_box(message.to_header().ok()?.typed().ok()?.tag());
    black_box(message.call_id_header().ok()?.value());
    Some(message.cseq_header().ok()?.typed().ok()?.seq)
}

/// A 200 with SDP, from a request that is there already to the bytes to send.
fn write(invite: &Bytes, figures: &mut Jsonl) {
    let request = Message::parse(invite.clone()).expect("it can be read");
    let ours = Times::of(EACH, || {
        ResponseBuilder::to(&request, 200)
            .to_tag("c81e728d9d4c")
            .header(Name::Contact, "<sip:acd@192.0.2.10:5060>")
            .body("application/sdp", SDP.as_bytes().to_vec())
            .build()
    });
    let read = rsip::Request::try_from(&invite[..]).expect("it can be read");
    let strict = Times::of(EACH, || Bytes::from(ok(&read)));
    let [ours, strict] = [ours, strict].map(|times| times.quantile(0.5));
    let ratio = strict / ours;
    println!("{:<23} │ {ours:>8.0} │        – │ {strict:>8.0} │ {ratio:>17.1}", "200: write");
    figures.add("200: write", ours, "ns");
    figures.add_of("rsip", "200: write", strict, "ns");
}

/// The same response by `rsip`.
fn ok(request: &rsip::Request) -> Vec<u8> {
    use rsip::Header;
    let mut headers = rsip::Headers::default();
    for header in request.headers.iter() {
        if matches!(
            header,
            Header::Via(_)
                | Header::RecordRoute(_)
                | Header::From(_)
                | Header::CallId(_)
                | Header::CSeq(_)
        ) {
            headers.push(header.clone());
        }
    }
    let to = request.to_header().ok().and_then(|to| to.typed().ok());
    let to = to.map(|to| to.with_tag("c81e728d9d4c".into()));
    headers.push(to.expect("a To that can be read").into());
    headers.push(Header::Contact("<sip:acd@192.0.2.10:5060>".into()));
    headers.push(Header::ContentType("application/sdp".into()));
    headers.push(Header::ContentLength(SDP.len().to_string().into()));
    rsip::Response {
        status_code: rsip::StatusCode::OK,
        version: rsip::Version::V2,
        headers,
        body: SDP.as_bytes().to_vec(),
    }
    .into()
}
