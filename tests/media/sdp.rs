//! Offer and answer: odd phones, holds, re-offers, refusals, and that nothing is ever made up.

use carillon::sdp::Agreed;
use carillon::sdp::Codec;
use carillon::sdp::CodecList;
use carillon::sdp::Direction;
use carillon::sdp::Local;
use carillon::sdp::Refusal;
use carillon::sdp::Session;
use carillon::sdp::accept;
use carillon::sdp::accept_again;
use carillon::sdp::answer;
use carillon::sdp::offer;
use carillon::sdp::offer_again;
use proptest::prelude::*;

use crate::peer::address;

fn local() -> Local {
    Local {
        address: "192.0.2.1".parse().unwrap(),
        port: 20_000,
        id: 4711,
        version: 1,
        direction: Direction::SendRecv,
        codecs: CodecList::default(),
        ptime_ms: 20,
    }
}

const HEAD: &str =
    "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n";

fn with_head(media: &str) -> String {
    format!("{HEAD}{}", media.trim_start().replace("\n            ", "\r\n"))
}

fn answered(offer: &str) -> Result<(String, Agreed), Refusal> {
    let (text, agreed) = answer(&Session::parse(offer.as_bytes())?, &local())?;
    Ok((String::from_utf8(text).unwrap(), agreed))
}

pub(crate) fn agreed(media: &str) -> Agreed {
    answered(&with_head(media)).unwrap().1
}

fn refused(media: &str) -> Refusal {
    answered(&with_head(media)).unwrap_err()
}

/// The `m=` lines of a description.
fn lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with("m=")).collect()
}

#[test]
fn a_plain_phone_is_answered_word_for_word() {
    let (text, agreed) = answered(&with_head(
        "m=audio 40000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n",
    ))
    .unwrap();
    let expected = "v=0\r\no=- 4711 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
        m=audio 20000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n\
        a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=rtcp:20000\r\n\
        a=sendrecv\r\n";
    assert_eq!(text, expected);
    assert_eq!(agreed.remote, address("198.51.100.7:40000"));
    assert_eq!((agreed.codec, agreed.payload, agreed.dtmf), (Codec::Pcma, 8, Some(101)));
    assert_eq!(agreed.rtcp, Some(address("198.51.100.7:40001")));
}

#[test]
fn an_answer_has_the_time_of_its_offer() {
    for (line, ours) in [
        ("t=2873397496 2873404696", "t=2873397496 2873404696"),
        ("t=0 0\r\nr=7d 1h 0 25h\r\nt=1 2", "t=0 0"),
        ("t=", "t=0 0"),
        ("t=1", "t=0 0"),
        ("t=now \u{f6}", "t=0 0"),
    ] {
        let offer = with_head("m=audio 4000 RTP/AVP 0\r\n").replace("t=0 0", line);
        let (text, _) = answered(&offer).unwrap();
        assert!(text.contains(&format!("\r\n{ours}\r\nm=")), "{line}: {text}");
    }
}

#[test]
fn the_offerers_order_decides_among_the_codecs_allowed() {
    let theirs = Session::parse(with_head("m=audio 4000 RTP/AVP 9 18 0 8\r\n").as_bytes()).unwrap();
    assert_eq!(answer(&theirs, &local()).unwrap().1.codec, Codec::Pcmu);
    let only = Local { codecs: CodecList::only(Codec::Pcma), ..local() };
    assert_eq!(answer(&theirs, &only).unwrap().1.codec, Codec::Pcma);
}

#[test]
fn a_codec_at_a_dynamic_number_keeps_the_number() {
    let got = agreed("m=audio 4000 RTP/AVP 110\r\na=rtpmap:110 pcma/8000/1\r\n");
    assert_eq!((got.codec, got.payload), (Codec::Pcma, 110));
}

