//! Who calls, as the core is told and the agent's phone shows it; and that what a caller withholds
//! is told to neither.
//!
//! Not here: who is trusted to assert an identity (`admission`).

use carillon::acd::command::Caller;
use carillon::acd::command::Command;
use carillon::acd::config::AnswerMode;
use carillon::acd::view::View;
use carillon::sip::header::name::Name;
use carillon::sip::message::Message;
use carillon::sip::method::Method;

use crate::world::World;

const ALICE: &str = "\"Alice\" <sip:4922112345@x.test>;tag=f1";
const BOB: &str = "\"Bob\" <sip:+4922199@x.test>";

type Headers<'a> = &'a [(&'a str, &'a str)];

/// A call from a trusted source with these headers; what the core was told and the agent's phone.
fn call(from: &str, headers: Headers<'_>) -> (Caller, Message) {
    let mut world = World::new(90, AnswerMode::OnEntry);
    let (ann, caller) = (world.agent("ann"), world.caller());
    world.with(caller, |phone, now| {
        let mut invite = phone.compose("sales");
        for (name, value) in headers {
            invite = invite.raw(name, value);
        }
        let body = phone.sdp.clone().into_bytes();
        let invite = invite.body("application/sdp", body).build().with_header(Name::From, from);
        phone.send_invite(now, invite);
    });
    world.run_secs(3);
    let told = world.commands.iter().find_map(|command| match command {
        Command::EnqueueCall(arrival) => Some(Caller::clone(&arrival.caller)),
        _ => None,
    });
    let told = told.expect("a call");
    assert_eq!(*View::new(&world.core).calls()[0].caller, told);
    let shown = world.phones[ann].requests(&Method::Invite)[0].clone();
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
    (told, shown)
}

#[test]
fn the_caller_is_shown_as_a_trusted_source_names_it() {
    let (assert, party) = ("P-Asserted-Identity", "Remote-Party-ID");
    let called = "\"Eve\" <sip:333@x.test>;party=called";
    let cases: [(Headers<'_>, &str, Option<&str>); 9] = [
        (&[], "4922112345", Some("Alice")),
        (&[(assert, BOB)], "+4922199", Some("Bob")),
        (&[(assert, "<tel:+4922198>")], "+4922198", None),
        (&[(party, BOB)], "+4922199", Some("Bob")),
        (&[(party, &format!("{BOB};party=calling"))], "+4922199", Some("Bob")),
        (&[(party, called)], "4922112345", Some("Alice")),
        (&[(party, called), (party, &format!("{BOB};party=calling"))], "+4922199", Some("Bob")),
        (&[(party, "<sip:333@x.test>"), (assert, BOB)], "+4922199", Some("Bob")),
        (&[("Privacy", "none"), (party, &format!("{BOB};privacy=off"))], "+4922199", Some("Bob")),
    ];
    for (headers, number, name) in cases {
        let (told, shown) = call(ALICE, headers);
        assert_eq!(told.number.expose().as_deref(), Some(number), "{headers:?}");
        assert_eq!(told.name.expose().as_deref(), name, "{headers:?}");
        assert_eq!(told.from.expose(), "4922112345@x.test");
        let from = shown.from().expect("From");
        assert_eq!(from.uri.user_name().as_deref(), Some(number), "{headers:?}");
        let seen = format!("Sales/{}", name.unwrap_or(number));
        assert_eq!(from.display.as_deref(), Some(seen.as_str()));
        let asserted = shown.asserted_identities().expect("readable");
        assert_eq!(asserted[0].uri.user_name().as_deref(), Some(number), "{headers:?}");
        assert!(!shown.has(Name::Privacy), "{headers:?}");
    }
}

#[test]
fn what_a_caller_withholds_is_told_to_nobody() {
    let (assert, party) = ("P-Asserted-Identity", "Remote-Party-ID");
    let nobody = "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=f1";
    let cases: [(&str, Headers<'_>); 8] = [
        (ALICE, &[("Privacy", "id")]),
        (ALICE, &[("Privacy", "user;critical")]),
        (ALICE, &[("Privacy", "session; Header")]),
        (ALICE, &[("Privacy", "id"), (assert, BOB)]),
        (nobody, &[("Privacy", "id"), (assert, BOB)]),
        (ALICE, &[(party, &format!("{BOB};party=calling;privacy=full"))]),
        (ALICE, &[(party, "<sip:anonymous@x.test>")]),
        (nobody, &[]),
    ];
    for (from, headers) in cases {
        let (told, shown) = call(from, headers);
        assert_eq!((told.number.expose(), told.name.expose()), (&None, &None), "{headers:?}");
        assert_eq!(told.from.expose(), "anonymous@anonymous.invalid", "{headers:?}");
        assert_eq!(shown.header(Name::Privacy).as_deref(), Some("id"), "{headers:?}");
        assert!(!shown.has(Name::PAssertedIdentity), "{headers:?}");
        let from = shown.from().expect("From");
        assert_eq!(from.uri.to_string(), "sip:anonymous@anonymous.invalid");
        assert_eq!(from.display.as_deref(), Some("Sales/anonymous"));
        let text = String::from_utf8_lossy(shown.as_bytes()).into_owned();
        for secret in ["4922112345", "4922199", "Alice", "Bob"] {
            assert!(!text.contains(secret), "{headers:?}: {text}");
        }
    }
}
