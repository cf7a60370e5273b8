//! What is turned away at the door, and how.

use carillon::acd::command::Command;
use carillon::acd::config::AnswerMode;
use carillon::base::time::LocalTime;
use carillon::sip::header::name::Name;
use carillon::sip::message::Message;
use carillon::sip::method::Method;
use carillon::sip::write::RequestBuilder;

use crate::edited::edited;
use crate::phone::Phone;
use crate::phone::sdp;
use crate::world::World;
use crate::world::address;

/// Sends one INVITE and returns the final response.
fn refused(world: &mut World, compose: impl FnOnce(&mut Phone, LocalTime)) -> Message {
    let caller = world.caller();
    world.with(caller, compose);
    world.run_secs(1);
    let last = world.phones[caller].heard.last().expect("an answer").clone();
    assert!(last.status().is_some_and(|status| status >= 300), "{last:?}");
    last
}

fn with_header(name: &'static str, value: &'static str) -> impl FnOnce(&mut Phone, LocalTime) {
    move |phone, now| {
        let body = phone.sdp.clone().into_bytes();
        let invite = phone.compose("sales").raw(name, value).body("application/sdp", body);
        phone.send_invite(now, invite.build());
    }
}

fn with_sdp(formats: &'static str) -> impl FnOnce(&mut Phone, LocalTime) {
    move |phone, now| {
        phone.sdp = sdp(phone.at, "sendrecv", formats);
        phone.call(now, "sales");
    }
}

#[test]
fn an_unknown_queue_is_404() {
    let mut world = World::new(40, AnswerMode::OnEntry);
    let answer = refused(&mut world, |phone, now| phone.call(now, "nobody"));
    assert_eq!(answer.status(), Some(404));
    world.assert_clean();
}

#[test]
fn media_we_do_not_speak_is_488_and_unreadable_400() {
    let mut world = World::new(41, AnswerMode::OnEntry);
    assert_eq!(refused(&mut world, with_sdp("9 18")).status(), Some(488));
    let unreadable = |phone: &mut Phone, now| {
        let invite = phone.compose("sales").body("application/sdp", b"hello".to_vec());
        phone.send_invite(now, invite.build());
    };
    assert_eq!(refused(&mut world, unreadable).status(), Some(400));
    let foreign = |phone: &mut Phone, now| {
        let invite = phone.compose("sales").body("text/plain", b"hello".to_vec());
        phone.send_invite(now, invite.build());
    };
    assert_eq!(refused(&mut world, foreign).status(), Some(415));
    assert_eq!(world.proposed(|_| true), 0);
    world.assert_clean();
}

#[test]
fn an_extension_we_lack_is_named() {
    let mut world = World::new(42, AnswerMode::OnEntry);
    let answer = refused(&mut world, with_header("Require", "100rel, teleport"));
    assert_eq!(answer.status(), Some(420));
    assert_eq!(answer.header(Name::Unsupported).as_deref(), Some("teleport"));
    world.assert_clean();
}

#[test]
fn a_caller_who_takes_no_sdp_is_406() {
    let mut world = World::new(42, AnswerMode::OnEntry);
    let answer = refused(&mut world, with_header("Accept", "text/plain, application/xml;q=1"));
    assert_eq!(answer.status(), Some(406));
    assert_eq!(answer.header(Name::Accept).as_deref(), Some("application/sdp"));
    for accept in ["text/plain, Application/SDP;level=1", "*/*", "application/*"] {
        let mut world = World::new(42, AnswerMode::OnEntry);
        let caller = world.caller();
        world.with(caller, with_header("Accept", accept));
        world.run_secs(1);
        let last = world.phones[caller].heard.last().expect("an answer");
        assert_eq!(last.status(), Some(200), "{accept}");
    }
    world.assert_clean();
}

#[test]
fn an_interval_too_small_is_422() {
    let mut world = World::new(43, AnswerMode::OnEntry);
    let asks = |phone: &mut Phone, now| {
        let body = phone.sdp.clone().into_bytes();
        let invite = phone.compose("sales").raw("Supported", "timer");
        let invite = invite.raw("Session-Expires", "30").body("application/sdp", body);
        phone.send_invite(now, invite.build());
    };
    let answer = refused(&mut world, asks);
    assert_eq!((answer.status(), answer.header(Name::MinSe).as_deref()), (Some(422), Some("90")));
    world.assert_clean();
}

#[test]
fn a_draining_or_full_or_cut_off_node_says_later() {
    let mut world = World::new(45, AnswerMode::OnEntry);
    world.ua.set_draining(true);
    let drained = refused(&mut world, |p, now| p.call(now, "sales"));
    world.ua.set_draining(false);
    world.ua.set_legs_max(0);
    let full = refused(&mut world, |p, now| p.call(now, "sales"));
    world.ua.set_legs_max(10);
    world.minority = true;
    let cut_off = refused(&mut world, |p, now| p.call(now, "sales"));
    for answer in [drained, full, cut_off] {
        assert_eq!(answer.status(), Some(503));
        assert!(answer.has(Name::RetryAfter));
    }
    world.assert_clean();
}

