//! Subscriptions, subscriber's side (RFC 6665 with the field's corrections), in virtual time.

use carillon::base::time::ClusterTime;
use carillon::sip::Message;
use carillon::sip::Name;
use carillon::sip::ResponseBuilder;
use carillon::sip::Transport;
use carillon::sip::dialog::Reject;
use carillon::sip::subscription::Phase;
use carillon::sip::subscription::Subscription;
use carillon::sip::subscription::Verdict;
use carillon::sip::subscription::Wish;

use crate::letters::flow;
use crate::letters::message;

fn at(seconds: u64) -> ClusterTime {
    ClusterTime(seconds * 1000)
}

fn wish() -> Wish {
    Wish {
        target: "sip:2771@pbx.example".parse().expect("a URI"),
        subscriber: "<sip:acd@acd.example>".parse().expect("an address"),
        contact: "sip:acd@192.0.2.1".parse().expect("a URI"),
        package: "presence".into(),
        accept: "application/pidf+xml".into(),
        expires_seconds: 3600,
    }
}

fn asked() -> (Subscription, Message) {
    let mut subscription = Subscription::new(wish());
    let request = subscription.subscribe("c1@acd", "us", flow(Transport::Udp));
    (subscription, request)
}

fn answer(request: &Message, status: u16, extra: &[(Name, &str)]) -> Message {
    let response = ResponseBuilder::to(request, status)
        .to_tag("pbx")
        .header(Name::Contact, "<sip:pbx@192.0.2.9:5070>")
        .header(Name::RecordRoute, "<sip:edge@192.0.2.20;lr>");
    extra.iter().fold(response, |response, (name, value)| response.header(*name, value)).build()
}

fn notify(cseq: u32, tag: &str, state: &str, extra: &str) -> Message {
    message(&format!(
        "NOTIFY sip:acd@192.0.2.1 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK-n{cseq}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:2771@pbx.example>;tag={tag}\r\n\
         To: <sip:acd@acd.example>;tag=us\r\n\
         Call-ID: c1@acd\r\n\
         CSeq: {cseq} NOTIFY\r\n\
         Contact: <sip:pbx@192.0.2.9:5070>\r\n\
         Record-Route: <sip:edge@192.0.2.20;lr>\r\n\
         Event: presence\r\n\
         Subscription-State: {state}\r\n\
         {extra}Content-Length: 0\r\n\r\n"
    ))
}

fn active() -> Subscription {
    let (mut subscription, request) = asked();
    let granted = answer(&request, 200, &[(Name::Expires, "600")]);
    assert_eq!(subscription.on_response(at(0), &granted, 0), Ok(Verdict::GoesOn));
    let verdict = subscription.on_notify(at(1), &notify(1, "pbx", "active;expires=600", ""), 0);
    assert_eq!(verdict, Ok(Verdict::GoesOn));
    subscription
}

#[test]
fn the_request_says_what_is_wanted() {
    let (subscription, request) = asked();
    assert_eq!(request.request_uri_text(), "sip:2771@pbx.example");
    let expected = [
        (Name::Event, "presence"),
        (Name::Accept, "application/pidf+xml"),
        (Name::Expires, "3600"),
        (Name::From, "<sip:acd@acd.example>;tag=us"),
        (Name::To, "<sip:2771@pbx.example>"),
        (Name::Contact, "<sip:acd@192.0.2.1>"),
        (Name::CSeq, "1 SUBSCRIBE"),
    ];
    for (name, value) in expected {
        assert_eq!(request.header(name).as_deref(), Some(value));
    }
    assert_eq!(subscription.phase, Phase::Asking);
}

