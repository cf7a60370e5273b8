//! The same bytes to Carillon's codec and to others: what one accepts and reads, so does the
//! other, and what Carillon writes they can read.
//!
//! `sipx-sip` reads the RFC corpora and 50,000 damaged copies of them; `rsip`, which is too
//! strict to read from strangers, must at least read what Carillon composes.

use bytes::Bytes;
use carillon::base::prng::Prng;
use carillon::sip::Message;
use carillon::sip::Method;
use carillon::sip::Name;
use carillon::sip::NameAddr;
use carillon::sip::RequestBuilder;
use carillon::sip::ResponseBuilder;
use carillon::sip::Transport;
use carillon::sip::Via;
use rsip::prelude::HeadersExt;
use rsip::prelude::ToTypedHeader;
use rsip::prelude::UntypedHeader;
use sipx_sip::Finding;
use sipx_sip::Limits;
use sipx_sip::headers;

use crate::corpus::corpus;
use crate::generated::Generator;

/// Transport, host, port, `received` of a hop.
type Hop = (Vec<u8>, Vec<u8>, Option<u16>, Option<Vec<u8>>);

/// Method, user, password, host and port.
type Asked = (Vec<u8>, Option<(Option<Vec<u8>>, Option<Vec<u8>>, Vec<u8>, Option<u16>)>);

/// What a transaction and a dialog read from a message.
#[derive(Debug, PartialEq)]
struct Reading {
    /// Method and the parts of the Request-URI, where it is one of SIP's.
    asked: Option<Asked>,
    branch: Option<Vec<u8>>,
    hops: Vec<Hop>,
    lines: usize,
    from_tag: Option<Vec<u8>>,
    to_tag: Option<Vec<u8>>,
    call_id: Vec<u8>,
    cseq: u32,
    body: Vec<u8>,
}

/// A host to compare: any case, and an address by its value, however it is written.
fn host(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text).to_lowercase();
    carillon::sip::uri::ip_of(&text).map_or(text, |ip| ip.to_string()).into_bytes()
}

fn bytes_of(text: Option<&str>) -> Option<Vec<u8>> {
    text.map(|text| text.as_bytes().to_vec())
}

/// A tag without quotes, which it may not have (RFC 3261 §25.1, `tag-param`); the other takes them
/// off, Carillon keeps them.
fn tag(address: &NameAddr) -> Option<Vec<u8>> {
    address.params.unquoted("tag").map(|tag| tag.as_bytes().to_vec())
}

fn ours(bytes: &Bytes) -> Option<Reading> {
    let message = Message::parse(bytes.clone()).ok()?;
    let hop = |via: &Via| {
        let received = via.params.value("received").map(|text| text.as_bytes().to_vec());
        (
            via.transport.as_bytes().to_vec(),
            host(via.sent_by.host.as_bytes()),
            via.sent_by.port,
            received,
        )
    };
    let uri =
        message.request_uri().ok().filter(|uri| matches!(uri.scheme.as_str(), "sip" | "sips"));
    let uri = uri.map(|uri| {
        let user = bytes_of(uri.user.as_deref());
        (user, bytes_of(uri.password.as_deref()), host(uri.host.as_bytes()), uri.port)
    });
    let method = message.method().as_str().as_bytes().to_vec();
    Some(Reading {
        asked: message.is_request().then_some((method, uri)),
        lines: message.all_headers().count(),
        branch: bytes_of(message.top_via().ok()?.branch()),
        hops: message.vias().ok()?.iter().map(hop).collect(),
        from_tag: tag(&message.from().ok()?),
        to_tag: tag(&message.to().ok()?),
        call_id: message.call_id().ok()?.as_bytes().to_vec(),
        cseq: message.cseq().ok()?.number,
        body: message.body().to_vec(),
    })
}

fn theirs(bytes: &Bytes) -> Option<Reading> {
    let message = sipx_sip::parse_datagram(bytes.clone(), &Limits::datagram()).ok()?;
    // A missing Max-Forwards is repairable (RFC 3261 §16.6) and no fault to us.
    if sipx_sip::validate(&message).iter().any(|finding| !Finding::is_repairable(finding)) {
        return None;
    }
    let found = message.headers();
    let vias: Vec<headers::Via> = found.typed_all().collect::<Result<_, _>>().ok()?;
    let (from, to) = (found.typed::<headers::From>()?.ok()?, found.typed::<headers::To>()?.ok()?);
    let hop = |via: &headers::Via| {
        let received = via.received().map(<[u8]>::to_vec);
        (via.transport.clone(), host(&via.host.to_bytes()), via.port, received)
    };
    let asked = message.as_request().map(|request| {
        let uri = Some(&request.uri).filter(|uri| uri.scheme().is_sip()).and_then(|uri| {
            let user = uri.user().map(<[u8]>::to_vec);
            Some((
                user,
                uri.password().map(<[u8]>::to_vec),
                host(&uri.host()?.to_bytes()),
                uri.port(),
            ))
        });
        (request.method.as_bytes().to_vec(), uri)
    });
    Some(Reading {
        asked,
        lines: found.len(),
        branch: vias.first()?.branch().map(<[u8]>::to_vec),
        hops: vias.iter().map(hop).collect(),
        from_tag: from.tag().map(<[u8]>::to_vec),
        to_tag: to.tag().map(<[u8]>::to_vec),
        call_id: found.typed::<headers::CallId>()?.ok()?.0,
        cseq: found.typed::<headers::CSeq>()?.ok()?.sequence,
        body: message.body().to_vec(),
    })
}