#[test]
fn a_draining_node_tells_who_asks_for_its_health() {
    let mut world = World::new(49, AnswerMode::OnEntry);
    let peer = world.caller();
    for (draining, status) in [(false, 200), (true, 503), (false, 200)] {
        world.ua.set_draining(draining);
        world.with(peer, |phone, now| {
            let asks = phone.compose("sales").build();
            let asks = RequestBuilder::new(Method::Options, &asks.request_uri().expect("a URI"))
                .header(Name::MaxForwards, 70)
                .copy(Name::From, &asks)
                .copy(Name::To, &asks)
                .copy(Name::CallId, &asks)
                .raw("CSeq", "1 OPTIONS");
            let branch = format!("z9hG4bKhealth{}", phone.heard.len());
            let _key = phone.send_as(now, &asks.build(), &branch);
        });
        world.run_secs(1);
        let answer = world.phones[peer].heard.last().expect("an answer");
        assert_eq!((answer.status(), answer.has(Name::RetryAfter)), (Some(status), draining));
    }
    world.assert_clean();
}

fn request(method: &str, to: &str, extra: &str) -> String {
    format!(
        "{method} sip:sales@127.0.0.1:5060 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bK{method}1\r\nMax-Forwards: 70\r\n\
         From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:sales@127.0.0.1>{to}\r\nCall-ID: {method}\r\n\
         CSeq: 9 {method}\r\nContact: <sip:a@127.0.0.1:6000>\r\n{extra}Content-Length: 0\r\n\r\n"
    )
}

/// The last answer to a request of somebody who keeps no transactions.
fn answer_to(request: &str) -> Message {
    let mut world = World::new(46, AnswerMode::OnEntry);
    world.inject(request, address("127.0.0.1:6000"));
    world.run_secs(1);
    let (_, bytes) = world.mail.pop().expect("an answer");
    Message::parse(bytes).expect("a message")
}

#[test]
fn other_requests_outside_a_dialog() {
    let cases = [
        ("OPTIONS", "", "", 200),
        ("OPTIONS", "", "Require: teleport\r\n", 420),
        ("REGISTER", "", "", 405),
        ("MESSAGE", "", "", 405),
        ("SUBSCRIBE", "", "", 489),
        ("PUBLISH", "", "", 489),
        ("FROBNICATE", "", "", 501),
        ("BYE", ";tag=none", "", 481),
        ("INFO", ";tag=none", "", 481),
        ("INVITE", ";tag=none", "", 481),
        ("NOTIFY", "", "", 481),
    ];
    for (method, to, extra, status) in cases {
        let answer = answer_to(&request(method, to, extra));
        assert_eq!(answer.status(), Some(status), "{method}");
        assert_eq!(answer.has(Name::Allow), [200, 405, 501].contains(&status), "{method}");
        assert_eq!(answer.has(Name::AllowEvents), status == 489, "{method}");
        if status == 200 {
            let supported = answer.header(Name::Supported);
            assert_eq!(supported.as_deref(), Some("timer, 100rel, norefersub"));
            assert_eq!(answer.header(Name::Accept).as_deref(), Some("application/sdp"));
        }
    }
}

#[test]
fn no_more_hops_is_483() {
    let mut world = World::new(47, AnswerMode::OnEntry);
    let asks = |phone: &mut Phone, now| {
        let body = phone.sdp.clone().into_bytes();
        let invite = phone.compose("sales").body("application/sdp", body).build();
        phone.send_invite(now, invite.with_header(Name::MaxForwards, 0));
    };
    assert_eq!(refused(&mut world, asks).status(), Some(483));
}

#[test]
fn the_same_invite_is_one_call() {
    let mut world = World::new(48, AnswerMode::OnEntry);
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    let invite = world.phones[caller].invite.clone().expect("sent").1;
    world.run(carillon::base::time::Millis(20));
    // Again by another way: same Call-ID, tag and CSeq, another branch.
    world.with(caller, |phone, now| {
        let _second = phone.send_as(now, &invite, "z9hG4bKanotherway");
    });
    world.run_secs(1);
    assert!(world.phones[caller].statuses(&Method::Invite).contains(&482));
    let enqueued = |command: &Command| matches!(command, Command::EnqueueCall(_));
    assert_eq!(world.proposed(enqueued), 1);
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn a_body_in_an_encoding_is_415() {
    let mut world = World::new(51, AnswerMode::OnEntry);
    let answer = refused(&mut world, with_header("Content-Encoding", "gzip"));
    assert_eq!(answer.status(), Some(415));
    assert_eq!(answer.header(Name::AcceptEncoding).as_deref(), Some("identity"));
    // Within a call, too, and the call goes on.
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(1);
    let relay = ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n".to_owned());
    for (encoding, status) in [("e: deflate", 415), ("e: Identity", 200)] {
        let header = encoding.split_once(": ").expect("a header");
        world.with(caller, |phone, now| {
            phone.send_with(now, Method::Info, Some((relay.0, relay.1.clone())), &[header]);
        });
        world.run_secs(1);
        assert_eq!(world.phones[caller].statuses(&Method::Info).last(), Some(&status));
    }
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn audio_of_another_ip_version_is_488() {
    let mut world = World::new(52, AnswerMode::OnEntry);
    let answer = refused(&mut world, |phone, now| {
        phone.sdp = phone.sdp.replace("IP4 127.0.0.1", "IP6 2001:db8::7");
        phone.call(now, "sales");
    });
    assert_eq!(answer.status(), Some(488));
    let warning = answer.header(Name::Warning).expect("a Warning").into_owned();
    assert!(warning.starts_with("301 carillon \""), "{warning}");
    assert_eq!(world.proposed(|_| true), 0);
    world.assert_clean();
}

#[test]
fn sips_cannot_be_honoured_and_is_416() {
    let mut world = World::new(53, AnswerMode::OnEntry);
    let answer = refused(&mut world, |phone, now| {
        let invite = phone.compose("sales").build();
        phone.send_invite(now, edited(&invite, "INVITE sip:", "INVITE sips:"));
    });
    assert_eq!(answer.status(), Some(416));
    world.assert_clean();
}