#[test]
fn telephone_events_are_taken_at_any_dynamic_number() {
    for number in 96..=127 {
        let media = format!(
            "m=audio 4000 RTP/AVP 0 {number}\r\na=rtpmap:{number} telephone-event/8000\r\n"
        );
        let (text, agreed) = answered(&with_head(&media)).unwrap();
        assert_eq!((agreed.dtmf, agreed.dtmf_received), (Some(number), Some(number)));
        assert!(text.contains(&format!("m=audio 20000 RTP/AVP 0 {number}\r\n")));
    }
    let wide = "m=audio 4000 RTP/AVP 111 0 110 96\r\na=rtpmap:111 opus/48000/2\r\n\
        a=rtpmap:110 telephone-event/48000\r\na=rtpmap:96 telephone-event/8000\r\n";
    assert_eq!(agreed(wide).dtmf, Some(96), "the one with the codec's clock");
    assert_eq!(agreed("m=audio 4000 RTP/AVP 0\r\n").dtmf, None);
}

#[test]
fn telephone_events_at_a_number_with_another_meaning_are_not_taken() {
    for number in [3, 35, 72, 95, 128, 200] {
        let mapped = format!("a=rtpmap:{number} telephone-event/8000\r\n");
        let media = format!("m=audio 4000 RTP/AVP 0 {number}\r\n{mapped}");
        let (text, alone) = answered(&with_head(&media)).unwrap();
        assert_eq!((alone.dtmf, lines(&text)), (None, vec!["m=audio 20000 RTP/AVP 0"]), "{number}");
        let both = format!(
            "m=audio 4000 RTP/AVP 0 {number} 101\r\n{mapped}\
             a=rtpmap:101 telephone-event/8000\r\n"
        );
        assert_eq!(agreed(&both).dtmf, Some(101), "{number} beside 101");
    }
}

#[test]
fn holds_are_answered_from_our_side() {
    let cases = [
        ("a=sendrecv\r\n", Direction::SendRecv),
        ("a=sendonly\r\n", Direction::RecvOnly),
        ("a=recvonly\r\n", Direction::SendOnly),
        ("a=inactive\r\n", Direction::Inactive),
        ("c=IN IP4 0.0.0.0\r\n", Direction::RecvOnly),
        ("c=IN IP4 0.0.0.0\r\na=inactive\r\n", Direction::Inactive),
        ("c=IN IP4 0.0.0.0\r\na=recvonly\r\n", Direction::Inactive),
    ];
    for (attributes, ours) in cases {
        let offer = with_head(&format!("m=audio 4000 RTP/AVP 0\r\n{attributes}"));
        let (text, agreed) = answered(&offer).unwrap();
        assert_eq!(agreed.direction, ours, "{attributes:?}");
        assert!(text.ends_with(&format!("a={}\r\n", ours.as_str())), "{text}");
        assert!(text.contains("c=IN IP4 192.0.2.1\r\n"), "we never answer with nowhere");
    }
}

#[test]
fn a_direction_of_the_session_counts_for_streams_without_one() {
    let media = "a=sendonly\r\nm=audio 4000 RTP/AVP 0\r\n";
    assert_eq!(agreed(media).direction, Direction::RecvOnly);
    let own = "a=sendonly\r\nm=audio 4000 RTP/AVP 0\r\na=sendrecv\r\n";
    assert_eq!(agreed(own).direction, Direction::SendRecv);
}

#[test]
fn we_hold_a_peer_by_what_we_want() {
    let held = Local { direction: Direction::SendOnly, ..local() };
    let theirs = Session::parse(with_head("m=audio 4000 RTP/AVP 0\r\n").as_bytes()).unwrap();
    assert_eq!(answer(&theirs, &held).unwrap().1.direction, Direction::SendOnly);
    let holding =
        Session::parse(with_head("m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n").as_bytes()).unwrap();
    assert_eq!(answer(&holding, &held).unwrap().1.direction, Direction::Inactive);
}