#[test]
fn the_corpora_are_read_alike() {
    let differs = |bytes: &Bytes| ours(bytes) != theirs(bytes);
    let differing: Vec<_> = corpus()
        .into_iter()
        .filter_map(|sample| differs(&sample.bytes).then_some(sample.name))
        .collect();
    // Carillon looks at the Contacts of a request at once; the other does when they are read.
    assert_eq!(differing, ["regbadct"]);
}

/// Forms of a hop's sender that RFC 3261 §25.1 allows and the other refuses (`conformance.md`).
const REFUSED_BY_THE_OTHER: [&str; 2] = ["A-b.Example.", " : 5070"];

/// How many messages are generated: `ORACLE_MESSAGES`, 5,000 where it is not said.
fn count() -> u64 {
    let told = std::env::var("ORACLE_MESSAGES");
    told.map_or(5_000, |text| text.parse().expect("a number"))
}

#[test]
fn well_formed_messages_are_read_alike() {
    let mut prng = Prng::from_seed(3261);
    let mut both = 0;
    for round in 0..count() {
        let bytes = Bytes::from(Generator(&mut prng).message());
        let (ours, theirs) = (ours(&bytes), theirs(&bytes));
        let text = String::from_utf8_lossy(&bytes);
        assert!(ours.is_some(), "round {round}: refused:\n{text}");
        if theirs.is_some() || !REFUSED_BY_THE_OTHER.iter().any(|form| text.contains(form)) {
            both += 1;
            assert_eq!(ours, theirs, "round {round}:\n{text}");
        }
    }
    assert!(both > count() / 3, "only {both} were accepted by both");
}

#[test]
fn well_formed_messages_with_damage_are_read_alike() {
    let mut prng = Prng::from_seed(3262);
    let mut both = 0;
    for round in 0..count() {
        let mut bytes = Generator(&mut prng).message();
        for _ in 0..=prng.below(2) {
            damage(&mut prng, &mut bytes);
        }
        let bytes = Bytes::from(bytes);
        if let (Some(ours), Some(theirs)) = (ours(&bytes), theirs(&bytes)) {
            both += 1;
            let text = String::from_utf8_lossy(&bytes);
            assert_eq!(ours, theirs, "round {round}:\n{text}");
        }
    }
    assert!(both > count() / 20, "only {both} were accepted by both");
}

#[test]
fn damaged_messages_that_both_accept_are_read_alike() {
    let corpus = corpus();
    let mut prng = Prng::from_seed(4475);
    let mut both = 0;
    for round in 0..50_000 {
        let sample = &corpus[prng.below(corpus.len() as u64) as usize];
        let mut bytes = sample.bytes.to_vec();
        for _ in 0..=prng.below(3) {
            damage(&mut prng, &mut bytes);
        }
        let bytes = Bytes::from(bytes);
        if let (Some(ours), Some(theirs)) = (ours(&bytes), theirs(&bytes)) {
            both += 1;
            let text = String::from_utf8_lossy(&bytes);
            assert_eq!(ours, theirs, "round {round}, {}:\n{text}", sample.name);
        }
    }
    assert!(both > 2_000, "only {both} were accepted by both");
}

/// Changes, removes, repeats or adds a few bytes.
fn damage(prng: &mut Prng, bytes: &mut Vec<u8>) {
    const ODD: &[u8] = b"\r\n \t;,:<>\"\\@?=%/[]0zSI\0\xff";
    let at = prng.below(bytes.len() as u64) as usize;
    let odd = ODD[prng.below(ODD.len() as u64) as usize];
    match prng.below(4) {
        0 => bytes[at] = odd,
        1 => bytes.insert(at, odd),
        2 => {
            bytes.remove(at);
        }
        _ => {
            let end = (at + prng.below(40) as usize).min(bytes.len());
            let piece = bytes[at..end].to_vec();
            bytes.splice(at..at, piece);
        }
    }
}

#[test]
fn what_is_composed_reads_in_rsip() {
    for method in Method::KNOWN {
        let uri = "sip:alice@192.0.2.4:5060;transport=UDP".parse().expect("a URI");
        let from: NameAddr =
            "\"Sales \\\"Q\\\"\" <sip:6000@acd.example>;tag=1".parse().expect("an address");
        let via = Via::new(Transport::Udp, "acd.example:5060".parse().expect("a host"), "z9hG4bK1");
        let request = RequestBuilder::new(method.clone(), &uri)
            .header(Name::Via, &via)
            .header(Name::MaxForwards, 70)
            .header(Name::From, &from)
            .header(Name::To, "<sip:alice@192.0.2.4>")
            .header(Name::CallId, "c0ffee@acd.example")
            .header(Name::CSeq, format!("7 {method}"))
            .header(Name::Contact, "<sip:acd.example:5060>")
            .body("application/sdp", b"v=0\r\n".to_vec())
            .build();
        let read = rsip::Request::try_from(&request.as_bytes()[..]).expect("rsip reads it");
        assert_eq!(read.method.to_string(), method.as_str());
        assert_eq!(read.body, b"v=0\r\n");
        let typed = read.via_header().expect("a Via").typed().expect("a readable Via");
        assert_eq!(typed.branch().map(ToString::to_string).as_deref(), Some("z9hG4bK1"));
        let tag = read.from_header().expect("a From").tag().expect("a readable From");
        assert_eq!(tag.map(|tag| tag.to_string()).as_deref(), Some("1"));

        for status in [100, 180, 183, 200, 302, 401, 407, 486, 487, 503, 603] {
            let response = ResponseBuilder::to(&request, status).to_tag("2").build();
            let read = rsip::Response::try_from(&response.as_bytes()[..]).expect("rsip reads it");
            assert_eq!(read.status_code.code(), status);
            assert_eq!(read.call_id_header().expect("a Call-ID").value(), "c0ffee@acd.example");
        }
    }
}