#[test]
fn a_notify_makes_it_active_whether_it_comes_before_or_after_the_2xx() {
    let after = active();
    let (mut before, request) = asked();
    let first = notify(1, "pbx", "active;expires=600", "");
    assert_eq!(before.on_notify(at(1), &first, 0), Ok(Verdict::GoesOn));
    let granted = answer(&request, 202, &[(Name::Expires, "600")]);
    assert_eq!(before.on_response(at(1), &granted, 0), Ok(Verdict::GoesOn));
    for mut subscription in [after, before] {
        assert_eq!((subscription.phase, subscription.notify_by), (Phase::Active, None));
        let refresh = subscription.refresh().expect("a dialog");
        assert_eq!(refresh.header(Name::To).as_deref(), Some("<sip:2771@pbx.example>;tag=pbx"));
        assert_eq!(refresh.header(Name::Route).as_deref(), Some("<sip:edge@192.0.2.20;lr>"));
        assert_eq!(refresh.request_uri_text(), "sip:pbx@192.0.2.9:5070");
        assert_eq!(refresh.header(Name::CSeq).as_deref(), Some("2 SUBSCRIBE"));
    }
}

#[test]
fn it_is_refreshed_in_time_and_spread() {
    for random in [0, 57_000, 113_999, u64::MAX] {
        let (mut subscription, _) = asked();
        let state = notify(1, "pbx", "active;expires=600", "");
        subscription.on_notify(at(0), &state, random).expect("it fits");
        let due = subscription.next_deadline().expect("a refresh");
        assert!((513_000..=570_000).contains(&due.0), "{random}: {}", due.0);
        assert_eq!(subscription.on_deadline(due, 0), Verdict::Refresh);
    }
}

#[test]
fn no_notify_is_a_failure() {
    let (mut subscription, request) = asked();
    let granted = answer(&request, 200, &[(Name::Expires, "600")]);
    subscription.on_response(at(0), &granted, 0).expect("readable");
    assert_eq!(subscription.next_deadline(), Some(at(32)));
    assert_eq!(subscription.on_deadline(at(32), 0), Verdict::Ended);
    assert_eq!(subscription.again_at, Some(at(37)));
    assert_eq!(subscription.on_deadline(at(37), 0), Verdict::Subscribe);
}

#[test]
fn each_reason_has_its_pause() {
    let cases = [
        ("terminated", "", Some(100)),
        ("terminated;reason=timeout", "", Some(100)),
        ("terminated;reason=deactivated", "", Some(100)),
        ("terminated;reason=probation", "", Some(160)),
        ("terminated;reason=probation;retry-after=30", "", Some(130)),
        ("terminated;reason=probation", "Retry-After: 90\r\n", Some(190)),
        ("terminated;reason=giveup", "", Some(160)),
        ("terminated;reason=rejected", "", Some(1000)),
        ("terminated;reason=noresource", "", Some(160)),
        ("terminated;reason=invariant", "", None),
        ("terminated;reason=novel", "", Some(100)),
    ];
    for (state, extra, again) in cases {
        let mut subscription = active();
        let last = notify(2, "pbx", state, extra);
        assert_eq!(subscription.on_notify(at(100), &last, 0), Ok(Verdict::Ended), "{state}");
        assert_eq!(subscription.again_at, again.map(at), "{state} {extra}");
        assert_eq!((subscription.phase, subscription.dialog), (Phase::Ended, None));
    }
}

#[test]
fn noresource_is_tried_ever_more_slowly_until_it_works() {
    let (mut subscription, _) = asked();
    let mut pauses = Vec::new();
    for _ in 0..6 {
        let last = notify(1, "pbx", "terminated;reason=noresource", "");
        subscription.on_notify(at(0), &last, 0).expect("it fits");
        pauses.push(subscription.again_at.map_or(0, |again| again.0 / 1000));
        subscription.subscribe("c1@acd", "us", flow(Transport::Udp));
    }
    assert_eq!(pauses, [60, 120, 240, 480, 900, 900]);
    subscription.on_notify(at(0), &notify(1, "pbx", "active", ""), 0).expect("it fits");
    assert_eq!(subscription.failures, 0);
}