#[test]
fn everything_else_is_declined_in_its_place() {
    let (text, agreed) = answered(&with_head(
        "m=image 5000 udptl t38\r\nm=video 5002 RTP/AVP 96 97\r\na=rtpmap:96 H264/90000\r\n\
         m=audio 5004 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:secret\r\n\
         m=audio 5006 RTP/AVP 0\r\nm=audio 5008 RTP/AVP 8\r\n\
         m=application 5010 UDP/DTLS/SCTP webrtc-datachannel\r\n",
    ))
    .unwrap();
    assert_eq!(
        lines(&text),
        [
            "m=image 0 udptl t38",
            "m=video 0 RTP/AVP 96 97",
            "m=audio 0 RTP/SAVP 0",
            "m=audio 20000 RTP/AVP 0",
            "m=audio 0 RTP/AVP 8",
            "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
        ]
    );
    assert_eq!((agreed.slot, agreed.slots), (3, 6));
    assert!(!text.contains("secret"));
}

#[test]
fn what_has_no_audio_for_us_is_refused_by_name() {
    let cases = [
        ("m=video 5002 RTP/AVP 96\r\n", Refusal::NoAudio),
        ("m=image 5000 udptl t38\r\na=T38FaxVersion:0\r\n", Refusal::NoAudio),
        ("m=audio 0 RTP/AVP 0\r\n", Refusal::NoAudio),
        ("m=audio 5000 RTP/AVP 18 9 101\r\n", Refusal::NoCodec),
        ("m=audio 5000 RTP/AVP 111\r\na=rtpmap:111 opus/48000/2\r\n", Refusal::NoCodec),
        ("m=audio 5000 RTP/SAVP 0 8\r\n", Refusal::NoProfile),
        (
            "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=setup:actpass\r\na=fingerprint:sha-256 00\r\n",
            Refusal::NoProfile,
        ),
        ("m=audio 5000 RTP/AVP 0\r\nc=IN IP4 phone.example\r\n", Refusal::NoAddress),
        ("m=audio 5000 RTP/AVP 0\r\nc=IN IP4 224.2.1.1/127\r\n", Refusal::NoAddress),
        ("", Refusal::NoAudio),
    ];
    for (media, refusal) in cases {
        assert_eq!(refused(media), refusal, "{media:?}");
    }
    for text in ["", "hello", "\0\0\0", "INVITE sip:a@b SIP/2.0", "v=1\r\n"] {
        assert_eq!(answered(text).unwrap_err(), Refusal::NotReadable, "{text:?}");
    }
}

