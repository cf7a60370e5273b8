//! URIs: kept as written, taken apart rightly, compared as RFC 3261 says.

use carillon::sip::HostPort;
use carillon::sip::Uri;
use carillon::sip::uri::Scheme;

fn uri(text: &str) -> Uri {
    text.parse().unwrap_or_else(|_| panic!("{text}"))
}

#[test]
fn a_uri_prints_as_it_was_written() {
    for text in [
        "sip:a.example",
        "sip:john.smith@y.com",
        "sip:ann:secret@a.example:5070;transport=TCP;lr;gr=urn:uuid:f81d?Replaces=a%40b&x=",
        "sips:[2001:db8::1]:5061;maddr=[::1]",
        "sip:user;par=u%40example.net@example.com",
        "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*\
         :&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
        "sip:%00@host5.example.com",
        "sip:my_host.internal;ob",
        "tel:+1-201-555-0123;phone-context=example.com",
        "urn:service:sos",
        "soap.beep://192.0.2.103:3002",
        "sip:alice@example.com?subject=a?b/c",
    ] {
        assert_eq!(uri(text).to_string(), text);
    }
    assert_eq!(uri("SIP:a@B").to_string(), "sip:a@B");
}

#[test]
fn a_third_colon_in_an_ipv6_address_counts_for_nothing() {
    let bug = uri("sip:user@[2001:db8:::192.0.2.1]");
    assert_eq!(bug.to_string(), "sip:user@[2001:db8:::192.0.2.1]");
    assert_eq!(bug.host_port().ip(), Some("2001:db8::192.0.2.1".parse().unwrap()));
    assert!("sip:user@[2001::::1]".parse::<Uri>().is_err());
    assert!("sip:user@[2001:db8:::1]".parse::<Uri>().is_err());
    assert!("sip:user@[1:2:3:::4:::5]".parse::<Uri>().is_err());
}

#[test]
fn the_parts_are_where_they_belong() {
    let full = uri("sip:ann%20b:pw@[2001:db8::1]:5070;lr;x=%41?Replaces=a%40b%3Bto-tag%3D1&Y=z");
    assert_eq!((full.user.as_deref(), full.password.as_deref()), (Some("ann%20b"), Some("pw")));
    assert_eq!(full.user_name().as_deref(), Some("ann b"));
    assert_eq!((full.host.as_str(), full.port), ("[2001:db8::1]", Some(5070)));
    assert_eq!(full.host_port().ip(), Some("2001:db8::1".parse().unwrap()));
    assert!(full.params.has("LR"));
    assert_eq!(full.header("replaces").as_deref(), Some("a@b;to-tag=1"));
    assert_eq!(full.clone().without_headers().header("replaces"), None);
    let tel = uri("tel:+1555;ext=2");
    assert_eq!(
        (tel.scheme, tel.user.as_deref(), tel.host.as_str()),
        (Scheme::Tel, Some("+1555"), "")
    );
    assert_eq!(uri("sip:*21#%23@x").user_name().as_deref(), Some("*21##"), "as phones send it");
    assert_eq!(uri("sip:%ff@x").user_name().as_deref(), Some("%ff"), "not UTF-8");
}

#[test]
fn a_number_is_a_number_however_it_is_written() {
    for (text, number) in [
        ("tel:+49-221-12345", "+4922112345"),
        ("tel:+49(221)12.345;ext=3;phone-context=x", "+4922112345"),
        ("sip:+49-221;isub=1@x;user=phone", "+49221"),
        ("sip:+49-221;isub=1@x;user=Phone", "+49221"),
        ("sip:j.o-hara;x=1@x", "j.o-hara;x=1"),
        ("sip:%23100%40x@y", "#100@x"),
        ("sip:j.o@x;user=ip", "j.o"),
    ] {
        assert_eq!(uri(text).subscriber().as_deref(), Some(number), "{text}");
    }
    assert_eq!(uri("sip:x").subscriber(), None);
}

#[test]
fn what_is_no_uri_is_refused() {
    for text in [
        "",
        "sip",
        "sip:",
        ":a",
        "1sip:a",
        "sip:@a",
        "sip:a@",
        "sip:a b@c",
        "sip:a@b c",
        "<sip:a>",
        "sip:a@b>",
        "sip:\"a\"@b",
        "sip:a@b:",
        "sip:a@b:65536",
        "sip:a@b:x",
        "sip:a@b:+1",
        "sip:2001:db8::1",
        "sip:[2001:db8::1",
        "sip:[zz]",
        "sip:a@[::1]x",
        "sip:a@b;",
        "sip:a@b;;lr",
        "sip:a@b;=x",
        "sip:a@b\r\nEvil:",
        "sip:a@b\t",
        "sip:a@b/c",
        "sip:ä@b",
        "sip:a@b;x=ä",
        "sip:a\u{7f}@b",
        "sip:us]r@h",
        "sip:a/b%?c@h",
        "sip:%zz@h",
        "sip:a@b;x=%4",
        "urn:%4g",
        "sip:a@b;x=1,2",
        "sip:a@b?",
        "sip:a@b?x=1&",
        "sip:a@b?=1",
        "tel:",
        "tel:alice",
        "tel:+12AB",
        "tel:-.",
        "tel:1 2",
        "tel:+1;;x",
    ] {
        assert!(text.parse::<Uri>().is_err(), "{text:?}");
    }
}

#[test]
fn comparison_follows_rfc_3261_19_1_4() {
    let same = [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
    ];
    let different = [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a@b", "sips:a@b"),
        ("sip:a@b;maddr=c", "sip:a@b"),
        ("sip:a@b;lr", "sip:a@b;lr=1"),
    ];
    for (pairs, expected) in [(&same[..], true), (&different[..], false)] {
        for (one, other) in pairs {
            assert_eq!(uri(one).is_equivalent(&uri(other)), expected, "{one} {other}");
            assert_eq!(uri(other).is_equivalent(&uri(one)), expected, "{other} {one}");
        }
    }
}

#[test]
fn hosts_with_ports() {
    let host = |text: &str| text.parse::<HostPort>();
    assert_eq!(host("[::1]:5060").unwrap().to_string(), "[::1]:5060");
    assert_eq!(host("a.example").unwrap().port, None);
    assert_eq!(HostPort::from("[::1]:5".parse::<std::net::SocketAddr>().unwrap()).host, "[::1]");
    for text in ["", "::1", "a:b:c", "[a]", "a b", "a:0x1"] {
        assert!(host(text).is_err(), "{text}");
    }
}