#[test]
fn each_refusal_has_its_consequence() {
    let cases: [(u16, Verdict, Option<u64>); 7] = [
        (401, Verdict::Challenged, None),
        (489, Verdict::WrongPackage, None),
        (481, Verdict::Ended, Some(0)),
        (403, Verdict::Ended, Some(900)),
        (404, Verdict::Ended, Some(900)),
        (603, Verdict::Ended, Some(900)),
        (503, Verdict::Ended, Some(5)),
    ];
    for (status, verdict, again) in cases {
        let (mut subscription, request) = asked();
        let refusal = answer(&request, status, &[]);
        assert_eq!(subscription.on_response(at(0), &refusal, 0), Ok(verdict), "{status}");
        assert_eq!(subscription.again_at, again.map(at), "{status}");
    }
}

#[test]
fn too_brief_is_asked_again_for_longer() {
    let (mut subscription, request) = asked();
    let refusal = answer(&request, 423, &[(Name::MinExpires, "7200")]);
    assert_eq!(subscription.on_response(at(0), &refusal, 0), Ok(Verdict::Subscribe));
    assert_eq!(subscription.wish.expires_seconds, 7200);
    let (mut subscription, request) = asked();
    subscription.wish.expires_seconds = 1000;
    let bare = answer(&request, 423, &[]);
    assert_eq!(subscription.on_response(at(0), &bare, 0), Ok(Verdict::Subscribe));
    assert_eq!(subscription.wish.expires_seconds, 2000);
}

#[test]
fn a_refresh_that_fails_for_a_while_leaves_it_alive_until_it_expires() {
    let mut subscription = active();
    let refresh = subscription.refresh().expect("a dialog");
    let busy = answer(&refresh, 503, &[(Name::RetryAfter, "20")]);
    assert_eq!(subscription.on_response(at(300), &busy, 0), Ok(Verdict::GoesOn));
    assert_eq!(subscription.next_deadline(), Some(at(320)));
    assert_eq!(subscription.on_deadline(at(320), 0), Verdict::Refresh);
    assert_eq!(subscription.on_timed_out(at(600)), Verdict::Ended);
    let mut silent = active();
    silent.refresh_at = None;
    assert_eq!(silent.on_deadline(at(601), 0), Verdict::Ended);
    assert_eq!(silent.again_at, Some(at(601)));
}

#[test]
fn leaving_ends_it_for_good() {
    let mut subscription = active();
    let leave = subscription.unsubscribe().expect("a dialog");
    assert_eq!(leave.header(Name::Expires).as_deref(), Some("0"));
    let granted = answer(&leave, 200, &[(Name::Expires, "0")]);
    assert_eq!(subscription.on_response(at(10), &granted, 0), Ok(Verdict::GoesOn));
    let last = notify(2, "pbx", "terminated;reason=timeout", "");
    assert_eq!(subscription.on_notify(at(10), &last, 0), Ok(Verdict::Ended));
    assert_eq!((subscription.again_at, subscription.next_deadline()), (None, None));
}

#[test]
fn foreign_notifies_get_481_and_old_ones_500() {
    let mut subscription = active();
    let fork = notify(2, "other", "active;expires=600", "");
    assert_eq!(subscription.on_notify(at(2), &fork, 0), Err(Reject::NoDialog));
    subscription.on_notify(at(2), &notify(9, "pbx", "active", ""), 0).expect("it fits");
    let old = notify(3, "pbx", "active", "");
    assert_eq!(subscription.on_notify(at(3), &old, 0), Err(Reject::Stale));
    let other = notify(10, "pbx", "active", "").with_header(Name::Event, "dialog");
    assert_eq!(subscription.on_notify(at(3), &other, 0), Err(Reject::NoDialog));
}

#[test]
fn another_node_goes_on_with_the_record() {
    let subscription = active();
    let bytes = postcard::to_allocvec(&subscription).expect("a record");
    assert!(bytes.len() < 1_200, "{} bytes", bytes.len());
    let mut restored: Subscription = postcard::from_bytes(&bytes).expect("the record");
    assert_eq!(restored, subscription);
    let dialog = restored.dialog.as_mut().expect("a dialog");
    dialog.take_over("sip:acd@192.0.2.2".parse().expect("a URI"), flow(Transport::Udp));
    let refresh = restored.refresh().expect("a dialog");
    assert_eq!(refresh.cseq().expect("CSeq").number, 17);
}
