//! Nothing handed to a builder can add a header, end the head, or change where the body begins.

use carillon::sip::Message;
use carillon::sip::Method;
use carillon::sip::Name;
use carillon::sip::NameAddr;
use carillon::sip::RequestBuilder;
use carillon::sip::ResponseBuilder;
use carillon::sip::Uri;
use carillon::sip::header::reason::Reason;

use crate::codec::INVITE;
use crate::codec::message;

const HOSTILE: &[&str] = &[
    "x\r\nEvil: yes",
    "x\nEvil: yes",
    "x\rEvil: yes",
    "x\r\n\r\nINVITE sip:evil SIP/2.0\r\nEvil: yes",
    "\r\n\r\n",
    "x\r\n folded\r\nEvil: yes",
    "x\0y",
    "\"><sip:evil>\r\nEvil: yes",
    "\\\"\r\nEvil: yes\\",
    " SIP/2.0\r\nEvil: yes",
    "",
];

/// Reads what was built, and finds the lines it should have and no other.
fn check(built: &Message, lines: usize, hostile: &str) {
    let read = Message::parse(built.as_bytes().clone());
    let read = match &read {
        Ok(message) => message,
        // A value may make its own header nonsense; it may not make another.
        Err(error) => error.message.as_ref().expect("laid out well"),
    };
    let names: Vec<_> = read.all_headers().map(|(name, _)| name.to_owned()).collect();
    assert!(!names.iter().any(|name| name == "Evil"), "{hostile:?}: {names:?}");
    assert_eq!(names.len(), lines, "{hostile:?}: {names:?}");
    assert_eq!(read.body(), b"body", "{hostile:?}");
    assert!(built.all_headers().eq(read.all_headers()), "{hostile:?}");
    assert!(!built.as_bytes().contains(&0), "{hostile:?}");
}

fn request() -> RequestBuilder {
    let uri = "sip:b@b.example".parse().expect("a URI");
    let request = RequestBuilder::new(Method::Options, &uri);
    [Name::Via, Name::To, Name::CallId]
        .into_iter()
        .fold(request, |request, name| request.copy(name, &message(INVITE)))
        .header(Name::CSeq, "1 OPTIONS")
}

#[test]
fn a_header_value_stays_on_its_line() {
    for hostile in HOSTILE {
        let built = request()
            .header(Name::From, "<sip:a@a>;tag=1")
            .header(Name::Subject, hostile)
            .raw("X-Queue", hostile)
            .body("text/plain", b"body".to_vec())
            .build();
        check(&built, 10, hostile);
    }
}

#[test]
fn a_header_name_is_a_name() {
    for hostile in HOSTILE {
        let named = hostile.bytes().any(|byte| byte.is_ascii_alphanumeric());
        let built = request()
            .header(Name::From, "<sip:a@a>;tag=1")
            .raw(hostile, "value")
            .body("text/plain", b"body".to_vec())
            .build();
        check(&built, if named { 9 } else { 8 }, hostile);
    }
}

#[test]
fn content_length_is_never_somebody_elses() {
    let built = request()
        .header(Name::From, "<sip:a@a>;tag=1")
        .header(Name::ContentLength, 99)
        .raw("l", "0")
        .raw("Content\u{20}-Length", "1")
        .body("text/plain", b"body".to_vec())
        .build();
    check(&built, 8, "Content-Length");
    assert_eq!(built.header(Name::ContentLength).as_deref(), Some("4"));
}

#[test]
fn a_name_to_show_and_a_text_are_quoted() {
    for hostile in HOSTILE {
        let uri: Uri = "sip:a@a.example".parse().expect("a URI");
        let from = NameAddr::new(uri).with_display(hostile).with_param("tag", Some("1"));
        let built = request()
            .header(Name::From, &from)
            .header(Name::Reason, Reason::sip(200, hostile))
            .body(hostile, b"body".to_vec())
            .build();
        check(&built, 9, hostile);
        let read = built.from().expect("still an address");
        assert_eq!((read.tag(), read.uri.host.as_str()), (Some("1"), "a.example"), "{hostile:?}");
        let plain = hostile.replace(['\r', '\n', '\0'], " ");
        let shown = read.display.as_deref().unwrap_or_default();
        assert_eq!(
            shown.split_whitespace().collect::<Vec<_>>().join(" "),
            plain.split_whitespace().collect::<Vec<_>>().join(" ")
        );
    }
}

#[test]
fn a_request_line_stays_a_line() {
    for hostile in HOSTILE {
        let mut uri: Uri = "sip:a@a.example".parse().expect("a URI");
        uri.user = Some((*hostile).into());
        // A method without a single letter is no message at all, and so no danger.
        let named = hostile.bytes().any(|byte| byte.is_ascii_alphanumeric());
        let method = if named { Method::from(*hostile) } else { Method::Options };
        let built = RequestBuilder::new(method, &uri)
            .copy(Name::Via, &message(INVITE))
            .body("text/plain", b"body".to_vec())
            .build();
        check(&built, 4, hostile);
        let escaped = Uri::sip(Some(hostile), "a.example".parse().expect("a host"));
        if !hostile.is_empty() {
            let read: Uri = escaped.to_string().parse().expect("a URI");
            assert_eq!(read.user_name().as_deref(), Some(*hostile));
        }
    }
}

#[test]
fn a_phrase_a_tag_and_an_edit_stay_in_their_place() {
    for hostile in HOSTILE {
        let invite = message(INVITE);
        let response = ResponseBuilder::bare(200, hostile)
            .copy(Name::Via, &invite)
            .copy(Name::To, &invite)
            .to_tag(hostile)
            .body("text/plain", b"body".to_vec())
            .build();
        check(&response, 5, hostile);
        assert_eq!(response.to().expect("still an address").tag(), None);
        let edited = response.with_top(Name::Subject, hostile).with_header(Name::Via, hostile);
        check(&edited, 6, hostile);
    }
}

#[test]
fn a_parameter_that_would_be_two_is_left_out() {
    for hostile in
        HOSTILE.iter().chain(&[";lr", "a;b", "a,b", "<a>", "\"", "\"a", "\"a\\", "a b", "\"a\"b"])
    {
        let address: NameAddr = "<sip:a@a>;x=y".parse().expect("an address");
        let tried = address.clone().with_param("tag", Some(hostile)).with_param(hostile, None);
        assert_eq!(tried.params.to_string(), ";x=y", "{hostile:?}");
    }
}

#[test]
fn a_control_character_becomes_a_blank() {
    for control in (0..=31_u8).chain([127]).filter(|byte| *byte != b'\t') {
        let built = request()
            .header(Name::From, "<sip:a@a>;tag=1")
            .header(Name::Subject, format_args!("x{}y", char::from(control)))
            .build();
        assert_eq!(built.header(Name::Subject).as_deref(), Some("x y"), "{control:#x}");
    }
}