/// What phones really send, each with something that has broken a parser.
const ODD: &[(&str, &str)] = &[
    (
        "a NUL at the end",
        "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\n\
        t=0 0\r\nm=audio 4000 RTP/AVP 0\r\n\0",
    ),
    (
        "bare line feeds",
        "v=0\no=- 1 1 IN IP4 198.51.100.7\ns=-\nc=IN IP4 198.51.100.7\nt=0 0\n\
        m=audio 4000 RTP/AVP 0\n",
    ),
    (
        "bare carriage returns",
        "v=0\ro=- 1 1 IN IP4 198.51.100.7\rs=-\rc=IN IP4 198.51.100.7\r\
        t=0 0\rm=audio 4000 RTP/AVP 0\r",
    ),
    (
        "no s= and no t=",
        "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\nc=IN IP4 198.51.100.7\r\n\
        m=audio 4000 RTP/AVP 0\r\n",
    ),
    (
        "an empty s=",
        "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=\r\nc=IN IP4 198.51.100.7\r\n\
        t=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
    ),
    (
        "a huge session id",
        "v=0\r\no=x 99999999999999999999999999 1 IN IP4 198.51.100.7\r\ns=-\r\n\
        c=IN IP4 198.51.100.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
    ),
    (
        "a huge version",
        "v=0\r\no=x 1 99999999999999999999999999 IN IP4 198.51.100.7\r\ns=-\r\n\
        c=IN IP4 198.51.100.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
    ),
    (
        "a user name with spaces",
        "v=0\r\no=My Phone 1 1 IN IP4 198.51.100.7\r\ns=-\r\n\
        c=IN IP4 198.51.100.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
    ),
    (
        "attributes before t=",
        "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\na=tool:phone\r\n\
        c=IN IP4 198.51.100.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
    ),
    (
        "unknown letters",
        "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nx=what\r\ny=1\r\n\
        c=IN IP4 198.51.100.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\nf=\r\n",
    ),
    (
        "spaces at line ends",
        "v=0 \r\no=- 1 1 IN IP4 198.51.100.7 \r\ns=- \r\n\
        c=IN IP4 198.51.100.7 \r\nt=0 0 \r\nm=audio 4000 RTP/AVP 0 \r\n",
    ),
    (
        "Latin-1 in the name",
        "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=Gespr\u{e4}ch\r\n\
        c=IN IP4 198.51.100.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
    ),
    (
        "two c= lines",
        "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\n\
        c=IN IP4 203.0.113.5\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
    ),
    (
        "c= only with the stream",
        "v=0\r\no=- 1 1 IN IP4 phone.local\r\ns=-\r\nt=0 0\r\n\
        m=audio 4000 RTP/AVP 0\r\nc=IN IP4 198.51.100.7\r\n",
    ),
    (
        "bandwidth and keys",
        "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\n\
        b=AS:nonsense\r\nk=prompt\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\nb=TIAS:64000\r\n",
    ),
    (
        "ICE",
        "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n\
        a=ice-ufrag:F7gI\r\na=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\na=ice-lite\r\n\
        m=audio 4000 RTP/AVP 0\r\na=candidate:1 1 UDP 2130706431 10.0.1.1 8998 typ host\r\n\
        a=candidate:2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 10.0.1.1 rport 8998\r\n\
        a=end-of-candidates\r\n",
    ),
    (
        "a number of ports",
        "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\n\
        t=0 0\r\nm=audio 4000/2 RTP/AVP 0\r\n",
    ),
    (
        "AVPF and mux",
        "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\n\
        t=0 0\r\nm=audio 4000 RTP/AVPF 0\r\na=rtcp-mux\r\na=rtcp-fb:* trr-int 1000\r\n",
    ),
    (
        "a mute rtpmap",
        "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\n\
        t=0 0\r\nm=audio 4000 RTP/AVP 0 97\r\na=rtpmap:97\r\na=rtpmap:\r\na=rtpmap\r\n",
    ),
];

#[test]
fn odd_phones_are_understood() {
    for (what, offer) in ODD {
        let (text, agreed) = answered(offer).unwrap_or_else(|refusal| panic!("{what}: {refusal}"));
        assert_eq!(agreed.remote, address("198.51.100.7:4000"), "{what}");
        assert_eq!(agreed.codec, Codec::Pcmu, "{what}");
        assert_eq!(lines(&text).len(), 1, "{what}");
        Session::parse(text.as_bytes()).unwrap();
    }
}

#[test]
fn latin_1_bytes_do_not_spoil_a_description() {
    let mut offer = with_head("m=audio 4000 RTP/AVP 0\r\n").into_bytes();
    let name = offer.iter().position(|byte| *byte == b's').unwrap();
    offer.splice(name + 2..name + 3, [0xe4, 0xff]);
    assert!(Session::parse(&offer).is_ok());
}

#[test]
fn ipv6_works_like_ipv4() {
    let offer = "v=0\r\no=- 1 1 IN IP6 2001:db8::7\r\ns=-\r\nc=IN IP6 2001:db8::7\r\nt=0 0\r\n\
        m=audio 4000 RTP/AVP 0\r\n";
    let ours = Local { address: "2001:db8::1".parse().unwrap(), ..local() };
    let (text, agreed) = answer(&Session::parse(offer.as_bytes()).unwrap(), &ours).unwrap();
    assert_eq!(agreed.remote, address("[2001:db8::7]:4000"));
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("c=IN IP6 2001:db8::1\r\n"));
    let hold = offer.replace("c=IN IP6 2001:db8::7", "c=IN IP6 ::");
    let held = answer(&Session::parse(hold.as_bytes()).unwrap(), &ours).unwrap().1;
    assert_eq!(held.direction, Direction::RecvOnly);
}

