//! Messages of every day: what a node hears of one call and of one phone.
//!
//! Always holds: Content-Length is right, so that all readers take the same bytes.
//!
//! The codec is timed with them (`codec.rs`), and hostile input begins from them (`tests/fuzz`).

/// A session description, as offered and as answered.
pub(crate) const SDP: &str = "v=0\r\no=- 1533 1533 IN IP4 198.51.100.4\r\ns=A PBX\r\n\
    c=IN IP4 198.51.100.4\r\nt=0 0\r\nm=audio 17844 RTP/AVP 0 8 101\r\n\
    a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
    a=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n";

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
    Content-Type: application/sdp\r\n";

const RINGING: &str = "SIP/2.0 180 Ringing\r\n\
    Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK5f3759df;rport=5060;received=192.0.2.10\r\n\
    From: \"Sales/Ada Lovelace\" <sip:+491711234567@192.0.2.10>;tag=c81e728d9d4c\r\n\
    To: <sip:2771@192.0.2.20>;tag=77aa31\r\n\
    Call-ID: 6f1ed002ab5595859014ebf0951522d9@192.0.2.10\r\n\
    CSeq: 1 INVITE\r\n\
    Contact: <sip:2771@192.0.2.31:5060>\r\n";

const ANSWERED: &str = "SIP/2.0 200 OK\r\n\
    Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK5f3759df;rport=5060;received=192.0.2.10\r\n\
    From: \"Sales/Ada Lovelace\" <sip:+491711234567@192.0.2.10>;tag=c81e728d9d4c\r\n\
    To: <sip:2771@192.0.2.20>;tag=77aa31\r\n\
    Call-ID: 6f1ed002ab5595859014ebf0951522d9@192.0.2.10\r\n\
    CSeq: 1 INVITE\r\n\
    Contact: <sip:2771@192.0.2.31:5060>\r\n\
    Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, INFO, PRACK, UPDATE\r\n\
    Supported: replaces, timer\r\n\
    User-Agent: A phone 4.2\r\n\
    Content-Type: application/sdp\r\n";

const BYE: &str = "BYE sip:acd@192.0.2.10:5060 SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.31:5060;branch=z9hG4bK-2b1c-17;rport\r\n\
    From: <sip:2771@192.0.2.20>;tag=77aa31\r\n\
    To: \"Sales/Ada Lovelace\" <sip:+491711234567@192.0.2.10>;tag=c81e728d9d4c\r\n\
    Call-ID: 6f1ed002ab5595859014ebf0951522d9@192.0.2.10\r\n\
    CSeq: 2 BYE\r\n\
    Max-Forwards: 70\r\n\
    User-Agent: A phone 4.2\r\n";

const NOTIFY: &str = "NOTIFY sip:acd@192.0.2.10:5060 SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bK0f1b3c7a;rport\r\n\
    Max-Forwards: 70\r\n\
    From: <sip:2771@192.0.2.20>;tag=as6d1f09e2\r\n\
    To: <sip:acd@192.0.2.10>;tag=b59c67bf196a\r\n\
    Call-ID: 4758180a2cc5e1b7@192.0.2.10\r\n\
    CSeq: 103 NOTIFY\r\n\
    Contact: <sip:2771@192.0.2.20:5060>\r\n\
    User-Agent: A PBX 22.10.1\r\n\
    Event: dialog\r\n\
    Subscription-State: active;expires=3540\r\n\
    Content-Type: application/dialog-info+xml\r\n";

const STATE: &str = "<?xml version=\"1.0\"?>\n\
    <dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"4\" state=\"full\" \
    entity=\"sip:2771@192.0.2.20\">\n<dialog id=\"2771\"><state>confirmed</state></dialog>\n\
    </dialog-info>\n";

/// Each message by its name.
pub(crate) fn all() -> [(&'static str, String); 5] {
    [
        ("INVITE", with_body(INVITE, SDP)),
        ("180", with_body(RINGING, "")),
        ("200", with_body(ANSWERED, SDP)),
        ("BYE", with_body(BYE, "")),
        ("NOTIFY", with_body(NOTIFY, STATE)),
    ]
}

fn with_body(head: &str, body: &str) -> String {
    format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())
}