#[test]
fn reports_are_called_to_the_rtp_port_unless_they_are_multiplexed() {
    let said = |attributes: &str| {
        let offer = with_head(&format!("m=audio 4000 RTP/AVP 0\r\n{attributes}"));
        let (answer, agreed) = answered(&offer).unwrap();
        let again = String::from_utf8(offer_again(&local(), &agreed)).unwrap();
        [answer, again]
            .map(|text| (text.contains("a=rtcp:20000\r\n"), text.contains("a=rtcp-mux\r\n")))
    };
    assert_eq!(said(""), [(true, false); 2]);
    assert_eq!(said("a=rtcp-mux\r\n"), [(false, true); 2]);
    let first = String::from_utf8(offer(&local())).unwrap();
    assert!(first.contains("a=rtcp-mux\r\na=rtcp:20000\r\n"), "for either kind of phone: {first}");
}

#[test]
fn rtcp_goes_where_it_is_wanted() {
    let rtcp =
        |attributes: &str| agreed(&format!("m=audio 4000 RTP/AVP 0\r\n{attributes}")).rtcp.unwrap();
    assert_eq!(rtcp(""), address("198.51.100.7:4001"));
    assert_eq!(rtcp("a=rtcp:5555\r\n"), address("198.51.100.7:5555"));
    assert_eq!(rtcp("a=rtcp:5555 IN IP4 203.0.113.9\r\n"), address("203.0.113.9:5555"));
    assert_eq!(rtcp("a=rtcp-mux\r\n"), address("198.51.100.7:4000"));
    assert_eq!(rtcp("a=rtcp:0\r\n"), address("198.51.100.7:4001"));
}

#[test]
fn our_offer_is_answered_and_accepted() {
    let text = String::from_utf8(offer(&local())).unwrap();
    assert_eq!(lines(&text), ["m=audio 20000 RTP/AVP 0 8 101"]);
    let theirs = with_head(
        "m=audio 4000 RTP/AVP 8 96\r\na=rtpmap:96 telephone-event/8000\r\na=recvonly\r\n",
    );
    let agreed = accept(&Session::parse(theirs.as_bytes()).unwrap(), &local()).unwrap();
    assert_eq!(agreed.codec, Codec::Pcma);
    assert_eq!(agreed.direction, Direction::SendOnly);
    assert_eq!((agreed.dtmf, agreed.dtmf_received), (Some(96), Some(101)), "each its own number");
    let declined = with_head("m=audio 0 RTP/AVP 0\r\n");
    let declined = Session::parse(declined.as_bytes()).unwrap();
    assert_eq!(accept(&declined, &local()), Err(Refusal::NoAudio));
}

#[test]
fn an_offer_inside_a_session_keeps_places_and_numbers() {
    let first = with_head(
        "m=video 5002 RTP/AVP 96\r\nm=audio 5006 RTP/AVP 8 100\r\n\
         a=rtpmap:100 telephone-event/8000\r\na=ptime:30\r\n",
    );
    let before = answered(&first).unwrap().1;
    let again = String::from_utf8(offer_again(&Local { version: 2, ..local() }, &before)).unwrap();
    assert!(again.contains("o=- 4711 2 "));
    assert_eq!(lines(&again), ["m=audio 0 RTP/AVP 0", "m=audio 20000 RTP/AVP 8 0 100"]);
    assert!(again.contains("a=ptime:30\r\n"));
    let theirs = with_head(
        "m=audio 0 RTP/AVP 0\r\nm=audio 5006 RTP/AVP 0 100\r\n\
        a=rtpmap:100 telephone-event/8000\r\n",
    );
    let theirs = Session::parse(theirs.as_bytes()).unwrap();
    let after = accept_again(&theirs, &local(), &before).unwrap();
    assert_eq!((after.slot, after.slots, after.codec), (1, 2, Codec::Pcmu));
    assert_eq!((after.dtmf, after.dtmf_received), (Some(100), Some(100)));
}

#[test]
fn the_same_offer_twice_is_answered_by_the_same_bytes() {
    let text = with_head("m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n");
    assert_eq!(answered(&text).unwrap().0, answered(&text).unwrap().0);
    assert!(answered(&text).unwrap().0.contains("o=- 4711 1 "), "the version is the caller's");
}

#[test]
fn an_agreement_survives_being_stored() {
    let before = agreed("m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n");
    let stored = postcard::to_allocvec(&before).unwrap();
    assert!(stored.len() < 64, "{} bytes", stored.len());
    assert_eq!(postcard::from_bytes::<Agreed>(&stored).unwrap(), before);
}

/// One `m=` line of an arbitrary phone.
fn any_media() -> impl Strategy<Value = String> {
    let kind = prop::sample::select(vec!["audio", "audio", "audio", "video", "image", "text"]);
    let proto =
        prop::sample::select(vec!["RTP/AVP", "RTP/AVP", "RTP/SAVP", "UDP/TLS/RTP/SAVPF", "udptl"]);
    let formats = prop::collection::vec(0_u8..128, 1..6);
    let attributes = prop::collection::vec(
        prop::sample::select(vec![
            "a=sendonly",
            "a=inactive",
            "a=recvonly",
            "a=ptime:30",
            "a=rtpmap:101 telephone-event/8000",
            "a=rtpmap:96 PCMU/8000",
            "a=rtpmap:0 PCMA/8000",
            "c=IN IP4 0.0.0.0",
            "a=rtcp-mux",
            "c=IN IP6 ::1",
            "a=rtcp:7",
        ]),
        0..5,
    );
    (kind, any::<u16>(), proto, formats, attributes).prop_map(
        |(kind, port, proto, formats, more)| {
            let formats: Vec<String> = formats.iter().map(u8::to_string).collect();
            let more: String = more.iter().map(|line| format!("{line}\r\n")).collect();
            format!("m={kind} {port} {proto} {}\r\n{more}", formats.join(" "))
        },
    )
}

proptest! {
    #[test]
    fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Session::parse(&bytes);
    }

    #[test]
    fn reading_what_looks_like_sdp_never_panics(
        lines in prop::collection::vec("[a-z]=[ -~]{0,40}", 0..20),
    ) {
        let _ = answered(&format!("v=0\r\n{}", lines.join("\r\n")));
    }

    #[test]
    fn nothing_is_answered_that_was_not_offered(media in prop::collection::vec(any_media(), 1..5)) {
        let offered = with_head(&media.concat());
        let Ok((text, agreed)) = answered(&offered) else { return Ok(()) };
        let (theirs, ours) = (lines(&offered), lines(&text));
        prop_assert_eq!(theirs.len(), ours.len());
        for (nth, (theirs, ours)) in theirs.iter().zip(&ours).enumerate() {
            let (theirs, ours): (Vec<&str>, Vec<&str>) =
                (theirs.split(' ').collect(), ours.split(' ').collect());
            prop_assert_eq!(theirs[0], ours[0], "the kind of stream");
            prop_assert_eq!(theirs[2], ours[2], "the profile");
            for format in &ours[3..] {
                prop_assert!(theirs[3..].contains(format), "{} was not offered", format);
            }
            prop_assert_eq!(ours[1] != "0", nth == usize::from(agreed.slot));
        }
        let again = Session::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(again.media[usize::from(agreed.slot)].direction, agreed.direction);
    }
}
